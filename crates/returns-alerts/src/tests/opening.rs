//! One incident a cause, told once, with what was looked at.

use returns_model::check::{Check, CheckResult};
use returns_model::incident::IncidentState;

use super::*;

#[tokio::test]
async fn a_hundred_reports_are_one_incident_and_one_alert_until_the_recovery() {
    let (_folder, store) = empty_store().await;
    let receiver = HttpReceiver::start().await;
    let rig = Rig::start(&store, &slack("ops", &receiver));
    for _ in 0..100 {
        rig.report(port_closed());
    }
    eventually("all are counted", async || {
        rig.incidents()
            .await
            .first()
            .is_some_and(|one| one.seen == 100)
    })
    .await;
    receives(&receiver, 1).await;
    assert_eq!(first_lines(&receiver), [PORT_CLOSED]);

    rig.pass(125);
    rig.clear(Area::Content);
    rig.clear(Area::Reach);
    receives(&receiver, 2).await;
    let said = &first_lines(&receiver)[1];
    assert!(
        said.starts_with("Recovered after 2 min 5 s, seen 100 times: sftp.example"),
        "{said}"
    );
    let incident = rig.incident().await;
    assert_eq!(incident.state, IncidentState::Closed);
    assert_eq!(incident.closed.unwrap().by, "service");
    rig.stop().await;
}

#[tokio::test]
async fn other_causes_and_other_subjects_are_other_incidents() {
    let (_folder, store) = empty_store().await;
    let rig = Rig::start(&store, "");
    rig.report(port_closed());
    rig.report(Cause::HostNotFound { host: "x".into() });
    let other = Subject::Source("bank".into());
    rig.incidents
        .report(Problem::new(other.clone(), port_closed(), now()));
    eventually("three", async || rig.incidents().await.len() == 3).await;
    rig.incidents.clear(other, Area::Reach, now());
    eventually("one is over", async || {
        let open = store.incidents(Some(IncidentState::Open), None, 9).await;
        open.unwrap().len() == 2
    })
    .await;
    rig.clear(Area::Reach);
    eventually("all of the area are over", async || {
        let open = store.incidents(Some(IncidentState::Open), None, 9).await;
        open.unwrap().is_empty()
    })
    .await;
    rig.stop().await;
}

#[tokio::test]
async fn replicas_open_one_incident_and_tell_of_it_once() {
    let (_folder, store) = empty_store().await;
    let receiver = HttpReceiver::start().await;
    let toml = slack("ops", &receiver);
    let (a, b) = (Rig::start(&store, &toml), Rig::start(&store, &toml));
    for _ in 0..20 {
        a.report(port_closed());
        b.report(port_closed());
    }
    eventually("both count", async || {
        a.incidents()
            .await
            .first()
            .is_some_and(|one| one.seen == 40)
    })
    .await;
    receives(&receiver, 1).await;
    // The other replica says that it is over.
    eventually("b knows of it", async || {
        !b.manager.log().memory.open().is_empty()
    })
    .await;
    b.clear(Area::Reach);
    receives(&receiver, 2).await;
    assert_eq!(a.incident().await.state, IncidentState::Closed);
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn an_update_goes_out_once_an_hour() {
    let (_folder, store) = empty_store().await;
    let receiver = HttpReceiver::start().await;
    let rig = Rig::start(&store, &slack("ops", &receiver));
    rig.report(port_closed());
    receives(&receiver, 1).await;
    rig.pass(1_800);
    rig.report(port_closed());
    rig.pass(1_801);
    rig.report(port_closed());
    rig.report(port_closed());
    receives(&receiver, 2).await;
    let said = &first_lines(&receiver)[1];
    assert!(said.starts_with("Still open, seen "), "{said}");
    rig.stop().await;
}

/// Finds a likelier cause, and shows what was looked at.
struct Finds;

#[async_trait]
impl Diagnoser for Finds {
    async fn diagnose(&self, _: &Problem) -> Diagnosis {
        let check = |name, of: &str, result, took| Check {
            name,
            of: of.to_owned(),
            result,
            took: Duration::from_millis(took),
        };
        let host = || Cause::HostNotFound {
            host: "sftp.example".into(),
        };
        Diagnosis {
            checks: vec![
                check(
                    "clock",
                    "this machine",
                    CheckResult::Passed("0 s off".into()),
                    1,
                ),
                check(
                    "host name",
                    "sftp.example",
                    CheckResult::Failed(host()),
                    1_204,
                ),
                check(
                    "TCP",
                    "sftp.example:22",
                    CheckResult::Skipped("no address".into()),
                    0,
                ),
            ],
            headline_cause: Some(host()),
            stake: Some("about $12,300.00".into()),
            expires: Some("in 6 days".into()),
            last_good: Some("2024-10-03".into()),
            command: Some("echeck run worldpay".into()),
        }
    }
}

#[tokio::test]
async fn an_alert_begins_with_the_likely_cause_and_shows_everything() {
    let (_folder, store) = empty_store().await;
    let receiver = HttpReceiver::start().await;
    let toml = format!(
        "[alerts]\nrunbook_url = \"https://wiki.example/{{cause}}\"\n{}",
        slack("ops", &receiver)
    );
    let rig = Rig::looking(&store, &toml, Arc::new(Finds));
    rig.incidents.report(Problem {
        source: Some("worldpay".into()),
        import_id: Some("imp_1".into()),
        run_id: Some("run_1".into()),
        next_try_at: Some(now() + TimeDelta::minutes(5)),
        ..Problem::new(subject(), port_closed(), now())
    });
    receives(&receiver, 1).await;
    let text = texts(&receiver).remove(0);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "The host name \"sftp.example\" does not exist: no name server knows it."
    );
    for part in [
        "*What it means:* Return files of this source cannot be fetched.",
        "1. Compare the host name",
        "2. Resolve it on this machine",
        "*Observed as:* sftp.example is up, but nothing listens",
        "*Since:* 2024-10-04 00:00:00 UTC (0 s), seen once",
        "*Source:* worldpay",
        "*Import:* imp_1",
        "*Run:* run_1",
        "*Money at stake:* about $12,300.00",
        "*Data expires:* in 6 days",
        "*Next try:* 2024-10-04 00:05:00 UTC",
        "*Last good run:* 2024-10-03",
        "*Run again with:* `echeck run worldpay`",
        "*Acknowledge with:* `echeck incidents ack inc_",
        "*Incident:* inc_",
        "*Runbook:* https://wiki.example/PORT_CLOSED",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    let table: Vec<&&str> = lines.iter().filter(|line| line.ends_with(" ms")).collect();
    assert_eq!(table.len(), 2, "{text}");
    assert!(table[0].starts_with("✗ host name  sftp.example     The host name"));
    assert!(table[1].starts_with("– TCP        sftp.example:22  no address"));
    let widths: Vec<usize> = table.iter().map(|line| line.chars().count()).collect();
    assert_eq!(widths, [widths[0]; 2], "the columns line up");
    assert!(text.contains("\n✓ 1 other check passed\n"), "{text}");
    rig.stop().await;
}

/// Never comes to an end.
struct HangingDiagnosis;

#[async_trait]
impl Diagnoser for HangingDiagnosis {
    async fn diagnose(&self, _: &Problem) -> Diagnosis {
        std::future::pending().await
    }
}

#[tokio::test]
async fn an_alert_leaves_within_ten_seconds_though_the_diagnosis_hangs() {
    let (_folder, store) = empty_store().await;
    let receiver = HttpReceiver::start().await;
    let rig = Rig::looking(&store, &slack("ops", &receiver), Arc::new(HangingDiagnosis));
    let reported = tokio::time::Instant::now();
    rig.report(port_closed());
    eventually("it is listed at once", async || {
        !rig.incidents().await.is_empty()
    })
    .await;
    assert!(reported.elapsed() < Duration::from_secs(5));
    receives(&receiver, 1).await;
    assert!(reported.elapsed() < Duration::from_secs(9));
    assert_eq!(first_lines(&receiver), [PORT_CLOSED]);
    rig.stop().await;
}

#[tokio::test]
async fn what_a_replica_could_not_deliver_any_more_is_delivered_by_the_next() {
    let (_folder, store) = empty_store().await;
    let receiver = HttpReceiver::start().await;
    let toml = slack("ops", &receiver);
    let dying = Rig::looking(&store, &toml, Arc::new(HangingDiagnosis));
    dying.report(port_closed());
    eventually("it is written down", async || {
        !dying.incidents().await.is_empty()
    })
    .await;
    dying.running.abort();
    assert!(receiver.received().is_empty());

    let next = Rig::start(&store, &toml);
    eventually("it knows", async || {
        !next.manager.log().memory.open().is_empty()
    })
    .await;
    assert!(
        receiver.received().is_empty(),
        "the other may still be looking"
    );
    next.pass(9);
    receives(&receiver, 1).await;
    assert_eq!(first_lines(&receiver), [PORT_CLOSED]);
    next.stop().await;
}
