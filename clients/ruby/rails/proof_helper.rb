# frozen_string_literal: true

require "timeout"
Dir[File.join(__dir__, "support/*.rb")].sort.each { |file| require file }
$LOAD_PATH.unshift(File.expand_path("../lib", __dir__))
require "echeck_returns"
require File.expand_path("../spec/support/webhook_sender", __dir__)
require File.expand_path("../spec/support/certificates", __dir__)

RSpec.configure do |config|
  config.disable_monkey_patching!
  config.expect_with(:rspec) { |expectations| expectations.max_formatted_output_length = 4_000 }
  # Nothing below works after a failure to set up, so one failure ends the run.
  config.fail_fast = !ENV["PROOF_ALL"]
  config.before(:suite) { Proof.start }
  config.after(:suite) { Proof.stop }
end
