# frozen_string_literal: true

require "set"
require "echeck_returns/errors"

module EcheckReturns
  # Reads a list page by page, each when somebody wants its first element.
  # @api private
  module Pages
    module_function

    # The block gets a page token, and gives the page.
    # @return [Enumerator::Lazy]
    def each(items)
      Enumerator.new do |out|
        token = ""
        seen = Set.new
        loop do
          page = yield token
          page.public_send(items).each { |item| out << item }
          token = page.next_page_token
          break if token.empty?

          # A service that sends the same token again would be asked forever.
          raise PageTokenLoop, "#{items}: the service sent the same page token twice" unless seen.add?(token)
        end
      end.lazy
    end
  end
end
