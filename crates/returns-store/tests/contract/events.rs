//! How rows and holds become events with their deliveries.

use returns_model::endpoint::PayloadVersion;

use super::*;

on_both! {
    events_have_dense_sequences_and_the_position_moves_once,
    each_endpoint_has_a_delivery_for_each_message_that_it_wants,
    when_one_delivery_cannot_be_written_nothing_is,
    a_hold_is_reported_in_each_state_once,
    a_hold_that_was_closed_before_it_was_published_is_published_once,
    holds_are_published_together_without_those_that_have_changed,
    ten_thousand_events_with_their_deliveries_are_written_at_once,
}

const LEGACY: PayloadVersion = PayloadVersion::RainforestLegacy;
const NEWEST: PayloadVersion = PayloadVersion::Rainforest20241016;

fn event(position: u64, merchant: &str, messages: &[(PayloadVersion, &str)]) -> NewEvent {
    NewEvent {
        event_id: ids::row_event_id(position, b"hash"),
        origin: Origin::Row { position },
        transfer_id: format!("TR{position}"),
        merchant: merchant.into(),
        occurred_at: now(),
        facts: "{}".into(),
        messages: messages
            .iter()
            .map(|(payload_version, event_type)| (*payload_version, (*event_type).to_owned()))
            .collect(),
    }
}

fn hold_event(hold: &HoldRecord) -> NewEvent {
    NewEvent {
        event_id: ids::hold_event_id(&hold.new.hold_id, hold.state.as_str()),
        origin: Origin::Hold {
            hold_id: hold.new.hold_id.clone(),
            state: hold.state,
        },
        ..event(1, "", &[(NEWEST, "ach_hold.created")])
    }
}

/// The first column of what a query finds, which must be text.
async fn texts(fixture: &Fixture, sql: &'static str) -> Vec<String> {
    if fixture.url.starts_with("sqlite:") {
        let pool = sqlx::SqlitePool::connect(&fixture.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_all(&pool).await.unwrap()
    } else {
        let pool = sqlx::PgPool::connect(&fixture.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_all(&pool).await.unwrap()
    }
}

const SEQUENCES: &str = "SELECT CAST(sequence AS TEXT) || ' ' || transfer_id \
     FROM webhook_events ORDER BY sequence";
const DELIVERIES: &str = "SELECT endpoint_id || ' ' || CAST(sequence AS TEXT) || ' ' || event_type \
     FROM webhook_deliveries WHERE state = 'pending' AND attempts = 0 \
     AND next_attempt_at IS NOT NULL ORDER BY endpoint_id, sequence, event_type";

/// Endpoints for everything, one type, a family of types, one merchant, an older version, and
/// one that is disabled.
const ENDPOINTS: &str = "INSERT INTO webhook_endpoints (endpoint_id, url, description, \
     owner_email, style, api_version, payload_version, event_types, merchant, ordered, state, created_at, \
     updated_at) VALUES \
     ('all', 'u', '', '', 'rainforest', '2024-10-16', 'rainforest_2024_10_16', '[]', '', FALSE, \
         'enabled', '2024-10-04T00:00:00Z', '2024-10-04T00:00:00Z'), \
     ('exact', 'u', '', '', 'rainforest', '2024-10-16', 'rainforest_2024_10_16', \
         '[\"payin.returned\"]', '', FALSE, 'enabled', '2024-10-04T00:00:00Z', \
         '2024-10-04T00:00:00Z'), \
     ('family', 'u', '', '', 'rainforest', '2024-10-16', 'rainforest_2024_10_16', \
         '[\"deposit.failed\", \"ach_return.*\"]', '', FALSE, 'enabled', '2024-10-04T00:00:00Z', \
         '2024-10-04T00:00:00Z'), \
     ('merchant', 'u', '', '', 'rainforest', '2024-10-16', 'rainforest_2024_10_16', '[]', 'ID1', \
         FALSE, 'enabled', '2024-10-04T00:00:00Z', '2024-10-04T00:00:00Z'), \
     ('older', 'u', '', '', 'rainforest', '2023-12-01', 'rainforest_legacy', '[]', '', FALSE, \
         'enabled', '2024-10-04T00:00:00Z', '2024-10-04T00:00:00Z'), \
     ('off', 'u', '', '', 'rainforest', '2024-10-16', 'rainforest_2024_10_16', '[]', '', FALSE, \
         'disabled', '2024-10-04T00:00:00Z', '2024-10-04T00:00:00Z')";

async fn events_have_dense_sequences_and_the_position_moves_once(fixture: Fixture) {
    let (store, other) = (&fixture.store, fixture.again().await);
    assert_eq!(store.event_position().await.unwrap(), 0);
    let two = [event(2, "", &[]), event(5, "", &[])];
    assert!(store.record_events(0, 6, &two, now()).await.unwrap());
    assert_eq!(other.event_position().await.unwrap(), 6);
    let again = [event(7, "", &[])];
    assert!(
        !other.record_events(0, 7, &again, now()).await.unwrap(),
        "the position has moved"
    );
    assert!(other.record_events(6, 8, &[], now()).await.unwrap());
    assert!(
        store
            .record_events(8, 9, &[event(9, "", &[])], now())
            .await
            .unwrap()
    );
    assert_eq!(
        texts(&fixture, SEQUENCES).await,
        ["1 TR2", "2 TR5", "3 TR9"]
    );
}

async fn each_endpoint_has_a_delivery_for_each_message_that_it_wants(fixture: Fixture) {
    fixture.execute(ENDPOINTS).await.unwrap();
    let messages = [
        (LEGACY, "payin.succeeded"),
        (LEGACY, "ach_return.created"),
        (NEWEST, "payin.returned"),
        (NEWEST, "ach_return.created"),
        (PayloadVersion::Finix, "transfer.updated"),
    ];
    let events = [
        event(1, "ID1", &messages),
        event(2, "ID2", &[(NEWEST, "ach_return_other.created")]),
        event(3, "", &[(NEWEST, "deposit.failed")]),
    ];
    let recorded = fixture.store.record_events(0, 3, &events, now()).await;
    assert!(recorded.unwrap());
    assert_eq!(
        texts(&fixture, DELIVERIES).await,
        [
            "all 1 ach_return.created",
            "all 1 payin.returned",
            "all 2 ach_return_other.created",
            "all 3 deposit.failed",
            "exact 1 payin.returned",
            "family 1 ach_return.created",
            "family 3 deposit.failed",
            "merchant 1 ach_return.created",
            "merchant 1 payin.returned",
            "older 1 ach_return.created",
            "older 1 payin.succeeded",
        ]
    );
    let ids = "SELECT DISTINCT message_id FROM webhook_deliveries WHERE sequence = 1";
    let ids = texts(&fixture, ids).await;
    assert_eq!(ids.len(), 4, "one for each payload_version and event type");
    assert!(
        ids.iter()
            .all(|id| id.starts_with("msg_") && !id.contains('.'))
    );
}

async fn when_one_delivery_cannot_be_written_nothing_is(fixture: Fixture) {
    let store = &fixture.store;
    fixture.execute(ENDPOINTS).await.unwrap();
    let twice = [(NEWEST, "payin.returned"), (NEWEST, "payin.returned")];
    let events = [event(1, "", &[]), event(2, "", &twice)];
    store.record_events(0, 2, &events, now()).await.unwrap_err();
    assert_eq!(store.event_position().await.unwrap(), 0);
    assert!(texts(&fixture, SEQUENCES).await.is_empty());
    assert!(
        store
            .record_events(0, 1, &events[..1], now())
            .await
            .unwrap()
    );
    assert_eq!(texts(&fixture, SEQUENCES).await, ["1 TR1"]);
}

/// A hold that nobody was told of.
async fn held(fixture: &Fixture) -> HoldRecord {
    let import = fixture.deciding_import("a", 1).await;
    let writes = Writes {
        holds: vec![hold(&import, 0)],
        ..Writes::default()
    };
    let appended = append(&import, (0, 1), 0, writes);
    fixture.store.append(appended).await.unwrap();
    untold(fixture).await.remove(0)
}

async fn untold(fixture: &Fixture) -> Vec<HoldRecord> {
    fixture.store.unpublished_holds(10).await.unwrap()
}

async fn dismiss(fixture: &Fixture, hold: &HoldRecord) {
    let change = HoldChange {
        hold_id: hold.new.hold_id.clone(),
        attempts: hold.attempts,
        to: HoldChangeTo::Closed {
            state: HoldState::Dismissed,
            by: "ann".into(),
            note: String::new(),
            at: now(),
        },
    };
    assert!(fixture.store.change_hold(&change).await.unwrap());
}

async fn a_hold_is_reported_in_each_state_once(fixture: Fixture) {
    let store = &fixture.store;
    fixture.execute(ENDPOINTS).await.unwrap();
    let open = held(&fixture).await;
    assert_eq!(open.state, HoldState::Open);
    let opened = hold_event(&open);
    let tell = async |event: &NewEvent| {
        let told = store.record_hold_events(std::slice::from_ref(event), now());
        told.await.unwrap() == 1
    };
    assert!(tell(&opened).await);
    assert!(!tell(&opened).await);
    assert!(untold(&fixture).await.is_empty());

    dismiss(&fixture, &open).await;
    assert!(!tell(&opened).await, "it has another state by now");
    let closed = untold(&fixture).await.remove(0);
    assert_eq!(closed.state, HoldState::Dismissed);
    let closed = hold_event(&closed);
    assert!(tell(&closed).await);
    assert!(untold(&fixture).await.is_empty());
    assert_eq!(
        texts(&fixture, DELIVERIES).await,
        ["all 1 ach_hold.created", "all 2 ach_hold.created"]
    );
    assert_eq!(store.event_position().await.unwrap(), 0, "no row was told");
}

async fn a_hold_that_was_closed_before_it_was_published_is_published_once(fixture: Fixture) {
    let open = held(&fixture).await;
    dismiss(&fixture, &open).await;
    let found = untold(&fixture).await;
    let [closed] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(closed.state, HoldState::Dismissed);
    let recorded = fixture
        .store
        .record_hold_events(&[hold_event(closed)], now())
        .await;
    assert_eq!(recorded.unwrap(), 1);
    assert!(untold(&fixture).await.is_empty());
}

async fn holds_are_published_together_without_those_that_have_changed(fixture: Fixture) {
    let store = &fixture.store;
    fixture.execute(ENDPOINTS).await.unwrap();
    let import = fixture.deciding_import("a", 9).await;
    let writes = Writes {
        holds: (0..4).map(|ordinal| hold(&import, ordinal)).collect(),
        ..Writes::default()
    };
    store
        .append(append(&import, (0, 4), 0, writes))
        .await
        .unwrap();
    let found = untold(&fixture).await;
    let events: Vec<_> = found.iter().map(hold_event).collect();
    dismiss(&fixture, &found[1]).await;
    assert_eq!(store.record_hold_events(&events, now()).await.unwrap(), 3);
    assert_eq!(
        texts(&fixture, SEQUENCES).await,
        ["1 TR1", "2 TR1", "3 TR1"]
    );
    assert_eq!(texts(&fixture, DELIVERIES).await.len(), 3);
    let left = untold(&fixture).await;
    let left: Vec<_> = left.iter().map(|one| &one.new.hold_id).collect();
    assert_eq!(left, [&found[1].new.hold_id]);
    assert_eq!(store.record_hold_events(&events, now()).await.unwrap(), 0);
}

async fn ten_thousand_events_with_their_deliveries_are_written_at_once(fixture: Fixture) {
    fixture.execute(ENDPOINTS).await.unwrap();
    let messages = [(NEWEST, "payin.returned"), (NEWEST, "ach_return.created")];
    let events: Vec<_> = (1..=10_000)
        .map(|position| event(position, "ID1", &messages))
        .collect();
    let begun = tokio::time::Instant::now();
    let recorded = fixture.store.record_events(0, 10_000, &events, now()).await;
    assert!(recorded.unwrap());
    let count = "SELECT CAST(COUNT(*) AS TEXT) || ' ' || CAST(MAX(sequence) AS TEXT) \
                 FROM webhook_deliveries";
    assert_eq!(texts(&fixture, count).await, ["60000 10000"]);
    tracing::info!(elapsed_ms = begun.elapsed().as_millis(), "recorded");
}
