# frozen_string_literal: true

require "socket"
require "timeout"

# A fake server of each example, and clients for it.
module Servers
  def self.included(group)
    group.let(:server) { EcheckReturns::Testing.start }
    group.let(:client) { client_for(server) }
    group.after { @started&.each(&:stop) }
    group.before { @started = [] }
  end

  def start(**options)
    EcheckReturns::Testing.start(**options).tap { |one| @started << one }
  end

  # Errors that are tried again are tried at once.
  def client_for(server, pauses: [], **settings)
    configuration = EcheckReturns::Configuration.new
    configuration.address = server.respond_to?(:address) ? server.address : server
    configuration.timeout = 15
    settings.each { |name, value| configuration.public_send(:"#{name}=", value) }
    retries = EcheckReturns::Retries.new(configuration.max_attempts, sleep: ->(pause) { pauses << pause })
    @started << server if server.respond_to?(:stop)
    connection = EcheckReturns::Connection.new(configuration, retries: retries)
    EcheckReturns::Client.new(configuration, connection: connection)
  end

  # An address at which nobody listens.
  def nobody
    socket = TCPServer.new("127.0.0.1", 0)
    port = socket.addr[1]
    socket.close
    "http://127.0.0.1:#{port}"
  end

  def eventually(what, seconds: 30)
    limit = EcheckReturns::Clock.now + seconds
    until (found = yield)
      raise "#{what} did not come about" if EcheckReturns::Clock.now > limit

      Thread.pass
    end
    found
  end

  def error_of
    yield
    nil
  rescue EcheckReturns::Error => e
    e
  end
end
