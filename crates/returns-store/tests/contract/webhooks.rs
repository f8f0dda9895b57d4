//! Endpoints and their keys.

use returns_model::endpoint::{Endpoint, EndpointSettings, PayloadVersion, SecretKind, Style};

use super::deliveries::{make_due, one_due, retry};
use super::*;

on_both! {
    an_endpoint_is_kept_as_it_was_made_and_once,
    an_endpoint_is_changed_only_as_it_was_looked_at,
    endpoints_are_listed_in_order_in_pages,
    of_each_kind_two_keys_sign_at_most,
    whoever_touches_an_endpoint_is_noticed,
    an_endpoint_that_is_moved_or_enabled_has_everything_due_at_once,
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
        at: now(),
        identity: "ann".into(),
        address: String::new(),
        request_id: id.into(),
        action: "create_endpoint".into(),
        subject: "endpoint:whe_1".into(),
        before: String::new(),
        after: "enabled".into(),
        reason: "a new platform".into(),
        outcome: "OK".into(),
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
        store
            .audit(&AuditFilter::default(), 10)
            .await
            .unwrap()
            .len(),
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

async fn whoever_touches_an_endpoint_is_noticed(fixture: Fixture) {
    let store = &fixture.store;
    let read = one_due(&fixture).await;
    let touched = async || {
        let touched = store.touched(&["whe_1".to_owned()]).await.unwrap()["whe_1"];
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
    let ids = ["whe_1", "whe_2"].map(str::to_owned);
    let known = store.touched(&ids).await.unwrap();
    assert_eq!(known.into_keys().collect::<Vec<_>>(), ["whe_1"]);
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
