//! Configurations that fit a live schema, and those that do not.

mod common;

use common::{D, config, rig, rig_with};
use echeck_adapter::check::check;
use echeck_adapter::dialect::Dialect;
use echeck_adapter::testing::{Journal, restore, reverse};
use echeck_proto::adapter::v1::TransferState;
use echeck_service::config::{Settings, everything_on};
use gateway_adapter::demo_schema;

#[tokio::test]
async fn the_defaults_fit_the_demonstration() {
    let report = check(&rig("").await.target).await;
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert!(report.facts.unwrap().version.starts_with("SQLite 3."));
}

#[tokio::test]
async fn all_faults_of_a_mapping_are_reported_together() {
    let schema = "CREATE TABLE transfers (
        id TEXT, type TEXT, state INTEGER, amount DECIMAL(10,2), currency TEXT, parent_id TEXT,
        trace STRING,
        updated_at TEXT GENERATED ALWAYS AS ('now') VIRTUAL);
        CREATE UNIQUE INDEX some ON transfers (id) WHERE type = 'DEBIT'";
    let off = [
        "subtype",
        "fee",
        "payment_id",
        "ach_trace",
        "individual_id",
        "source",
        "destination",
        "application",
        "merchant_identity",
        "statement_descriptor",
        "idempotency_id",
        "messages",
        "raw",
        "tags",
        "failure_code",
        "failure_message",
        "ready_to_settle_at",
        "settlement_date",
        "deposit_id",
    ]
    .map(|name| format!("{name} = \"\"\n"))
    .concat();
    let rig = rig_with(
        &format!("[transfers.columns]\ntrace_id = \"trace\"\n{off}"),
        schema,
    )
    .await;
    let report = check(&rig.target).await;
    let faults = report.faults.join("\n");
    for message in [
        "transfers.columns.id: column \"id\" of table \"transfers\" has no unique index of its own",
        "transfers.states.succeeded: is \"SUCCEEDED\", but column \"state\" has numbers; give the \
         number that stands for it",
        "transfers.amount_unit: is \"integer\", but column \"amount\" has decimal numbers; say \
         \"major\" where 50.00 are fifty dollars, or \"minor\" where they are fifty cents",
        "transfers.columns.trace_id: column \"trace\" of table \"transfers\" is declared \"STRING\"",
        "transfers.columns.created_at: table \"transfers\" has no column \"created_at\" (an empty \
         name switches it off); it has: \
         id, type, state,",
        "transfers.columns.updated_at: column \"updated_at\" of table \"transfers\" is generated",
    ] {
        assert!(faults.contains(message), "{message}\nis not in\n{faults}");
    }
    // One for each of five states.
    assert_eq!(report.faults.len(), 10, "{faults}");
}

#[tokio::test]
async fn a_missing_table_is_reported_with_those_that_exist() {
    let rig = rig("[transfers]\ntable = \"payments\"").await;
    let faults = check(&rig.target).await.faults;
    assert_eq!(
        faults,
        ["the target has no table \"payments\"; it has: deposits, transfers"]
    );
}

#[tokio::test]
async fn a_demanded_column_is_filled_by_a_copy_or_a_fixed_text() {
    let schema = demo_schema(Dialect::Sqlite)
        .replace(
            "    idempotency_id       TEXT    UNIQUE",
            "    idempotency_id TEXT NOT NULL",
        )
        .replace(
            "    source               TEXT",
            "    region TEXT NOT NULL, source TEXT",
        );
    let refused = rig_with("", &schema).await;
    let faults = check(&refused.target).await.faults.join("\n");
    assert!(faults.contains("\"idempotency_id\" must not be NULL, but a reversal has none"));
    assert!(faults.contains("\"region\" must not be NULL, but a reversal does not fill it"));
    // A fault of reversal and restoration is reported once.
    assert_eq!(faults.lines().count(), 2, "{faults}");

    let filled = "[transfers.reversal]\ncopy = [\"region\"]\n[transfers.reversal.set]\n\
                  idempotency_id = \"none\"";
    let report = check(&rig_with(filled, &schema).await.target).await;
    assert!(report.faults.is_empty(), "{:?}", report.faults);
}

#[tokio::test]
async fn a_restoration_keeps_both_parties_where_the_way_back_has_a_fixed_one() {
    let schema = demo_schema(Dialect::Sqlite)
        .replace(
            "    source               TEXT",
            "    source TEXT NOT NULL, region TEXT NOT NULL",
        )
        .replace(
            "    destination          TEXT",
            "    destination TEXT NOT NULL",
        );
    let refused = rig_with("", &schema).await;
    let faults = check(&refused.target).await.faults.join("\n");
    assert!(faults.contains("\"source\" must not be NULL, but a reversal has none there"));
    let filled = "[transfers.reversal]\ncopy = [\"region\"]\n[transfers.reversal.set]\n\
                  source = \"SYSTEM\"\nstatement_descriptor = \"CORRECTION\"";
    let rig = rig_with(filled, &schema).await;
    let report = check(&rig.target).await;
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    let debit = D::new("TR1").set("destination", "'PI_SHOP'");
    rig.sql(&debit.set("region", "'west'").sql()).await;
    let changes = [
        reverse("TR1", 500, None),
        restore("TR1", 500, TransferState::Succeeded, "RV_TR1"),
    ];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
    assert_eq!(
        rig.rows(
            "SELECT id, type, source, destination, region, statement_descriptor FROM transfers \
             ORDER BY id"
        )
        .await,
        [
            "RS_TR1|DEBIT|PI_BUYER|PI_SHOP|west|CORRECTION",
            "RV_TR1|REVERSAL|SYSTEM|PI_BUYER|west|CORRECTION",
            "TR1|DEBIT|PI_BUYER|PI_SHOP|west|FNX*SHOP",
        ]
    );
}

#[tokio::test]
async fn a_missing_column_to_copy_is_reported_by_its_setting() {
    let rig = rig("[transfers.reversal]\ncopy = [\"region\"]").await;
    let faults = check(&rig.target).await.faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    let message =
        "transfers.reversal.copy: table \"transfers\" has no column \"region\"; it has: id";
    assert!(faults[0].starts_with(message), "{faults:?}");
}

#[tokio::test]
async fn a_lookup_that_would_read_the_whole_table_is_a_warning() {
    let schema = demo_schema(Dialect::Sqlite).replace(
        "CREATE INDEX transfers_by_ach_trace ON transfers (ach_trace);",
        "",
    );
    let report = check(&rig_with("", &schema).await.target).await;
    assert!(report.faults.is_empty());
    assert_eq!(report.warnings.len(), 1);
    assert!(report.warnings[0].contains("\"ach_trace\" of table \"transfers\" has no index"));
}

#[test]
fn all_faults_of_a_configuration_are_reported_together() {
    let fault = config(
        "profile = \"rainforest\"\n[target]\nurl = \"oracle://h/db\"\n[transfers]\ntable = \"a\\u0000b\"\n\
         timestamp_format = \"unix\"\n[transfers.columns]\nid = \"\"\ndeposit_id = \"\"\n\
         colour = \"red\"\n[transfers.states]\ncanceled = \"SUCCEEDED\"",
    )
    .err()
    .unwrap();
    for message in [
        "target.url: names an unknown kind of database, \"oracle\"; sqlite:///path/to/file.db",
        "transfers.table: the name \"a\\0b\" holds a NUL character",
        "transfers.timestamp_format: must be one of rfc3339, rails",
        "transfers.columns.id: the name is empty",
        "transfers.columns.colour: is not a column of this mapping",
        "transfers.states.canceled: is \"SUCCEEDED\", as succeeded is",
        "transfers.funding_policy: is \"deposit\", which needs transfers.columns.deposit_id",
    ] {
        assert!(fault.contains(message), "{message}\nis not in\n{fault}");
    }
}

#[test]
fn a_target_is_required() {
    let settings = Settings::from_toml("").unwrap();
    let _ = gateway_adapter::read_config(&settings);
    let fault = settings.finish().unwrap_err().to_string();
    assert!(fault.contains("target.url"), "{fault}");
}

/// The example, with certificates that are on this machine. Gives their folder too.
#[expect(clippy::expect_used, reason = "a test may fail loudly")]
fn example() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let ca = echeck_test_servers::certificates::TestCa::new();
    std::fs::write(folder.path().join("ca.pem"), ca.pem()).expect("it is written");
    let valid = echeck_test_servers::certificates::Valid::Now;
    ca.issue(&["localhost"], valid)
        .write(folder.path(), "server");
    let there = folder.path().display().to_string();
    let text = include_str!("../example.toml").replace("/etc/echeck/tls", &there);
    (folder, text)
}

#[test]
fn the_example_has_no_unknown_key_and_only_defaults() {
    let (_folder, example) = example();
    let settings = Settings::from_toml(&example).unwrap();
    let log = echeck_service::telemetry::TelemetryConfig::read(&settings.root());
    let read = gateway_adapter::read_config(&settings);
    settings.finish().unwrap();
    let defaults = config("").unwrap();
    assert_eq!(log.filter, "info");
    assert_eq!(read.name, defaults.name);
    let shown = |config: &echeck_adapter::config::AdapterConfig| format!("{:?}", config.server);
    let beside_its_place = |config: &echeck_adapter::config::AdapterConfig| {
        shown(config)
            .split_once("max_message")
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(beside_its_place(&read), beside_its_place(&defaults));
    assert_eq!(read.health_interval, defaults.health_interval);
    assert_eq!(read.target.create_tables, defaults.target.create_tables);
    assert_eq!(read.target.limits, defaults.target.limits);
}

/// docs/configuration.md has every key.
#[test]
fn the_document_of_the_configuration_has_every_key() {
    let example = include_str!("../example.toml");
    let settings = Settings::from_toml(&everything_on(example)).unwrap();
    let _ = echeck_service::telemetry::TelemetryConfig::read(&settings.root());
    let _ = gateway_adapter::read_config(&settings);
    let table = settings.document(example);
    assert!(!table.contains("|  |\n"), "each key has words");
    echeck_test_servers::document::check_part("configuration.md", "gateway-adapter", &table);
}
