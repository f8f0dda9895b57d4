//! Incidents and alerts. Memory keeps the same contract.

use returns_alerts::IncidentMemory;
use returns_model::incident::{Area, Content, Severity};

use super::*;

on_both! {
    of_a_key_only_one_incident_is_open,
    a_change_is_written_by_whoever_read_the_incident_last,
    an_incident_reads_back_as_it_was_written,
    a_new_alert_takes_the_place_of_the_pending_one_of_its_channel,
    an_alert_is_claimed_once_and_never_overtakes_another,
    an_attempt_ends_as_it_did_and_a_superseded_alert_stays_so,
    alerts_that_were_not_tried_are_released,
    a_write_that_is_repeated_changes_nothing,
    incidents_are_listed_newest_first_in_pages,
    history_is_never_changed,
}

mod memory {
    macro_rules! in_memory {
        ($($test:ident,)*) => {
            $(#[tokio::test]
            async fn $test() {
                super::contract::$test(&super::IncidentMemory::default()).await;
            })*
        };
    }
    in_memory! {
        of_a_key_only_one_incident_is_open,
        a_change_is_written_by_whoever_read_the_incident_last,
        an_incident_reads_back_as_it_was_written,
        a_new_alert_takes_the_place_of_the_pending_one_of_its_channel,
        an_alert_is_claimed_once_and_never_overtakes_another,
        an_attempt_ends_as_it_did_and_a_superseded_alert_stays_so,
        alerts_that_were_not_tried_are_released,
        incidents_are_listed_newest_first_in_pages,
    }
}

macro_rules! of_the_store {
    ($($test:ident,)*) => {
        $(async fn $test(fixture: Fixture) {
            contract::$test(&*fixture.store).await;
        })*
    };
}
of_the_store! {
    of_a_key_only_one_incident_is_open,
    a_change_is_written_by_whoever_read_the_incident_last,
    an_incident_reads_back_as_it_was_written,
    a_new_alert_takes_the_place_of_the_pending_one_of_its_channel,
    an_alert_is_claimed_once_and_never_overtakes_another,
    an_attempt_ends_as_it_did_and_a_superseded_alert_stays_so,
    alerts_that_were_not_tried_are_released,
    a_write_that_is_repeated_changes_nothing,
    incidents_are_listed_newest_first_in_pages,
}

fn incident(id: &str, key: &str) -> IncidentRecord {
    IncidentRecord {
        incident_id: id.into(),
        key: key.into(),
        cause: "PORT_CLOSED".into(),
        subject: "source:worldpay".into(),
        area: Area::Reach,
        severity: Severity::Critical,
        state: IncidentState::Open,
        content: Content {
            headline: "h\u{0}ost \u{202e} is down".into(),
            observed: Some("m".into()),
            meaning: "no files".into(),
            to_do: vec!["ask".into()],
            sources: Vec::new(),
            checks: Vec::new(),
            stake: Some("$5".into()),
            expires: None,
            last_good: None,
            command: Some("echeck run".into()),
        },
        source: Some("worldpay".into()),
        import_id: None,
        run_id: Some("run_1".into()),
        seen: 1,
        reopened: 0,
        opened_at: now(),
        last_seen_at: now(),
        next_try_at: Some(now() + Duration::seconds(5)),
        quiet_since: None,
        acknowledged: Some(Signature {
            at: now(),
            by: "ann".into(),
            note: String::new(),
        }),
        closed: None,
        alerted_at: now(),
        waiting_since: now(),
        escalations: 2,
        notified: vec!["ops".into()],
        version: 1,
    }
}

fn alert(id: &str, incident_id: &str, channel: &str) -> AlertRecord {
    AlertRecord {
        alert_id: id.into(),
        incident_id: incident_id.into(),
        channel: channel.into(),
        kind: AlertKind::Opened,
        fallback_of: Some("alr_0".into()),
        state: AlertState::Pending,
        attempts: 0,
        created_at: now(),
        next_attempt_at: now() + Duration::seconds(8),
        claimed_until: None,
        sent_at: None,
        last_error: None,
    }
}

fn new(incident: &IncidentRecord, alerts: Vec<AlertRecord>) -> IncidentWrite {
    IncidentWrite {
        expected: None,
        incident: incident.clone(),
        events: vec![event(incident, IncidentEventKind::Opened)],
        alerts,
        release_at: None,
    }
}

fn event(incident: &IncidentRecord, what: IncidentEventKind) -> IncidentEvent {
    IncidentEvent {
        event_id: format!("{}-{}", incident.incident_id, incident.version),
        incident_id: incident.incident_id.clone(),
        number: incident.version,
        at: now(),
        what,
        actor: "service".into(),
        note: "n".into(),
    }
}

/// The incident changed by `change`, for whoever read it as it is.
fn next(incident: &IncidentRecord, change: impl Fn(&mut IncidentRecord)) -> IncidentWrite {
    let mut changed = incident.clone();
    changed.version += 1;
    change(&mut changed);
    IncidentWrite {
        expected: Some(incident.version),
        events: vec![event(&changed, IncidentEventKind::Updated)],
        ..new(&changed, Vec::new())
    }
}

fn close(incident: &mut IncidentRecord) {
    incident.state = IncidentState::Closed;
    incident.closed = Some(Signature {
        at: now(),
        by: "service".into(),
        note: String::new(),
    });
}

mod contract {
    use super::*;

    pub(super) async fn of_a_key_only_one_incident_is_open(store: &dyn IncidentStore) {
        let first = incident("inc_1", "k");
        assert!(
            store
                .write_incident(&new(&first, Vec::new()))
                .await
                .unwrap()
        );
        let second = incident("inc_2", "k");
        assert!(
            !store
                .write_incident(&new(&second, Vec::new()))
                .await
                .unwrap()
        );
        let other = incident("inc_3", "l");
        assert!(
            store
                .write_incident(&new(&other, Vec::new()))
                .await
                .unwrap()
        );

        let closing = next(&first, close);
        assert!(store.write_incident(&closing).await.unwrap());
        let latest = store.latest_incident("k").await.unwrap().unwrap();
        assert_eq!(latest, closing.incident, "the last one, when none is open");
        assert!(
            store
                .write_incident(&new(&second, Vec::new()))
                .await
                .unwrap()
        );
        let latest = store.latest_incident("k").await.unwrap().unwrap();
        assert_eq!(latest.incident_id, "inc_2", "the open one first");
        let reopening = next(&closing.incident, |one| one.state = IncidentState::Open);
        assert!(
            !store.write_incident(&reopening).await.unwrap(),
            "another with the key is open"
        );
        let live = |after| store.live_incidents(after);
        assert_eq!(live(now()).await.unwrap().len(), 2, "only the open ones");
        let earlier = now() - Duration::seconds(1);
        assert_eq!(live(earlier).await.unwrap().len(), 3);
    }

    pub(super) async fn a_change_is_written_by_whoever_read_the_incident_last(
        store: &dyn IncidentStore,
    ) {
        let first = incident("inc_1", "k");
        assert!(
            store
                .write_incident(&new(&first, Vec::new()))
                .await
                .unwrap()
        );
        let seen = next(&first, |one| one.seen += 1);
        assert!(store.write_incident(&seen).await.unwrap());
        let late = IncidentWrite {
            alerts: vec![alert("alr_1", "inc_1", "ops")],
            ..next(&first, |one| one.seen += 5)
        };
        assert!(!store.write_incident(&late).await.unwrap());
        assert_eq!(store.incident("inc_1").await.unwrap(), Some(seen.incident));
        assert!(
            store.pending_alerts(10).await.unwrap().is_empty(),
            "a change that lost leaves no alert"
        );
        let events = store.incident_events("inc_1").await.unwrap();
        let what: Vec<_> = events.iter().map(|event| event.what).collect();
        assert_eq!(
            what,
            [IncidentEventKind::Opened, IncidentEventKind::Updated]
        );
    }

    pub(super) async fn an_incident_reads_back_as_it_was_written(store: &dyn IncidentStore) {
        let first = incident("inc_1", "k");
        let told = alert("alr_1", "inc_1", "ops");
        let write = new(&first, vec![told.clone()]);
        assert!(store.write_incident(&write).await.unwrap());
        assert_eq!(store.incident("inc_1").await.unwrap(), Some(first));
        assert_eq!(store.incident("inc_9").await.unwrap(), None);
        assert_eq!(store.latest_incident("x").await.unwrap(), None);
        let alerts = store.alerts_of(&["inc_1".into()]).await.unwrap();
        assert_eq!(alerts, [told]);
        assert_eq!(store.incident_events("inc_1").await.unwrap(), write.events);
    }

    pub(super) async fn a_new_alert_takes_the_place_of_the_pending_one_of_its_channel(
        store: &dyn IncidentStore,
    ) {
        let first = incident("inc_1", "k");
        let alerts = vec![
            alert("alr_1", "inc_1", "ops"),
            alert("alr_2", "inc_1", "mail"),
        ];
        assert!(store.write_incident(&new(&first, alerts)).await.unwrap());
        let write = IncidentWrite {
            alerts: vec![AlertRecord {
                created_at: now() + Duration::seconds(1),
                ..alert("alr_3", "inc_1", "ops")
            }],
            ..next(&first, |_| ())
        };
        assert!(store.write_incident(&write).await.unwrap());
        assert_eq!(
            states(store).await,
            [
                ("alr_2".into(), AlertState::Pending),
                ("alr_1".into(), AlertState::Superseded),
                ("alr_3".into(), AlertState::Pending)
            ]
        );
    }

    async fn states(store: &dyn IncidentStore) -> Vec<(String, AlertState)> {
        let alerts = store.alerts_of(&["inc_1".into()]).await.unwrap();
        let states = alerts
            .into_iter()
            .map(|alert| (alert.alert_id, alert.state));
        states.collect()
    }

    pub(super) async fn an_alert_is_claimed_once_and_never_overtakes_another(
        store: &dyn IncidentStore,
    ) {
        let first = incident("inc_1", "k");
        let old = alert("alr_1", "inc_1", "ops");
        let write = new(&first, vec![old.clone()]);
        assert!(store.write_incident(&write).await.unwrap());
        let until = now() + Duration::seconds(15);
        let claim =
            |alert: AlertRecord, at| async move { store.claim_alert(&alert, at, until).await };
        assert!(claim(old.clone(), now()).await.unwrap());
        assert!(
            !claim(old.clone(), now()).await.unwrap(),
            "it was tried meanwhile"
        );

        // The same channel is told something newer while the old alert is on its way.
        let newer = alert("alr_2", "inc_1", "ops");
        let other = alert("alr_3", "inc_1", "mail");
        let write = IncidentWrite {
            alerts: vec![newer.clone(), other.clone()],
            ..next(&first, |_| ())
        };
        assert!(store.write_incident(&write).await.unwrap());
        assert!(
            !claim(newer.clone(), now()).await.unwrap(),
            "it would overtake"
        );
        assert!(
            claim(other, now()).await.unwrap(),
            "another channel is free"
        );
        let sent = Attempt::Sent { at: now() };
        store.finish_alert("alr_1", 1, &sent).await.unwrap();
        assert!(claim(newer.clone(), now()).await.unwrap());
        let tried = AlertRecord {
            attempts: 1,
            ..newer
        };
        assert!(
            !claim(tried.clone(), now()).await.unwrap(),
            "it is on its way"
        );
        assert!(
            claim(tried, until).await.unwrap(),
            "whoever tried it has died"
        );
    }

    pub(super) async fn an_attempt_ends_as_it_did_and_a_superseded_alert_stays_so(
        store: &dyn IncidentStore,
    ) {
        let first = incident("inc_1", "k");
        let old = alert("alr_1", "inc_1", "ops");
        let write = new(&first, vec![old.clone()]);
        assert!(store.write_incident(&write).await.unwrap());
        let until = now() + Duration::seconds(15);
        assert!(store.claim_alert(&old, now(), until).await.unwrap());
        let later = now() + Duration::seconds(30);
        let failed = |next_at| Attempt::Failed {
            error: "no \u{0} answer".into(),
            next_at,
        };
        let wrong_attempt = store.finish_alert("alr_1", 9, &failed(None)).await;
        wrong_attempt.unwrap();
        store
            .finish_alert("alr_1", 1, &failed(Some(later)))
            .await
            .unwrap();
        let pending = store.pending_alerts(10).await.unwrap().remove(0);
        assert_eq!((pending.attempts, pending.next_attempt_at), (1, later));
        assert_eq!(pending.claimed_until, None);
        assert!(pending.last_error.as_ref().unwrap().starts_with("no "));

        assert!(store.claim_alert(&pending, later, until).await.unwrap());
        let write = IncidentWrite {
            alerts: vec![alert("alr_2", "inc_1", "ops")],
            ..next(&first, |_| ())
        };
        assert!(store.write_incident(&write).await.unwrap());
        let sent = Attempt::Sent { at: later };
        store.finish_alert("alr_1", 2, &sent).await.unwrap();
        assert_eq!(states(store).await[0].1, AlertState::Superseded);

        let newest = store.pending_alerts(10).await.unwrap().remove(0);
        assert!(store.claim_alert(&newest, later, until).await.unwrap());
        store.finish_alert("alr_2", 1, &failed(None)).await.unwrap();
        assert_eq!(states(store).await[1].1, AlertState::Undeliverable);
        assert!(store.pending_alerts(10).await.unwrap().is_empty());
    }

    pub(super) async fn alerts_that_were_not_tried_are_released(store: &dyn IncidentStore) {
        let first = incident("inc_1", "k");
        let (tried, fresh) = (
            alert("alr_1", "inc_1", "ops"),
            alert("alr_2", "inc_1", "mail"),
        );
        let write = new(&first, vec![tried.clone(), fresh]);
        assert!(store.write_incident(&write).await.unwrap());
        let until = now() + Duration::seconds(15);
        assert!(store.claim_alert(&tried, now(), until).await.unwrap());
        let write = IncidentWrite {
            release_at: Some(now()),
            ..next(&first, |_| ())
        };
        assert!(store.write_incident(&write).await.unwrap());
        let pending = store.pending_alerts(10).await.unwrap();
        let times: Vec<_> = pending
            .iter()
            .map(|alert| (alert.alert_id.as_str(), alert.next_attempt_at))
            .collect();
        let held = now() + Duration::seconds(8);
        assert_eq!(times, [("alr_2", now()), ("alr_1", held)]);
    }

    /// A commit whose answer was lost is written down again.
    pub(super) async fn a_write_that_is_repeated_changes_nothing(store: &dyn IncidentStore) {
        let first = incident("inc_1", "k");
        let told = alert("alr_1", "inc_1", "ops");
        let write = new(&first, vec![told.clone()]);
        assert!(store.write_incident(&write).await.unwrap());
        assert!(!store.write_incident(&write).await.unwrap());
        // The same with what has happened to it since.
        let sent = AlertRecord {
            state: AlertState::Sent,
            attempts: 1,
            sent_at: Some(now()),
            ..told
        };
        let again = IncidentWrite {
            expected: Some(1),
            alerts: vec![sent.clone()],
            events: write.events.clone(),
            ..next(&first, |_| ())
        };
        assert!(store.write_incident(&again).await.unwrap());
        assert_eq!(store.incident_events("inc_1").await.unwrap().len(), 1);
        let alerts = store.alerts_of(&["inc_1".into()]).await.unwrap();
        assert_eq!(alerts, [sent]);
    }

    pub(super) async fn incidents_are_listed_newest_first_in_pages(store: &dyn IncidentStore) {
        for (number, id) in ["inc_a", "inc_b", "inc_c"].into_iter().enumerate() {
            let mut one = incident(id, id);
            one.opened_at += Duration::seconds(i64::try_from(number).unwrap() / 2);
            if number == 0 {
                close(&mut one);
            }
            assert!(store.write_incident(&new(&one, Vec::new())).await.unwrap());
        }
        let ids = |incidents: Vec<IncidentRecord>| -> Vec<String> {
            incidents.into_iter().map(|one| one.incident_id).collect()
        };
        let page = store.incidents(None, None, 2).await.unwrap();
        let last = page.last().unwrap();
        let before = Some((last.opened_at, last.incident_id.clone()));
        assert_eq!(ids(page), ["inc_c", "inc_b"]);
        let page = store.incidents(None, before, 2).await.unwrap();
        assert_eq!(ids(page), ["inc_a"]);
        let open = Some(IncidentState::Open);
        let page = store.incidents(open, None, 9).await.unwrap();
        assert_eq!(ids(page), ["inc_c", "inc_b"]);
    }
}

async fn history_is_never_changed(fixture: Fixture) {
    let write = new(&incident("inc_1", "k"), Vec::new());
    assert!(fixture.store.write_incident(&write).await.unwrap());
    for sql in [
        "UPDATE incident_events SET note = 'x'",
        "DELETE FROM incident_events",
    ] {
        let error = fixture.execute(sql).await.unwrap_err();
        assert!(error.contains("incident events are never"), "{error}");
    }
}
