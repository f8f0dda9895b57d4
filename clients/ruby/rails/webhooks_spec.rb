# frozen_string_literal: true

RSpec.describe "The webhook engine in a Rails app" do
  # What became of the messages.
  # @return [Array<Array>] webhook_id, event_id, type, whether it is processed, how often it took effect
  def events(kind)
    rows = Proof.databases.sql(kind, "app", <<~SQL)
      SELECT concat_ws('|', webhook_id, event_id, event_type, CASE WHEN processed_at IS NULL THEN 0 ELSE 1 END,
        (SELECT count(*) FROM seen_events WHERE seen_events.webhook_id = events.webhook_id))
      FROM echeck_returns_webhook_events AS events ORDER BY id
    SQL
    rows.map { |row| row.split("|") }
  end

  def send_message(app, body, changed: body, type: "application/json", **options)
    headers = WebhookSender.sign(body, secret: app.env["ECHECK_WEBHOOK_SECRETS"], **options)
    app.post(changed, headers, type: type)
  end

  # The service has sent what it decided, and the jobs are done: by delayed_job, whose queue is in the
  # database of the app, and by Rails' own threads, whose queue is not.
  before(:context) do
    @work = Proof.each_app do |app|
      Shell.eventually("the events of two returns", log: app.log) { events(app.kind).size >= 4 }
      next app.runner("work_off") if app.kind == :postgres

      Shell.eventually("the jobs", log: app.log) { events(:mariadb).all? { |event| event[3] == "1" } }
      send_message(app, '{"event_type":"a.failure","fail":true}', id: "msg_fails")
      Shell.eventually("the failure", log: app.log) { app.logged.include?("told to fail") }
      app.runner("mend")
    end
  end

  %i[postgres mariadb].each do |kind|
    describe "on #{kind}" do
      let(:app) { Proof.apps.fetch(kind) }

      it "takes what the service sends, once each" do
        taken = events(kind)
        expect(taken.map { |event| event[2] }).to include("payin.returned", "ach_return.created")
        expect(taken.map { |event| event.last(2) }.uniq).to eq [%w[1 1]]
        # One event has several messages, each with an id of its own.
        sent = taken.select { |event| event[1].start_with?("evt_") }
        expect(sent.map { |event| event[1] }.uniq.size).to be < sent.size
      end

      it "takes an event once, although the service sends it twice" do
        before = events(kind)
        posts = app.posts
        event = before.find { |one| one[2] == "payin.returned" }[1]
        Proof.suite.echeck("webhooks", "replay", Proof.endpoints.fetch(kind), "--event", event, "--reason", "a test")
        Shell.eventually("the second delivery", log: app.log) { app.posts >= posts + 2 }
        expect(events(kind)).to eq before
        expect(Proof.databases.sql(kind, "app", "SELECT count(*) FROM delayed_jobs")).to eq ["0"]
      end

      it "takes a message once, although it comes eight times at once" do
        body = '{"event_type":"a.test","event_id":"evt_eight"}'
        headers = WebhookSender.sign(body, id: "msg_eight", secret: app.env["ECHECK_WEBHOOK_SECRETS"])
        answers = Array.new(8) { Thread.new { app.post(body, headers).code } }.map(&:value)
        expect(answers).to eq ["204"] * 8
        expect(app.post(body, headers).code).to eq "204"
        expect(events(kind).count { |event| event[0] == "msg_eight" }).to eq 1
      end

      it "refuses what was changed, is old, is huge, or is not JSON, and stores nothing" do
        before = events(kind).map(&:first)
        body = '{"event_type":"a.test"}'
        expect(send_message(app, body, changed: body.sub("test", "fest")).code).to eq "400"
        expect(send_message(app, body, at: Time.now - 600).body).to include("too old")
        expect(send_message(app, %({"a":"\xFF"}).b).code).to eq "400"
        expect(send_message(app, "not JSON").code).to eq "400"
        expect(send_message(app, "x" * 70_000).code).to eq "413"
        expect(app.post("x" * 20_000_000, {}).code).to eq "413"
        expect(app.post(body, {}).code).to eq "400"
        expect(app.post(body, WebhookSender.sign(body, secret: WebhookSender::OTHER_SECRET)).code).to eq "400"
        expect(app.get("/webhooks/echeck").code).to eq "405"
        expect(events(kind).map(&:first)).to eq before
      end

      it "takes a form as the bytes that it is" do
        answer = send_message(app, '{"event_type":"a.form"}', id: "msg_form", type: "application/x-www-form-urlencoded")
        expect(answer.code).to eq "204"
      end

      it "shows no secret in its log" do
        secret = app.env["ECHECK_WEBHOOK_SECRETS"].delete_prefix("whsec_")
        expect(app.logged).to include("refused a webhook message")
        expect(app.logged).not_to match(/whsec_|#{Regexp.escape(secret)}|#{Suite.token("rails")}/)
      end
    end
  end

  it "commits the event and its job together, or neither, and waits for a row that is not there yet" do
    expect(@work[:postgres]).to eq(left: 0, early: 1, first: [0, 0], again: true, twice: false, second: [1, 1])
  end

  it "does again what failed, and commits what it did only when it succeeds" do
    expect(@work[:mariadb]).to eq(before: 0, said: ["1 enqueued"])
    expect(events(:mariadb).find { |event| event[0] == "msg_fails" }.last(2)).to eq %w[1 1]
  end
end
