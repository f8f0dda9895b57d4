# frozen_string_literal: true

require "forwardable"
require "echeck_returns/version"
require "echeck_returns/errors"
require "echeck_returns/configuration"
require "echeck_returns/client"
require "echeck_returns/webhooks"
require "echeck_returns/engine" if defined?(Rails::Engine)

# The client of echeck-returns. {configure} it once; every method of {Client} can then be called on
# this module.
#
#   EcheckReturns.configure { |c| c.address = "https://returns.internal:50051" }
#   EcheckReturns.transfer("TR123").ach_return&.return_code
module EcheckReturns
  autoload :Returnable, "echeck_returns/returnable"
  autoload :Testing, "echeck_returns/testing"

  @lock = Mutex.new

  class << self
    extend Forwardable

    # @!method transfer(*)
    #   See {Client#transfer}; the other methods of {Client} are here in the same way.
    def_delegators :client, *(Client.public_instance_methods(false) - [:inspect])

    # Changes the settings. The next call uses them.
    # @yieldparam configuration [Configuration]
    # @return [void]
    def configure
      @lock.synchronize do
        changed = (@configuration || Configuration.new).dup
        yield changed
        @configuration = changed
        @client = nil
      end
    end

    # @return [Configuration] the settings
    def configuration
      @configuration || Configuration.new
    end

    # @return [Client] the client with these settings; it is made once
    # @raise [ConfigurationError] when a setting is missing or wrong
    def client
      @client || @lock.synchronize { @client ||= Client.new(configuration) }
    end

    # Forgets all settings.
    # @return [void]
    def reset
      @lock.synchronize { @configuration = @client = nil }
    end
  end
end
