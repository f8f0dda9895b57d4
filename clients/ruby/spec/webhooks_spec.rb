# frozen_string_literal: true

require "json"

RSpec.describe EcheckReturns::Webhooks do
  let(:body) { JSON.generate(event_type: "ach_return.created", event_id: "evt_1", version: 3, data: { name: "Zoë" }) }

  def verify(body, headers, **options)
    described_class.verify(body, **headers, secrets: [WebhookSender::SECRET], tolerance: 300, **options)
  end

  def refusal(...)
    verify(...)
    nil
  rescue EcheckReturns::WebhookError => e
    e.class.name.split("::").last
  end

  it "takes the known vector of the standard" do
    message = described_class.verify(
      '{"test": 2432232314}', id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: "1614265330",
                              signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                              secrets: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", tolerance: 300,
                              now: Time.at(1_614_265_330)
    )
    expect(message.data).to eq("test" => 2_432_232_314)
  end

  it "gives what the message says" do
    expect(verify(body, WebhookSender.sign(body)))
      .to have_attributes(id: "msg_1", type: "ach_return.created", event_id: "evt_1", version: 3)
    finix = '{"entity":"transfer","type":"updated"}'
    expect(verify(finix, WebhookSender.sign(finix)).type).to eq "transfer.updated"
  end

  it "takes either key during a rotation" do
    both = [WebhookSender::OTHER_SECRET, WebhookSender::SECRET]
    expect(verify(body, WebhookSender.sign(body), secrets: both).id).to eq "msg_1"
    old, new = both.map { |secret| WebhookSender.sign(body, secret: secret) }
    signed_twice = new.merge(signature: "v1a,AAAA #{old[:signature]} #{new[:signature]}")
    expect(verify(body, signed_twice).id).to eq "msg_1"
  end

  it "takes ed25519 with a public key" do
    key = OpenSSL::PKey.generate_key("ED25519")
    headers = WebhookSender.sign(body)
    text = "#{headers[:id]}.#{headers[:timestamp]}.#{body}".b
    headers[:signature] = "v1a,#{Base64.strict_encode64(key.sign(nil, text))}"
    public_key = "whpk_#{Base64.strict_encode64(key.public_to_der[-32..])}"
    expect(verify(body, headers, secrets: public_key).id).to eq "msg_1"
    expect(refusal("#{body} ", headers, secrets: public_key)).to eq "SignatureInvalid"
  end

  it "refuses a changed body, id, time, and a signature by another key" do
    headers = WebhookSender.sign(body)
    expect(refusal(body.sub("evt_1", "evt_2"), headers)).to eq "SignatureInvalid"
    expect(refusal(body, headers.merge(id: "msg_2"))).to eq "SignatureInvalid"
    expect(refusal(body, headers.merge(timestamp: (Time.now.to_i + 1).to_s))).to eq "SignatureInvalid"
    expect(refusal(body, WebhookSender.sign(body, secret: WebhookSender::OTHER_SECRET))).to eq "SignatureInvalid"
  end

  it "refuses headers that are missing or nonsense" do
    headers = WebhookSender.sign(body)
    [{ id: nil }, { id: "" }, { id: "a\nb" }, { id: "x" * 256 }, { timestamp: nil }, { timestamp: "now" },
     { timestamp: "-1" }, { timestamp: "1e9" }, { signature: nil }, { signature: "" }, { signature: "v1," },
     { signature: "v1,!!!" }, { signature: "v1,AAAA" }, { signature: headers[:signature].sub("v1,", "v2,") },
     { signature: "#{"v1,AAAA " * 50}#{headers[:signature]}" }].each do |change|
      expect(refusal(body, headers.merge(change))).to eq("SignatureInvalid"), change.inspect
    end
  end

  it "refuses an old message, and one from the future, although the signature fits" do
    expect(refusal(body, WebhookSender.sign(body, at: Time.now - 301))).to eq "MessageStale"
    expect(refusal(body, WebhookSender.sign(body, at: Time.now + 302))).to eq "MessageStale"
    expect(refusal(body, WebhookSender.sign(body, at: Time.now - 290))).to be_nil
  end

  it "refuses a body that is not UTF-8 or not an object, although the signature fits" do
    ["{\"a\":\"\xFF\"}".b, "[]", "null", "not JSON", ""].each do |odd|
      expect(refusal(odd, WebhookSender.sign(odd))).to eq("MessageUnreadable"), odd.inspect
    end
    deep = "[" * 500 + "]" * 500
    expect(refusal(deep, WebhookSender.sign(deep))).to eq "MessageUnreadable"
  end

  it "refuses a huge body before it computes anything" do
    huge = "x" * 65_536
    expect(refusal(huge, WebhookSender.sign(huge))).to eq "MessageTooLarge"
  end

  it "compares signatures in constant time" do
    expect(OpenSSL).to receive(:fixed_length_secure_compare).twice.and_call_original
    verify(body, WebhookSender.sign(body), secrets: [WebhookSender::SECRET, WebhookSender::OTHER_SECRET])
  end

  it "does not start without a key, or with a wrong one, and does not show it" do
    [[], nil, "", "hunter2", "whsec_hunter2!", "whpk_AAAA"].each do |secrets|
      expect { verify(body, WebhookSender.sign(body), secrets: secrets) }
        .to raise_error(EcheckReturns::ConfigurationError, /\A(?!.*hunter2)webhook_secrets/)
    end
  end
end
