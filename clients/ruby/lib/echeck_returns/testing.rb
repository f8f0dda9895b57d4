# frozen_string_literal: true

require "echeck_returns"
require "echeck_returns/testing/fake_server"

module EcheckReturns
  # For the tests of an app: a real gRPC server in this process, with the answers that a test wants.
  #
  #   server = EcheckReturns::Testing.start
  #   server.add_transfer(id: "TR1", amount_minor: 5_000, ach_return: { return_code: "R01" })
  #   EcheckReturns.configure { |c| c.address = server.address }
  #   …
  #   server.stop
  module Testing
    # @param options see {FakeServer#initialize}
    # @return [FakeServer]
    # @yieldparam server [FakeServer] with a block the server is stopped afterwards
    def self.start(**options)
      server = FakeServer.new(**options)
      return server unless block_given?

      begin
        yield server
      ensure
        server.stop
      end
    end
  end
end
