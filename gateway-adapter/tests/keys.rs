//! Keys of other kinds than the text that the returns service makes: numbers of the database, keys of
//! several columns, and ids that only their owner vouches for.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use common::{FEW_COLUMNS, config, history, matches};
use echeck_adapter::check::{check, check_deeply};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::on_every_database;
use echeck_adapter::testing::{
    AdapterRig, Journal, fail, give_back, release, reported, restore, reverse,
};
use echeck_proto::adapter::v1::{StepExceptionKind, Transfer, TransferState, TransferType};
use echeck_service::clock::{Clock as _, SystemClock};

on_every_database!(
    a_new_transfer_of_a_table_that_numbers_its_rows_keeps_our_id_in_a_column_of_its_own,
    what_came_back_again_is_found_and_undone_by_our_id_and_by_its_number,
    a_number_that_the_app_writes_where_our_ids_are_names_no_row,
    a_column_for_our_ids_that_cannot_be_one_is_a_fault,
    a_key_of_several_columns_needs_the_others_fixed,
    of_two_tenants_with_the_same_ids_only_ours_is_touched,
    an_id_that_is_vouched_for_is_counted_at_each_change,
);

/// A table of payments whose key, `number`, is declared like this. `of` is its type.
fn payments(dialect: Dialect, number: &str, of: &str) -> String {
    let (text, time) = match dialect {
        Dialect::Sqlite => ("TEXT", "TEXT"),
        Dialect::Postgres => ("TEXT", "TIMESTAMPTZ"),
        Dialect::Mysql => ("VARCHAR(64) COLLATE utf8mb4_bin", "DATETIME(6)"),
    };
    format!(
        "CREATE TABLE payments (
            number {number}, tenant INTEGER NOT NULL DEFAULT 1, kind {text} NOT NULL,
            state {text} NOT NULL, amount BIGINT NOT NULL, undoes {of}, return_key {text},
            settle_from {time}, touched {time});
         CREATE INDEX of_parent ON payments (undoes)"
    )
}

/// A table that numbers its rows.
fn numbered(dialect: Dialect) -> String {
    let number = match dialect {
        Dialect::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT",
        Dialect::Postgres => "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        Dialect::Mysql => "BIGINT AUTO_INCREMENT PRIMARY KEY",
    };
    payments(dialect, number, "BIGINT REFERENCES payments (number)")
        + ";\nCREATE UNIQUE INDEX of_return ON payments (return_key)"
}

/// A table without a unique index.
fn unnumbered(dialect: Dialect) -> String {
    payments(dialect, "BIGINT NOT NULL", "BIGINT")
}

/// The mapping of these tables.
fn mapped(more_columns: &str, more: &str) -> String {
    let columns = FEW_COLUMNS
        .replace("[transfers.columns]\n", "")
        .replace("ready_to_settle_at = \"\"\n", "");
    format!(
        "[transfers]\ntable = \"payments\"\n{more}\n[transfers.columns]\nid = \"number\"\ntype = \"kind\"\n\
         parent_id = \"undoes\"\ncurrency = \"\"\ntrace_id = \"\"\nmessages = \"\"\n\
         failure_code = \"\"\nupdated_at = \"touched\"\nready_to_settle_at = \"settle_from\"\n\
         {more_columns}\n{columns}"
    )
}

fn with_own_ids() -> String {
    mapped("own_id = \"return_key\"", "")
}

async fn rig(dialect: Dialect, schema: &str, toml: &str) -> AdapterRig {
    AdapterRig::on(dialect, schema, config(toml).unwrap().mapping).await
}

/// A payment of 5.00 that SUCCEEDED, of a tenant.
async fn payment(rig: &AdapterRig, number: u32, tenant: u32) {
    rig.sql(&format!(
        "INSERT INTO payments (number, tenant, kind, state, amount) \
         VALUES ({number}, {tenant}, 'DEBIT', 'SUCCEEDED', 500)"
    ))
    .await;
}

/// Payments that the database numbers, 1 and so on.
async fn numbered_payments(rig: &AdapterRig, states: &[&str]) {
    for state in states {
        rig.sql(&format!(
            "INSERT INTO payments (kind, state, amount) VALUES ('DEBIT', '{state}', 500)"
        ))
        .await;
    }
}

async fn find(rig: &AdapterRig, id: &str) -> Transfer {
    let found = matches(rig, id).await;
    let [one] = <[_; 1]>::try_from(found).unwrap();
    one
}

async fn faults_of(dialect: Dialect, schema: &str, toml: &str) -> String {
    let rig = rig(dialect, schema, toml).await;
    let found = check_deeply(&rig.target, None, SystemClock.now()).await;
    found.faults.join("\n")
}

async fn a_new_transfer_of_a_table_that_numbers_its_rows_keeps_our_id_in_a_column_of_its_own(
    dialect: Dialect,
) {
    let rig = rig(dialect, &numbered(dialect), &with_own_ids()).await;
    numbered_payments(&rig, &["SUCCEEDED", "PENDING", "PENDING"]).await;
    let changes = [
        fail("2", TransferState::Pending),
        give_back("3", TransferState::Pending, None),
    ];
    let batch = Journal::default().changes(changes.into_iter().chain(history("1")));
    let reply = rig.apply(batch.clone()).await.unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    assert_eq!(rig.missing(batch.clone()).await, [""; 0]);
    let written = "SELECT child.number, child.kind, child.state, child.return_key, parent.number, \
                   CASE WHEN child.settle_from IS NULL THEN 'no' ELSE 'yes' END \
                   FROM payments child LEFT JOIN payments parent ON parent.number = child.undoes \
                   ORDER BY child.number";
    let expected = [
        "1|DEBIT|SUCCEEDED|-|-|no",
        "2|DEBIT|FAILED|-|-|no",
        "3|DEBIT|FAILED|-|-|no",
        "4|REVERSAL|SUCCEEDED|RV_1|1|yes",
        "5|DEBIT|SUCCEEDED|RS_1|4|yes",
        "6|REVERSAL|SUCCEEDED|RA_1|5|yes",
    ];
    assert_eq!(rig.rows(written).await, expected);
    let report = check_deeply(&rig.target, Some("1"), SystemClock.now()).await;
    assert_eq!(report.faults, [""; 0]);
    assert_eq!(rig.rows(written).await, expected);
    rig.sql("UPDATE payments SET undoes = 2 WHERE return_key = 'RV_1'")
        .await;
    let missing = rig.missing(batch).await.join("\n");
    assert!(
        missing.contains("the reversal RV_1 of transfer 1 has the parent \"2\", not \"1\""),
        "{missing}"
    );
}

async fn what_came_back_again_is_found_and_undone_by_our_id_and_by_its_number(dialect: Dialect) {
    let rig = rig(dialect, &numbered(dialect), &with_own_ids()).await;
    numbered_payments(&rig, &["SUCCEEDED"]).await;
    let mut journal = Journal::default();
    let batch = journal.changes(history("1"));
    rig.apply(batch).await.unwrap();
    let (original, reversal) = (find(&rig, "1").await, find(&rig, "RV_1").await);
    assert_eq!(original.reversal_ids, ["RV_1"]);
    assert_eq!(
        (reversal.id.as_str(), reversal.parent_id.as_str()),
        ("RV_1", "1")
    );
    assert_eq!(reversal.r#type(), TransferType::Reversal);
    // The restoration is a payment like any other, by whichever id it is asked for.
    for asked in ["RS_1", "3"] {
        let restoration = find(&rig, asked).await;
        assert_eq!(restoration.id, "RS_1");
        assert_eq!(restoration.parent_id, "RV_1");
        assert_eq!(restoration.reversal_ids, ["RA_1"]);
    }
    assert_eq!(matches(&rig, "RV_2").await, []);
    // A payment of ours that came back, and one that there is not.
    rig.sql("UPDATE payments SET undoes = NULL WHERE return_key = 'RA_1'")
        .await;
    let changes = [reverse("RS_1", 500, None), release("RV_none", "none", 60)];
    let batch = journal.changes(changes);
    let reply = rig.apply(batch).await.unwrap();
    let refused = reported(&reply.exceptions);
    let refused: Vec<_> = refused.iter().map(|one| (one.0, one.1)).collect();
    assert_eq!(refused, [(8, StepExceptionKind::NotFound)]);
    let undoes = "SELECT undoes FROM payments WHERE return_key = 'RV_RS_1'";
    assert_eq!(rig.rows(undoes).await, ["3"]);
    let no_parent = restore("1", 500, TransferState::Succeeded, "RV_gone");
    let reply = rig.apply(journal.changes([no_parent])).await.unwrap();
    let refused = reported(&reply.exceptions);
    assert_eq!(refused.len(), 1, "{reply:?}");
    let (_, kind, why) = refused[0];
    assert_eq!(kind, StepExceptionKind::NotFound);
    assert!(why.contains("no transfer RV_gone"), "{why}");
}

async fn a_number_that_the_app_writes_where_our_ids_are_names_no_row(dialect: Dialect) {
    let rig = rig(dialect, &numbered(dialect), &with_own_ids()).await;
    numbered_payments(&rig, &["PENDING", "PENDING"]).await;
    rig.sql("UPDATE payments SET return_key = '1' WHERE number = 2")
        .await;
    assert_eq!(find(&rig, "1").await.id, "1");
    assert_eq!(find(&rig, "2").await.id, "2");
    let batch = Journal::default().changes([fail("1", TransferState::Pending)]);
    let reply = rig.apply(batch.clone()).await.unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    assert_eq!(rig.missing(batch).await, [""; 0]);
    let states = "SELECT number, state FROM payments ORDER BY number";
    assert_eq!(rig.rows(states).await, ["1|FAILED", "2|PENDING"]);
}

async fn a_column_for_our_ids_that_cannot_be_one_is_a_fault(dialect: Dialect) {
    let schema = numbered(dialect);
    let own = "transfers.columns.own_id";
    for (schema, toml, wanted) in [
        // Without one, the database refuses our ids.
        (schema.clone(), mapped("", ""), "transfers.columns.id"),
        (
            schema.replace("UNIQUE INDEX of_return", "INDEX of_return"),
            with_own_ids(),
            "has no unique index of its own",
        ),
        (
            schema.replace("settle_from", "counted BIGINT UNIQUE, settle_from"),
            with_own_ids().replace("return_key", "counted"),
            "but must hold text",
        ),
        (
            schema
                .replace(
                    "return_key ",
                    "return_key VARCHAR(9) NOT NULL DEFAULT '' /*",
                )
                .replace(",\n            settle_from", "*/,\n            settle_from"),
            with_own_ids(),
            "is never NULL, but only transfers of the adapter's making have an id there",
        ),
        (
            unnumbered(dialect),
            with_own_ids(),
            "but column \"number\" is no whole number with a default",
        ),
    ] {
        let found = faults_of(dialect, &schema, &toml).await;
        assert!(found.contains(wanted), "{wanted}: {found}");
        assert!(toml == mapped("", "") || found.contains(own), "{found}");
    }
}

const TENANT: &str = "[transfers.filter]\ntenant = 7\n";

/// A key of two columns, as the tables of tenants have.
fn of_tenants(dialect: Dialect) -> String {
    unnumbered(dialect) + ";\nCREATE UNIQUE INDEX of_tenant ON payments (tenant, number)"
}

async fn a_key_of_several_columns_needs_the_others_fixed(dialect: Dialect) {
    let text = of_tenants(dialect).replace("number BIGINT NOT NULL", "number VARCHAR(64) NOT NULL");
    let text = text.replace("undoes BIGINT", "undoes VARCHAR(64)");
    let found = faults_of(dialect, &text, &mapped("", "")).await;
    assert_eq!(
        found,
        "transfers.columns.id: column \"number\" of table \"payments\" is unique only together with \
         others (tenant, number); fix those in transfers.filter"
    );
    assert_eq!(
        faults_of(dialect, &text, &(mapped("", "") + TENANT)).await,
        ""
    );
}

async fn of_two_tenants_with_the_same_ids_only_ours_is_touched(dialect: Dialect) {
    let text = of_tenants(dialect).replace("number BIGINT NOT NULL", "number VARCHAR(64) NOT NULL");
    let text = text.replace("undoes BIGINT", "undoes VARCHAR(64)");
    let rig = rig(dialect, &text, &(mapped("", "") + TENANT)).await;
    payment(&rig, 1, 7).await;
    payment(&rig, 1, 8).await;
    let batch = Journal::default().changes(history("1"));
    let reply = rig.apply(batch.clone()).await.unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    assert_eq!(rig.missing(batch).await, [""; 0]);
    let counted = "SELECT tenant, count(*), count(touched) FROM payments GROUP BY tenant \
                   ORDER BY tenant";
    assert_eq!(rig.rows(counted).await, ["7|4|4", "8|1|0"]);
    assert_eq!(find(&rig, "1").await.reversal_ids, ["RV_1"]);
}

async fn an_id_that_is_vouched_for_is_counted_at_each_change(dialect: Dialect) {
    let text = unnumbered(dialect).replace("number BIGINT", "number VARCHAR(64)");
    let text = text.replace("undoes BIGINT", "undoes VARCHAR(64)");
    let found = faults_of(dialect, &text, &mapped("", "")).await;
    assert!(found.contains("has no unique index of its own"), "{found}");

    let vouched = mapped("", "id_uniqueness = \"vouched\"");
    let rig = rig(dialect, &text, &vouched).await;
    let report = check(&rig.target).await;
    assert_eq!(report.faults, [""; 0]);
    let warnings = report.warnings.join("\n");
    assert!(
        warnings.contains("a change that hits more than one row is refused"),
        "{warnings}"
    );
    for number in [1, 2, 2, 3, 4, 4] {
        payment(&rig, number, 1).await;
    }
    assert_eq!(matches(&rig, "2").await.len(), 2);
    // One row too many must not make up for one that is missing.
    let changes = [
        fail("2", TransferState::Succeeded),
        fail("5", TransferState::Succeeded),
        fail("3", TransferState::Succeeded),
        reverse("1", 500, None),
        reverse("4", 500, None),
    ];
    let reply = rig.apply(Journal::default().changes(changes)).await;
    let reply = reply.unwrap();
    let refused = reported(&reply.exceptions);
    let kinds: Vec<_> = refused.iter().map(|one| (one.0, one.1)).collect();
    use StepExceptionKind::{NotFound, Refused};
    assert_eq!(kinds, [(1, Refused), (2, NotFound), (5, Refused)]);
    assert!(
        refused[0].2.starts_with("2 rows have the id of transfer 2"),
        "{refused:?}"
    );
    let rows = "SELECT number, state FROM payments ORDER BY number, state";
    assert_eq!(
        rig.rows(rows).await,
        [
            "1|SUCCEEDED",
            "2|SUCCEEDED",
            "2|SUCCEEDED",
            "3|FAILED",
            "4|SUCCEEDED",
            "4|SUCCEEDED",
            "RV_1|SUCCEEDED",
        ]
    );
}

/// UUIDs as sixteen bytes, as Shopware and Doctrine keep them.
#[tokio::test]
async fn uuids_in_sixteen_bytes_are_keys_like_any_other() {
    let schema = payments(
        Dialect::Mysql,
        "BINARY(16) NOT NULL PRIMARY KEY",
        "BINARY(16) REFERENCES payments (number)",
    );
    let rig = rig(Dialect::Mysql, &schema, &mapped("", "")).await;
    let report = check_deeply(&rig.target, None, SystemClock.now()).await;
    assert_eq!(report.faults, [""; 0]);
    let id = "018f3f1e-0000-7000-8000-0000000000ab";
    for (id, state) in [(id, "SUCCEEDED"), (&id.replace("ab", "ac"), "PENDING")] {
        rig.sql(&format!(
            "INSERT INTO payments (number, kind, state, amount) \
             VALUES (UNHEX(REPLACE('{id}', '-', '')), 'DEBIT', '{state}', 500)"
        ))
        .await;
    }
    let ends = fail(&id.replace("ab", "ac"), TransferState::Pending);
    let other_spelling = fail(&id.to_uppercase(), TransferState::Succeeded);
    let changes = history(id).into_iter().chain([ends, other_spelling]);
    let batch = Journal::default().changes(changes);
    let reply = rig.apply(batch.clone()).await.unwrap();
    let refused = reported(&reply.exceptions);
    let refused: Vec<_> = refused.iter().map(|one| (one.0, one.1)).collect();
    assert_eq!(refused, [(8, StepExceptionKind::NotFound)]);
    let found = find(&rig, id).await;
    let [reversal] = &found.reversal_ids[..] else {
        panic!("{found:?}");
    };
    assert_eq!(find(&rig, &format!("RV_{id}")).await.id, *reversal);
    assert_eq!(find(&rig, reversal).await.parent_id, id);
    let ended = "SELECT LOWER(HEX(number)) FROM payments WHERE state = 'FAILED'";
    assert_eq!(rig.rows(ended).await, ["018f3f1e0000700080000000000000ac"]);
}
