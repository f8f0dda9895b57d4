//! What the gateway's adapter does in the same way on every database.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use common::{D, refuse_by_own_code, refuse_updates_of, rig_on};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::on_every_database;
use echeck_adapter::testing::{AdapterRig, Journal, fail, give_back, reason_of, reported, reverse};
use echeck_proto::adapter::v1::adapter_service_server::AdapterService as _;
use echeck_proto::adapter::v1::{
    AdoptCursorRequest, Cursor, LookupTransfersRequest, StepExceptionKind, TransferKey,
    TransferKeyKind, TransferState,
};
use tonic::{Code, Request};

on_every_database!(
    each_effect_is_written_with_all_it_says,
    what_a_change_does_not_say_is_left_as_it_is,
    what_its_owner_set_back_no_longer_shows,
    a_transfer_that_moved_on_and_a_missing_one_are_distinguished,
    a_deposit_that_was_built_meanwhile_cannot_slip_through,
    rows_that_the_database_refuses_are_isolated_and_the_rest_is_applied,
    a_row_that_a_trigger_refuses_by_a_code_of_its_own_stops_no_other,
    a_value_that_is_too_long_is_refused_and_never_cut,
    changes_of_one_transfer_keep_their_order,
    ids_that_differ_in_case_or_blanks_are_different,
    a_lookup_by_any_key_reads_the_whole_transfer,
    an_ambiguous_key_lists_the_first_few,
    of_two_copies_that_get_the_same_batch_one_applies_it,
    a_large_batch_with_some_bad_rows_is_exact,
    a_column_that_is_gone_stops_the_target_until_it_is_back,
    hostile_ids_are_only_ids,
    an_operator_moves_the_cursor_to_a_row_that_the_journal_has,
);

async fn lookup(rig: &AdapterRig, kind: TransferKeyKind, values: &[&str]) -> Vec<Vec<String>> {
    let keys = values.iter().map(|value| TransferKey {
        kind: kind.into(),
        value: (*value).to_owned(),
    });
    let request = LookupTransfersRequest {
        identity: None,
        keys: keys.collect(),
    };
    let reply = rig.adapter.lookup_transfers(Request::new(request)).await;
    let matches = reply.unwrap().into_inner().matches.into_iter();
    matches
        .map(|found| {
            let ids = found.transfers.into_iter().map(|t| t.id);
            let more = found.more.then(|| "more".to_owned());
            ids.chain(more).collect()
        })
        .collect()
}

async fn what_its_owner_set_back_no_longer_shows(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    for id in ["A", "B", "C", "D"] {
        rig.sql(&D::on_any(id).set("state", "'PENDING'").sql())
            .await;
    }
    for id in ["E", "F", "G"] {
        rig.sql(&D::on_any(id).sql()).await;
    }
    let changes = ["A", "B", "C", "D"]
        .map(|id| give_back(id, TransferState::Pending, None))
        .into_iter()
        .chain(["E", "F", "G"].map(|id| reverse(id, 500, None)));
    let batch = Journal::default().changes(changes);
    let reply = rig.apply(batch.clone()).await.unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    assert_eq!(rig.missing(batch.clone()).await, [""; 0]);
    for sql in [
        "UPDATE transfers SET state = 'SUCCEEDED' WHERE id = 'B'",
        "UPDATE transfers SET failure_code = 'R02' WHERE id = 'C'",
        "DELETE FROM transfers WHERE id = 'D'",
        "DELETE FROM transfers WHERE id = 'RV_E'",
        "UPDATE transfers SET amount = 1 WHERE id = 'RV_F'",
        "UPDATE transfers SET state = 'CANCELED' WHERE id = 'RV_G'",
    ] {
        rig.sql(sql).await;
    }
    assert_eq!(
        rig.missing(batch).await,
        [
            "transfer B is SUCCEEDED, not FAILED",
            "transfer C has the failure code \"R02\", not \"R01\"",
            "there is no transfer D",
            "there is no reversal RV_E of transfer E",
            "the reversal RV_F of transfer F has the amount 1, not 500",
            "the reversal RV_G of transfer G is CANCELED",
        ]
    );
}

async fn each_effect_is_written_with_all_it_says(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    rig.sql(&D::on_any("CREDIT").set("type", "'CREDIT'").sql())
        .await;
    let pending = D::on_any("PENDING").set("state", "'PENDING'");
    rig.sql(
        &pending
            .set("ready_to_settle_at", "'2026-03-01 00:00:00'")
            .sql(),
    )
    .await;
    rig.sql(&D::on_any("FUNDED").set("destination", "'PI_SHOP'").sql())
        .await;
    let changes = [
        fail("CREDIT", TransferState::Succeeded),
        give_back("PENDING", TransferState::Pending, None),
        reverse("FUNDED", 500, None),
    ];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    assert_eq!(
        rig.rows(
            "SELECT id, state, failure_code, failure_message, ready_to_settle_at, amount, parent_id \
             FROM transfers ORDER BY id"
        )
        .await,
        [
            "CREDIT|FAILED|R01|Insufficient Funds|-|500|-",
            "FUNDED|SUCCEEDED|-|-|-|500|-",
            "PENDING|FAILED|R01|Insufficient Funds|-|500|-",
            "RV_FUNDED|SUCCEEDED|-|-|-|500|FUNDED",
        ]
    );
    let keys = ["CREDIT", "PENDING", "FUNDED", "RV_FUNDED"].map(|id| TransferKey {
        kind: TransferKeyKind::TransferId.into(),
        value: id.to_owned(),
    });
    let request = Request::new(LookupTransfersRequest {
        keys: keys.into(),
        identity: None,
    });
    let reply = rig.adapter.lookup_transfers(request).await.unwrap();
    let read: Vec<_> = reply
        .into_inner()
        .matches
        .into_iter()
        .map(|mut found| found.transfers.remove(0))
        .collect();
    let [credit, pending, funded, reversal] = read.try_into().unwrap();
    assert_eq!(credit.messages, ["ReasonCode: R01"]);
    let raw: serde_json::Value = serde_json::from_str(&credit.raw_json).unwrap();
    assert_eq!(raw["Reason Code"], "R01");
    assert_eq!(pending.messages, ["ReasonCode: R01"]);
    assert_eq!(funded.reversal_ids, ["RV_FUNDED"]);
    assert_eq!(reversal.trace_id, "FNX_RV_FUNDED");
    assert_eq!(reversal.tags["result_message_0"], "ReasonCode: R01 ");
    assert_eq!(
        (reversal.source.as_str(), reversal.destination.as_str()),
        ("", "PI_BUYER")
    );
    assert_eq!(
        (reversal.fee_minor, reversal.currency.as_str()),
        (Some(0), "USD")
    );
    for touched in [&credit, &pending, &funded, &reversal] {
        let at = touched.updated_at.unwrap();
        assert_eq!((at.seconds, at.nanos), (1_772_460_306, 0), "{}", touched.id);
    }
    assert_eq!(reversal.created_at, reversal.updated_at);
}

async fn what_a_change_does_not_say_is_left_as_it_is(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    rig.sql(
        &D::on_any("TR1")
            .set("messages", r#"'["kept"]'"#)
            .set("raw", r#"'{"a":1}'"#)
            .sql(),
    )
    .await;
    let mut change = fail("TR1", TransferState::Succeeded);
    if let echeck_proto::adapter::v1::step::Change::FailTransfer(fail) = &mut change {
        fail.messages.clear();
        fail.raw_json.clear();
    }
    rig.apply(Journal::default().changes([change]))
        .await
        .unwrap();
    let shown = rig.one("SELECT messages, raw FROM transfers").await;
    assert_eq!(shown.replace(' ', ""), r#"["kept"]|{"a":1}"#);
}

async fn a_transfer_that_moved_on_and_a_missing_one_are_distinguished(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    for id in ["TR1", "TR2", "TR3"] {
        rig.sql(&D::on_any(id).sql()).await;
    }
    let changes = [
        give_back("TR1", TransferState::Pending, None),
        give_back("TR9", TransferState::Pending, None),
        reverse("TR2", 499, None),
        reverse("TR3", 500, None),
    ];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    assert_eq!(
        reported(&reply.exceptions),
        [
            (
                1,
                StepExceptionKind::MovedOn,
                "transfer TR1 is SUCCEEDED, not PENDING as it was decided on"
            ),
            (
                2,
                StepExceptionKind::NotFound,
                "the target has no transfer TR9"
            ),
            (
                3,
                StepExceptionKind::MovedOn,
                "transfer TR2 (SUCCEEDED) has the amount 500, not 499 as the reversal"
            ),
        ]
    );
    assert_eq!(
        rig.rows("SELECT id, state FROM transfers ORDER BY id")
            .await,
        [
            "RV_TR3|SUCCEEDED",
            "TR1|SUCCEEDED",
            "TR2|SUCCEEDED",
            "TR3|SUCCEEDED"
        ]
    );
    let progress = rig.progress(0, 10).await;
    assert_eq!(progress.cursor.unwrap().position, 4);
    assert_eq!(progress.exceptions, reply.exceptions);
}

async fn a_deposit_that_was_built_meanwhile_cannot_slip_through(dialect: Dialect) {
    let rig = rig_on(dialect, "profile = \"rainforest\"").await;
    rig.sql("INSERT INTO deposits VALUES ('DEP1', '2026-03-01 00:00:00')")
        .await;
    for (id, deposit) in [("FREE", "NULL"), ("TAKEN", "'DEP1'"), ("OTHER", "NULL")] {
        rig.sql(&D::on_any(id).set("deposit_id", deposit).sql())
            .await;
    }
    let succeeded = TransferState::Succeeded;
    let changes = [
        give_back("TAKEN", succeeded, Some(false)),
        reverse("FREE", 500, Some(true)),
        give_back("OTHER", succeeded, Some(false)),
        reverse("TAKEN", 500, Some(true)),
    ];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let messages: Vec<(u64, &str)> = reported(&reply.exceptions)
        .into_iter()
        .map(|(at, _, m)| (at, m))
        .collect();
    assert_eq!(
        messages,
        [
            (1, "transfer TAKEN (SUCCEEDED) is in a deposit by now"),
            (2, "transfer FREE (SUCCEEDED) is not in a deposit any more"),
        ]
    );
    assert_eq!(
        rig.rows("SELECT id, state FROM transfers ORDER BY id")
            .await,
        [
            "FREE|SUCCEEDED",
            "OTHER|RETURNED",
            "RV_TAKEN|SUCCEEDED",
            "TAKEN|SUCCEEDED"
        ]
    );
}

async fn rows_that_the_database_refuses_are_isolated_and_the_rest_is_applied(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    for number in 0..40 {
        rig.sql(&D::on_any(&format!("TR{number:02}")).sql()).await;
    }
    // A reversal's id is taken, and an original is frozen by a trigger.
    rig.sql(&D::on_any("RV_TR07").set("trace_id", "NULL").sql())
        .await;
    rig.sql(&refuse_updates_of(dialect, "TR21")).await;
    let changes: Vec<_> = (0..40)
        .map(|number| match number % 2 {
            0 => fail(&format!("TR{number:02}"), TransferState::Succeeded),
            _ => reverse(&format!("TR{number:02}"), 500, None),
        })
        .collect();
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let refused = reported(&reply.exceptions);
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert_eq!(
        (refused[0].0, refused[0].1),
        (8, StepExceptionKind::Refused)
    );
    assert_eq!(
        (refused[1].0, refused[1].1),
        (22, StepExceptionKind::Refused)
    );
    assert!(refused[1].2.contains("is frozen"), "{}", refused[1].2);
    let counted = "SELECT count(*) FROM transfers WHERE";
    assert_eq!(rig.one(&format!("{counted} state = 'FAILED'")).await, "20");
    assert_eq!(rig.one(&format!("{counted} type = 'REVERSAL'")).await, "18");
    assert_eq!(
        rig.rows("SELECT id FROM transfers WHERE updated_at < '2026-03-01' ORDER BY id")
            .await,
        ["RV_TR07", "TR07", "TR21"]
    );
    assert_eq!(rig.progress(0, 10).await.cursor.unwrap().position, 40);
}

async fn a_row_that_a_trigger_refuses_by_a_code_of_its_own_stops_no_other(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    for id in ["TR1", "TR2", "TR3"] {
        rig.sql(&D::on_any(id).sql()).await;
    }
    rig.sql(&refuse_by_own_code(dialect, "TR2")).await;
    let changes = ["TR1", "TR2", "TR3"].map(|id| fail(id, TransferState::Succeeded));
    let reply = rig
        .apply(Journal::default().changes(changes.to_vec()))
        .await
        .unwrap();
    let refused = reported(&reply.exceptions);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(
        (refused[0].0, refused[0].1),
        (2, StepExceptionKind::Refused)
    );
    assert!(refused[0].2.contains("is frozen"), "{}", refused[0].2);
}

async fn a_value_that_is_too_long_is_refused_and_never_cut(dialect: Dialect) {
    let column = match dialect {
        Dialect::Sqlite => return, // Its columns have no length.
        Dialect::Postgres => "ALTER TABLE transfers ALTER failure_message TYPE VARCHAR(10)",
        Dialect::Mysql => "ALTER TABLE transfers MODIFY failure_message VARCHAR(10)",
    };
    let rig = rig_on(dialect, "").await;
    rig.sql(column).await;
    for id in ["TR1", "TR2"] {
        rig.sql(&D::on_any(id).sql()).await;
    }
    let mut short = fail("TR2", TransferState::Succeeded);
    if let echeck_proto::adapter::v1::step::Change::FailTransfer(fail) = &mut short {
        fail.reason.as_mut().unwrap().description = "short".to_owned();
    }
    let changes = [fail("TR1", TransferState::Succeeded), short];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let refused = reported(&reply.exceptions);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(
        (refused[0].0, refused[0].1),
        (1, StepExceptionKind::Refused)
    );
    assert!(refused[0].2.contains("too long"), "{}", refused[0].2);
    assert_eq!(
        rig.rows("SELECT id, state, failure_message FROM transfers ORDER BY id")
            .await,
        ["TR1|SUCCEEDED|-", "TR2|FAILED|short"]
    );
}

async fn changes_of_one_transfer_keep_their_order(dialect: Dialect) {
    let rig = rig_on(dialect, "[transfers.states]\nreturned = \"RETURNED\"").await;
    rig.sql(&D::on_any("TR1").set("state", "'PENDING'").sql())
        .await;
    let changes = [
        give_back("TR1", TransferState::Pending, None),
        fail("TR1", TransferState::Returned),
        give_back("TR1", TransferState::Pending, None),
    ];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    assert_eq!(
        reported(&reply.exceptions),
        [(
            3,
            StepExceptionKind::MovedOn,
            "transfer TR1 is FAILED, not PENDING as it was decided on"
        )]
    );
}

/// MySQL's usual collations find `tr1` and `TR1 ` when asked for `TR1`.
async fn ids_that_differ_in_case_or_blanks_are_different(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    rig.sql(&D::on_any("TR1").sql()).await;
    let changes = [
        fail("tr1", TransferState::Succeeded),
        fail("TR1 ", TransferState::Succeeded),
        fail("TŔ1", TransferState::Succeeded),
    ];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let kinds: Vec<StepExceptionKind> = reported(&reply.exceptions)
        .into_iter()
        .map(|(_, kind, _)| kind)
        .collect();
    assert_eq!(kinds, [StepExceptionKind::NotFound; 3]);
    assert_eq!(rig.one("SELECT state FROM transfers").await, "SUCCEEDED");
    let found = lookup(&rig, TransferKeyKind::TransferId, &["tr1", "TR1", "TR1 "]).await;
    assert_eq!(found, [vec![], vec!["TR1".to_owned()], vec![]]);
}

async fn a_lookup_by_any_key_reads_the_whole_transfer(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    rig.sql(
        &D::on_any("TR1")
            .set("payment_id", "'0012345678901234567'")
            .set("ach_trace", "'091000010000001'")
            .set("individual_id", "'CUST 7'")
            .set("settlement_date", "'2026-02-23'")
            .sql(),
    )
    .await;
    for (kind, value) in [
        (TransferKeyKind::TransferId, "TR1"),
        (TransferKeyKind::TraceId, "FNX_TR1"),
        (TransferKeyKind::PaymentId, "0012345678901234567"),
        (TransferKeyKind::AchTrace, "091000010000001"),
        (TransferKeyKind::IndividualId, "CUST 7"),
    ] {
        let found = lookup(&rig, kind, &[value, "12345678901234567"]).await;
        assert_eq!(found, [vec!["TR1".to_owned()], vec![]], "{kind:?}");
    }
    let key = TransferKey {
        kind: TransferKeyKind::TransferId.into(),
        value: "TR1".into(),
    };
    let request = Request::new(LookupTransfersRequest {
        keys: vec![key],
        identity: None,
    });
    let reply = rig
        .adapter
        .lookup_transfers(request)
        .await
        .unwrap()
        .into_inner();
    let transfer = &reply.matches[0].transfers[0];
    assert_eq!((transfer.amount_minor, transfer.fee_minor), (500, Some(15)));
    assert_eq!(transfer.settlement_date, "2026-02-23");
    assert_eq!(transfer.created_at.unwrap().seconds, 1_771_545_600);
    assert_eq!(transfer.state(), TransferState::Succeeded);
    assert_eq!(transfer.in_deposit, Some(false));
}

async fn an_ambiguous_key_lists_the_first_few(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    for number in 0..15 {
        let id = format!("TR{number:02}");
        rig.sql(&D::on_any(&id).set("individual_id", "'CUST 7'").sql())
            .await;
    }
    let found = lookup(&rig, TransferKeyKind::IndividualId, &["CUST 7"]).await;
    let mut expected: Vec<String> = (0..10).map(|number| format!("TR{number:02}")).collect();
    expected.push("more".to_owned());
    assert_eq!(found, [expected.clone()]);
    rig.sql("UPDATE transfers SET individual_id = 'CUST 8' WHERE id >= 'TR10'")
        .await;
    let found = lookup(&rig, TransferKeyKind::IndividualId, &["CUST 7"]).await;
    expected.pop();
    assert_eq!(found, [expected]);
}

async fn of_two_copies_that_get_the_same_batch_one_applies_it(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    let other = rig.copy().await;
    let mut journal = Journal::default();
    for round in 0..10 {
        let ids: Vec<String> = (0..5).map(|number| format!("R{round}T{number}")).collect();
        for id in &ids {
            rig.sql(&D::on_any(id).sql()).await;
        }
        let batch = journal.changes(ids.iter().map(|id| reverse(id, 500, None)));
        let (one, two) = tokio::join!(
            rig.apply(batch.clone()),
            other.apply_updates(Request::new(batch))
        );
        let outcomes = [one.map(drop), two.map(drop)];
        let lost: Vec<_> = outcomes.iter().filter_map(|o| o.as_ref().err()).collect();
        assert_eq!(lost.len(), 1, "{outcomes:?}");
        let reason = reason_of(lost[0]);
        assert!(
            ["CURSOR_MISMATCH", "TARGET_UNAVAILABLE", "TARGET_BUSY"].contains(&reason.as_str()),
            "{reason}"
        );
    }
    assert_eq!(
        rig.one("SELECT count(*) FROM transfers WHERE type = 'REVERSAL'")
            .await,
        "50"
    );
    assert_eq!(rig.one("SELECT count(*) FROM echeck_exceptions").await, "0");
}

async fn a_large_batch_with_some_bad_rows_is_exact(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    let rows: Vec<String> = (0..3_000)
        .map(|number| D::on_any(&format!("TR{number:04}")).sql())
        .collect();
    let begin = if dialect == Dialect::Mysql {
        "START TRANSACTION"
    } else {
        "BEGIN"
    };
    rig.sql(&format!("{begin}; {} COMMIT", rows.join(" ")))
        .await;
    rig.sql("UPDATE transfers SET state = 'CANCELED' WHERE id IN ('TR0017', 'TR1500', 'TR2999')")
        .await;
    let mut changes: Vec<_> = (0..3_000)
        .map(|number| reverse(&format!("TR{number:04}"), 500, None))
        .collect();
    changes.push(fail("TR0017", TransferState::Canceled));
    changes.insert(1_000, reverse("TR9999", 500, None));
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let positions: Vec<u64> = reported(&reply.exceptions)
        .into_iter()
        .map(|(at, _, _)| at)
        .collect();
    assert_eq!(positions, [18, 1_001, 1_502, 3_001]);
    let counted = "SELECT count(*) FROM transfers WHERE type =";
    assert_eq!(rig.one(&format!("{counted} 'REVERSAL'")).await, "2997");
    assert_eq!(
        rig.one("SELECT state FROM transfers WHERE id = 'TR0017'")
            .await,
        "FAILED"
    );
}

async fn a_column_that_is_gone_stops_the_target_until_it_is_back(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    rig.sql(&D::on_any("TR1").sql()).await;
    rig.sql("ALTER TABLE transfers RENAME COLUMN failure_code TO reason")
        .await;
    let mut journal = Journal::default();
    let batch = journal.changes([fail("TR1", TransferState::Succeeded)]);
    let refused = rig.apply(batch.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(reason_of(&refused), "MAPPING_FAULT");
    assert!(
        refused.message().contains("\"failure_code\""),
        "{}",
        refused.message()
    );
    assert!(rig.progress(0, 1).await.cursor.is_none());
    rig.sql("ALTER TABLE transfers RENAME COLUMN reason TO failure_code")
        .await;
    rig.apply(batch).await.unwrap();
    assert_eq!(rig.one("SELECT state FROM transfers").await, "FAILED");
}

async fn hostile_ids_are_only_ids(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    rig.sql(&D::on_any("TR1").sql()).await;
    let changes = [
        fail("TR1' OR '1'='1", TransferState::Succeeded),
        fail("TR1\"}] --", TransferState::Succeeded),
        fail("\\'TR1`", TransferState::Succeeded),
        fail("$1 ? :id", TransferState::Succeeded),
        fail("TR1\0", TransferState::Succeeded),
    ];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    assert_eq!(reply.exceptions.len(), 5);
    assert!(
        reply
            .exceptions
            .iter()
            .all(|e| e.kind() == StepExceptionKind::NotFound)
    );
    assert_eq!(rig.one("SELECT state FROM transfers").await, "SUCCEEDED");
}

/// The journal was restored from a backup that ends at position 2; the target is at 4.
async fn an_operator_moves_the_cursor_to_a_row_that_the_journal_has(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    for id in ["TR1", "TR2", "TR3", "TR4"] {
        rig.sql(&D::on_any(id).sql()).await;
    }
    let id = "018f3f1e-0000-7000-8000-000000000001";
    let mut journal = Journal::default();
    let first = ["TR1", "TR2"].map(|id| reverse(id, 500, None));
    let kept = rig.apply(journal.changes(first)).await.unwrap().cursor;
    let restored = journal.clone();
    let lost = [reverse("TR3", 500, None), reverse("TR9", 500, None)];
    let reply = rig.apply(journal.changes(lost)).await.unwrap();
    assert_eq!(reply.exceptions[0].position, 4);

    let adopt = |from: Option<Cursor>, to: Option<Cursor>| AdoptCursorRequest {
        expected_cursor: from,
        new_cursor: to,
        adoption_id: "018f3f1e-0000-7000-8000-00000000000a".to_owned(),
        actor: "ops".to_owned(),
        reason: "restored from the backup of Sunday".to_owned(),
        database: "target".to_owned(),
    };
    let request = Request::new(adopt(kept.clone(), kept.clone()));
    let refused = rig.adapter.adopt_cursor(request).await.unwrap_err();
    assert_eq!(reason_of(&refused), "CURSOR_MISMATCH");
    let request = Request::new(adopt(reply.cursor, kept.clone()));
    let adopted = rig.adapter.adopt_cursor(request).await.unwrap();
    assert_eq!(adopted.into_inner().cursor, kept);
    let progress = rig.progress(0, 10).await;
    assert_eq!((progress.cursor, progress.exceptions.len()), (kept, 0));
    assert_eq!(
        rig.one(
            "SELECT a.adapter, a.from_position, a.to_position, a.actor, a.reason, e.position \
             FROM echeck_adoptions a JOIN echeck_exceptions e ON e.journal_id = a.adoption_id"
        )
        .await,
        "test|4|2|ops|restored from the backup of Sunday|4"
    );

    // The files of the lost rows are imported again: what has its reversal gets no other.
    let mut again = Journal::new(id, 7).at(2);
    let mut batch = again.changes([reverse("TR4", 500, None), reverse("TR3", 500, None)]);
    batch.previous_hash = restored.last_hash();
    let reply = rig.apply(batch).await.unwrap();
    assert_eq!(reply.exceptions.len(), 1, "{:?}", reply.exceptions);
    assert_eq!(
        (reply.exceptions[0].position, reply.exceptions[0].kind()),
        (4, StepExceptionKind::Refused)
    );
    assert_eq!(
        rig.one("SELECT count(*) FROM transfers WHERE type = 'REVERSAL'")
            .await,
        "4"
    );
}
