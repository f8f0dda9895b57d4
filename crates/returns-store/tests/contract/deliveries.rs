//! Events as they are read back, and deliveries of their messages.

use returns_model::endpoint::{Endpoint, PayloadVersion};

use super::webhooks::{audit, create, endpoint};
use super::*;
use echeck_test_fixtures::insert_event;

on_both! {
    an_event_is_read_back_as_it_was_recorded,
    only_enabled_endpoints_with_something_due_are_found,
    with_strict_order_only_the_oldest_that_waits_is_due,
    an_attempt_is_recorded_once,
    messages_that_were_accepted_are_recorded_together_each_if_it_has_not_moved_on,
    the_clock_of_failures_starts_with_the_first_and_stops_with_a_success,
    deliveries_are_listed_newest_first_by_filter_and_page,
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
pub(super) async fn make_due(fixture: &Fixture, endpoint: &str, sequences: &[u64]) {
    let all: Vec<_> = sequences.iter().map(|s| redelivery(endpoint, *s)).collect();
    let made = fixture.store.redeliver(&all, true, now()).await.unwrap();
    assert_eq!(made, all.len() as u64);
}

pub(super) async fn due(fixture: &Fixture, endpoint: &str, ordered: bool) -> Vec<Delivery> {
    let due = fixture.store.due_deliveries(endpoint, ordered, now(), 10);
    due.await.unwrap()
}

async fn due_ids(fixture: &Fixture, at: chrono::DateTime<chrono::Utc>) -> Vec<String> {
    let due = fixture.store.due_endpoints(at).await.unwrap();
    due.into_iter().map(|(id, _)| id).collect()
}

pub(super) fn retry(minutes: i64) -> DeliveryAttempt {
    DeliveryAttempt {
        outcome: DeliveryOutcome::Retry {
            error: "HTTP 500: a\0b".into(),
            at: now() + Duration::minutes(minutes),
        },
        status: Some(500),
        at: now(),
    }
}

pub(super) fn ended(outcome: DeliveryOutcome, minutes: i64) -> DeliveryAttempt {
    DeliveryAttempt {
        outcome,
        status: Some(200),
        at: now() + Duration::minutes(minutes),
    }
}

/// An endpoint with the message of one event due, as it is read.
pub(super) async fn one_due(fixture: &Fixture) -> Delivery {
    insert_event(&fixture.url, 1, "M1", "{}").await;
    create(fixture, &endpoint("whe_1")).await;
    make_due(fixture, "whe_1", &[1]).await;
    due(fixture, "whe_1", false).await.remove(0)
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
        store.touched(&["whe_1".to_owned()]).await.unwrap().len(),
        0,
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
    let dead = ended(DeliveryOutcome::Undeliverable { error: "no".into() }, 5);
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

async fn messages_that_were_accepted_are_recorded_together_each_if_it_has_not_moved_on(
    fixture: Fixture,
) {
    let store = &fixture.store;
    for sequence in 1..=3 {
        insert_event(&fixture.url, sequence, "M1", "{}").await;
    }
    for id in ["whe_1", "whe_2"] {
        create(&fixture, &endpoint(id)).await;
        make_due(&fixture, id, &[1, 2, 3]).await;
    }
    let mut read = due(&fixture, "whe_1", false).await;
    read.extend(due(&fixture, "whe_2", false).await);
    // The first one failed meanwhile, and so did the second endpoint.
    store.record_attempt(&read[0], &retry(0)).await.unwrap();
    store.record_attempt(&read[3], &retry(0)).await.unwrap();
    let failed = due(&fixture, "whe_2", false).await;
    let later = now() + Duration::minutes(9);
    let accepted: Vec<Accepted> = [&read[0], &read[1], &read[2], &failed[0]]
        .map(|delivery| Accepted {
            delivery: delivery.clone(),
            status: 204,
            at: later,
        })
        .into();
    let standings = store.record_delivered(&accepted).await.unwrap();
    let recovered = Some(Standing {
        failing_since: None,
        recovered: true,
    });
    assert_eq!(standings, [None, recovered, recovered, recovered]);
    let again = store.record_delivered(&accepted).await.unwrap();
    assert_eq!(again, [None; 4], "each is recorded once");
    let failing = DeliveryAttempt {
        at: later + Duration::minutes(1),
        ..retry(0)
    };
    store.record_attempt(&read[5], &failing).await.unwrap();
    let moved_on = Accepted {
        delivery: read[5].clone(),
        status: 200,
        at: later + Duration::minutes(2),
    };
    let well = Accepted {
        delivery: read[4].clone(),
        status: 200,
        at: later,
    };
    let standings = store.record_delivered(&[well, moved_on]).await.unwrap();
    let still_fails = Some(Standing {
        failing_since: Some(failing.at),
        recovered: false,
    });
    assert_eq!(
        standings,
        [still_fails, None],
        "what moved on ends no failure"
    );
    let filter = DeliveryFilter {
        state: Some(DeliveryState::Delivered),
        ..DeliveryFilter::default()
    };
    let kept = store.deliveries(&filter, None, 9).await.unwrap();
    let seen: Vec<_> = kept
        .iter()
        .map(|one| {
            (
                &*one.endpoint_id,
                one.sequence,
                one.attempts,
                one.last_status,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("whe_1", 3, 1, Some(204)),
            ("whe_2", 2, 1, Some(200)),
            ("whe_1", 2, 1, Some(204)),
            ("whe_2", 1, 2, Some(204)),
        ]
    );
    assert!(kept.iter().all(|one| one.ended_at == Some(later)));
    assert!(
        kept.iter()
            .all(|one| one.next_attempt_at.is_none() && one.last_error.is_none())
    );
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
        state: Some(DeliveryState::Undeliverable),
        ..one
    };
    assert!(list(dead, None).await.is_empty());
}
