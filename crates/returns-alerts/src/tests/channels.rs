//! Several channels, of which some do not work.

use echeck_test_servers::http::Answer;
use returns_model::incident::{AlertState, WrongClock};

use super::*;

/// What was told of the incident of the tests, without what is told of the channels.
fn about_port(receiver: &HttpReceiver) -> Vec<String> {
    let lines = first_lines(receiver).into_iter();
    lines
        .filter(|line| line.contains("nothing listens"))
        .collect()
}

fn about_channels(receiver: &HttpReceiver) -> Vec<String> {
    let lines = first_lines(receiver).into_iter();
    lines
        .filter(|line| line.contains("be delivered by"))
        .collect()
}

#[tokio::test]
async fn a_failing_channel_delays_no_other_is_reported_once_and_gets_its_alert_later() {
    let (_folder, store) = empty_store().await;
    let (dead, alive) = (HttpReceiver::start().await, HttpReceiver::start().await);
    dead.answer(Answer::Hang);
    let toml = format!(
        "[alerts]\ntimeout_ms = 3000\n{}{}",
        slack("dead", &dead),
        slack("alive", &alive)
    );
    let rig = Rig::start(&store, &toml);
    let reported = tokio::time::Instant::now();
    rig.report(port_closed());
    eventually("the other arrives", async || about_port(&alive).len() == 1).await;
    assert!(
        reported.elapsed() < Duration::from_millis(2_800),
        "it waits for nobody"
    );
    eventually("the failing channel is reported", async || {
        about_channels(&alive).len() == 1
    })
    .await;
    let note = &about_channels(&alive)[0];
    assert!(
        note.contains("Alerts cannot be delivered by dead"),
        "{note}"
    );
    assert!(note.contains("did not answer within 3000 ms"), "{note}");

    // Tried again after 5 s, 30 s and 2 min, and told of no more.
    for (attempt, seconds) in [(2, 6), (3, 31)] {
        rig.pass(seconds);
        eventually("it is tried again", async || {
            let alerts = rig.alerts().await;
            let mut dead = alerts.iter().filter(|alert| alert.channel == "dead");
            dead.any(|alert| alert.attempts == attempt && alert.claimed_until.is_none())
        })
        .await;
    }
    assert_eq!(about_channels(&alive).len(), 1, "{:?}", first_lines(&alive));
    let waiting = rig.alerts().await;
    let waiting = waiting
        .iter()
        .find(|alert| alert.channel == "dead")
        .unwrap();
    assert_eq!(waiting.state, AlertState::Pending);
    assert!(
        waiting
            .last_error
            .as_ref()
            .unwrap()
            .contains("did not answer")
    );

    dead.answer(Answer::Status(200, "ok".into()));
    rig.pass(121);
    eventually("it arrives after all", async || {
        rig.alerts()
            .await
            .iter()
            .all(|alert| alert.state == AlertState::Sent)
    })
    .await;
    assert_eq!(about_port(&alive).len(), 1);
    eventually("the channel recovered", async || {
        first_lines(&alive).last().unwrap().starts_with("Recovered")
    })
    .await;
    rig.stop().await;
}

#[tokio::test]
async fn an_alert_whose_first_attempt_died_with_its_replica_falls_back_too() {
    let (_folder, store) = empty_store().await;
    let (main, spare) = (HttpReceiver::start().await, HttpReceiver::start().await);
    let toml = format!(
        "[alerts]\n{}{}fallback = true\n",
        slack("main", &main),
        slack("spare", &spare)
    );
    let rig = Rig::start(&store, &toml);
    main.answer(Answer::Hang);
    rig.report(port_closed());
    // The attempt is counted when it begins, and this replica dies in it.
    eventually("it is tried", async || {
        rig.alerts().await.iter().any(|one| one.attempts == 1)
    })
    .await;
    rig.running.abort();
    assert!(spare.received().is_empty());

    main.answer(Answer::Status(500, "out of order".into()));
    let next = Rig::start(&store, &toml);
    eventually("it falls back", async || {
        // Until the claim of the one that died has run out.
        next.pass(5);
        about_port(&spare).len() == 1
    })
    .await;
    next.stop().await;
}

#[tokio::test]
async fn a_fallback_channel_gets_only_what_another_did_not_take_and_then_how_it_ends() {
    let (_folder, store) = empty_store().await;
    let (main, spare) = (HttpReceiver::start().await, HttpReceiver::start().await);
    let toml = format!(
        "{}{}fallback = true\n",
        slack("main", &main),
        slack("spare", &spare)
    );
    let rig = Rig::start(&store, &toml);
    rig.report(Cause::HostNotFound { host: "x".into() });
    receives(&main, 1).await;
    assert!(spare.received().is_empty(), "nothing has failed");

    main.answer_next(Answer::Status(500, "out of order".into()));
    rig.report(port_closed());
    eventually("it falls back", async || about_port(&spare).len() == 1).await;
    let alerts = rig.alerts().await;
    let spare_alert = alerts.iter().find(|one| one.channel == "spare").unwrap();
    let failed = alerts.iter().find(|one| one.last_error.is_some()).unwrap();
    assert_eq!(spare_alert.fallback_of.as_ref(), Some(&failed.alert_id));
    assert_eq!(
        failed.last_error.as_deref().unwrap(),
        format!("{} answered HTTP 500", main.address())
    );

    rig.clear(Area::Reach);
    eventually("both are told the end", async || {
        let ends = |receiver| {
            about_port(receiver)
                .iter()
                .any(|line| line.starts_with("Recovered"))
        };
        ends(&main) && ends(&spare)
    })
    .await;
    let of_other = first_lines(&spare)
        .into_iter()
        .filter(|line| line.contains("host name"));
    assert_eq!(of_other.count(), 0, "it was never told of that one");
    rig.stop().await;
}

#[tokio::test]
async fn two_dead_channels_do_not_tell_of_each_other_for_ever() {
    let (_folder, store) = empty_store().await;
    let (one, two) = (HttpReceiver::start().await, HttpReceiver::start().await);
    one.answer(Answer::Reset);
    two.answer(Answer::Status(404, "no_service".into()));
    let rig = Rig::start(
        &store,
        &format!("{}{}", slack("one", &one), slack("two", &two)),
    );
    rig.report(port_closed());
    eventually("everything was tried once", async || {
        let alerts = rig.alerts().await;
        alerts.len() == 4
            && alerts
                .iter()
                .all(|alert| alert.attempts == 1 && alert.last_error.is_some())
    })
    .await;
    let incidents = rig.incidents().await;
    let mut keys: Vec<&str> = incidents.iter().map(|one| one.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "CHANNEL_FAILED/channel:one",
            "CHANNEL_FAILED/channel:two",
            "PORT_CLOSED/source:worldpay"
        ]
    );
    let two = incidents
        .iter()
        .find(|one| one.key.ends_with("two"))
        .unwrap();
    assert!(two.content.headline.contains("HTTP 404 (no_service)"));
    rig.stop().await;
}

#[tokio::test]
async fn an_alert_is_given_up_after_a_day_and_stays_visible() {
    let (_folder, store) = empty_store().await;
    let dead = HttpReceiver::start().await;
    dead.answer(Answer::Status(503, String::new()));
    let rig = Rig::start(&store, &slack("dead", &dead));
    rig.report(port_closed());
    let attempts = async || rig.alerts().await.first().map_or(0, |alert| alert.attempts);
    eventually("it was tried", async || attempts().await == 1).await;
    let pauses = [5, 30, 120, 600, 3_600, 21_600, 21_600, 21_600, 21_600];
    for (tried, seconds) in (2..).zip(pauses) {
        eventually("its attempt has ended", async || {
            rig.alerts().await[0].claimed_until.is_none()
        })
        .await;
        rig.pass(seconds);
        eventually("it is tried again", async || attempts().await == tried).await;
    }
    eventually("it is given up", async || {
        rig.alerts().await[0].state == AlertState::Undeliverable
    })
    .await;
    assert_eq!(dead.received().len(), 10);
    rig.stop().await;
}

#[tokio::test]
async fn a_channel_hears_only_what_is_severe_enough() {
    let (_folder, store) = empty_store().await;
    let (all, severe) = (HttpReceiver::start().await, HttpReceiver::start().await);
    let toml = format!(
        "{}{}severity = \"critical\"\n",
        slack("all", &all),
        slack("severe", &severe)
    );
    let rig = Rig::start(&store, &toml);
    let cause = Cause::ClockWrong {
        whose: WrongClock::Unknown,
        by_seconds: 90,
        against: "the database".into(),
    };
    rig.incidents
        .report(Problem::new(Subject::Machine, cause, now()));
    receives(&all, 1).await;
    rig.report(port_closed());
    receives(&all, 2).await;
    receives(&severe, 1).await;
    assert_eq!(first_lines(&severe), [PORT_CLOSED]);
    rig.stop().await;
}

#[tokio::test]
async fn the_generic_webhook_gets_everything_as_json_and_follows_no_redirect() {
    let (_folder, store) = empty_store().await;
    let (hook, other) = (HttpReceiver::start().await, HttpReceiver::start().await);
    let toml = format!(
        "[alerts]\ninstallation = \"test\"\n[alerts.channels.hook]\nkind = \"webhook\"\n\
         url = {:?}\nauthorization = \"Bearer hook-secret\"\n",
        hook.url("/alerts?team=1")
    );
    let rig = Rig::start(&store, &toml);
    rig.report(port_closed());
    receives_any(&hook, 1).await;
    let request = hook.received().remove(0);
    assert_eq!(request.path, "/alerts?team=1");
    assert_eq!(request.header("authorization"), Some("Bearer hook-secret"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let sent = body(&request);
    assert_eq!(sent["schema"], "echeck.alert.v1");
    assert_eq!(sent["event"], "incident.opened");
    assert_eq!(sent["installation"], "test");
    assert_eq!(sent["first_line"], PORT_CLOSED);
    assert_eq!(sent["incident"]["cause"], "PORT_CLOSED");
    assert_eq!(sent["incident"]["subject"], "source:worldpay");
    assert_eq!(sent["incident"]["severity"], "critical");
    assert_eq!(sent["incident"]["opened_at"], "2024-10-04T00:00:00.000000Z");
    assert!(sent["text"].as_str().unwrap().starts_with(PORT_CLOSED));

    hook.answer_next(Answer::Redirect(other.url("/stolen")));
    rig.clear(Area::Reach);
    receives_any(&hook, 2).await;
    eventually("it failed", async || {
        let alerts = rig.alerts().await;
        alerts.iter().any(|one| {
            one.last_error
                .as_deref()
                .is_some_and(|e| e.ends_with("HTTP 302"))
        })
    })
    .await;
    assert!(other.received().is_empty());
    rig.stop().await;
}

async fn receives_any(receiver: &HttpReceiver, count: usize) {
    eventually("requests arrive", async || {
        receiver.received().len() == count
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_asked_too_fast_is_asked_once_more_and_has_not_failed() {
    let (_folder, store) = empty_store().await;
    let receiver = HttpReceiver::start().await;
    receiver.answer_next(Answer::Status(429, "rate_limited".into()));
    let rig = Rig::start(&store, &slack("ops", &receiver));
    rig.report(port_closed());
    eventually("it is taken", async || {
        let alerts = rig.alerts().await;
        alerts
            .first()
            .is_some_and(|one| one.state == AlertState::Sent)
    })
    .await;
    assert_eq!(rig.alerts().await[0].attempts, 1);
    assert_eq!(rig.incidents().await.len(), 1, "the channel works");
    rig.stop().await;
}

#[tokio::test]
async fn a_hostile_name_reaches_slack_as_text() {
    let (_folder, store) = empty_store().await;
    let receiver = HttpReceiver::start().await;
    let rig = Rig::start(&store, &slack("ops", &receiver));
    let name = "<!channel> @here <https://evil.example|pay> \u{202e}gpj.exe\n```&".to_owned();
    rig.report(Cause::FileEmpty { name });
    receives(&receiver, 1).await;
    let text = texts(&receiver).remove(0);
    assert!(
        !text.contains('<') && !text.contains('\u{202e}') && !text.contains("@here"),
        "{text}"
    );
    assert!(
        text.contains("&lt;!channel&gt; (at)here &lt;https://evil.example|pay&gt;"),
        "{text}"
    );
    assert_eq!(body(&receiver.received()[0])["unfurl_links"], false);
    rig.stop().await;
}

#[tokio::test]
async fn a_test_goes_to_every_channel_and_tells_how_each_took_it() {
    let (_folder, store) = empty_store().await;
    let (good, bad) = (HttpReceiver::start().await, HttpReceiver::start().await);
    bad.answer(Answer::Status(403, "invalid_token".into()));
    let toml = format!(
        "{}{}fallback = true\n",
        slack("good", &good),
        slack("bad", &bad)
    );
    let rig = Rig::start(&store, &toml);
    let results = rig.manager.test_channels("ann").await;
    let said: Vec<_> = results
        .iter()
        .map(|result| {
            (
                result.channel.as_str(),
                result.kind,
                result.error.as_deref(),
            )
        })
        .collect();
    let error = format!("{} answered HTTP 403 (invalid_token)", bad.address());
    assert_eq!(
        said,
        [
            ("bad", "slack", Some(error.as_str())),
            ("good", "slack", None)
        ]
    );
    assert_eq!(
        first_lines(&good),
        ["Test alert, requested by ann: this channel works."]
    );
    assert!(rig.incidents().await.is_empty(), "a test is no incident");
    rig.stop().await;
}
