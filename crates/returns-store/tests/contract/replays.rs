//! Messages that are given up, sent again, or recovered.

use returns_model::endpoint::PayloadVersion;
use returns_webhooks::recover;

use super::deliveries::{due, ended, make_due, one_due, retry};
use super::webhooks::{create, endpoint};
use super::*;
use echeck_test_fixtures::insert_event;

on_both! {
    an_attempt_that_was_on_its_way_at_a_replay_does_not_count,
    a_replay_begins_the_tries_anew,
    what_is_wanted_no_more_is_given_up_and_is_no_dead_letter,
    of_each_endpoint_the_newest_recent_dead_letter_is_found,
    dead_letters_are_counted_and_replayed_with_their_attempts,
    recovering_brings_what_is_missing_or_undelivered_and_nothing_else,
    recovering_brings_what_happened_before_and_became_an_event_only_then,
}

async fn an_attempt_that_was_on_its_way_at_a_replay_does_not_count(fixture: Fixture) {
    let store = &fixture.store;
    let on_its_way = one_due(&fixture).await;
    make_due(&fixture, "whe_1", &[1]).await;
    for outcome in [
        DeliveryOutcome::Delivered,
        DeliveryOutcome::Undeliverable { error: "no".into() },
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
        (DeliveryState::Undeliverable, 0)
    );
    assert!(given_up.last_error.unwrap().contains("no longer wants it"));
    assert_eq!(store.dead_letters("whe_1").await.unwrap(), 0);
    let since = now() - Duration::minutes(1);
    assert!(store.recently_dead(since).await.unwrap().is_empty());
    make_due(&fixture, "whe_1", &[1]).await;
    store.give_up_unwanted(&[read], now()).await.unwrap();
    let again = due(&fixture, "whe_1", false).await.remove(0);
    let dead = ended(DeliveryOutcome::Undeliverable { error: "no".into() }, 1);
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
            let dead = ended(
                DeliveryOutcome::Undeliverable { error: "no".into() },
                minutes,
            );
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
    let dead = ended(DeliveryOutcome::Undeliverable { error: "no".into() }, 1);
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
    let dead = ended(DeliveryOutcome::Undeliverable { error: "no".into() }, 1);
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
