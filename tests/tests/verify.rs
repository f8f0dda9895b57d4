//! What somebody changed behind the service's back is found: in the returns database, in the
//! bucket's checkpoints, and in the databases of others.

use echeck::stack::DEFAULT_SOURCES;
use echeck_proto::returns::v1 as proto;
use echeck_tests::{Payment, World, Worldpay, eventually, funding_rejects};
use proto::incident_service_client::IncidentServiceClient;
use sqlx::SqlitePool;

/// Waits until a signed checkpoint proves the whole journal.
async fn proven(world: &World) {
    eventually("every row is proven", || async {
        let verdict = world.verdict().await;
        assert!(verdict.sound, "{verdict:?}");
        verdict.head_position > 0 && verdict.end_unproven.is_empty()
    })
    .await;
}

/// The returns database, as its owner sees it.
async fn returns(world: &World) -> SqlitePool {
    let pool = SqlitePool::connect(world.stack.data.returns().url());
    let pool = pool.await.unwrap();
    for sql in [
        "DROP TRIGGER journal_rows_are_never_changed",
        "DROP TRIGGER journal_rows_are_never_deleted",
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    pool
}

/// A funded debit, a pending one and a payout, all of which come back.
async fn with_returns(world: &World) {
    world.add(Payment::debit("TR1")).await;
    world.add(Payment::debit("TR2").state("PENDING")).await;
    world.add(Payment::payout("TR3")).await;
    let file = Worldpay::new()
        .returned("TR1", "R01")
        .returned("TR2", "R02");
    world.import("worldpay_returns", "r.csv", file).await;
    let rejects = funding_rejects(&["TR3"]);
    world.import("worldpay_funding", "f.csv", rejects).await;
}

#[tokio::test]
async fn everything_that_was_applied_shows_and_is_proven() {
    let world = World::start().await;
    with_returns(&world).await;
    proven(&world).await;
    let verdict = world.verdict().await;
    assert_eq!(verdict.missing, []);
    let rows = verdict.head_position;
    assert_eq!((verdict.checked, verdict.proven_position), (rows, rows));
    assert!(verdict.compared >= 4, "{verdict:?}");
}

#[tokio::test]
async fn a_journal_without_a_key_says_that_its_end_is_not_proven() {
    let world = World::start_with(|options| {
        options.returns = format!("{DEFAULT_SOURCES}\n[journal]\nverify_every_ms = 86400000\n");
    })
    .await;
    with_returns(&world).await;
    let verdict = world.verdict().await;
    assert!(verdict.sound, "{verdict:?}");
    assert!(verdict.end_unproven.contains("signing_key"), "{verdict:?}");
}

#[tokio::test]
async fn rows_that_were_cut_off_with_head_and_cursors_are_found() {
    let world = World::start().await;
    with_returns(&world).await;
    proven(&world).await;
    let pool = returns(&world).await;
    let head = world.journal_length().await;
    let last = i64::try_from(head).unwrap() - 1;
    let hash = sqlx::query_scalar::<_, Vec<u8>>("SELECT hash FROM journal WHERE position = ?")
        .bind(last)
        .fetch_one(&pool)
        .await
        .unwrap();
    let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    for target in [&world.gateway, &world.rallypay] {
        sqlx::query("UPDATE echeck_cursor SET position = ?, hash = ?")
            .bind(last)
            .bind(&text)
            .execute(target)
            .await
            .unwrap();
    }
    for sql in [
        "DELETE FROM import_stretches WHERE first_position > ?",
        "DELETE FROM made_transfers WHERE position > ?",
        "DELETE FROM journal WHERE position > ?",
    ] {
        sqlx::query(sql).bind(last).execute(&pool).await.unwrap();
    }
    sqlx::query("UPDATE journal_head SET position = ?, hash = ?")
        .bind(last)
        .bind(&hash)
        .execute(&pool)
        .await
        .unwrap();
    let verdict = world.verdict().await;
    assert!(!verdict.sound);
    let found = "rows were removed from its end";
    assert!(
        verdict.faults.iter().any(|fault| fault.contains(found)),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn an_exception_that_no_database_recorded_is_found() {
    let world = World::start().await;
    with_returns(&world).await;
    let pool = returns(&world).await;
    for name in ["gateway", "rallypay"] {
        sqlx::query(
            "INSERT INTO follower_exceptions (name, position, kind, message, handled, recorded_at) \
             VALUES (?, 1, 'refused', 'no', 1, '2026-11-20T00:00:00.000000Z')",
        )
        .bind(name)
        .execute(&pool)
        .await
        .unwrap();
    }
    let verdict = world.verdict().await;
    assert!(!verdict.sound);
    for name in ["gateway", "rallypay"] {
        let found = format!("{name}: the exception of position 1 was never recorded");
        assert!(
            verdict.faults.iter().any(|fault| fault.contains(&found)),
            "{verdict:?}"
        );
    }
}

/// The headline of an open incident of this cause.
async fn incident(world: &World, cause: &str) -> Option<String> {
    let client = IncidentServiceClient::connect(world.stack.url()).await;
    let ask = proto::ListIncidentsRequest {
        state: proto::IncidentState::Open.into(),
        ..Default::default()
    };
    let answer = client.unwrap().list_incidents(ask).await.unwrap();
    let incidents = answer.into_inner().incidents;
    let found = incidents.into_iter().find(|one| one.cause == cause);
    found.map(|one| one.headline)
}

#[tokio::test]
async fn a_return_that_was_set_back_is_reported_by_its_transfer_and_by_the_daily_check() {
    let world = World::start_with(|options| {
        options
            .returns
            .push_str("\n[journal]\nverify_every_ms = 200\n");
    })
    .await;
    with_returns(&world).await;
    for sql in [
        "DELETE FROM transfers WHERE parent_id = 'TR1'",
        "UPDATE transfers SET state = 'SUCCEEDED' WHERE id = 'TR2'",
    ] {
        sqlx::query(sql).execute(&world.gateway).await.unwrap();
    }
    let sql = "UPDATE transactions SET status = 'succeeded' WHERE transfer_id = 'TR3'";
    sqlx::query(sql).execute(&world.rallypay).await.unwrap();
    let verdict = world.verdict().await;
    assert!(
        verdict.sound,
        "the journal itself is as it was: {verdict:?}"
    );
    let missing: Vec<(&str, &str)> = verdict
        .missing
        .iter()
        .map(|one| (one.database.as_str(), one.transfer_id.as_str()))
        .collect();
    let expected = [("gateway", "TR1"), ("gateway", "TR2"), ("rallypay", "TR3")];
    assert_eq!(missing, expected, "{verdict:?}");
    assert_eq!(verdict.missing_total, 3);
    eventually("the daily check opens an incident", || async {
        let headline = incident(&world, "RETURNS_NOT_SHOWN").await;
        headline.is_some_and(|headline| headline.contains("no longer"))
    })
    .await;
}

#[tokio::test]
async fn a_changed_column_opens_an_incident_by_itself_and_closes_when_it_is_back() {
    let world = World::start_with(|options| {
        options
            .returns
            .push_str("\n[journal]\nverify_every_ms = 200\n");
    })
    .await;
    with_returns(&world).await;
    let pool = returns(&world).await;
    let edit = "UPDATE journal SET code = 'R29' WHERE position = 1";
    sqlx::query(edit).execute(&pool).await.unwrap();
    eventually("an incident names the column", || async {
        let headline = incident(&world, "JOURNAL_NOT_SOUND").await;
        headline.is_some_and(|headline| headline.contains("column code"))
    })
    .await;
    let back = "UPDATE journal SET code = 'R01' WHERE position = 1";
    sqlx::query(back).execute(&pool).await.unwrap();
    eventually("the incident recovers", || async {
        let client = IncidentServiceClient::connect(world.stack.url()).await;
        let ask = proto::ListIncidentsRequest::default();
        let answer = client.unwrap().list_incidents(ask).await.unwrap();
        let incidents = answer.into_inner().incidents;
        incidents.iter().any(|one| {
            one.cause == "JOURNAL_NOT_SOUND"
                && (one.quiet_since.is_some() || one.closed_at.is_some())
        })
    })
    .await;
}
