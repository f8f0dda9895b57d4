# frozen_string_literal: true

require "stringio"
require "tempfile"
require "active_support"
require "active_support/notifications"
require "echeck_returns"
require "echeck_returns/testing"
Dir[File.join(__dir__, "support/*.rb")].each { |file| require file }

RSpec.configure do |config|
  config.disable_monkey_patching!
  config.order = :random
  config.expect_with(:rspec) { |expectations| expectations.max_formatted_output_length = 2_000 }
  config.after { EcheckReturns.reset }
  # What waits for a condition must end, even if the condition never comes.
  config.around { |example| Timeout.timeout(60) { example.run } }
end
