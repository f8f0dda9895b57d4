# frozen_string_literal: true

EcheckReturns::Engine.routes.draw do
  match "/", to: EcheckReturns::WebhookReceiver, via: :all
end
