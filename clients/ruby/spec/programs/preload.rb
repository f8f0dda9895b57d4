# frozen_string_literal: true

# A server like Puma: the master loads the app and forks workers, which make the first calls.
require "echeck_returns"

EcheckReturns.configure { |c| c.address = ARGV.fetch(0) }
EcheckReturns.client
workers = Array.new(2) do
  fork do
    found = EcheckReturns.transfer("TR1").id == "TR1"
    helpers = ObjectSpace.each_object(EcheckReturns::RelayTransport).count
    exit(found && helpers.zero? ? 0 : 1)
  end
end
puts "workers #{workers.map { |worker| Process.wait2(worker).last.exitstatus }.inspect}"
