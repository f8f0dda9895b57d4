//! NotificationState the owners of disabled endpoints.

use returns_model::endpoint::{Endpoint, NotificationState, OwnerNotification};

use super::webhooks::{audit, create, endpoint};
use super::*;

on_both! {
    whoever_is_to_be_told_is_written_with_the_disabling,
    a_notification_is_recorded_once_and_only_as_it_was_seen,
    a_try_is_counted_once_before_it_is_made,
    an_owner_who_was_not_told_waits_with_the_reason,
    enabling_forgets_and_disabling_again_tells_again,
    an_operators_change_leaves_the_notification_alone,
    a_notification_of_an_earlier_disabling_says_nothing_about_the_next,
    what_was_disabled_lately_is_found_the_newest_first,
}

async fn seen(fixture: &Fixture, id: &str) -> Endpoint {
    fixture.store.endpoint(id).await.unwrap().unwrap()
}

/// Notifier the endpoint, `minutes` after the start of time.
async fn change(
    fixture: &Fixture,
    id: &str,
    owner: OwnerChange,
    disabled_why: Option<&str>,
    minutes: i64,
) -> Endpoint {
    let change = EndpointChange {
        endpoint: Endpoint {
            disabled_why: disabled_why.map(str::to_owned),
            updated_at: now() + Duration::minutes(minutes),
            ..seen(fixture, id).await
        },
        forget_failures: false,
        owner,
        audit: audit(&format!("aud_{id}_{minutes}_{owner:?}")),
    };
    assert!(fixture.store.change_endpoint(&change).await.unwrap());
    seen(fixture, id).await
}

async fn disable(fixture: &Fixture, id: &str, minutes: i64) -> Endpoint {
    change(fixture, id, OwnerChange::Notify, Some("is gone"), minutes).await
}

/// Counts a try at notification the owner, and gives the endpoint as it is then.
async fn begin(fixture: &Fixture, id: &str) -> Endpoint {
    let untried = seen(fixture, id).await;
    let next_at = now() + Duration::hours(1);
    let begun = fixture.store.begin_notification(&untried, next_at).await;
    assert!(begun.unwrap());
    seen(fixture, id).await
}

async fn waiting(fixture: &Fixture) -> Vec<String> {
    let waiting = fixture.store.owners_waiting(10).await.unwrap();
    waiting.into_iter().map(|one| one.endpoint_id).collect()
}

/// As it is when it was disabled some minutes after the start of time.
fn untried(minutes: i64) -> OwnerNotification {
    let since = now() + Duration::minutes(minutes);
    OwnerNotification {
        since,
        attempts: 0,
        notification: NotificationState::Waiting {
            next_at: since,
            error: None,
        },
    }
}

fn later(minutes: i64, error: &str) -> NotificationState {
    NotificationState::Waiting {
        next_at: now() + Duration::minutes(minutes),
        error: Some(error.to_owned()),
    }
}

async fn whoever_is_to_be_told_is_written_with_the_disabling(fixture: Fixture) {
    create(&fixture, &endpoint("whe_1")).await;
    create(&fixture, &endpoint("whe_2")).await;
    assert_eq!(waiting(&fixture).await, [""; 0]);
    let stale = seen(&fixture, "whe_1").await;
    let disabled = disable(&fixture, "whe_1", 3).await;
    assert_eq!(disabled.owner_notice, Some(untried(3)));
    assert_eq!(waiting(&fixture).await, ["whe_1"]);
    // Whoever is slower does nothing at all.
    let late = EndpointChange {
        endpoint: stale,
        forget_failures: false,
        owner: OwnerChange::Forget,
        audit: audit("late"),
    };
    assert!(!fixture.store.change_endpoint(&late).await.unwrap());
    assert_eq!(waiting(&fixture).await, ["whe_1"]);
}

async fn a_notification_is_recorded_once_and_only_as_it_was_seen(fixture: Fixture) {
    let store = &fixture.store;
    create(&fixture, &endpoint("whe_1")).await;
    let enabled = seen(&fixture, "whe_1").await;
    let told = NotificationState::Notified { at: now() };
    assert!(!store.record_notification(&enabled, &told).await.unwrap());
    disable(&fixture, "whe_1", 0).await;
    let disabled = begin(&fixture, "whe_1").await;
    assert!(store.record_notification(&disabled, &told).await.unwrap());
    assert!(
        !store
            .record_notification(&disabled, &later(9, "no"))
            .await
            .unwrap(),
        "they know"
    );
    let after = seen(&fixture, "whe_1").await;
    let expected = OwnerNotification {
        attempts: 1,
        notification: told.clone(),
        ..untried(0)
    };
    assert_eq!(after.owner_notice, Some(expected));
    assert_eq!(after.version, disabled.version, "no operator changed it");
    assert_eq!(waiting(&fixture).await, [""; 0]);
    assert!(!store.record_notification(&after, &told).await.unwrap());
    assert!(!store.begin_notification(&after, now()).await.unwrap());
}

async fn a_try_is_counted_once_before_it_is_made(fixture: Fixture) {
    let store = &fixture.store;
    create(&fixture, &endpoint("whe_1")).await;
    let enabled = seen(&fixture, "whe_1").await;
    assert!(!store.begin_notification(&enabled, now()).await.unwrap());
    let untried = disable(&fixture, "whe_1", 0).await;
    let begun = begin(&fixture, "whe_1").await;
    let expected = OwnerNotification {
        attempts: 1,
        notification: NotificationState::Waiting {
            next_at: now() + Duration::hours(1),
            error: None,
        },
        ..untried.owner_notice.clone().unwrap()
    };
    assert_eq!(begun.owner_notice, Some(expected));
    assert!(
        !store.begin_notification(&untried, now()).await.unwrap(),
        "another tells them"
    );
    let told = NotificationState::Notified { at: now() };
    assert!(!store.record_notification(&untried, &told).await.unwrap());
    assert!(store.record_notification(&begun, &told).await.unwrap());
}

async fn an_owner_who_was_not_told_waits_with_the_reason(fixture: Fixture) {
    let store = &fixture.store;
    for (id, minutes) in [("whe_1", 0), ("whe_2", 1), ("whe_3", 2)] {
        create(&fixture, &endpoint(id)).await;
        disable(&fixture, id, minutes).await;
    }
    let first = begin(&fixture, "whe_1").await;
    let failed = later(5, "no\0 answer");
    assert!(store.record_notification(&first, &failed).await.unwrap());
    assert_eq!(waiting(&fixture).await, ["whe_2", "whe_3", "whe_1"]);
    let notice = seen(&fixture, "whe_1").await.owner_notice.unwrap();
    assert_eq!(notice.attempts, 1);
    let NotificationState::Waiting { next_at, error } = notice.notification else {
        panic!("{notice:?}");
    };
    assert_eq!(next_at, now() + Duration::minutes(5));
    assert!(error.unwrap().starts_with("no"));
    let second = begin(&fixture, "whe_2").await;
    let untold = NotificationState::NotNotified {
        why: "nobody is named".into(),
    };
    assert!(store.record_notification(&second, &untold).await.unwrap());
    assert_eq!(waiting(&fixture).await, ["whe_3", "whe_1"]);
    let notice = seen(&fixture, "whe_2").await.owner_notice.unwrap();
    assert_eq!(notice.notification, untold);
}

async fn enabling_forgets_and_disabling_again_tells_again(fixture: Fixture) {
    create(&fixture, &endpoint("whe_1")).await;
    disable(&fixture, "whe_1", 0).await;
    let disabled = begin(&fixture, "whe_1").await;
    let failed = later(5, "no answer");
    let store = &fixture.store;
    assert!(store.record_notification(&disabled, &failed).await.unwrap());
    let enabled = change(&fixture, "whe_1", OwnerChange::Forget, None, 1).await;
    assert_eq!(enabled.owner_notice, None);
    assert_eq!(waiting(&fixture).await, [""; 0]);
    let again = disable(&fixture, "whe_1", 2).await;
    assert_eq!(again.owner_notice, Some(untried(2)));
    let told = NotificationState::Notified { at: now() };
    let again = begin(&fixture, "whe_1").await;
    assert!(store.record_notification(&again, &told).await.unwrap());
    change(&fixture, "whe_1", OwnerChange::Forget, None, 3).await;
    let again = disable(&fixture, "whe_1", 4).await;
    assert_eq!(again.owner_notice, Some(untried(4)));
}

async fn an_operators_change_leaves_the_notification_alone(fixture: Fixture) {
    create(&fixture, &endpoint("whe_1")).await;
    disable(&fixture, "whe_1", 0).await;
    let disabled = begin(&fixture, "whe_1").await;
    let failed = later(5, "no answer");
    let store = &fixture.store;
    assert!(store.record_notification(&disabled, &failed).await.unwrap());
    // What the operator saw of it may be old.
    let mut settings = disabled.settings.clone();
    settings.owner_email = "another@hooks.example".into();
    let update = EndpointChange {
        endpoint: Endpoint {
            settings,
            ..disabled
        },
        forget_failures: false,
        owner: OwnerChange::Keep,
        audit: audit("update"),
    };
    assert!(store.change_endpoint(&update).await.unwrap());
    let after = seen(&fixture, "whe_1").await;
    assert_eq!(after.settings.owner_email, "another@hooks.example");
    let expected = OwnerNotification {
        attempts: 1,
        notification: failed,
        ..untried(0)
    };
    assert_eq!(after.owner_notice, Some(expected));
}

async fn a_notification_of_an_earlier_disabling_says_nothing_about_the_next(fixture: Fixture) {
    create(&fixture, &endpoint("whe_1")).await;
    disable(&fixture, "whe_1", 0).await;
    let first = begin(&fixture, "whe_1").await;
    change(&fixture, "whe_1", OwnerChange::Forget, None, 1).await;
    let told = NotificationState::Notified { at: now() };
    let store = &fixture.store;
    assert!(!store.record_notification(&first, &told).await.unwrap());
    disable(&fixture, "whe_1", 2).await;
    begin(&fixture, "whe_1").await;
    assert!(!store.record_notification(&first, &told).await.unwrap());
    assert_eq!(waiting(&fixture).await, ["whe_1"]);
}

async fn what_was_disabled_lately_is_found_the_newest_first(fixture: Fixture) {
    for (id, minutes) in [("whe_1", 1), ("whe_2", 2), ("whe_3", 3), ("whe_4", 4)] {
        create(&fixture, &endpoint(id)).await;
        disable(&fixture, id, minutes).await;
    }
    create(&fixture, &endpoint("whe_5")).await;
    change(&fixture, "whe_5", OwnerChange::Keep, Some("ann: a test"), 5).await;
    change(&fixture, "whe_3", OwnerChange::Forget, None, 6).await;
    let since = now() + Duration::minutes(1);
    let found = fixture.store.disabled_after(since, 10).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|one| one.endpoint_id).collect();
    assert_eq!(found, ["whe_4", "whe_2"]);
}
