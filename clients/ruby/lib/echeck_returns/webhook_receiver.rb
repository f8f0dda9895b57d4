# frozen_string_literal: true

require "echeck_returns/webhooks"

module EcheckReturns
  # Takes the messages of a webhook endpoint. It is a Rack app and not a controller, because a
  # signature is over bytes: nothing may parse, log or convert them first.
  # @api private
  class WebhookReceiver
    class << self
      # @return [Array] 204 when the event is stored, now or before; 400, 405 or 413 when it is refused
      def call(env)
        return answer(405, "only POST is possible") unless env["REQUEST_METHOD"] == "POST"

        body = read(env["rack.input"], env["CONTENT_LENGTH"].to_i)
        WebhookEvent.accept(verify(body, env))
        answer(204)
      rescue MessageTooLarge => e
        refuse(413, e)
      rescue WebhookError => e
        refuse(400, e)
      end

      private

      # Reads one byte more than a message may have, and no more.
      def read(input, announced)
        longest = Webhooks::LONGEST_BODY
        body = announced > longest ? nil : input.read(longest + 1).to_s
        raise MessageTooLarge, "the body has more than #{longest} bytes" if body.nil? || body.bytesize > longest

        body
      end

      def verify(body, env)
        Webhooks.verify(body, id: env["HTTP_WEBHOOK_ID"], timestamp: env["HTTP_WEBHOOK_TIMESTAMP"],
                              signature: env["HTTP_WEBHOOK_SIGNATURE"])
      end

      def refuse(status, error)
        Rails.logger&.warn("echeck_returns refused a webhook message: #{error.message}")
        answer(status, error.message)
      end

      def answer(status, text = nil)
        headers = text ? { "Content-Type" => "text/plain; charset=utf-8" } : {}
        [status, headers, [text && "#{text}\n"].compact]
      end
    end
  end
end
