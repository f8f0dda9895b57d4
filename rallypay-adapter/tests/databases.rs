//! What the Rails app's adapter does in the same way on every database.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use echeck_adapter::check::{TargetCheck, check, check_deeply};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::on_every_database;
use echeck_adapter::testing::{AdapterRig, Journal, fail, give_back, release, reverse};
use echeck_proto::adapter::v1::step::Change;
use echeck_proto::adapter::v1::{StepExceptionKind, TransferState};
use echeck_service::clock::{Clock as _, SystemClock};
use echeck_service::config::Settings;

on_every_database!(
    each_change_shows_as_a_status_with_its_reason,
    updated_at_is_when_the_row_was_written_and_never_goes_back,
    the_banks_date_is_the_same_day_in_the_zone_of_the_configuration,
    a_closed_transaction_and_a_missing_one_are_distinguished,
    what_its_owner_set_back_no_longer_shows,
    an_integer_enum_is_written_and_compared_as_numbers,
    a_key_that_names_two_rows_changes_neither,
    a_row_that_the_filter_leaves_out_is_neither_counted_nor_changed,
    an_integer_key_only_matches_ids_in_canonical_spelling,
    a_status_in_other_letters_is_another_status,
    everything_can_be_tried_with_a_transaction_and_is_rolled_back,
    a_status_that_the_column_refuses_is_named_by_its_key,
    a_table_without_a_lock_version_is_warned_of,
);

async fn rig_with(dialect: Dialect, toml: &str, schema: &str) -> AdapterRig {
    let settings = format!("[target]\nurl = \"sqlite:unused.db\"\n{toml}");
    let settings = Settings::from_toml(&settings).unwrap();
    let config = rallypay_adapter::read_config(&settings);
    settings.finish().unwrap();
    AdapterRig::on(dialect, schema, config.mapping).await
}

async fn rig(dialect: Dialect) -> AdapterRig {
    rig_with(dialect, "", rallypay_adapter::demo_schema(dialect)).await
}

async fn add(rig: &AdapterRig, transfer_id: &str, status: &str) {
    rig.sql(&format!(
        "INSERT INTO transactions (transfer_id, amount_cents, status, created_at, updated_at) \
         VALUES ('{transfer_id}', 500, {status}, '2026-02-20 00:00:00', '2026-02-20 00:00:00')"
    ))
    .await;
}

async fn each_change_shows_as_a_status_with_its_reason(dialect: Dialect) {
    let rig = rig(dialect).await;
    for (id, status) in [
        ("TR1", "'pending'"),
        ("TR2", "'succeeded'"),
        ("TR3", "'succeeded'"),
    ] {
        add(&rig, id, status).await;
    }
    let changes = [
        fail("TR1", TransferState::Pending),
        give_back("TR2", TransferState::Pending, None),
        reverse("TR3", 500, None),
    ];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
    let shown = rig
        .rows(
            "SELECT status, failure_code, failure_description, returned_at, updated_at, \
             lock_version FROM transactions ORDER BY id",
        )
        .await;
    // PostgreSQL shows no zeros after the second.
    let shown: Vec<String> = shown.iter().map(|row| row.replace(".000000", "")).collect();
    assert_eq!(
        shown,
        [
            "failed|R01|Insufficient Funds|-|2026-03-02 14:05:06|1",
            "returned|R01|Insufficient Funds|2026-02-27 12:00:00|2026-03-02 14:05:06|1",
            "returned|R01|Insufficient Funds|2026-03-02 14:05:06|2026-03-02 14:05:06|1",
        ]
    );
}

async fn what_its_owner_set_back_no_longer_shows(dialect: Dialect) {
    let rig = rig(dialect).await;
    for id in ["TR1", "TR2", "TR3"] {
        add(&rig, id, "'succeeded'").await;
    }
    let changes = ["TR1", "TR2", "TR3"].map(|id| reverse(id, 500, None));
    let batch = Journal::default().changes(changes);
    let reply = rig.apply(batch.clone()).await.unwrap();
    assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
    assert_eq!(rig.missing(batch.clone()).await, [""; 0]);
    for sql in [
        "UPDATE transactions SET status = 'succeeded' WHERE transfer_id = 'TR1'",
        "UPDATE transactions SET failure_code = NULL WHERE transfer_id = 'TR2'",
        "DELETE FROM transactions WHERE transfer_id = 'TR3'",
    ] {
        rig.sql(sql).await;
    }
    assert_eq!(
        rig.missing(batch).await,
        [
            "the transaction of transfer TR1 has the status succeeded, not returned",
            "the transaction of transfer TR2 does not have the failure code R01",
            "there is no transaction of transfer TR3",
        ]
    );
}

async fn a_closed_transaction_and_a_missing_one_are_distinguished(dialect: Dialect) {
    let rig = rig(dialect).await;
    add(&rig, "TR1", "'refunded'").await;
    add(&rig, "TR3", "'succeeded'").await;
    let changes = ["TR1", "TR2", "TR3"].map(|id| reverse(id, 500, None));
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let exceptions: Vec<(StepExceptionKind, &str)> = reply
        .exceptions
        .iter()
        .map(|e| (e.kind(), e.message.as_str()))
        .collect();
    assert_eq!(
        exceptions,
        [
            (
                StepExceptionKind::MovedOn,
                "the transaction of transfer TR1 has the status refunded, from which no change \
                 may start"
            ),
            (
                StepExceptionKind::NotFound,
                "the target has no transaction of transfer TR2"
            ),
        ]
    );
    assert_eq!(
        rig.rows("SELECT status, lock_version FROM transactions ORDER BY id")
            .await,
        ["refunded|0", "returned|1"]
    );
}

async fn an_integer_enum_is_written_and_compared_as_numbers(dialect: Dialect) {
    let integers = "[transactions]\nstatus_kind = \"integer\"\n[transactions.statuses]\n\
                    failed = 3\nreturned = 4\nreversed = 5\nopen = [\"0\", \"1\"]\n";
    let schema = rallypay_adapter::demo_schema(dialect);
    let line = schema
        .lines()
        .find(|line| line.trim_start().starts_with("status "))
        .unwrap();
    let schema = schema.replace(line, "status smallint NOT NULL,");
    let rig = rig_with(dialect, integers, &schema).await;
    for (id, status) in [("TR1", "0"), ("TR2", "1"), ("TR3", "1"), ("TR4", "2")] {
        add(&rig, id, status).await;
    }
    let changes = [
        fail("TR1", TransferState::Pending),
        give_back("TR2", TransferState::Pending, None),
        reverse("TR3", 500, None),
        reverse("TR4", 500, None),
    ];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    assert_eq!(
        rig.rows("SELECT status FROM transactions ORDER BY id")
            .await,
        ["3", "4", "5", "2"]
    );
    assert_eq!(reply.exceptions.len(), 1);
}

/// The demonstration's schema, where several rows can have one transfer's id.
fn without_unique_key(dialect: Dialect) -> String {
    rallypay_adapter::demo_schema(dialect)
        .replace(
            "UNIQUE INDEX index_transactions_on_t",
            "INDEX index_transactions_on_t",
        )
        .replace(
            "UNIQUE KEY index_transactions_on_t",
            "KEY index_transactions_on_t",
        )
}

async fn a_row_that_the_filter_leaves_out_is_neither_counted_nor_changed(dialect: Dialect) {
    let filter = "[transactions]\nnull_columns = [\"failure_description\"]\n\
                  [transactions.columns]\nfailure_description = \"\"\n\
                  [transactions.filter]\nmerchant_name = \"Orchard\"\namount_cents = 500\n";
    let rig = rig_with(dialect, filter, &without_unique_key(dialect)).await;
    let report = check(&rig.target).await;
    assert_eq!(report.faults, [""; 0]);
    for id in ["TR1", "TR1", "TR1", "TR1"] {
        add(&rig, id, "'succeeded'").await;
    }
    for sql in [
        "UPDATE transactions SET merchant_name = 'Orchard' WHERE id <> 2",
        "UPDATE transactions SET failure_description = 'deleted' WHERE id = 3",
        "UPDATE transactions SET amount_cents = 501 WHERE id = 4",
    ] {
        rig.sql(sql).await;
    }
    let batch =
        Journal::default().changes([reverse("TR1", 500, None), release("RV_TR1", "TR1", 1)]);
    let reply = rig.apply(batch.clone()).await.unwrap();
    assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
    assert_eq!(
        rig.rows("SELECT status FROM transactions ORDER BY id")
            .await,
        ["returned", "succeeded", "succeeded", "succeeded"]
    );
    assert_eq!(rig.missing(batch).await, [""; 0]);
    rig.sql("UPDATE transactions SET failure_description = 'deleted' WHERE id = 1")
        .await;
    let batch = Journal::default().changes([reverse("TR1", 500, None)]);
    assert_eq!(
        rig.missing(batch).await,
        ["there is no transaction of transfer TR1"]
    );
}

async fn a_key_that_names_two_rows_changes_neither(dialect: Dialect) {
    let rig = rig_with(dialect, "", &without_unique_key(dialect)).await;
    for id in ["TR1", "TR1", "TR2"] {
        add(&rig, id, "'succeeded'").await;
    }
    // TR3 is missing, so that as many rows are hit as there are changes.
    let changes = ["TR1", "TR2", "TR3"].map(|id| reverse(id, 500, None));
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let exceptions: Vec<(u64, &str)> = reply
        .exceptions
        .iter()
        .map(|e| (e.position, e.message.as_str()))
        .collect();
    assert_eq!(
        exceptions,
        [
            (1, "2 rows have the transfer_id TR1; it must name one"),
            (3, "the target has no transaction of transfer TR3"),
        ]
    );
    assert_eq!(
        rig.rows("SELECT status FROM transactions ORDER BY id")
            .await,
        ["succeeded", "succeeded", "returned"]
    );
}

async fn an_integer_key_only_matches_ids_in_canonical_spelling(dialect: Dialect) {
    let schema = rallypay_adapter::demo_schema(dialect);
    let line = schema
        .lines()
        .find(|line| line.trim_start().starts_with("transfer_id "))
        .unwrap();
    let schema = schema.replace(line, "transfer_id integer NOT NULL,");
    let rig = rig_with(dialect, "", &schema).await;
    add(&rig, "123", "'succeeded'").await;
    let changes = ["0123", "TR1", "123", "99999999999", "12\x003"].map(|id| reverse(id, 500, None));
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let kinds: Vec<StepExceptionKind> = reply.exceptions.iter().map(|e| e.kind()).collect();
    assert_eq!(kinds, [StepExceptionKind::NotFound; 4]);
    assert_eq!(rig.one("SELECT status FROM transactions").await, "returned");
}

async fn a_status_in_other_letters_is_another_status(dialect: Dialect) {
    let rig = rig(dialect).await;
    add(&rig, "TR1", "'SUCCEEDED'").await;
    add(&rig, "TR2", "'succeeded '").await;
    let changes = ["TR1", "TR2"].map(|id| reverse(id, 500, None));
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let kinds: Vec<StepExceptionKind> = reply.exceptions.iter().map(|e| e.kind()).collect();
    assert_eq!(kinds, [StepExceptionKind::MovedOn; 2]);
}

async fn updated_at_is_when_the_row_was_written_and_never_goes_back(dialect: Dialect) {
    let rig = rig(dialect).await;
    for id in ["TR1", "TR2"] {
        add(&rig, id, "'succeeded'").await;
    }
    // By the clock of the app's own servers.
    let later = "2026-03-02 15:05:06";
    rig.sql(&format!(
        "UPDATE transactions SET updated_at = '{later}' WHERE transfer_id = 'TR2'"
    ))
    .await;
    let decided_before = |id| {
        let mut change = reverse(id, 500, None);
        if let Change::ReverseTransfer(reverse) = &mut change {
            let decided_at = &mut reverse.reason.as_mut().unwrap().decided_at;
            decided_at.as_mut().unwrap().seconds -= 86_400;
        }
        change
    };
    let mut changes: Vec<Change> = ["TR1", "TR2"].map(decided_before).into();
    changes.push(release("RV_TR2", "TR2", 10));
    assert_eq!(rig.apply_one_by_one(changes).await, []);
    let rows = "SELECT updated_at FROM transactions ORDER BY id";
    let shown = rig.rows(rows).await.join(" ").replace(".000000", "");
    assert_eq!(shown, format!("2026-03-02 14:05:06 {later}"));
}

async fn the_banks_date_is_the_same_day_in_the_zone_of_the_configuration(dialect: Dialect) {
    let schema = rallypay_adapter::demo_schema(dialect);
    let days = schema
        .replace("returned_at         TIMESTAMP(6)", "returned_at DATE")
        .replace("returned_at         DATETIME(6)", "returned_at DATE")
        .replace("returned_at         datetime(6)", "returned_at date");
    for (zone, schema, shown) in [
        ("UTC", schema, "2026-02-27 12:00:00"),
        ("America/New_York", schema, "2026-02-27 17:00:00"),
        ("Pacific/Auckland", schema, "2026-02-26 23:00:00"),
        ("Pacific/Auckland", &*days, "2026-02-27"),
    ] {
        let toml = format!("[transactions]\nreturned_at_zone = \"{zone}\"");
        let rig = rig_with(dialect, &toml, schema).await;
        add(&rig, "TR1", "'succeeded'").await;
        let returned = give_back("TR1", TransferState::Pending, None);
        assert_eq!(rig.apply_one_by_one(vec![returned]).await, []);
        let returned_at = rig.one("SELECT returned_at FROM transactions").await;
        assert_eq!(returned_at.replace(".000000", ""), shown, "{zone}");
    }
}

#[test]
fn a_zone_that_is_none_is_refused() {
    let settings =
        "[target]\nurl = \"sqlite:unused.db\"\n[transactions]\nreturned_at_zone = \"EST5\"";
    let settings = Settings::from_toml(settings).unwrap();
    let _ = rallypay_adapter::read_config(&settings);
    let fault = settings.finish().unwrap_err().to_string();
    let message = "transactions.returned_at_zone: is \"EST5\", not an IANA time zone such as \
                   America/New_York";
    assert!(fault.contains(message), "{fault}");
}

async fn deeply(rig: &AdapterRig, transfer: Option<&str>) -> TargetCheck {
    check_deeply(&rig.target, transfer, SystemClock.now()).await
}

async fn everything_can_be_tried_with_a_transaction_and_is_rolled_back(dialect: Dialect) {
    let rig = rig(dialect).await;
    add(&rig, "TR1", "'succeeded'").await;
    let found = deeply(&rig, Some("TR1")).await;
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    assert_eq!(found.tried.len(), 9, "{:?}", found.tried);
    let row = "SELECT status, lock_version FROM transactions";
    assert_eq!(rig.rows(row).await, ["succeeded|0"]);
    let found = deeply(&rig, Some("TR2")).await;
    let faults = found.faults.join("\n");
    for change in ["fail", "return", "reverse"] {
        let message = format!("--try TR2: {change}: the target has no transaction of transfer TR2");
        assert!(faults.contains(&message), "{faults}");
    }
}

async fn a_status_that_the_column_refuses_is_named_by_its_key(dialect: Dialect) {
    let text = "NOT NULL DEFAULT 'pending'";
    let schema = rallypay_adapter::demo_schema(dialect);
    assert!(schema.contains(text));
    let check = " CHECK (status IN ('pending', 'succeeded', 'failed', 'returned'))";
    let schema = schema.replacen(text, &format!("{text}{check}"), 1);
    let toml = "[transactions.statuses]\nopen = [\"pending\", \"suceeded\"]";
    let rig = rig_with(dialect, toml, &schema).await;
    let found = deeply(&rig, None).await;
    let message = "transactions.statuses.restored: column \"status\" of table \"transactions\" \
                   refuses \"restored\" (CHECK";
    assert!(found.faults[0].starts_with(message), "{:?}", found.faults);
    assert_eq!(found.faults.len(), 1, "{:?}", found.faults);
    let message = "transactions.statuses.open: column \"status\" of table \"transactions\" can \
                   never be \"suceeded\"";
    assert!(
        found.warnings[0].starts_with(message),
        "{:?}",
        found.warnings
    );
}

async fn a_table_without_a_lock_version_is_warned_of(dialect: Dialect) {
    let schema = rallypay_adapter::demo_schema(dialect);
    let lines = schema.lines().filter(|line| !line.contains("lock_version"));
    let schema: String = lines.flat_map(|line| [line, "\n"]).collect();
    let rig = rig_with(dialect, "", &schema).await;
    let found = deeply(&rig, None).await;
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    let message = "transactions.columns.lock_version: table \"transactions\" has no such column, so \
                   a record that the app loaded before a return overwrites the return";
    assert!(
        found.warnings[0].starts_with(message),
        "{:?}",
        found.warnings
    );
    let off = rig_with(
        dialect,
        "[transactions.columns]\nlock_version = \"\"",
        rallypay_adapter::demo_schema(dialect),
    );
    assert_eq!(deeply(&off.await, None).await.warnings.len(), 1);
}
