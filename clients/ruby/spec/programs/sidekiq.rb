# frozen_string_literal: true

# Like the swarm of Sidekiq Enterprise: a parent that loads the app, and has made a call, forks processes
# that each run Sidekiq with several threads. It stops them when its standard input ends.
require "sidekiq/cli"
require "echeck_returns"

address, redis = ARGV
EcheckReturns.configure { |c| c.address = address }
Sidekiq.logger.level = Logger::WARN
# Sidekiq 6 uses an older interface of Redis; Sidekiq 7 has a client of its own.
Redis.silence_deprecations = true if defined?(Redis)
Sidekiq.configure_server { |sidekiq| sidekiq.redis = { url: redis } }

class LookUp
  include Sidekiq::Worker
  sidekiq_options retry: false

  def perform(id)
    found = EcheckReturns.transfer(id).id
    Sidekiq.redis { |redis| redis.lpush("found", "#{Process.pid} #{found}") }
  end
end

puts "parent #{EcheckReturns.transfer("TR1").id}"
$stdout.flush
children = Array.new(2) do
  fork do
    sidekiq = Sidekiq::CLI.instance
    # The app is loaded already; Sidekiq insists on something to load.
    sidekiq.parse(["sidekiq", "--concurrency", "5", "--require", File.expand_path("../../lib/echeck_returns.rb", __dir__)])
    sidekiq.run
  end
end
$stdin.read
children.each { |child| Process.kill(:TERM, child) }
puts "parent #{EcheckReturns.transfer("TR1").id}"
puts "ended #{children.map { |child| Process.wait2(child).last.exitstatus }.inspect}"
