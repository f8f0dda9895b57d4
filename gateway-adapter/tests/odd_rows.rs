//! Rows with a value that cannot be used: each stops itself and no other.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use common::{config, rig_with_on};
use echeck_adapter::check::check;
use echeck_adapter::dialect::Dialect;
use echeck_adapter::on_every_database;
use echeck_adapter::testing::{AdapterRig, Journal, fail, give_back, reported, reverse};
use echeck_proto::adapter::v1::adapter_service_server::AdapterService as _;
use echeck_proto::adapter::v1::{
    LookupTransfersRequest, StepExceptionKind, Transfer, TransferKey, TransferKeyKind,
    TransferState,
};
use tonic::Request;

on_every_database!(
    an_odd_value_marks_its_own_row_and_no_other,
    a_row_with_long_texts_leaves_room_for_the_others,
    a_type_that_lacks_a_word_refuses_what_needs_it_and_nothing_else,
    a_deposit_column_that_is_never_null_needs_values_that_mean_none,
    a_number_that_means_no_deposit_is_none_for_lookups_and_updates,
    a_text_that_means_no_deposit_is_none_for_lookups_and_updates,
);

/// A mapping without the columns that these tests do not need.
const FEW: &str = "[transfers.columns]\nsubtype = \"\"\nfee = \"\"\npayment_id = \"\"\n\
    ach_trace = \"\"\nindividual_id = \"\"\nsource = \"\"\ndestination = \"\"\n\
    application = \"\"\nmerchant_identity = \"\"\nstatement_descriptor = \"\"\n\
    idempotency_id = \"\"\nmessages = \"\"\nraw = \"\"\ntags = \"\"\nfailure_code = \"\"\n\
    failure_message = \"\"\nready_to_settle_at = \"\"\ncreated_at = \"\"\nupdated_at = \"\"\n";

const LOOSE: &str = "CREATE TABLE transfers (
    id VARCHAR(64) UNIQUE, type VARCHAR(20), state VARCHAR(20), amount BIGINT,
    currency VARCHAR(20), trace_id VARCHAR(64), parent_id VARCHAR(64),
    settlement_date VARCHAR(40), deposit_id VARCHAR(64));";

/// The transfers with these trace ids, one for each.
async fn by_trace(rig: &AdapterRig, traces: &[&str]) -> Vec<Transfer> {
    let keys = traces.iter().map(|value| TransferKey {
        kind: TransferKeyKind::TraceId.into(),
        value: (*value).to_owned(),
    });
    let request = LookupTransfersRequest {
        identity: None,
        keys: keys.collect(),
    };
    let reply = rig.adapter.lookup_transfers(Request::new(request)).await;
    let matches = reply.unwrap().into_inner().matches.into_iter();
    matches.flat_map(|found| found.transfers).collect()
}

async fn an_odd_value_marks_its_own_row_and_no_other(dialect: Dialect) {
    let rig = rig_with_on(dialect, FEW, LOOSE).await;
    for (trace, values) in [
        (
            "GOOD",
            "'TR1', 'DEBIT', 'SUCCEEDED', 500, 'USD', '2026-02-23'",
        ),
        ("LOWER", "'TR2', 'DEBIT', 'SUCCEEDED', 500, 'usd', NULL"),
        ("NULL_ID", "NULL, 'DEBIT', 'SUCCEEDED', 500, 'USD', NULL"),
        ("EMPTY_ID", "'', 'DEBIT', 'SUCCEEDED', 500, 'USD', NULL"),
        ("TYPE", "'TR3', NULL, 'SUCCEEDED', 500, 'USD', NULL"),
        ("STATE", "'TR4', 'DEBIT', NULL, 500, 'USD', NULL"),
        ("AMOUNT", "'TR5', 'DEBIT', 'SUCCEEDED', NULL, 'USD', NULL"),
        ("BELOW", "'TR6', 'DEBIT', 'SUCCEEDED', -5, 'USD', NULL"),
        (
            "DOLLARS",
            "'TR7', 'DEBIT', 'SUCCEEDED', 500, 'dollars', NULL",
        ),
        (
            "DATE",
            "'TR8', 'DEBIT', 'SUCCEEDED', 500, 'USD', '0000-00-00'",
        ),
    ] {
        rig.sql(&format!(
            "INSERT INTO transfers (trace_id, id, type, state, amount, currency, settlement_date) \
             VALUES ('{trace}', {values})"
        ))
        .await;
    }
    let traces = [
        "GOOD", "NULL_ID", "EMPTY_ID", "TYPE", "STATE", "AMOUNT", "BELOW", "DOLLARS", "DATE",
        "LOWER",
    ];
    let found = by_trace(&rig, &traces).await;
    let advice = "; correct the row or the mapping";
    let odd = found.iter().map(|one| one.unreadable.replace(advice, ""));
    let odd: Vec<String> = odd.collect();
    assert_eq!(
        odd,
        [
            "",
            "transfers.columns.id: column \"id\" holds NULL, which is not a usable id",
            "transfers.columns.id: column \"id\" holds \"\", which is not a usable id",
            "transfers.columns.type: column \"type\" holds NULL, which is not a type",
            "transfers.columns.state: column \"state\" holds NULL, which is not a state",
            "transfers.columns.amount: column \"amount\" holds NULL, which is not a number of \
             minor units above 0",
            "transfers.columns.amount: column \"amount\" holds -5, which is not a number of \
             minor units above 0",
            "transfers.columns.currency: column \"currency\" holds \"dollars\", which is not a \
             currency of three letters",
            "transfers.columns.settlement_date: column \"settlement_date\" holds \"0000-00-00\", \
             which is not a date",
            "",
        ]
    );
    assert_eq!(found[0].settlement_date, "2026-02-23");
}

async fn a_row_with_long_texts_leaves_room_for_the_others(dialect: Dialect) {
    let text = match dialect {
        Dialect::Mysql => "LONGTEXT",
        Dialect::Postgres | Dialect::Sqlite => "TEXT",
    };
    let schema = LOOSE.replace("settlement_date VARCHAR(40)", &format!("raw {text}"));
    let toml = FEW.replace("raw = \"\"", "settlement_date = \"\"");
    let rig = rig_with_on(dialect, &toml, &schema).await;
    for (id, length) in [("TR1", 1_000_000), ("TR2", 1_000)] {
        rig.sql(&format!(
            "INSERT INTO transfers (id, type, state, amount, currency, trace_id, raw) VALUES \
             ('{id}', 'DEBIT', 'SUCCEEDED', 500, 'USD', '{id}', '\"{}\"')",
            "x".repeat(length)
        ))
        .await;
    }
    let found = by_trace(&rig, &["TR1", "TR2"]).await;
    let lengths: Vec<usize> = found.iter().map(|one| one.raw_json.len()).collect();
    assert_eq!(lengths, [0, 1_002]);
    assert!(found.iter().all(|one| one.unreadable.is_empty()));
}

/// An enum without REVERSAL, a state without RETURNED, and a trace with a rule of its own.
fn strict(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "CREATE TYPE kind AS ENUM ('DEBIT', 'CREDIT');
             CREATE DOMAIN kind_of AS kind;
             CREATE DOMAIN word AS varchar(20) CHECK (VALUE IN ('PENDING', 'SUCCEEDED', 'FAILED'));
             CREATE DOMAIN trace AS text CHECK (VALUE LIKE 'FNX%');
             CREATE TABLE transfers (
                 id VARCHAR(64) PRIMARY KEY, type kind_of NOT NULL, state word NOT NULL,
                 amount BIGINT NOT NULL, currency CHAR(3) NOT NULL, trace_id trace UNIQUE,
                 parent_id VARCHAR(64), settlement_date DATE, deposit_id VARCHAR(64));"
        }
        Dialect::Mysql => {
            "CREATE TABLE transfers (
                 id VARCHAR(64) PRIMARY KEY, type ENUM ('DEBIT', 'CREDIT') NOT NULL,
                 state ENUM ('PENDING', 'SUCCEEDED', 'FAILED') NOT NULL,
                 amount BIGINT NOT NULL, currency CHAR(3) NOT NULL,
                 trace_id VARCHAR(64) UNIQUE CHECK (trace_id LIKE 'FNX%'),
                 parent_id VARCHAR(64), settlement_date DATE, deposit_id VARCHAR(64));"
        }
        Dialect::Sqlite => {
            "CREATE TABLE transfers (
                 id TEXT PRIMARY KEY NOT NULL, type TEXT NOT NULL CHECK (type IN ('DEBIT', 'CREDIT')),
                 state TEXT NOT NULL CHECK (state IN ('PENDING', 'SUCCEEDED', 'FAILED')),
                 amount INTEGER NOT NULL, currency TEXT NOT NULL,
                 trace_id TEXT UNIQUE CHECK (trace_id LIKE 'FNX%'),
                 parent_id TEXT, settlement_date TEXT, deposit_id TEXT);"
        }
    }
}

async fn a_type_that_lacks_a_word_refuses_what_needs_it_and_nothing_else(dialect: Dialect) {
    let toml = format!("{FEW}[transfers.states]\nreturned = \"RETURNED\"");
    let rig = rig_with_on(dialect, &toml, strict(dialect)).await;
    for (id, state) in [("TR1", "SUCCEEDED"), ("TR2", "PENDING"), ("TR3", "FAILED")] {
        rig.sql(&format!(
            "INSERT INTO transfers (id, type, state, amount, currency, trace_id) \
             VALUES ('{id}', 'DEBIT', '{state}', 500, 'USD', 'FNX_{id}')"
        ))
        .await;
    }
    // Neither the type of a reversal nor this trace can be a value of its column.
    let found = by_trace(&rig, &["FNX_TR1", "OTHER", "FNX_TR2"]).await;
    let ids: Vec<&str> = found.iter().map(|one| &*one.id).collect();
    assert_eq!(ids, ["TR1", "TR2"]);
    let changes = [
        reverse("TR1", 500, None),
        give_back("TR2", TransferState::Pending, None),
        give_back("TR3", TransferState::Returned, None),
        fail("TR2", TransferState::Pending),
    ];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let kinds: Vec<(u64, StepExceptionKind)> = reported(&reply.exceptions)
        .into_iter()
        .map(|(at, kind, _)| (at, kind))
        .collect();
    use StepExceptionKind::{MovedOn, Refused};
    assert_eq!(kinds, [(1, Refused), (2, Refused), (3, MovedOn)]);
    assert_eq!(
        rig.rows("SELECT id, state FROM transfers ORDER BY id")
            .await,
        ["TR1|SUCCEEDED", "TR2|FAILED", "TR3|FAILED"]
    );
}

fn with_deposit(column: &str) -> String {
    LOOSE.replace("deposit_id VARCHAR(64)", column)
}

fn rainforest(none: &str) -> String {
    format!("profile = \"rainforest\"\n[transfers]\n{none}\n{FEW}")
}

async fn a_deposit_column_that_is_never_null_needs_values_that_mean_none(dialect: Dialect) {
    let schema = with_deposit("deposit_id BIGINT NOT NULL DEFAULT 0");
    let fault = "transfers.columns.deposit_id: column \"deposit_id\" is never NULL, so nothing says \
                 that a transfer is in no deposit; set transfers.deposit_none_values to the values \
                 of the column that mean none, such as [\"0\"]";
    for (none, faults) in [
        ("", vec![fault]),
        // No integer is empty.
        ("deposit_none_values = [\"\"]", vec![fault]),
        ("deposit_none_values = [\"0\", \"\"]", vec![]),
    ] {
        let mapping = config(&rainforest(none)).unwrap().mapping;
        let rig = AdapterRig::on(dialect, &schema, mapping).await;
        assert_eq!(check(&rig.target).await.faults, faults, "{none}");
    }
}

async fn a_number_that_means_no_deposit_is_none_for_lookups_and_updates(dialect: Dialect) {
    let schema = with_deposit("deposit_id BIGINT DEFAULT 0");
    none_for_lookups_and_updates(dialect, &schema, ["0", "-1", "NULL", "7"]).await;
}

async fn a_text_that_means_no_deposit_is_none_for_lookups_and_updates(dialect: Dialect) {
    let schema = with_deposit("deposit_id VARCHAR(64)");
    none_for_lookups_and_updates(dialect, &schema, ["'0'", "''", "NULL", "'00'"]).await;
}

/// The first three values are no deposit, the last one is.
async fn none_for_lookups_and_updates(dialect: Dialect, schema: &str, values: [&str; 4]) {
    let toml = rainforest("deposit_none_values = [\"0\", \"\", \"-1\"]");
    let rig = rig_with_on(dialect, &toml, schema).await;
    for (id, deposit) in ["TR1", "TR2", "TR3", "TR4"].into_iter().zip(values) {
        rig.sql(&format!(
            "INSERT INTO transfers (id, type, state, amount, currency, trace_id, deposit_id) \
             VALUES ('{id}', 'DEBIT', 'SUCCEEDED', 500, 'USD', '{id}', {deposit})"
        ))
        .await;
    }
    let found = by_trace(&rig, &["TR1", "TR2", "TR3", "TR4"]).await;
    let seen: Vec<Option<bool>> = found.iter().map(|one| one.in_deposit).collect();
    assert_eq!(seen, [Some(false), Some(false), Some(false), Some(true)]);
    let succeeded = TransferState::Succeeded;
    let changes = vec![
        reverse("TR1", 500, Some(true)),
        reverse("TR2", 500, Some(true)),
        give_back("TR4", succeeded, Some(false)),
        give_back("TR1", succeeded, Some(false)),
        give_back("TR2", succeeded, Some(false)),
        give_back("TR3", succeeded, Some(false)),
        reverse("TR4", 500, Some(true)),
    ];
    let exceptions = rig.apply_one_by_one(changes).await;
    use StepExceptionKind::MovedOn;
    let gone = |id| format!("transfer {id} (SUCCEEDED) is not in a deposit any more");
    assert_eq!(
        reported(&exceptions),
        [
            (1, MovedOn, &*gone("TR1")),
            (2, MovedOn, &*gone("TR2")),
            (
                3,
                MovedOn,
                "transfer TR4 (SUCCEEDED) is in a deposit by now"
            ),
        ]
    );
    assert_eq!(
        rig.rows("SELECT id, state FROM transfers ORDER BY id")
            .await,
        [
            "RV_TR4|SUCCEEDED",
            "TR1|RETURNED",
            "TR2|RETURNED",
            "TR3|RETURNED",
            "TR4|SUCCEEDED"
        ]
    );
}
