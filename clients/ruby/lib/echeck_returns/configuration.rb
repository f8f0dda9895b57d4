# frozen_string_literal: true

require "echeck_returns/errors"

module EcheckReturns
  # The settings. A secret is never part of `inspect` or of an error.
  class Configuration
    # @return [String] the service: "https://returns.internal:50051" or "host:port". With "http://"
    #   nothing is encrypted
    attr_accessor :address
    # @return [String, nil] the file with the CA of the service, in PEM. Default: the system's
    attr_accessor :ca_file
    # @return [String, nil] the file with the client's certificate, in PEM
    attr_accessor :cert_file
    # @return [String, nil] the file with its private key, in PEM
    attr_accessor :key_file
    # @return [String, #call, nil] the bearer token, or something to call for it before each call
    attr_accessor :token
    # @return [String, nil] the name in the service's certificate, when it is not the address's
    attr_accessor :server_name
    # @return [Numeric] how many seconds a call may take, its repeats included
    attr_accessor :timeout
    # @return [Numeric] how many seconds an import may take: the upload, and then the wait
    attr_accessor :import_timeout
    # @return [Integer] how often a call is tried at most
    attr_accessor :max_attempts
    # @return [Numeric] how many seconds a stream may be cut off before it gives up
    attr_accessor :stream_patience
    # @return [Integer] the largest answer, in bytes
    attr_accessor :max_message_bytes
    # @return [Array<String>, String] the keys of the webhook endpoint: "whsec_…", or "whpk_…" for
    #   ed25519. Several during a rotation
    attr_accessor :webhook_secrets
    # @return [Numeric] how many seconds a message's timestamp may be off
    attr_accessor :webhook_tolerance
    # @return [String] the class of the job that gets the events, a subclass of {WebhookJob}
    attr_accessor :webhook_job

    def initialize
      @timeout = 10
      @import_timeout = 600
      @max_attempts = 8
      @stream_patience = 300
      @max_message_bytes = 64 * 1024 * 1024
      @webhook_secrets = []
      @webhook_tolerance = 300
      @webhook_job = "EcheckWebhookJob"
    end

    # @return [String] the address as gRPC wants it
    def target
      address.to_s.sub(%r{\Ahttps?://}, "").chomp("/")
    end

    # @return [Boolean] whether nothing is encrypted
    def plaintext?
      address.to_s.start_with?("http://")
    end

    # @return [Array<String>] the files; they are read again when they change
    def files
      [ca_file, cert_file, key_file].compact
    end

    # Checks everything that a call needs.
    # @raise [ConfigurationError]
    # @return [self]
    def validate
      raise ConfigurationError, "address is required, such as https://returns.internal:50051" if target.empty?

      %i[ca_file cert_file key_file].each { |name| check_file(name) }
      if cert_file.nil? != key_file.nil?
        raise ConfigurationError, "cert_file and key_file belong together; one of them is missing"
      end
      if plaintext? && token && !loopback?
        raise ConfigurationError, "a token is not sent in clear to #{target}; use https://"
      end
      %i[timeout import_timeout max_attempts stream_patience max_message_bytes].each { |name| check_positive(name) }
      self
    end

    # @return [String, nil] the token for the next call
    # @raise [ConfigurationError] when it cannot be sent in a header
    def bearer_token
      given = token.respond_to?(:call) ? token.call : token
      return if given.nil?

      text = given.to_s.strip
      # Checked here, because gRPC's own error would quote it.
      unless text.match?(/\A[\x21-\x7e]+\z/)
        raise ConfigurationError, "token is empty, or has characters that a header cannot have"
      end

      text
    end

    # @return [String] the settings without secrets
    def inspect
      "#<#{self.class} address=#{address.inspect} token=#{shown(token)} key_file=#{key_file.inspect} " \
        "webhook_secrets=#{shown(Array(webhook_secrets).first)}>"
    end
    alias to_s inspect

    private

    def shown(secret)
      secret ? "[FILTERED]" : "nil"
    end

    def loopback?
      host = target.sub(/:\d+\z/, "").delete("[]")
      host == "localhost" || host == "::1" || host.match?(/\A127(\.\d{1,3}){3}\z/)
    end

    def check_file(name)
      path = public_send(name)
      return if path.nil? || File.readable?(path)

      raise ConfigurationError, "#{name} #{path.inspect} cannot be read"
    end

    def check_positive(name)
      value = public_send(name)
      return if value.is_a?(Numeric) && value.positive?

      raise ConfigurationError, "#{name} is #{value.inspect}; it must be a positive number"
    end
  end
end
