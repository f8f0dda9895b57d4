# frozen_string_literal: true

require "rails/engine"
require "echeck_returns/webhook_receiver"

module EcheckReturns
  # The Rails part: the receiver of webhooks, which an app mounts, and the task of lib/tasks.
  #
  #   mount EcheckReturns::Engine => "/webhooks/echeck"
  class Engine < ::Rails::Engine
    isolate_namespace EcheckReturns
  end
end
