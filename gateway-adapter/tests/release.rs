//! What a return created is released to settlement, on every database.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use common::{D, count, history, known, rig_on, time_of, whole};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::on_every_database;
use echeck_adapter::testing::{Journal, give_back, reapply, release, reported, restore, reverse};
use echeck_proto::adapter::v1::StepExceptionKind::{MovedOn, NotFound, Refused};
use echeck_proto::adapter::v1::TransferState::{Pending, Returned};
use echeck_proto::adapter::v1::step::Change;

on_every_database!(
    what_a_return_created_is_released_once,
    the_whole_history_of_a_return_fits_one_batch,
    histories_that_take_turns_in_a_large_batch_are_exact,
    what_is_missing_or_moved_on_is_not_released,
    a_gateway_without_the_column_takes_a_release_as_an_empty_step,
);

async fn what_a_return_created_is_released_once(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    rig.sql(&known("TR1").sql()).await;
    let mut journal = Journal::default();
    rig.apply(journal.changes([reverse("TR1", 500, None)]))
        .await
        .unwrap();
    let before = whole(&rig, "RV_TR1").await;
    rig.sql("UPDATE transfers SET updated_at = '2026-02-20 00:00:00'")
        .await;
    let first = release("RV_TR1", "TR1", 30);
    let reply = rig.apply(journal.changes([first])).await.unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    let (from, at) = (time_of(dialect, 30), time_of(dialect, 0));
    let row = format!("id = 'RV_TR1' AND ready_to_settle_at = {from} AND updated_at = {at}");
    assert_eq!(count(&rig, &row).await, "1");
    // A second release is reported, and the first one stays.
    let second = release("RV_TR1", "TR1", 40);
    let reply = rig.apply(journal.changes([second])).await.unwrap();
    assert_eq!(
        reported(&reply.exceptions),
        [(
            3,
            MovedOn,
            "transfer RV_TR1 (SUCCEEDED) has been ready to settle since \
             2026-03-02T14:05:36.000000Z already"
        )]
    );
    assert_eq!(count(&rig, &row).await, "1");
    // Nothing else has changed, neither in it nor in the original.
    rig.sql("UPDATE transfers SET ready_to_settle_at = NULL WHERE id = 'RV_TR1'")
        .await;
    assert_eq!(whole(&rig, "RV_TR1").await, before);
    assert_eq!(
        count(&rig, "id = 'TR1' AND updated_at < '2026-02-21'").await,
        "1"
    );
}

async fn the_whole_history_of_a_return_fits_one_batch(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    rig.sql(&known("FUNDED").sql()).await;
    rig.sql(&known("EARLY").set("state", "'PENDING'").sql())
        .await;
    let mut changes: Vec<Change> = history("FUNDED").into();
    changes.extend([
        give_back("EARLY", Pending, None),
        restore("EARLY", 500, Returned, ""),
        release("RS_EARLY", "EARLY", 20),
        reapply("EARLY", 500, Returned),
        release("RA_EARLY", "EARLY", 30),
    ]);
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    assert_eq!(
        rig.rows("SELECT id, type, state, parent_id FROM transfers ORDER BY id")
            .await,
        [
            "EARLY|DEBIT|FAILED|-",
            "FUNDED|DEBIT|SUCCEEDED|-",
            "RA_EARLY|REVERSAL|SUCCEEDED|RS_EARLY",
            "RA_FUNDED|REVERSAL|SUCCEEDED|RS_FUNDED",
            "RS_EARLY|DEBIT|SUCCEEDED|EARLY",
            "RS_FUNDED|DEBIT|SUCCEEDED|RV_FUNDED",
            "RV_FUNDED|REVERSAL|SUCCEEDED|FUNDED",
        ]
    );
    for (prefix, seconds, rows) in [("RV", 10, "1"), ("RS", 20, "2"), ("RA", 30, "2")] {
        let from = time_of(dialect, seconds);
        let made = format!("id LIKE '{prefix}_%' AND ready_to_settle_at = {from}");
        assert_eq!(count(&rig, &made).await, rows, "{prefix}");
    }
}

async fn histories_that_take_turns_in_a_large_batch_are_exact(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    let ids: Vec<String> = (0..300).map(|number| format!("TR{number:03}")).collect();
    let rows: Vec<String> = ids.iter().map(|id| D::on_any(id).sql()).collect();
    rig.sql(&rows.join(" ")).await;
    // Two moved on, which leaves nothing to undo or to release.
    rig.sql("UPDATE transfers SET state = 'CANCELED' WHERE id IN ('TR017', 'TR150')")
        .await;
    let changes: Vec<Change> = ids.iter().flat_map(|id| history(id)).collect();
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let expected: Vec<u64> = [17, 150]
        .into_iter()
        .flat_map(|number| (6 * number + 1)..=(6 * number + 6))
        .collect();
    let positions: Vec<u64> = reported(&reply.exceptions)
        .into_iter()
        .map(|(at, _, _)| at)
        .collect();
    assert_eq!(positions, expected);
    assert_eq!(count(&rig, "type = 'REVERSAL'").await, "596");
    assert_eq!(count(&rig, "ready_to_settle_at IS NOT NULL").await, "894");
}

async fn what_is_missing_or_moved_on_is_not_released(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    for id in ["GOOD", "BAD"] {
        rig.sql(&D::on_any(id).set("type", "'REVERSAL'").sql())
            .await;
    }
    rig.sql("UPDATE transfers SET state = 'FAILED' WHERE id = 'BAD'")
        .await;
    let changes = vec![
        release("GONE", "TR1", 0),
        release("BAD", "TR2", 0),
        release("GOOD", "TR3", 0),
        release("good", "TR4", 0),
    ];
    assert_eq!(
        reported(&rig.apply_one_by_one(changes).await),
        [
            (1, NotFound, "the target has no transfer GONE"),
            (
                2,
                Refused,
                "transfer BAD is FAILED, but only a SUCCEEDED transfer can be settled"
            ),
            (4, NotFound, "the target has no transfer good"),
        ]
    );
    let was_made_ready = format!("ready_to_settle_at = {}", time_of(dialect, 0));
    assert_eq!(count(&rig, &was_made_ready).await, "1");
    assert_eq!(count(&rig, "ready_to_settle_at IS NULL").await, "1");
}

async fn a_gateway_without_the_column_takes_a_release_as_an_empty_step(dialect: Dialect) {
    let off = "[transfers.columns]\nready_to_settle_at = \"\"";
    let filled = "[transfers.reversal.set]\nready_to_settle_at = \"2026-03-01 00:00:00\"";
    for toml in [off, filled] {
        let rig = rig_on(dialect, toml).await;
        rig.sql(&D::on_any("TR1").sql()).await;
        let mut journal = Journal::default();
        rig.apply(journal.changes([reverse("TR1", 500, None)]))
            .await
            .unwrap();
        let all = "SELECT * FROM transfers ORDER BY id";
        let before = rig.rows(all).await;
        // Not even for one that is not there.
        let changes = [release("RV_TR1", "TR1", 0), release("RV_TR9", "TR9", 0)];
        let reply = rig.apply(journal.changes(changes)).await.unwrap();
        assert_eq!(reported(&reply.exceptions), [], "{toml}");
        assert_eq!(reply.cursor.unwrap().position, 3);
        assert_eq!(rig.rows(all).await, before, "{toml}");
    }
}
