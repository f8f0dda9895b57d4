# frozen_string_literal: true

require "openssl"
require "echeck_returns/errors"

module EcheckReturns
  # The keys of a webhook endpoint.
  # @api private
  module WebhookKeys
    # HMAC-SHA256, with a secret that both ends have.
    class Hmac
      def initialize(bytes)
        @bytes = bytes
      end

      def signed?(text, signature)
        given = WebhookKeys.decode(signature, "v1,")
        return false unless given&.bytesize == 32

        OpenSSL.fixed_length_secure_compare(OpenSSL::HMAC.digest("SHA256", @bytes, text), given)
      end

      def inspect
        "#<#{self.class} [FILTERED]>"
      end
    end

    # ed25519, with the public key of the service.
    class Ed25519
      # The 32 bytes of a key, as RFC 8410 wraps them.
      PREFIX = ["302a300506032b6570032100"].pack("H*")
      private_constant :PREFIX

      def initialize(bytes)
        @key = OpenSSL::PKey.read(PREFIX + bytes)
      end

      def signed?(text, signature)
        given = WebhookKeys.decode(signature, "v1a,")
        given&.bytesize == 64 && @key.verify(nil, given, text)
      end
    end

    module_function

    # @return [Array<Hmac, Ed25519>]
    # @raise [ConfigurationError]
    def read(secrets)
      texts = Array(secrets).map(&:to_s).reject(&:empty?)
      raise ConfigurationError, "webhook_secrets is required" if texts.empty?

      texts.map { |text| key(text) }
    end

    def key(text)
      case text
      when /\Awhsec_/ then Hmac.new(text.delete_prefix("whsec_").unpack1("m0"))
      when /\Awhpk_/ then Ed25519.new(text.delete_prefix("whpk_").unpack1("m0"))
      else raise ConfigurationError, "webhook_secrets has a key that begins neither with whsec_ nor with whpk_"
      end
    rescue ArgumentError, OpenSSL::PKey::PKeyError
      raise ConfigurationError, "webhook_secrets has a key that is not valid base64, or has the wrong length"
    end

    # @return [String, nil] the bytes of a signature of this kind
    def decode(signature, kind)
      signature.delete_prefix(kind).unpack1("m0") if signature.start_with?(kind)
    rescue ArgumentError
      nil
    end
  end
end
