# frozen_string_literal: true

# Stands in for the gem of this name where rubygems.org cannot be reached: it has those parts of
# its interface that docs/webhooks.md uses, on Ruby's own OpenSSL. scripts/setup installs the gem
# where it can, and then the tests take that.

require "base64"
require "json"
require "openssl"

module StandardWebhooks
  class WebhookVerificationError < StandardError; end

  class Webhook
    TOLERANCE_S = 300

    def initialize(secret)
      @key = Base64.strict_decode64(secret.delete_prefix("whsec_"))
    end

    def verify(payload, headers)
      id, sent_at, signatures = headers.values_at("webhook-id", "webhook-timestamp", "webhook-signature")
      raise WebhookVerificationError, "a header is missing" unless id && sent_at && signatures

      age_s = Time.now.to_i - Integer(sent_at)
      raise WebhookVerificationError, "too old, or from the future" if age_s.abs > TOLERANCE_S

      digest = OpenSSL::HMAC.digest("SHA256", @key, "#{id}.#{sent_at}.#{payload}")
      expected = "v1,#{Base64.strict_encode64(digest)}"
      known = signatures.split.any? { |given| OpenSSL.secure_compare(given, expected) }
      raise WebhookVerificationError, "no signature fits" unless known

      JSON.parse(payload)
    end
  end
end
