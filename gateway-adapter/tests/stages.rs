//! What comes after a return, on every database: it is undone, and applied again.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use common::{D, count, history, known, refuse_updates_of, rig_on, time_of, whole};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::on_every_database;
use echeck_adapter::testing::{
    Journal, expected, fail, give_back, reapply, reason_of, release, reported, restore, reverse,
};
use echeck_proto::adapter::v1::StepExceptionKind::{self, MovedOn, NotFound, Refused};
use echeck_proto::adapter::v1::TransferState::{Failed, Pending, Returned, Succeeded};
use echeck_proto::adapter::v1::adapter_service_server::AdapterService as _;
use echeck_proto::adapter::v1::step::Change;
use echeck_proto::adapter::v1::{LookupTransfersRequest, TransferKey, TransferKeyKind};
use tonic::Request;

on_every_database!(
    a_dishonored_return_is_given_back_by_a_transfer_of_the_same_kind,
    a_contested_dishonor_is_taken_again_by_a_reversal_of_the_restoration,
    a_batch_that_comes_again_changes_nothing,
    a_transfer_that_moved_on_is_not_restored,
    a_blocked_change_is_not_made_and_says_why,
    what_is_undone_must_be_there,
    a_restoration_names_the_deposit_it_was_decided_on,
    a_restoration_by_a_deposit_that_the_mapping_cannot_see_is_decided_again,
    rows_that_the_database_refuses_are_isolated,
    a_trace_that_is_too_long_is_refused_and_never_cut,
    lookups_find_what_was_paid_and_not_what_was_created_for_it,
);

/// A restoration that was decided on a deposit.
fn deposited(id: &str) -> Change {
    match restore(id, 500, Succeeded, "") {
        Change::RestoreTransfer(mut restore) => {
            restore.expected = expected(Succeeded, Some(true));
            Change::RestoreTransfer(restore)
        }
        other => other,
    }
}

async fn a_dishonored_return_is_given_back_by_a_transfer_of_the_same_kind(dialect: Dialect) {
    let rig = rig_on(dialect, "[transfers.states]\nreturned = \"RETURNED\"").await;
    rig.sql(&known("FUNDED").sql()).await;
    rig.sql(&known("EARLY").set("state", "'PENDING'").sql())
        .await;
    let credit = known("CREDIT").set("type", "'CREDIT'");
    rig.sql(&credit.set("currency", "'CAD'").sql()).await;
    let mut journal = Journal::default();
    let returned = [
        reverse("FUNDED", 500, None),
        give_back("EARLY", Pending, None),
        fail("CREDIT", Succeeded),
    ];
    rig.apply(journal.changes(returned)).await.unwrap();
    let before = rig.rows("SELECT * FROM transfers ORDER BY id").await;
    rig.sql("UPDATE transfers SET updated_at = '2026-02-20 00:00:00'")
        .await;
    let dishonors = [
        restore("FUNDED", 500, Succeeded, "RV_FUNDED"),
        restore("EARLY", 500, Returned, ""),
        restore("CREDIT", 500, Failed, "CREDIT"),
    ];
    let reply = rig.apply(journal.changes(dishonors)).await.unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    for (id, kind, currency, parent) in [
        ("FUNDED", "DEBIT", "USD", "RV_FUNDED"),
        ("EARLY", "DEBIT", "USD", "EARLY"),
        ("CREDIT", "CREDIT", "CAD", "CREDIT"),
    ] {
        assert_eq!(
            whole(&rig, &format!("RS_{id}")).await,
            format!(
                "{kind}|SYSTEM|SUCCEEDED|500|{currency}|0|FNX_RS_{id}|-|-|-|PI_BUYER|PI_SHOP|AP1\
                 |ID1|-|-|[]|-|{{\"dishonor\":\"R68\"}}|-|-|{parent}|-|-|-"
            )
        );
    }
    let at = time_of(dialect, 0);
    let made = format!("id LIKE 'RS_%' AND created_at = {at} AND updated_at = {at}");
    assert_eq!(count(&rig, &made).await, "3");
    // What was returned is touched and otherwise as the return left it; what the return made
    // is not even touched.
    let touched = format!("id IN ('FUNDED', 'EARLY', 'CREDIT') AND updated_at = {at}");
    assert_eq!(count(&rig, &touched).await, "3");
    let untouched = "id = 'RV_FUNDED' AND updated_at < '2026-02-21'";
    assert_eq!(count(&rig, untouched).await, "1");
    rig.sql(&format!(
        "UPDATE transfers SET updated_at = {at} WHERE id NOT LIKE 'RS_%'"
    ))
    .await;
    let after = "SELECT * FROM transfers WHERE id NOT LIKE 'RS_%' ORDER BY id";
    assert_eq!(rig.rows(after).await, before);
}

async fn a_contested_dishonor_is_taken_again_by_a_reversal_of_the_restoration(dialect: Dialect) {
    let rig = rig_on(dialect, "[transfers.reversal]\nsubtype = \"ROBOT\"").await;
    rig.sql(&known("TR1").sql()).await;
    let mut journal = Journal::default();
    let history = [
        reverse("TR1", 500, None),
        restore("TR1", 500, Succeeded, "RV_TR1"),
    ];
    rig.apply(journal.changes(history)).await.unwrap();
    let change = reapply("TR1", 500, Succeeded);
    let reply = rig.apply(journal.changes([change])).await.unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    assert_eq!(
        whole(&rig, "RA_TR1").await,
        "REVERSAL|ROBOT|SUCCEEDED|500|USD|0|FNX_RA_TR1|-|-|-|-|PI_BUYER|AP1|ID1|-|-|[]|-\
         |{\"dishonor\":\"R68\"}|-|-|RS_TR1|-|-|-"
    );
    let at = time_of(dialect, 0);
    let made = format!("id = 'RA_TR1' AND created_at = {at} AND updated_at = {at}");
    assert_eq!(count(&rig, &made).await, "1");
    assert_eq!(count(&rig, "subtype = 'ROBOT'").await, "3");
    assert_eq!(
        rig.one("SELECT state FROM transfers WHERE id = 'TR1'")
            .await,
        "SUCCEEDED"
    );
}

async fn a_batch_that_comes_again_changes_nothing(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    rig.sql(&known("TR1").sql()).await;
    let batch = Journal::default().changes(history("TR1"));
    rig.apply(batch.clone()).await.unwrap();
    let all = "SELECT * FROM transfers ORDER BY id";
    let before = rig.rows(all).await;
    let again = rig.apply(batch.clone()).await.unwrap_err();
    assert_eq!(reason_of(&again), "CURSOR_MISMATCH");
    assert_eq!(rig.rows(all).await, before);
    // Even with the cursor lost no money moves twice.
    rig.sql("DELETE FROM echeck_cursor").await;
    let reply = rig.apply(batch).await.unwrap();
    let kinds: Vec<StepExceptionKind> = reported(&reply.exceptions)
        .into_iter()
        .map(|(_, kind, _)| kind)
        .collect();
    assert_eq!(
        kinds,
        [Refused, MovedOn, Refused, Refused, MovedOn, MovedOn]
    );
    assert_eq!(rig.rows(all).await, before);
}

async fn a_transfer_that_moved_on_is_not_restored(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    for id in ["TR1", "TR2", "TR3"] {
        rig.sql(&D::on_any(id).sql()).await;
    }
    let changes = vec![
        restore("TR1", 500, Failed, ""),
        restore("TR2", 499, Succeeded, ""),
        restore("TR9", 500, Succeeded, ""),
        restore("TR3", 500, Succeeded, ""),
        reapply("TR3", 400, Succeeded),
    ];
    let exceptions = rig.apply_one_by_one(changes).await;
    assert_eq!(
        reported(&exceptions),
        [
            (
                1,
                MovedOn,
                "transfer TR1 is SUCCEEDED, not FAILED as it was decided on"
            ),
            (
                2,
                MovedOn,
                "transfer TR2 (SUCCEEDED) has the amount 500, not 499 as the restoration"
            ),
            (3, NotFound, "the target has no transfer TR9"),
            (
                5,
                MovedOn,
                "transfer TR3 (SUCCEEDED) has the amount 500, not 400 as the reversal"
            ),
        ]
    );
    assert_eq!(
        rig.rows("SELECT id FROM transfers ORDER BY id").await,
        ["RS_TR3", "TR1", "TR2", "TR3"]
    );
    assert_eq!(rig.progress(0, 10).await.exceptions, exceptions);
}

async fn a_blocked_change_is_not_made_and_says_why(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    for id in ["TR1", "TR2"] {
        rig.sql(&D::on_any(id).set("state", "'FAILED'").sql()).await;
    }
    let all = "SELECT * FROM transfers WHERE id NOT IN ('TR2', 'RS_TR2') ORDER BY id";
    let before = rig.rows(all).await;
    let mut journal = Journal::default();
    let mut batch = journal.changes(["TR1", "TR2"].map(|id| restore(id, 500, Failed, "")));
    // The state is as it was decided on, and still.
    batch.steps[0].blocked_reason = "its return did not take effect".to_owned();
    let reply = rig.apply(batch).await.unwrap();
    let expected = [(1, MovedOn, "its return did not take effect")];
    assert_eq!(reported(&reply.exceptions), expected);
    assert_eq!(rig.rows(all).await, before);
    assert_eq!(count(&rig, "id = 'RS_TR2'").await, "1");
    assert_eq!(rig.progress(0, 10).await.exceptions, reply.exceptions);
    let mut empty = journal.batch(vec![None]);
    empty.steps[0].blocked_reason = "nothing".to_owned();
    let refused = rig.apply(empty).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
}

async fn what_is_undone_must_be_there(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    for id in ["TR1", "TR2", "TR3"] {
        rig.sql(&D::on_any(id).sql()).await;
    }
    // No foreign key says so.
    match dialect {
        Dialect::Sqlite => {}
        Dialect::Postgres => {
            rig.sql("ALTER TABLE transfers DROP CONSTRAINT transfers_parent_id_fkey")
                .await;
        }
        Dialect::Mysql => {
            rig.sql("ALTER TABLE transfers DROP FOREIGN KEY transfers_by_parent_id")
                .await;
        }
    }
    let changes = vec![
        restore("TR1", 500, Succeeded, "RV_TR1"),
        reapply("TR2", 500, Succeeded),
        reverse("TR3", 500, None),
    ];
    assert_eq!(
        reported(&rig.apply_one_by_one(changes).await),
        [
            (
                1,
                NotFound,
                "the target has no transfer RV_TR1, which the restoration RS_TR1 undoes"
            ),
            (
                2,
                NotFound,
                "the target has no transfer RS_TR2, which the reversal RA_TR2 undoes"
            ),
        ]
    );
    assert_eq!(
        rig.rows("SELECT id FROM transfers ORDER BY id").await,
        ["RV_TR3", "TR1", "TR2", "TR3"]
    );
    assert_eq!(count(&rig, "updated_at < '2026-02-21'").await, "2");
}

async fn a_restoration_names_the_deposit_it_was_decided_on(dialect: Dialect) {
    let rig = rig_on(dialect, "profile = \"rainforest\"").await;
    rig.sql("INSERT INTO deposits VALUES ('DEP1', '2026-03-01 00:00:00')")
        .await;
    for (id, deposit) in [("FREE", "NULL"), ("TAKEN", "'DEP1'"), ("ANY", "NULL")] {
        rig.sql(&D::on_any(id).set("deposit_id", deposit).sql())
            .await;
    }
    let changes = vec![
        deposited("FREE"),
        deposited("TAKEN"),
        restore("ANY", 500, Succeeded, ""),
    ];
    assert_eq!(
        reported(&rig.apply_one_by_one(changes).await),
        [(
            1,
            MovedOn,
            "transfer FREE (SUCCEEDED) is not in a deposit any more"
        )]
    );
    // A new transfer is not in a deposit yet.
    assert_eq!(
        rig.rows("SELECT id, deposit_id FROM transfers ORDER BY id")
            .await,
        ["ANY|-", "FREE|-", "RS_ANY|-", "RS_TAKEN|-", "TAKEN|DEP1"]
    );
}

async fn a_restoration_by_a_deposit_that_the_mapping_cannot_see_is_decided_again(dialect: Dialect) {
    let rig = rig_on(dialect, "[transfers.columns]\ndeposit_id = \"\"").await;
    rig.sql(&D::on_any("TR1").sql()).await;
    let reply = rig
        .apply(Journal::default().changes([deposited("TR1")]))
        .await
        .unwrap();
    assert_eq!(reply.exceptions[0].kind(), MovedOn);
    assert_eq!(count(&rig, "updated_at < '2026-02-21'").await, "1");
}

async fn rows_that_the_database_refuses_are_isolated(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    for number in 0..20 {
        rig.sql(&D::on_any(&format!("TR{number:02}")).sql()).await;
    }
    // The id of a restoration is taken, and so is the trace of another.
    rig.sql(&D::on_any("RS_TR05").set("trace_id", "NULL").sql())
        .await;
    rig.sql(&D::on_any("OTHER").set("trace_id", "'FNX_RS_TR11'").sql())
        .await;
    for id in ["FROZEN", "FREE"] {
        rig.sql(&D::on_any(id).sql()).await;
    }
    rig.sql(&refuse_updates_of(dialect, "FROZEN")).await;
    let mut changes: Vec<Change> = (0..20)
        .map(|number| restore(&format!("TR{number:02}"), 500, Succeeded, ""))
        .collect();
    changes.extend(["FROZEN", "FREE"].map(|id| release(id, &format!("of {id}"), 0)));
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let refused = reported(&reply.exceptions);
    let places: Vec<(u64, StepExceptionKind)> =
        refused.iter().map(|(at, kind, _)| (*at, *kind)).collect();
    assert_eq!(places, [(6, Refused), (12, Refused), (21, Refused)]);
    assert!(refused[2].2.contains("is frozen"), "{}", refused[2].2);
    assert_eq!(
        rig.rows("SELECT id FROM transfers WHERE ready_to_settle_at IS NOT NULL")
            .await,
        ["FREE"]
    );
    assert_eq!(count(&rig, "subtype = 'SYSTEM'").await, "18");
    assert_eq!(
        count(&rig, "id LIKE 'TR%' AND updated_at < '2026-03-01'").await,
        "2"
    );
}

async fn a_trace_that_is_too_long_is_refused_and_never_cut(dialect: Dialect) {
    let column = match dialect {
        Dialect::Sqlite => return, // Its columns have no length.
        Dialect::Postgres => "ALTER TABLE transfers ALTER trace_id TYPE VARCHAR(10)",
        Dialect::Mysql => "ALTER TABLE transfers MODIFY trace_id VARCHAR(10)",
    };
    let rig = rig_on(dialect, "").await;
    rig.sql(column).await;
    for id in ["TR1", "TRLONG"] {
        rig.sql(&D::on_any(id).set("trace_id", "NULL").sql()).await;
    }
    let changes = ["TR1", "TRLONG"].map(|id| restore(id, 500, Succeeded, ""));
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let refused = reported(&reply.exceptions);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!((refused[0].0, refused[0].1), (2, Refused));
    let said = refused[0].2;
    // The words of MySQL are others than those of MariaDB.
    assert!(
        said.contains("too long") || said.contains("truncated"),
        "{said}"
    );
    assert_eq!(
        rig.rows("SELECT id, trace_id FROM transfers ORDER BY id")
            .await,
        ["RS_TR1|FNX_RS_TR1", "TR1|-", "TRLONG|-"]
    );
}

async fn lookups_find_what_was_paid_and_not_what_was_created_for_it(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    rig.sql(&known("TR1").sql()).await;
    rig.sql(&known("EARLY").set("state", "'PENDING'").sql())
        .await;
    // A refund of TR1 that came back, and was given once more.
    let refund = D::on_any("REFUND").set("type", "'REVERSAL'");
    rig.sql(&refund.set("parent_id", "'TR1'").sql()).await;
    let mut changes: Vec<Change> = history("TR1").into();
    changes.extend([
        give_back("EARLY", Pending, None),
        restore("EARLY", 500, Returned, ""),
        fail("REFUND", Succeeded),
        restore("REFUND", 500, Failed, ""),
    ]);
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    let keys = [
        (TransferKeyKind::TraceId, "FNX_TR1"),
        (TransferKeyKind::PaymentId, "PAY_TR1"),
        (TransferKeyKind::AchTrace, "091000TR1"),
        (TransferKeyKind::IndividualId, "CUST 7"),
        (TransferKeyKind::TraceId, "FNX_RS_TR1"),
        (TransferKeyKind::TransferId, "RS_REFUND"),
        (TransferKeyKind::TransferId, "REFUND"),
        (TransferKeyKind::TransferId, "RA_TR1"),
    ];
    let keys = keys.map(|(kind, value)| TransferKey {
        kind: kind.into(),
        value: value.to_owned(),
    });
    let request = LookupTransfersRequest {
        keys: keys.into(),
        identity: None,
    };
    let reply = rig.adapter.lookup_transfers(Request::new(request)).await;
    let matches = reply.unwrap().into_inner().matches.into_iter();
    let found: Vec<Vec<String>> = matches
        .map(|found| {
            let transfers = found.transfers.into_iter();
            transfers
                .map(|t| format!("{} {}: {}", t.id, t.type_text, t.reversal_ids.join(" ")))
                .collect()
        })
        .collect();
    let tr1 = "TR1 DEBIT: REFUND RV_TR1";
    let expected: [&[&str]; 8] = [
        &[tr1],
        &[tr1],
        &[tr1],
        // What gives a return before funding back is a child of the debit, but no reversal.
        &["EARLY DEBIT: ", tr1],
        &["RS_TR1 DEBIT: RA_TR1"],
        &["RS_REFUND REVERSAL: "],
        &["REFUND REVERSAL: "],
        &["RA_TR1 REVERSAL: "],
    ];
    assert_eq!(found, expected);
}
