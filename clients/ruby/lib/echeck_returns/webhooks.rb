# frozen_string_literal: true

require "json"
require "time"
require "echeck_returns/errors"
require "echeck_returns/webhook_keys"

module EcheckReturns
  # A message was refused. The message of the error never shows a secret.
  class WebhookError < Error; end
  # No signature fits, or a header is missing.
  class SignatureInvalid < WebhookError; end
  # The message is older than the tolerance, or from the future.
  class MessageStale < WebhookError; end
  # The body is larger than any message of the service.
  class MessageTooLarge < WebhookError; end
  # The signature fits, but the body is not JSON in UTF-8.
  class MessageUnreadable < WebhookError; end

  # A message of a webhook endpoint whose signature fits.
  class WebhookMessage
    # @return [String] the id of the message, the same at every delivery
    attr_reader :id
    # @return [String] the body as it was sent
    attr_reader :body
    # @return [Hash] the body, parsed
    attr_reader :data

    def initialize(id, body)
      @id = -id
      @body = body.dup.force_encoding(Encoding::UTF_8).freeze
      raise MessageUnreadable, "the body is not UTF-8" unless @body.valid_encoding?

      @data = parse.freeze
      freeze
    end

    # @return [String] such as "ach_return.created" or "transfer.updated"
    def type
      data["event_type"] || [data["entity"], data["type"]].compact.join(".")
    end

    # @return [String, nil] the event, which may have several messages
    def event_id
      data["event_id"]
    end

    # @return [Integer, nil] the version of the object; apply a message only if it is higher
    def version
      data["version"]
    end

    private

    def parse
      parsed = JSON.parse(@body)
      raise MessageUnreadable, "the body is not a JSON object" unless parsed.is_a?(Hash)

      parsed
    rescue JSON::ParserError
      raise MessageUnreadable, "the body is not JSON"
    end
  end

  # Verifies what a webhook endpoint gets, by Standard Webhooks 1.0.
  module Webhooks
    # The columns that keep a body hold so much; a message of the service is below 20 kB.
    LONGEST_BODY = 65_535
    # More signatures than keys could ever sign are not compared.
    MOST_SIGNATURES = 16
    private_constant :MOST_SIGNATURES

    module_function

    # @param body [String] the bytes as they came
    # @param id [String] the header webhook-id
    # @param timestamp [String] the header webhook-timestamp
    # @param signature [String] the header webhook-signature
    # @param secrets [Array<String>, String] one key, or several during a rotation
    # @return [WebhookMessage]
    # @raise [WebhookError]
    # @raise [ConfigurationError] when a key cannot be read, or there is none
    def verify(body, id:, timestamp:, signature:, secrets: EcheckReturns.configuration.webhook_secrets,
               tolerance: EcheckReturns.configuration.webhook_tolerance, now: Time.now)
      keys = WebhookKeys.read(secrets)
      raise MessageTooLarge, "the body has more than #{LONGEST_BODY} bytes" if body.bytesize > LONGEST_BODY
      raise SignatureInvalid, "webhook-id is missing" unless id.to_s.match?(/\A[\x21-\x7e]{1,255}\z/)
      raise SignatureInvalid, "webhook-timestamp is missing" unless timestamp.to_s.match?(/\A\d{1,12}\z/)

      signed = "#{id}.#{timestamp}.".b + body.b
      signatures = signature.to_s.split(" ", MOST_SIGNATURES + 1).first(MOST_SIGNATURES)
      # Every pair is compared, so that the time does not show which key fits.
      fits = signatures.product(keys).map { |one, key| key.signed?(signed, one) }
      raise SignatureInvalid, "no signature fits" if fits.none?

      # After the signature, so that the answer tells a stranger nothing.
      raise MessageStale, "the message is too old, or from the future" if (now.to_i - timestamp.to_i).abs > tolerance

      WebhookMessage.new(id, body)
    end
  end
end
