//! Endpoints, their keys, and deliveries.

use returns_model::endpoint::{Endpoint, EndpointSettings, PayloadVersion, SecretKind, Style};
use returns_webhooks::recover;

use super::*;
use echeck_test_fixtures::insert_event;

on_both! {
    an_endpoint_is_kept_as_it_was_made_and_once,
    an_endpoint_is_changed_only_as_it_was_looked_at,
    endpoints_are_listed_in_order_in_pages,
    of_each_kind_two_keys_sign_at_most,
    an_event_is_read_back_as_it_was_recorded,
    only_enabled_endpoints_with_something_due_are_found,
    with_strict_order_only_the_oldest_that_waits_is_due,
    an_attempt_is_recorded_once,
    the_clock_of_failures_starts_with_the_first_and_stops_with_a_success,
    an_attempt_that_was_on_its_way_at_a_replay_does_not_count,
    a_replay_begins_the_tries_anew,
    whoever_touches_an_endpoint_is_noticed,
    an_endpoint_that_is_moved_or_enabled_has_everything_due_at_once,
    what_is_wanted_no_more_is_given_up_and_is_no_dead_letter,
    of_each_endpoint_the_newest_recent_dead_letter_is_found,
    dead_letters_are_counted_and_replayed_with_their_attempts,
    recovering_brings_what_is_missing_or_undelivered_and_nothing_else,
    recovering_brings_what_happened_before_and_became_an_event_only_then,
    deliveries_are_listed_newest_first_by_filter_and_page,
}

pub(super) fn endpoint(id: &str) -> Endpoint {
    Endpoint {
        endpoint_id: id.into(),
        settings: EndpointSettings {
            url: "https://hooks.example/x".into(),
            description: "a\u{202e}b".into(),
            owner_email: "owner@hooks.example".into(),
            style: Style::Rainforest,
            api_version: "2024-10-16".into(),
            payload_version: PayloadVersion::Rainforest20241016,
            event_types: vec!["ach_return.*".into(), "payin.returned".into()],
            merchant: String::new(),
            ordered: false,
        },
        disabled_why: None,
        failing_since: None,
        created_at: now(),
        updated_at: now(),
        version: 0,
        owner_notice: None,
    }
}

pub(super) fn audit(id: &str) -> AuditRecord {
    AuditRecord {
        audit_id: id.into(),
        at: now(),
        actor: "ann".into(),
        action: "create_endpoint".into(),
        subject: "endpoint:whe_1".into(),
        before: String::new(),
        after: "enabled".into(),
        reason: "a new platform".into(),
    }
}

fn secret(id: &str, kind: SecretKind, minutes: i64) -> SecretRecord {
    SecretRecord {
        secret_id: id.into(),
        endpoint_id: "whe_1".into(),
        kind,
        sealed: format!("sealed {id}"),
        public_key: (kind == SecretKind::Ed25519).then(|| "whpk_x".into()),
        created_at: now() + Duration::minutes(minutes),
        retires_at: None,
    }
}

pub(super) async fn create(fixture: &Fixture, endpoint: &Endpoint) {
    let audit = audit(&format!("aud_{}", endpoint.endpoint_id));
    let made = fixture.store.create_endpoint(endpoint, &[], &audit).await;
    assert!(made.unwrap());
}

fn redelivery(endpoint: &str, sequence: u64) -> Redelivery {
    Redelivery {
        endpoint_id: endpoint.into(),
        sequence,
        event_type: "payin.returned".into(),
        message_id: format!("msg_{sequence}"),
    }
}

/// Makes messages of these events due for the endpoint.
async fn make_due(fixture: &Fixture, endpoint: &str, sequences: &[u64]) {
    let all: Vec<_> = sequences.iter().map(|s| redelivery(endpoint, *s)).collect();
    let made = fixture.store.redeliver(&all, true, now()).await.unwrap();
    assert_eq!(made, all.len() as u64);
}

async fn due(fixture: &Fixture, endpoint: &str, ordered: bool) -> Vec<Delivery> {
    let due = fixture.store.due_deliveries(endpoint, ordered, now(), 10);
    due.await.unwrap()
}

async fn due_ids(fixture: &Fixture, at: chrono::DateTime<chrono::Utc>) -> Vec<String> {
    let due = fixture.store.due_endpoints(at).await.unwrap();
    due.into_iter().map(|(id, _)| id).collect()
}

fn retry(minutes: i64) -> DeliveryAttempt {
    DeliveryAttempt {
        outcome: DeliveryOutcome::Retry {
            error: "HTTP 500: a\0b".into(),
            at: now() + Duration::minutes(minutes),
        },
        status: Some(500),
        at: now(),
    }
}

fn ended(outcome: DeliveryOutcome, minutes: i64) -> DeliveryAttempt {
    DeliveryAttempt {
        outcome,
        status: Some(200),
        at: now() + Duration::minutes(minutes),
    }
}

async fn an_endpoint_is_kept_as_it_was_made_and_once(fixture: Fixture) {
    let store = &fixture.store;
    let made = endpoint("whe_1");
    let keys = [secret("whs_1", SecretKind::HmacSha256, 0)];
    assert!(
        store
            .create_endpoint(&made, &keys, &audit("a1"))
            .await
            .unwrap()
    );
    assert!(
        !store
            .create_endpoint(&made, &keys, &audit("a2"))
            .await
            .unwrap()
    );
    assert_eq!(store.endpoint("whe_1").await.unwrap(), Some(made));
    assert_eq!(store.endpoint("whe_2").await.unwrap(), None);
    assert_eq!(store.active_secrets("whe_1", now()).await.unwrap(), keys);
    assert_eq!(
        store.audit(10).await.unwrap().len(),
        1,
        "what did not happen is not kept"
    );
}

async fn an_endpoint_is_changed_only_as_it_was_looked_at(fixture: Fixture) {
    let store = &fixture.store;
    create(&fixture, &endpoint("whe_1")).await;
    let mut changed = endpoint("whe_1");
    changed.settings.url = "https://other.example/".into();
    changed.settings.ordered = true;
    changed.settings.event_types = Vec::new();
    changed.disabled_why = Some("asked for".into());
    changed.updated_at = now() + Duration::minutes(1);
    let change = |audit_id: &str| EndpointChange {
        endpoint: changed.clone(),
        forget_failures: false,
        owner: OwnerChange::Keep,
        audit: audit(audit_id),
    };
    assert!(store.change_endpoint(&change("a1")).await.unwrap());
    assert!(!store.change_endpoint(&change("a2")).await.unwrap());
    let kept = store.endpoint("whe_1").await.unwrap().unwrap();
    let expected = Endpoint {
        version: 1,
        ..changed.clone()
    };
    assert_eq!(kept, expected);
    assert!(!kept.is_enabled());
}

async fn endpoints_are_listed_in_order_in_pages(fixture: Fixture) {
    for (id, minutes) in [("whe_c", 0), ("whe_b", 1), ("whe_a", 1)] {
        let created_at = now() + Duration::minutes(minutes);
        create(
            &fixture,
            &Endpoint {
                created_at,
                ..endpoint(id)
            },
        )
        .await;
    }
    let list = async |after| {
        let listed = fixture.store.endpoints(after, 2).await.unwrap();
        listed
            .into_iter()
            .map(|one| one.endpoint_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(list(None).await, ["whe_c", "whe_a"]);
    let after = (now() + Duration::minutes(1), "whe_a".to_owned());
    assert_eq!(list(Some(after)).await, ["whe_b"]);
}

async fn of_each_kind_two_keys_sign_at_most(fixture: Fixture) {
    let store = &fixture.store;
    let first = secret("whs_1", SecretKind::HmacSha256, 0);
    let (new, keeps) = (endpoint("whe_1"), audit("a"));
    assert!(store.create_endpoint(&new, &[first], &keeps).await.unwrap());
    let add = async |id: &str, kind, minutes, seen| {
        let new = secret(id, kind, minutes);
        let old_until = new.created_at + Duration::hours(24);
        let audit = audit(&format!("a_{id}"));
        store
            .add_secret(&new, seen, old_until, &audit)
            .await
            .unwrap()
    };
    let active = async |minutes| {
        let at = now() + Duration::minutes(minutes);
        let active = store.active_secrets("whe_1", at).await.unwrap();
        active
            .into_iter()
            .map(|one| one.secret_id)
            .collect::<Vec<_>>()
    };
    assert!(add("whs_2", SecretKind::HmacSha256, 10, 0).await);
    assert!(
        !add("whs_x", SecretKind::HmacSha256, 10, 0).await,
        "another was faster"
    );
    assert_eq!(active(20).await, ["whs_2", "whs_1"]);
    assert!(add("whs_3", SecretKind::HmacSha256, 30, 1).await);
    assert_eq!(
        active(40).await,
        ["whs_3", "whs_2"],
        "the oldest is out at once"
    );
    assert!(add("whs_4", SecretKind::Ed25519, 50, 2).await);
    assert_eq!(
        active(60).await,
        ["whs_4", "whs_3", "whs_2"],
        "the kinds are apart"
    );
    assert_eq!(
        active(30 + 24 * 60).await,
        ["whs_4", "whs_3"],
        "a day later"
    );
    assert_eq!(store.endpoint("whe_1").await.unwrap().unwrap().version, 3);
}

async fn an_event_is_read_back_as_it_was_recorded(fixture: Fixture) {
    let store = &fixture.store;
    for sequence in 1..=3 {
        insert_event(&fixture.url, sequence, "M1", "{}").await;
    }
    let event = store.event("evt_2").await.unwrap().unwrap();
    assert_eq!(event.sequence, 2);
    assert_eq!(event.new.origin, Origin::Row { position: 2 });
    assert_eq!(event.new.messages.len(), 3);
    assert_eq!(event.new.messages[2].0, PayloadVersion::Finix);
    assert_eq!(event.new.occurred_at, now() + Duration::minutes(2));
    assert_eq!(store.event("evt_9").await.unwrap(), None);
    let numbers = |events: Vec<EventRecord>| {
        events
            .iter()
            .map(|event| event.sequence)
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(store.events_at(&[3, 1, 9]).await.unwrap()), [1, 3]);
    let filter = EventFilter {
        since: Some(now() + Duration::minutes(2)),
        until: Some(now() + Duration::minutes(3)),
        ..EventFilter::default()
    };
    assert_eq!(numbers(store.events(&filter, 9).await.unwrap()), [2]);
    let filter = EventFilter {
        transfer_id: Some("TR3".into()),
        ..EventFilter::default()
    };
    assert_eq!(numbers(store.events(&filter, 9).await.unwrap()), [3]);
    let filter = EventFilter {
        after: 1,
        ..EventFilter::default()
    };
    assert_eq!(numbers(store.events(&filter, 1).await.unwrap()), [2]);
}

async fn only_enabled_endpoints_with_something_due_are_found(fixture: Fixture) {
    let store = &fixture.store;
    insert_event(&fixture.url, 1, "M1", "{}").await;
    for id in ["whe_1", "whe_2", "whe_3"] {
        create(&fixture, &endpoint(id)).await;
    }
    make_due(&fixture, "whe_1", &[1]).await;
    make_due(&fixture, "whe_2", &[1]).await;
    assert_eq!(due_ids(&fixture, now()).await, ["whe_1", "whe_2"]);
    let early = now() - Duration::milliseconds(1);
    assert!(due_ids(&fixture, early).await.is_empty());
    assert_eq!(store.next_due_after(early).await.unwrap(), Some(now()));
    assert_eq!(store.next_due_after(now()).await.unwrap(), None);
    let disabled = EndpointChange {
        endpoint: Endpoint {
            disabled_why: Some("gone".into()),
            ..endpoint("whe_1")
        },
        forget_failures: false,
        owner: OwnerChange::Keep,
        audit: audit("a"),
    };
    assert!(store.change_endpoint(&disabled).await.unwrap());
    assert_eq!(due_ids(&fixture, now()).await, ["whe_2"]);
    assert_eq!(
        store.touched("whe_1").await.unwrap(),
        None,
        "nothing is sent to it"
    );
}

async fn with_strict_order_only_the_oldest_that_waits_is_due(fixture: Fixture) {
    let store = &fixture.store;
    for sequence in 1..=3 {
        insert_event(&fixture.url, sequence, "M1", "{}").await;
    }
    let mut ordered = endpoint("whe_1");
    ordered.settings.ordered = true;
    create(&fixture, &ordered).await;
    make_due(&fixture, "whe_1", &[1, 2, 3]).await;
    let first = due(&fixture, "whe_1", true).await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].sequence, 1);
    store.record_attempt(&first[0], &retry(5)).await.unwrap();
    assert!(
        due(&fixture, "whe_1", true).await.is_empty(),
        "the next ones wait for it"
    );
    assert!(due_ids(&fixture, now()).await.is_empty());
    let later = now() + Duration::minutes(5);
    assert_eq!(due_ids(&fixture, later).await, ["whe_1"]);
    let again = store.due_deliveries("whe_1", true, later, 9).await.unwrap();
    assert_eq!((again[0].sequence, again[0].attempts), (1, 1));
    let dead = ended(DeliveryOutcome::Dead { error: "no".into() }, 5);
    store.record_attempt(&again[0], &dead).await.unwrap();
    assert_eq!(
        due(&fixture, "whe_1", true).await[0].sequence,
        2,
        "it was given up"
    );
}

async fn an_attempt_is_recorded_once(fixture: Fixture) {
    let store = &fixture.store;
    insert_event(&fixture.url, 1, "M1", "{}").await;
    create(&fixture, &endpoint("whe_1")).await;
    make_due(&fixture, "whe_1", &[1]).await;
    let read = due(&fixture, "whe_1", false).await.remove(0);
    assert!(
        store
            .record_attempt(&read, &retry(5))
            .await
            .unwrap()
            .is_some()
    );
    let taken = ended(DeliveryOutcome::Delivered, 1);
    assert_eq!(
        store.record_attempt(&read, &taken).await.unwrap(),
        None,
        "it moved on"
    );
    let filter = DeliveryFilter::default();
    let kept = store.deliveries(&filter, None, 9).await.unwrap().remove(0);
    assert_eq!((kept.state, kept.attempts), (DeliveryState::Pending, 1));
    assert_eq!(kept.last_status, Some(500));
    assert!(kept.last_error.as_ref().unwrap().starts_with("HTTP 500: a"));
    assert_eq!(kept.next_attempt_at, Some(now() + Duration::minutes(5)));
    assert!(store.record_attempt(&kept, &taken).await.unwrap().is_some());
    let kept = store.deliveries(&filter, None, 9).await.unwrap().remove(0);
    assert_eq!((kept.state, kept.attempts), (DeliveryState::Delivered, 2));
    assert_eq!(kept.ended_at, Some(now() + Duration::minutes(1)));
    assert_eq!((kept.last_error, kept.next_attempt_at), (None, None));
}

async fn the_clock_of_failures_starts_with_the_first_and_stops_with_a_success(fixture: Fixture) {
    let store = &fixture.store;
    insert_event(&fixture.url, 1, "M1", "{}").await;
    create(&fixture, &endpoint("whe_1")).await;
    make_due(&fixture, "whe_1", &[1]).await;
    let since = async || {
        store
            .endpoint("whe_1")
            .await
            .unwrap()
            .unwrap()
            .failing_since
    };
    for minutes in [0, 7] {
        let read = due(&fixture, "whe_1", false).await.remove(0);
        let failed = DeliveryAttempt {
            at: now() + Duration::minutes(minutes),
            ..retry(0)
        };
        let standing = store.record_attempt(&read, &failed).await.unwrap().unwrap();
        assert_eq!(standing.failing_since, Some(now()));
        assert!(!standing.recovered);
    }
    assert_eq!(since().await, Some(now()));
    let read = due(&fixture, "whe_1", false).await.remove(0);
    let taken = ended(DeliveryOutcome::Delivered, 9);
    let standing = store.record_attempt(&read, &taken).await.unwrap().unwrap();
    assert_eq!((standing.failing_since, standing.recovered), (None, true));
    assert_eq!(since().await, None);
    assert_eq!(store.endpoint("whe_1").await.unwrap().unwrap().version, 0);
}

/// An endpoint with the message of one event due, as it is read.
async fn one_due(fixture: &Fixture) -> Delivery {
    insert_event(&fixture.url, 1, "M1", "{}").await;
    create(fixture, &endpoint("whe_1")).await;
    make_due(fixture, "whe_1", &[1]).await;
    due(fixture, "whe_1", false).await.remove(0)
}

async fn an_attempt_that_was_on_its_way_at_a_replay_does_not_count(fixture: Fixture) {
    let store = &fixture.store;
    let on_its_way = one_due(&fixture).await;
    make_due(&fixture, "whe_1", &[1]).await;
    for outcome in [
        DeliveryOutcome::Delivered,
        DeliveryOutcome::Dead { error: "no".into() },
        retry(24 * 60).outcome,
    ] {
        let attempt = ended(outcome, 1);
        assert_eq!(
            store.record_attempt(&on_its_way, &attempt).await.unwrap(),
            None
        );
    }
    let again = due(&fixture, "whe_1", false).await.remove(0);
    let taken = ended(DeliveryOutcome::Delivered, 2);
    assert!(
        store
            .record_attempt(&again, &taken)
            .await
            .unwrap()
            .is_some()
    );
}

async fn a_replay_begins_the_tries_anew(fixture: Fixture) {
    let store = &fixture.store;
    let mut read = one_due(&fixture).await;
    for tries in 1..=9 {
        store.record_attempt(&read, &retry(0)).await.unwrap();
        read = due(&fixture, "whe_1", false).await.remove(0);
        assert_eq!((read.attempts, read.tries()), (tries, tries));
    }
    make_due(&fixture, "whe_1", &[1]).await;
    let again = due(&fixture, "whe_1", false).await.remove(0);
    assert_eq!((again.attempts, again.tries()), (9, 0));
    store.record_attempt(&again, &retry(0)).await.unwrap();
    let again = due(&fixture, "whe_1", false).await.remove(0);
    assert_eq!((again.attempts, again.tries()), (10, 1));
}

async fn whoever_touches_an_endpoint_is_noticed(fixture: Fixture) {
    let store = &fixture.store;
    let read = one_due(&fixture).await;
    let touched = async || {
        let touched = store.touched("whe_1").await.unwrap().unwrap();
        let due = store
            .due_endpoints(now() + Duration::days(9))
            .await
            .unwrap();
        assert_eq!(due, [("whe_1".to_owned(), touched)]);
        touched
    };
    let first = touched().await;
    store.record_attempt(&read, &retry(5)).await.unwrap();
    assert_eq!(touched().await, first, "an attempt touches nothing");
    make_due(&fixture, "whe_1", &[1]).await;
    let second = touched().await;
    assert_ne!(second, first);
    let key = secret("whs_1", SecretKind::HmacSha256, 0);
    assert!(
        store
            .add_secret(&key, 0, now(), &audit("a1"))
            .await
            .unwrap()
    );
    assert_ne!(touched().await, second);
    assert_eq!(store.touched("whe_2").await.unwrap(), None);
}

async fn an_endpoint_that_is_moved_or_enabled_has_everything_due_at_once(fixture: Fixture) {
    let store = &fixture.store;
    let read = one_due(&fixture).await;
    store.record_attempt(&read, &retry(24 * 60)).await.unwrap();
    let waits = async || {
        let all = store.deliveries(&DeliveryFilter::default(), None, 9).await;
        all.unwrap().remove(0)
    };
    let on_its_way = waits().await;
    let change = |version, forget_failures| EndpointChange {
        endpoint: Endpoint {
            version,
            updated_at: now() + Duration::minutes(1),
            ..endpoint("whe_1")
        },
        forget_failures,
        owner: OwnerChange::Keep,
        audit: audit(&format!("a{version}")),
    };
    assert!(store.change_endpoint(&change(0, false)).await.unwrap());
    assert_eq!(waits().await, on_its_way, "only words were changed");
    assert!(!store.change_endpoint(&change(0, true)).await.unwrap());
    assert_eq!(waits().await, on_its_way, "what is refused changes nothing");
    assert!(store.change_endpoint(&change(1, true)).await.unwrap());
    let due = waits().await;
    assert_eq!(due.next_attempt_at, Some(now() + Duration::minutes(1)));
    let late = store.record_attempt(&on_its_way, &retry(24 * 60)).await;
    assert_eq!(
        late.unwrap(),
        None,
        "the old address has nothing to say any more"
    );
}

async fn what_is_wanted_no_more_is_given_up_and_is_no_dead_letter(fixture: Fixture) {
    let store = &fixture.store;
    let read = one_due(&fixture).await;
    store
        .give_up_unwanted(std::slice::from_ref(&read), now())
        .await
        .unwrap();
    let all = store.deliveries(&DeliveryFilter::default(), None, 9).await;
    let given_up = all.unwrap().remove(0);
    assert_eq!(
        (given_up.state, given_up.attempts),
        (DeliveryState::Dead, 0)
    );
    assert!(given_up.last_error.unwrap().contains("no longer wants it"));
    assert_eq!(store.dead_letters("whe_1").await.unwrap(), 0);
    let since = now() - Duration::minutes(1);
    assert!(store.recently_dead(since).await.unwrap().is_empty());
    make_due(&fixture, "whe_1", &[1]).await;
    store.give_up_unwanted(&[read], now()).await.unwrap();
    let again = due(&fixture, "whe_1", false).await.remove(0);
    let dead = ended(DeliveryOutcome::Dead { error: "no".into() }, 1);
    store.record_attempt(&again, &dead).await.unwrap();
    assert_eq!(store.dead_letters("whe_1").await.unwrap(), 1, "this one is");
}

async fn of_each_endpoint_the_newest_recent_dead_letter_is_found(fixture: Fixture) {
    let store = &fixture.store;
    for sequence in 1..=3 {
        insert_event(&fixture.url, sequence, "M1", "{}").await;
    }
    for (id, deaths) in [
        ("whe_1", vec![(1, 50), (3, 5)]),
        ("whe_2", vec![(1, 40), (2, 30)]),
    ] {
        create(&fixture, &endpoint(id)).await;
        for (sequence, minutes) in deaths {
            make_due(&fixture, id, &[sequence]).await;
            let read = due(&fixture, id, false).await.remove(0);
            let dead = ended(DeliveryOutcome::Dead { error: "no".into() }, minutes);
            store.record_attempt(&read, &dead).await.unwrap();
        }
    }
    let found = async |minutes| {
        let since = now() + Duration::minutes(minutes);
        let found = store.recently_dead(since).await.unwrap();
        let place = |one: Delivery| (one.endpoint_id, one.sequence);
        found.into_iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(
        found(0).await,
        [("whe_1".to_owned(), 1), ("whe_2".to_owned(), 1)]
    );
    assert_eq!(found(45).await, [("whe_1".to_owned(), 1)]);
    assert!(found(50).await.is_empty());
}

async fn dead_letters_are_counted_and_replayed_with_their_attempts(fixture: Fixture) {
    let store = &fixture.store;
    insert_event(&fixture.url, 1, "M1", "{}").await;
    create(&fixture, &endpoint("whe_1")).await;
    make_due(&fixture, "whe_1", &[1]).await;
    let read = due(&fixture, "whe_1", false).await.remove(0);
    let dead = ended(DeliveryOutcome::Dead { error: "no".into() }, 1);
    store.record_attempt(&read, &dead).await.unwrap();
    assert_eq!(store.dead_letters("whe_1").await.unwrap(), 1);
    assert!(due(&fixture, "whe_1", false).await.is_empty());
    let endpoint = store.endpoint("whe_1").await.unwrap().unwrap();
    let event = store.event("evt_1").await.unwrap().unwrap();
    let replayed = recover::replay(&*store.clone(), &endpoint, &event, now()).await;
    assert_eq!(replayed.unwrap(), 2, "one was never there");
    assert_eq!(store.dead_letters("whe_1").await.unwrap(), 0);
    let again = due(&fixture, "whe_1", false).await;
    let attempts: Vec<_> = again
        .iter()
        .map(|one| (one.event_type.as_str(), one.attempts))
        .collect();
    assert_eq!(attempts, [("ach_return.created", 0), ("payin.returned", 1)]);
}

async fn recovering_brings_what_is_missing_or_undelivered_and_nothing_else(fixture: Fixture) {
    let store = &fixture.store;
    for (sequence, merchant) in [(1, "M1"), (2, "M1"), (3, "M2"), (4, "M1"), (5, "M1")] {
        insert_event(&fixture.url, sequence, merchant, "{}").await;
    }
    let mut some = endpoint("whe_1");
    some.settings.event_types = vec!["payin.*".into()];
    some.settings.merchant = "M1".into();
    create(&fixture, &some).await;
    make_due(&fixture, "whe_1", &[2, 4]).await;
    let waiting = due(&fixture, "whe_1", false).await;
    let taken = ended(DeliveryOutcome::Delivered, 1);
    store.record_attempt(&waiting[0], &taken).await.unwrap();
    let dead = ended(DeliveryOutcome::Dead { error: "no".into() }, 1);
    store.record_attempt(&waiting[1], &dead).await.unwrap();
    let minutes = |minutes| now() + Duration::minutes(minutes);
    let recovered = async || {
        let done = recover::recover(&*store.clone(), &some, minutes(2), minutes(5), now()).await;
        done.unwrap()
    };
    assert_eq!(
        recovered().await,
        1,
        "2 was taken, 3 is another's, 5 is outside"
    );
    let waiting = due(&fixture, "whe_1", false).await;
    let waiting: Vec<_> = waiting.iter().map(|one| one.sequence).collect();
    assert_eq!(waiting, [4]);
    let all = recover::recover(&*store.clone(), &some, minutes(0), minutes(60), now()).await;
    assert_eq!(all.unwrap(), 3, "1 and 5 were missing, 4 waits");
}

async fn recovering_brings_what_happened_before_and_became_an_event_only_then(fixture: Fixture) {
    let store = &fixture.store;
    let messages = vec![(
        PayloadVersion::Rainforest20241016,
        "payin.returned".to_owned(),
    )];
    let happened = |position, minutes| NewEvent {
        event_id: ids::row_event_id(position, b"hash"),
        origin: Origin::Row { position },
        transfer_id: "TR1".into(),
        merchant: String::new(),
        occurred_at: now() + Duration::minutes(minutes),
        facts: "{}".into(),
        messages: messages.clone(),
    };
    let minutes = |minutes| now() + Duration::minutes(minutes);
    for (position, occurred, recorded) in [(1, 10, 11), (2, 30, 120), (3, 90, 120), (4, 125, 300)] {
        let event = [happened(position, occurred)];
        let done = store
            .record_events(position - 1, position, &event, minutes(recorded))
            .await;
        assert!(done.unwrap());
    }
    create(&fixture, &endpoint("whe_1")).await;
    let one = endpoint("whe_1");
    let done = recover::recover(&*store.clone(), &one, minutes(60), minutes(130), now()).await;
    assert_eq!(done.unwrap(), 3);
    let brought = due(&fixture, "whe_1", false).await;
    let brought: Vec<_> = brought.iter().map(|one| one.sequence).collect();
    assert_eq!(
        brought,
        [2, 3, 4],
        "1 was told before the endpoint was down"
    );
}

async fn deliveries_are_listed_newest_first_by_filter_and_page(fixture: Fixture) {
    let store = &fixture.store;
    for sequence in 1..=3 {
        insert_event(&fixture.url, sequence, "M1", "{}").await;
    }
    for id in ["whe_1", "whe_2"] {
        create(&fixture, &endpoint(id)).await;
        make_due(&fixture, id, &[1, 2, 3]).await;
    }
    let list = async |filter: DeliveryFilter, before| {
        let listed = store.deliveries(&filter, before, 4).await.unwrap();
        let place = |one: &Delivery| (one.sequence, one.endpoint_id.clone());
        listed.iter().map(place).collect::<Vec<_>>()
    };
    let place = |sequence, id: &str| (sequence, id.to_owned());
    let all = DeliveryFilter::default;
    let page = list(all(), None).await;
    let expected = [(3, "whe_2"), (3, "whe_1"), (2, "whe_2"), (2, "whe_1")];
    assert_eq!(page, expected.map(|(sequence, id)| place(sequence, id)));
    let before = (2, "whe_1".to_owned(), "payin.returned".to_owned());
    assert_eq!(
        list(all(), Some(before)).await,
        [place(1, "whe_2"), place(1, "whe_1")]
    );
    let one = DeliveryFilter {
        endpoint_id: Some("whe_1".into()),
        message_id: Some("msg_2".into()),
        event_id: Some("evt_2".into()),
        transfer_id: Some("TR2".into()),
        state: Some(DeliveryState::Pending),
    };
    assert_eq!(list(one.clone(), None).await, [place(2, "whe_1")]);
    let dead = DeliveryFilter {
        state: Some(DeliveryState::Dead),
        ..one
    };
    assert!(list(dead, None).await.is_empty());
}
