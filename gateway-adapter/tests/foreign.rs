//! Tables that are not made as ours are: amounts with decimals, states as numbers, several words for one
//! state, no column for the type or the currency, other rows beside the transfers.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use common::{FEW_COLUMNS, config, history, matches};
use echeck_adapter::check::{check, check_deeply};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::on_every_database;
use echeck_adapter::testing::{
    AdapterRig, DECIDED_AT_SECONDS, Journal, fail, give_back, release, reported, restore, reverse,
};
use echeck_proto::adapter::v1::{StepExceptionKind, Transfer, TransferState, TransferType};
use echeck_service::clock::{Clock as _, SystemClock};
use echeck_service::config::{Settings, everything_on};

on_every_database!(
    amounts_with_decimals_and_states_as_numbers_take_every_effect,
    without_a_column_for_it_a_transfer_that_undoes_another_is_a_reversal,
    rows_that_the_filter_leaves_out_are_neither_found_nor_changed,
    a_new_transfer_passes_the_filter_of_its_original,
    each_of_several_words_means_the_state_and_the_first_is_written,
    an_amount_with_a_fraction_of_a_cent_stops_its_row_and_no_other,
    an_amount_that_is_not_that_of_the_table_undoes_nothing,
    a_unit_that_is_not_said_and_words_for_numbers_are_faults,
    a_filter_by_what_the_adapter_writes_is_a_fault,
    an_empty_text_is_no_parent_and_a_column_that_is_never_null_is_a_fault,
    what_a_fixed_text_cannot_be_is_a_fault,
    instants_as_numbers_are_read_written_and_never_go_back,
    an_instant_in_a_column_that_cannot_hold_it_is_a_fault,
);

/// A table of payments with a deletion mark and of several kinds.
fn payments(dialect: Dialect) -> String {
    let (id, time) = match dialect {
        Dialect::Sqlite => ("TEXT", "TEXT"),
        Dialect::Postgres => ("TEXT", "TIMESTAMPTZ"),
        Dialect::Mysql => ("VARCHAR(64) COLLATE utf8mb4_bin", "DATETIME(6)"),
    };
    format!(
        "CREATE TABLE payments (
            number {id} NOT NULL PRIMARY KEY,
            status INTEGER NOT NULL,
            total DECIMAL(12,4) NOT NULL,
            method VARCHAR(20),
            undoes {id},
            reference {id} UNIQUE,
            deleted_at {time},
            touched_at {time});
         CREATE INDEX of_parent ON payments (undoes)"
    )
}

fn mapped() -> String {
    let columns = FEW_COLUMNS.replace("[transfers.columns]", "");
    format!(
        "[transfers]\ntable = \"payments\"\namount_unit = \"major\"\n\
         null_columns = [\"deleted_at\"]\n[transfers.columns]\nid = \"number\"\nstate = \"status\"\namount = \"total\"\n\
         parent_id = \"undoes\"\ntype = \"\"\ncurrency = \"\"\ntrace_id = \"\"\nmessages = \"\"\n\
         failure_code = \"\"\nupdated_at = \"touched_at\"\n{columns}\
         [transfers.states]\npending = [\"0\", \"1\"]\nsucceeded = [\"2\", \"3\"]\nfailed = \"9\"\n\
         canceled = \"8\"\nreturned = \"9\"\n\
         [transfers.filter]\nmethod = \"ach\"\n\
         [transfers.reversal.set]\nreference = \"{{id}}\"\n"
    )
}

async fn rig(dialect: Dialect) -> AdapterRig {
    let mapping = config(&mapped()).unwrap().mapping;
    AdapterRig::on(dialect, &payments(dialect), mapping).await
}

/// A payment by eCheck.
async fn payment(rig: &AdapterRig, id: &str, status: u8, total: &str) {
    rig.sql(&format!(
        "INSERT INTO payments (number, status, total, method, reference) \
         VALUES ('{id}', {status}, {total}, 'ach', 'ORDER-{id}')"
    ))
    .await;
}

async fn find(rig: &AdapterRig, id: &str) -> Option<Transfer> {
    matches(rig, id).await.into_iter().next()
}

/// Every payment, amounts without the zeros behind.
async fn all(rig: &AdapterRig) -> Vec<String> {
    let rows = rig
        .rows(
            "SELECT number, status, CAST(total * 100 AS DECIMAL(12,0)), method, undoes \
             FROM payments ORDER BY number",
        )
        .await;
    rows.into_iter()
        .map(|row| row.replace(".0|", "|"))
        .collect()
}

async fn amounts_with_decimals_and_states_as_numbers_take_every_effect(dialect: Dialect) {
    let rig = rig(dialect).await;
    payment(&rig, "A", 0, "50.00").await;
    payment(&rig, "B", 1, "19.90").await;
    payment(&rig, "C", 2, "5.00").await;
    let report = check(&rig.target).await;
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    let before = find(&rig, "B").await.unwrap();
    assert_eq!(
        (before.amount_minor, before.currency.as_str()),
        (1_990, "USD")
    );
    assert_eq!(before.state(), TransferState::Pending);
    assert_eq!(before.r#type(), TransferType::Debit);

    let changes = [
        fail("A", TransferState::Pending),
        give_back("B", TransferState::Pending, None),
    ];
    let batch = Journal::default().changes(changes.into_iter().chain(history("C")));
    let reply = rig.apply(batch.clone()).await.unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    assert_eq!(rig.missing(batch).await, [""; 0]);
    assert_eq!(
        all(&rig).await,
        [
            "A|9|5000|ach|-",
            "B|9|1990|ach|-",
            "C|2|500|ach|-",
            "RA_C|2|500|ach|RS_C",
            "RS_C|2|500|ach|RV_C",
            "RV_C|2|500|ach|C",
        ]
    );
}

async fn without_a_column_for_it_a_transfer_that_undoes_another_is_a_reversal(dialect: Dialect) {
    let rig = rig(dialect).await;
    payment(&rig, "C", 3, "5.00").await;
    rig.apply(Journal::default().changes([reverse("C", 500, None)]))
        .await
        .unwrap();
    let original = find(&rig, "C").await.unwrap();
    assert_eq!(original.reversal_ids, ["RV_C"]);
    let reversal = find(&rig, "RV_C").await.unwrap();
    assert_eq!(reversal.r#type(), TransferType::Reversal);
    assert_eq!(reversal.amount_minor, 500);
    assert_eq!(reversal.unnamed, "");
}

async fn rows_that_the_filter_leaves_out_are_neither_found_nor_changed(dialect: Dialect) {
    let rig = rig(dialect).await;
    for id in ["CARD", "GONE", "SOME"] {
        payment(&rig, id, 0, "5.00").await;
    }
    rig.sql("UPDATE payments SET method = 'card' WHERE number = 'CARD'")
        .await;
    rig.sql("UPDATE payments SET method = NULL WHERE number = 'SOME'")
        .await;
    rig.sql("UPDATE payments SET deleted_at = '2026-02-20 00:00:00' WHERE number = 'GONE'")
        .await;
    let before = all(&rig).await;
    let mut journal = Journal::default();
    for id in ["CARD", "GONE", "SOME"] {
        assert_eq!(find(&rig, id).await, None, "{id}");
        let batch = journal.changes([fail(id, TransferState::Pending)]);
        let reply = rig.apply(batch).await.unwrap();
        let refused: Vec<_> = reply.exceptions.iter().map(|one| one.kind()).collect();
        assert_eq!(refused, [StepExceptionKind::NotFound]);
    }
    assert_eq!(all(&rig).await, before);
}

async fn a_new_transfer_passes_the_filter_of_its_original(dialect: Dialect) {
    let rig = rig(dialect).await;
    payment(&rig, "C", 2, "5.00").await;
    let batch = Journal::default().changes([reverse("C", 500, None)]);
    rig.apply(batch).await.unwrap();
    assert_eq!(
        rig.rows("SELECT method, deleted_at, reference FROM payments WHERE number = 'RV_C'")
            .await,
        ["ach|-|RV_C"]
    );
    assert!(find(&rig, "RV_C").await.is_some());
}

async fn each_of_several_words_means_the_state_and_the_first_is_written(dialect: Dialect) {
    let rig = rig(dialect).await;
    for (id, status) in [("A", 2), ("B", 3), ("C", 1), ("D", 8), ("E", 7)] {
        payment(&rig, id, status, "5.00").await;
    }
    let state = async |id: &str| find(&rig, id).await.unwrap().state();
    assert_eq!(state("A").await, TransferState::Succeeded);
    assert_eq!(state("B").await, TransferState::Succeeded);
    assert_eq!(state("C").await, TransferState::Pending);
    assert_eq!(state("D").await, TransferState::Canceled);
    let unnamed = find(&rig, "E").await.unwrap().unnamed;
    assert_eq!(unnamed, "7 is not in transfers.states");
    let changes = [
        reverse("A", 500, None),
        reverse("B", 500, None),
        fail("C", TransferState::Pending),
        // Its state is a word for no state at all.
        fail("E", TransferState::Pending),
    ];
    let batch = Journal::default().changes(changes);
    let reply = rig.apply(batch).await.unwrap();
    let refused = reported(&reply.exceptions);
    let refused: Vec<_> = refused.iter().map(|one| (one.0, one.1)).collect();
    assert_eq!(refused, [(4, StepExceptionKind::MovedOn)]);
    let written = "SELECT number, status FROM payments WHERE number IN ('RV_A', 'RV_B', 'C') \
                   ORDER BY number";
    assert_eq!(rig.rows(written).await, ["C|9", "RV_A|2", "RV_B|2"]);
}

async fn an_amount_with_a_fraction_of_a_cent_stops_its_row_and_no_other(dialect: Dialect) {
    let rig = rig(dialect).await;
    payment(&rig, "A", 2, "5.0050").await;
    payment(&rig, "B", 2, "5.0000").await;
    let unreadable = find(&rig, "A").await.unwrap().unreadable;
    assert!(
        unreadable.contains("an amount above 0 with at most two decimals"),
        "{unreadable}"
    );
    assert_eq!(find(&rig, "B").await.unwrap().unreadable, "");
}

async fn an_amount_that_is_not_that_of_the_table_undoes_nothing(dialect: Dialect) {
    let rig = rig(dialect).await;
    payment(&rig, "C", 2, "5.00").await;
    for amount_minor in [5, 499, 501, 50_000] {
        let reply = rig
            .apply(Journal::default().changes([reverse("C", amount_minor, None)]))
            .await;
        // A batch of another content at the same place of the journal is refused whole.
        let Ok(reply) = reply else { continue };
        assert_eq!(reply.exceptions.len(), 1, "{amount_minor}");
    }
    assert_eq!(all(&rig).await, ["C|2|500|ach|-"]);
}

async fn a_unit_that_is_not_said_and_words_for_numbers_are_faults(dialect: Dialect) {
    let toml = mapped()
        .replace("amount_unit = \"major\"\n", "")
        .replace("failed = \"9\"", "failed = \"FAILED\"");
    let mapping = config(&toml).unwrap().mapping;
    let rig = AdapterRig::on(dialect, &payments(dialect), mapping).await;
    let faults = check(&rig.target).await.faults;
    assert_eq!(
        faults,
        [
            "transfers.states.failed: is \"FAILED\", but column \"status\" has numbers; give the \
             number that stands for it",
            "transfers.amount_unit: is \"integer\", but column \"total\" has decimal numbers; say \
             \"major\" where 50.00 are fifty dollars, or \"minor\" where they are fifty cents",
        ]
    );
    let toml = mapped().replace("amount = \"total\"", "amount = \"status\"");
    let mapping = config(&toml).unwrap().mapping;
    let rig = AdapterRig::on(dialect, &payments(dialect), mapping).await;
    let faults = check(&rig.target).await.faults.join("\n");
    assert!(
        faults.contains("has whole numbers, and so minor units"),
        "{faults}"
    );
}

async fn faults_of(dialect: Dialect, schema: &str, toml: &str) -> String {
    let mapping = config(toml).unwrap().mapping;
    let rig = AdapterRig::on(dialect, schema, mapping).await;
    let found = check_deeply(&rig.target, None, SystemClock.now()).await;
    found.faults.join("\n")
}

async fn a_filter_by_what_the_adapter_writes_is_a_fault(dialect: Dialect) {
    for (filter, key, other) in [
        ("status = 2", "filter.status", "transfers.columns.state"),
        (
            "undoes = \"X\"",
            "filter.undoes",
            "transfers.columns.parent_id",
        ),
        (
            "reference = \"X\"",
            "filter.reference",
            "transfers.reversal.set.reference",
        ),
    ] {
        let toml = mapped().replace("method = \"ach\"", filter);
        let found = faults_of(dialect, &payments(dialect), &toml).await;
        let is_also = format!("transfers.{key}: column ");
        assert!(found.contains(&is_also), "{found}");
        assert!(
            found.contains(&format!("is also that of {other}, and what")),
            "{found}"
        );
    }
    let toml = mapped().replace(
        "[\"deleted_at\"]",
        "[\"deleted_at\", \"touched_at\", \"total\"]",
    );
    let found = faults_of(dialect, &payments(dialect), &toml).await;
    assert!(
        found.contains("transfers.null_columns: column \"touched_at\" is also that of"),
        "{found}"
    );
    assert!(
        found.contains("null_columns: column \"total\" is never NULL, so no row would be found"),
        "{found}"
    );
    let toml = mapped().replace("method = \"ach\"", "deleted_at = \"x\"");
    let found = faults_of(dialect, &payments(dialect), &toml).await;
    if dialect != Dialect::Sqlite {
        assert!(
            found.contains("has no words, numbers or truth values to compare"),
            "{found}"
        );
    }
}

async fn an_empty_text_is_no_parent_and_a_column_that_is_never_null_is_a_fault(dialect: Dialect) {
    let rig = rig(dialect).await;
    payment(&rig, "A", 2, "5.00").await;
    rig.sql("UPDATE payments SET undoes = ''").await;
    assert_eq!(find(&rig, "A").await.unwrap().r#type(), TransferType::Debit);
    let never_null = match dialect {
        Dialect::Sqlite | Dialect::Postgres => ("undoes TEXT", "undoes TEXT NOT NULL DEFAULT ''"),
        Dialect::Mysql => (
            "undoes VARCHAR(64) COLLATE utf8mb4_bin",
            "undoes VARCHAR(64) COLLATE utf8mb4_bin NOT NULL DEFAULT ''",
        ),
    };
    let schema = payments(dialect).replace(never_null.0, never_null.1);
    let found = faults_of(dialect, &schema, &mapped()).await;
    let wanted = "transfers.columns.type: is off, so a transfer with a parent is a reversal, but \
                  column \"undoes\" is never NULL";
    assert!(found.contains(wanted), "{found}");
}

/// A table with instants as numbers.
fn counted(dialect: Dialect) -> String {
    let id = match dialect {
        Dialect::Sqlite | Dialect::Postgres => "TEXT",
        Dialect::Mysql => "VARCHAR(64) COLLATE utf8mb4_bin",
    };
    format!(
        "CREATE TABLE counted (
            id {id} NOT NULL PRIMARY KEY, state {id} NOT NULL, amount INTEGER NOT NULL, parent_id {id},
            made BIGINT NOT NULL, touched BIGINT NOT NULL, settle_from BIGINT);
         CREATE INDEX of_parent ON counted (parent_id)"
    )
}

fn with_numbers(format: &str) -> String {
    let others = FEW_COLUMNS
        .replace("ready_to_settle_at = \"\"\n", "")
        .replace("created_at = \"\"\n", "");
    let others = others.trim_start_matches("[transfers.columns]\n");
    format!(
        "[transfers]\ntable = \"counted\"\ntimestamp_format = \"{format}\"\n[transfers.columns]\n\
         created_at = \"made\"\nupdated_at = \"touched\"\nready_to_settle_at = \"settle_from\"\n\
         type = \"\"\ncurrency = \"\"\ntrace_id = \"\"\nmessages = \"\"\nfailure_code = \"\"\n{others}"
    )
}

async fn instants_as_numbers_are_read_written_and_never_go_back(dialect: Dialect) {
    for (format, in_a_second) in [("unix_s", 1), ("unix_ms", 1_000)] {
        let mapping = config(&with_numbers(format)).unwrap().mapping;
        let rig = AdapterRig::on(dialect, &counted(dialect), mapping).await;
        let later = 4_000_000_000 * in_a_second;
        for (id, touched) in [("A", 5), ("B", later)] {
            rig.sql(&format!(
                "INSERT INTO counted VALUES ('{id}', 'SUCCEEDED', 500, NULL, 1000, {touched}, NULL)"
            ))
            .await;
        }
        let report = check(&rig.target).await;
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        let changes = [
            reverse("A", 500, None),
            release("RV_A", "A", 60),
            reverse("B", 500, None),
        ];
        let batch = Journal::default().changes(changes);
        let reply = rig.apply(batch.clone()).await.unwrap();
        assert_eq!(reported(&reply.exceptions), []);
        assert_eq!(rig.missing(batch).await, [""; 0]);

        let rows = rig
            .rows("SELECT id, touched FROM counted WHERE parent_id IS NULL ORDER BY id")
            .await;
        let touched = |row: &str| row.split_once('|').unwrap().1.parse::<i64>().unwrap();
        assert_eq!(touched(&rows[0]), DECIDED_AT_SECONDS * in_a_second);
        assert_eq!(touched(&rows[1]), later, "what is later stays");
        let settled = (DECIDED_AT_SECONDS + 60) * in_a_second;
        let of_reversal = rig
            .rows("SELECT settle_from FROM counted WHERE id = 'RV_A'")
            .await;
        assert_eq!(of_reversal, [settled.to_string()]);
        let found = find(&rig, "RV_A").await.unwrap();
        let ready = found.ready_to_settle_at.unwrap();
        assert_eq!(ready.seconds, DECIDED_AT_SECONDS + 60);
        let created = find(&rig, "A").await.unwrap().created_at.unwrap();
        assert_eq!(created.seconds, 1_000 / in_a_second);
    }
}

async fn an_instant_in_a_column_that_cannot_hold_it_is_a_fault(dialect: Dialect) {
    let faults = faults_of(dialect, &counted(dialect), &with_numbers("rfc3339")).await;
    assert!(
        faults.contains("transfers.columns.updated_at") && faults.contains("unix_s or unix_ms"),
        "{faults}"
    );
    let text = counted(dialect).replace("touched BIGINT", "touched VARCHAR(40)");
    let faults = faults_of(dialect, &text, &with_numbers("unix_s")).await;
    assert!(
        faults.contains("transfers.columns.updated_at") && faults.contains("and then no text"),
        "{faults}"
    );
}

async fn what_a_fixed_text_cannot_be_is_a_fault(dialect: Dialect) {
    let schema = payments(dialect).replace("deleted_at", "score BIGINT, deleted_at");
    for (set, wanted) in [
        (
            "reference = \"INV-{id}\"",
            "but {id} stands alone or not at all",
        ),
        (
            "score = \"many\"",
            "transfers.reversal.set.score: is \"many\", but column \"score\"",
        ),
        (
            "score = \"07\"",
            "transfers.reversal.set.score: is \"07\", but column \"score\"",
        ),
        ("score = \"{id}\"", "cannot hold the ids of new transfers"),
    ] {
        let toml = mapped().replace("reference = \"{id}\"", set);
        let found = faults_of(dialect, &schema, &toml).await;
        assert!(found.contains(wanted), "{set}: {found}");
    }
    let fault = config("[transfers.fixed]\ncurrency = \"Dollar\"")
        .err()
        .unwrap();
    assert!(fault.contains("must be three capital letters"), "{fault}");
}

#[tokio::test]
async fn a_filter_by_a_word_that_its_column_never_has_is_a_fault() {
    let schema = "CREATE TYPE means AS ENUM ('ach', 'card');".to_owned()
        + &payments(Dialect::Postgres).replace("method VARCHAR(20)", "method means");
    let found = faults_of(Dialect::Postgres, &schema, &mapped()).await;
    assert_eq!(found, "");
    let toml = mapped().replace("method = \"ach\"", "method = \"ACH\"");
    let found = faults_of(Dialect::Postgres, &schema, &toml).await;
    assert!(
        found.starts_with(
            "transfers.filter.method: column \"method\" of table \"payments\" refuses"
        ),
        "{found}"
    );
}

const UUID_ID: &str = "018f3f1e-0000-7000-8000-000000000001";

/// Payments whose keys are UUIDs of PostgreSQL and whose parents are `parent`, after one was reversed,
/// restored, and the restoration came back: all in one batch.
async fn history_of_uuids(parent: &str) -> AdapterRig {
    /// What an id of ours becomes, always the same.
    const UUID_OF_RESTORATION: &str = "75dcbb7a-63c5-5bf7-9514-b3c77bf3643d";
    let schema = payments(Dialect::Postgres)
        .replace("number TEXT", "number UUID")
        .replace("undoes TEXT", &format!("undoes {parent}"));
    let mapping = config(&mapped()).unwrap().mapping;
    let rig = AdapterRig::on(Dialect::Postgres, &schema, mapping).await;
    payment(&rig, UUID_ID, 2, "5.00").await;
    let reversal = format!("RV_{UUID_ID}");
    let changes = [
        reverse(UUID_ID, 500, None),
        restore(UUID_ID, 500, TransferState::Succeeded, &reversal),
        // Known by the key that a look-up showed, and not by the id that the step before gave.
        reverse(UUID_OF_RESTORATION, 500, None),
    ];
    let batch = Journal::default().changes(changes);
    let reply = rig.apply(batch.clone()).await.unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    assert_eq!(rig.missing(batch).await, [""; 0]);
    rig
}

#[tokio::test]
async fn a_restoration_names_the_uuid_of_the_reversal_where_the_parent_is_text() {
    let rig = history_of_uuids("TEXT").await;
    let dangling = "SELECT count(*) FROM payments p WHERE undoes IS NOT NULL AND NOT EXISTS \
                    (SELECT 1 FROM payments o WHERE o.number::text = p.undoes)";
    assert_eq!(rig.one(dangling).await, "0");
}

#[tokio::test]
async fn a_restoration_of_a_uuid_undoes_the_reversal_that_has_one() {
    let rig = history_of_uuids("UUID REFERENCES payments").await;
    let original = find(&rig, UUID_ID).await.unwrap();
    assert_eq!(original.reversal_ids.len(), 1);
    let reversal = &original.reversal_ids[0];
    assert_eq!(find(&rig, reversal).await.unwrap().parent_id, UUID_ID);
    // It is found by the id that the journal has as well.
    let found = find(&rig, &format!("RV_{UUID_ID}")).await.unwrap();
    assert_eq!(&found.id, reversal);
}

#[test]
fn the_document_of_targets_names_keys_and_tests_that_exist() {
    let document = include_str!("../../docs/targets.md");
    let tests = concat!(
        include_str!("foreign.rs"),
        include_str!("keys.rs"),
        include_str!("kinds.rs"),
        include_str!("servers.rs")
    );
    let example = config_keys();
    let rows = document.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<&str> = rows.skip(1).collect();
    assert!(rows.len() > 10, "{}", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 3, "{row}");
        let (keys, test) = (cells[1], cells[2]);
        for key in keys.split(", ") {
            let key = key.trim_matches(|c| c == '`' || c == ' ');
            let is_key = [format!("| `{key}` |"), format!("| `{key}.")];
            assert!(is_key.iter().any(|one| example.contains(one)), "{key}");
        }
        let test = test.trim().trim_matches('`');
        assert!(tests.contains(&format!("async fn {test}(")), "{test}");
    }
}

/// Every key, as the document of the configuration has it.
fn config_keys() -> String {
    let example = include_str!("../example.toml");
    let settings = Settings::from_toml(&everything_on(example)).unwrap();
    let _ = gateway_adapter::read_config(&settings);
    settings.document(example)
}
