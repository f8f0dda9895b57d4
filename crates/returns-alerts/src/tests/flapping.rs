//! What comes and goes.

use returns_model::incident::{IncidentState, WrongClock};

use super::*;

async fn is_quiet(rig: &Rig, quiet: bool) {
    eventually("it is seen as quiet, or not", async || {
        rig.incident().await.quiet_since.is_some() == quiet
    })
    .await;
}

#[tokio::test]
async fn what_comes_and_goes_is_one_incident_that_ends_after_it_was_quiet() {
    let (_folder, store) = empty_store().await;
    let ops = HttpReceiver::start().await;
    let rig = Rig::start(&store, &slack("ops", &ops));
    rig.report(port_closed());
    receives(&ops, 1).await;
    rig.pass(1);
    rig.clear(Area::Reach);
    receives(&ops, 2).await;
    rig.pass(60);
    rig.report(port_closed());
    receives(&ops, 3).await;
    for seen in 3..8 {
        rig.pass(1);
        rig.clear(Area::Reach);
        is_quiet(&rig, true).await;
        rig.pass(1);
        rig.report(port_closed());
        eventually("it is counted", async || rig.incident().await.seen == seen).await;
        is_quiet(&rig, false).await;
    }
    receives(&ops, 3).await;
    rig.pass(1);
    rig.clear(Area::Reach);
    is_quiet(&rig, true).await;
    let incident = rig.incident().await;
    let quiet_since = incident.quiet_since.unwrap();
    let closes_at = quiet_since + TimeDelta::minutes(5);
    assert_eq!(rig.manager.closes_at(&incident), Some(closes_at));
    let text = rig
        .manager
        .details(&incident.incident_id)
        .await
        .unwrap()
        .text;
    let closes = closes_at.format("closes at %Y-%m-%d %H:%M:%S UTC");
    assert!(text.contains(&closes.to_string()), "{text}");
    rig.pass(301);
    receives(&ops, 4).await;
    let said = first_lines(&ops);
    assert!(said[2].starts_with("It is back: "), "{said:?}");
    assert!(
        said[3].starts_with("Recovered after 1 min 12 s, seen 7 times:"),
        "{said:?}"
    );
    rig.report(port_closed());
    eventually("later it is another", async || {
        rig.incidents().await.len() == 2
    })
    .await;
    rig.stop().await;
}

#[tokio::test]
async fn a_word_from_before_the_last_meeting_ends_nothing() {
    let (_folder, store) = empty_store().await;
    let rig = Rig::start(&store, "");
    rig.report(port_closed());
    let before = now() - TimeDelta::seconds(1);
    rig.incidents.clear(subject(), Area::Reach, before);
    rig.report(Cause::HostNotFound { host: "x".into() });
    eventually("both are heard", async || rig.incidents().await.len() == 2).await;
    let open = store.incidents(Some(IncidentState::Open), None, 9).await;
    assert_eq!(open.unwrap().len(), 2);
    rig.stop().await;
}

#[tokio::test]
async fn a_clock_that_was_set_back_recovers_and_nothing_else_is_cleared_by_an_earlier_time() {
    let (_folder, store) = empty_store().await;
    let ops = HttpReceiver::start().await;
    let rig = Rig::start(&store, &slack("ops", &ops));
    rig.report(Cause::ClockWrong {
        whose: WrongClock::Ours,
        by_seconds: 95,
        against: "the bucket".to_owned(),
    });
    receives(&ops, 1).await;
    rig.report(port_closed());
    receives(&ops, 2).await;
    rig.pass(-95);
    rig.clear(Area::Reach);
    rig.clear(Area::Clock);
    receives(&ops, 3).await;
    let said = first_lines(&ops);
    assert!(said[2].starts_with("Recovered after"), "{said:?}");
    let open = rig.incidents().await.into_iter();
    let open: Vec<Area> = open
        .filter(|one| one.state == IncidentState::Open)
        .map(|one| one.area)
        .collect();
    assert_eq!(open, [Area::Reach]);
}
