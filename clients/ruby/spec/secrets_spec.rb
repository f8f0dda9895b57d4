# frozen_string_literal: true

RSpec.describe EcheckReturns::Configuration, "secrets" do
  include Servers

  let(:secret) { "tok-0123456789abcdef" }

  it "sends the token with each call, and asks for it each time when it is a block" do
    guarded = start(token: secret)
    guarded.add_transfer(id: "TR1")
    expect(client_for(guarded, token: secret).transfer("TR1").id).to eq "TR1"
    tokens = ["an-old-one", "#{secret}\n"]
    rotated = client_for(guarded, token: -> { tokens.shift })
    expect { rotated.transfer("TR1") }.to raise_error(EcheckReturns::Unauthenticated)
    expect(rotated.transfer("TR1").id).to eq "TR1"
  end

  it "shows no token in an error, in inspect or in an event" do
    guarded = start(token: "another one")
    events = []
    ActiveSupport::Notifications.subscribed(->(*event) { events << event }, "call.echeck_returns") do
      wrong = client_for(guarded, token: secret)
      error = error_of { wrong.transfer("TR1") }
      expect(error).to be_a(EcheckReturns::Unauthenticated)
      shown = [error.message, error.inspect, error.full_message, error.metadata.inspect, error.cause.inspect,
               error.cause.full_message, wrong.inspect, events.inspect]
      expect(shown.join).not_to include(secret)
    end
    expect(guarded.calls.size).to eq 1
  end

  it "shows no secret of the configuration" do
    configuration = EcheckReturns::Configuration.new
    configuration.token = secret
    configuration.webhook_secrets = [WebhookSender::SECRET]
    expect("#{configuration} #{configuration.inspect}").not_to match(/#{secret}|whsec_/)
    expect(EcheckReturns::WebhookKeys.read(WebhookSender::SECRET).inspect).not_to include("a secret")
  end

  it "does not quote a token that a header cannot have" do
    ["two\nlines", "", "ümlaut"].each do |token|
      error = error_of { client_for(server, token: token).transfer("TR1") }
      expect(error).to be_a(EcheckReturns::ConfigurationError)
      expect(error.full_message).not_to match(/lines|mlaut/)
    end
  end

  it "does not send a token in clear to another machine" do
    expect { client_for("http://returns.internal:50051", token: secret) }
      .to raise_error(EcheckReturns::ConfigurationError, /in clear/)
    ["http://localhost:1", "http://[::1]:1", "http://127.0.0.1:1"].each { |address| client_for(address, token: secret) }
    expect { client_for("http://127.0.0.1.evil.example:1", token: secret) }.to raise_error(EcheckReturns::ConfigurationError)
  end

  it "names each setting that is missing or wrong" do
    { { address: nil } => /address is required/, { ca_file: "/nowhere" } => /ca_file "\/nowhere" cannot be read/,
      { cert_file: __FILE__ } => /cert_file and key_file/, { timeout: 0 } => /timeout is 0/,
      { max_attempts: "4" } => /max_attempts is "4"/ }.each do |settings, message|
      expect { client_for("http://127.0.0.1:1", **settings) }.to raise_error(EcheckReturns::ConfigurationError, message)
    end
  end

  it "uses new settings from the next call on" do
    server.add_transfer(id: "TR1")
    @started << server
    EcheckReturns.configure { |c| c.address = nobody }
    EcheckReturns.configure { |c| c.max_attempts = 1 }
    expect { EcheckReturns.transfer("TR1") }.to raise_error(EcheckReturns::Unavailable)
    EcheckReturns.configure { |c| c.address = server.address }
    expect(EcheckReturns.transfer("TR1").id).to eq "TR1"
    expect(EcheckReturns.configuration.max_attempts).to eq 1
  end
end
