//! Changes of the Rails app's transactions, in real SQLite files.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use echeck_adapter::check::check;
use echeck_adapter::config::AdapterConfig;
use echeck_adapter::dialect::Dialect;
use echeck_adapter::testing::{AdapterRig, Journal, fail, give_back, reason_of, reverse};
use echeck_proto::adapter::v1::adapter_service_client::AdapterServiceClient;
use echeck_proto::adapter::v1::{
    CheckTargetRequest, FundingPolicy, LookupTransfersRequest, StepExceptionKind, TransferState,
};
use echeck_service::clock::Clocks;
use echeck_service::config::{Settings, everything_on};
use rallypay_adapter::demo_schema;
use tokio_util::sync::CancellationToken;
use tonic::Code;

const INTEGERS: &str = "[transactions]\nstatus_kind = \"integer\"\n[transactions.statuses]\n\
                        failed = 3\nreturned = 4\nreversed = 5\nopen = [\"0\", \"1\"]\n";
/// All that a change may touch.
const CHANGED: &str = "SELECT status, failure_code, failure_description, returned_at, \
                       updated_at, lock_version FROM transactions ORDER BY id";

fn config(toml: &str) -> Result<AdapterConfig, String> {
    let target = if toml.contains("[target]") {
        ""
    } else {
        "[target]\nurl = \"sqlite:unused.db\"\n"
    };
    let settings = Settings::from_toml(&format!("{target}{toml}")).unwrap();
    let config = rallypay_adapter::read_config(&settings);
    settings
        .finish()
        .map(|()| config)
        .map_err(|error| error.to_string())
}

async fn rig_with(toml: &str, schema: &str) -> AdapterRig {
    AdapterRig::new(schema, config(toml).unwrap().mapping).await
}

async fn rig(toml: &str) -> AdapterRig {
    rig_with(toml, demo_schema(Dialect::Sqlite)).await
}

async fn add(rig: &AdapterRig, transfer_id: &str, status: &str) {
    rig.sql(&format!(
        "INSERT INTO transactions (transfer_id, amount_cents, status, created_at, updated_at) \
         VALUES ('{transfer_id}', 500, {status}, '2026-02-20 00:00:00', '2026-02-20 00:00:00')"
    ))
    .await;
}

#[tokio::test]
async fn each_change_shows_as_a_status_with_its_reason() {
    let rig = rig("[transactions.statuses]\nreversed = \"charged_back\"").await;
    for (id, status) in [
        ("TR1", "'pending'"),
        ("TR2", "'succeeded'"),
        ("TR3", "'succeeded'"),
    ] {
        add(&rig, id, status).await;
    }
    let mut journal = Journal::default();
    let changes = [
        fail("TR1", TransferState::Pending),
        give_back("TR2", TransferState::Pending, None),
        reverse("TR3", 500, None),
    ];
    let reply = rig.apply(journal.changes(changes)).await.unwrap();
    assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
    // The return is dated by the bank, the reversal by the decision.
    assert_eq!(
        rig.rows(CHANGED).await,
        [
            "failed|R01|Insufficient Funds|-|2026-03-02 14:05:06.000000|1",
            "returned|R01|Insufficient Funds|2026-02-27 12:00:00.000000|2026-03-02 14:05:06.000000|1",
            "charged_back|R01|Insufficient Funds|2026-03-02 14:05:06.000000|2026-03-02 14:05:06.000000|1",
        ]
    );
    assert_eq!(
        rig.one("SELECT group_concat(amount_cents) FROM transactions")
            .await,
        "500,500,500"
    );
}

#[tokio::test]
async fn reversed_shows_as_returned_unless_it_is_given() {
    let rig = rig("").await;
    add(&rig, "TR1", "'succeeded'").await;
    rig.apply(Journal::default().changes([reverse("TR1", 500, None)]))
        .await
        .unwrap();
    assert_eq!(rig.one("SELECT status FROM transactions").await, "returned");
}

#[tokio::test]
async fn an_integer_enum_is_written_and_compared_as_numbers() {
    let schema = demo_schema(Dialect::Sqlite).replace(
        "status              varchar     NOT NULL DEFAULT 'pending'",
        "status              integer     NOT NULL DEFAULT 0",
    );
    let rig = rig_with(INTEGERS, &schema).await;
    for (id, status) in [("TR1", "0"), ("TR2", "1"), ("TR3", "1"), ("TR4", "2")] {
        add(&rig, id, status).await;
    }
    let mut journal = Journal::default();
    let changes = [
        fail("TR1", TransferState::Pending),
        give_back("TR2", TransferState::Pending, None),
        reverse("TR3", 500, None),
        reverse("TR4", 500, None),
    ];
    let reply = rig.apply(journal.changes(changes)).await.unwrap();
    assert_eq!(
        rig.rows("SELECT status, typeof(status) FROM transactions ORDER BY id")
            .await,
        ["3|integer", "4|integer", "5|integer", "2|integer"]
    );
    assert_eq!(reply.exceptions.len(), 1);
    assert!(
        reply.exceptions[0]
            .message
            .contains("has the status 2, from which no change")
    );
}

#[tokio::test]
async fn the_state_that_the_gateway_had_says_nothing_here() {
    let rig = rig("").await;
    add(&rig, "TR1", "'pending'").await;
    let change = give_back("TR1", TransferState::Succeeded, Some(false));
    let reply = rig
        .apply(Journal::default().changes([change]))
        .await
        .unwrap();
    assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
}

#[tokio::test]
async fn a_save_that_rails_began_before_the_change_fails_as_stale() {
    let rig = rig("").await;
    add(&rig, "TR1", "'succeeded'").await;
    let loaded = rig.one("SELECT lock_version FROM transactions").await;
    rig.apply(Journal::default().changes([reverse("TR1", 500, None)]))
        .await
        .unwrap();
    rig.sql(&format!(
        "UPDATE transactions SET status = 'succeeded', lock_version = {loaded} + 1 \
         WHERE transfer_id = 'TR1' AND lock_version = {loaded}"
    ))
    .await;
    assert_eq!(
        rig.one("SELECT status, lock_version FROM transactions")
            .await,
        "returned|1"
    );
}

#[tokio::test]
async fn a_lock_version_may_be_null_absent_or_switched_off() {
    let absent = demo_schema(Dialect::Sqlite).replace(
        "    lock_version        integer     NOT NULL DEFAULT 0,\n",
        "",
    );
    let null = demo_schema(Dialect::Sqlite).replace(
        "lock_version        integer     NOT NULL DEFAULT 0",
        "lock_version        integer",
    );
    let off = "[transactions.columns]\nlock_version = \"\"";
    for (toml, schema, bumped) in [
        ("", &absent, None),
        ("", &null, Some("1")),
        (off, &demo_schema(Dialect::Sqlite).to_owned(), Some("0")),
    ] {
        let rig = rig_with(toml, schema).await;
        add(&rig, "TR1", "'succeeded'").await;
        let reply = rig
            .apply(Journal::default().changes([reverse("TR1", 500, None)]))
            .await
            .unwrap();
        assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
        assert_eq!(rig.one("SELECT status FROM transactions").await, "returned");
        if let Some(bumped) = bumped {
            assert_eq!(
                rig.one("SELECT lock_version FROM transactions").await,
                bumped
            );
        }
    }
    let named = rig_with(
        "[transactions.columns]\nlock_version = \"lock_version\"",
        &absent,
    )
    .await;
    let faults = check(&named.target).await.faults;
    assert!(
        faults[0].starts_with("transactions.columns.lock_version: table"),
        "{faults:?}"
    );
}

#[tokio::test]
async fn a_key_that_names_two_rows_changes_neither() {
    let schema = demo_schema(Dialect::Sqlite).replace(
        "CREATE UNIQUE INDEX index_transactions_on_t",
        "CREATE INDEX index_transactions_on_t",
    );
    let rig = rig_with("", &schema).await;
    let report = check(&rig.target).await;
    assert!(report.faults.is_empty());
    assert!(
        report.warnings[0].contains("has no unique index"),
        "{:?}",
        report.warnings
    );
    for id in ["TR1", "TR1", "TR2"] {
        add(&rig, id, "'succeeded'").await;
    }
    let mut journal = Journal::default();
    let changes = [reverse("TR1", 500, None), reverse("TR2", 500, None)];
    let reply = rig.apply(journal.changes(changes)).await.unwrap();
    assert_eq!(reply.exceptions.len(), 1);
    assert_eq!(reply.exceptions[0].kind(), StepExceptionKind::Refused);
    assert_eq!(
        reply.exceptions[0].message,
        "2 rows have the transfer_id TR1; it must name one"
    );
    assert_eq!(
        rig.rows("SELECT status FROM transactions ORDER BY id")
            .await,
        ["succeeded", "succeeded", "returned"]
    );
}

#[tokio::test]
async fn a_row_that_the_app_refuses_is_isolated() {
    let rig = rig("").await;
    rig.sql(
        "CREATE TRIGGER short BEFORE UPDATE ON transactions WHEN new.transfer_id = 'TR2' \
             BEGIN SELECT RAISE(FAIL, 'is archived'); END",
    )
    .await;
    for id in ["TR1", "TR2", "TR3"] {
        add(&rig, id, "'succeeded'").await;
    }
    let changes = ["TR1", "TR2", "TR3"].map(|id| reverse(id, 500, None));
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    assert_eq!(reply.exceptions.len(), 1);
    assert_eq!(
        (
            reply.exceptions[0].position,
            reply.exceptions[0].message.as_str()
        ),
        (2, "is archived")
    );
    assert_eq!(
        rig.rows("SELECT status FROM transactions ORDER BY id")
            .await,
        ["returned", "succeeded", "returned"]
    );
}

#[tokio::test]
async fn the_status_column_must_be_of_the_configured_kind() {
    let faults = check(&rig(INTEGERS).await.target).await.faults;
    assert_eq!(
        faults,
        [
            "transactions.columns.status: column \"status\" of table \"transactions\" is declared \
          \"varchar\", but must hold whole numbers"
        ]
    );
}

#[tokio::test]
async fn a_mirror_answers_over_the_network_but_does_not_look_up() {
    let rig = rig("").await;
    add(&rig, "TR1", "'succeeded'").await;
    rig.claim_for("rallypay").await;
    let toml = format!(
        "[target]\nurl = \"sqlite://{}\"\n[access]\nanonymous_roles = \"admin,adapter_client\"\n[server]\nlisten = \"127.0.0.1:0\"",
        rig.path().display()
    );
    let shutdown = CancellationToken::new();
    let (bound, address) = tokio::sync::oneshot::channel();
    let stop = shutdown.clone();
    let running = tokio::spawn(echeck_adapter::serve::run(
        config(&toml).unwrap(),
        Clocks::of_machine(),
        stop,
        |at| bound.send(at).unwrap(),
    ));
    let address = address.await.unwrap();
    let mut client = AdapterServiceClient::connect(format!("http://{address}"))
        .await
        .unwrap();
    let checked = client
        .check_target(CheckTargetRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert!(checked.ok, "{:?}", checked.faults);
    assert_eq!(checked.profile, "rallypay");
    assert_eq!(checked.funding_policy(), FundingPolicy::Unspecified);
    let lookup = client
        .lookup_transfers(LookupTransfersRequest {
            keys: vec![],
            identity: None,
        })
        .await
        .unwrap_err();
    assert_eq!(
        (lookup.code(), reason_of(&lookup)),
        (Code::Unimplemented, "NO_LOOKUP".into())
    );
    client
        .apply_updates(Journal::default().changes([reverse("TR1", 500, None)]))
        .await
        .unwrap();
    assert_eq!(rig.one("SELECT status FROM transactions").await, "returned");
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

/// The example, with certificates that are on this machine. Gives their folder too.
fn example() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let ca = echeck_test_servers::certificates::TestCa::new();
    std::fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
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
    let _ = echeck_service::telemetry::TelemetryConfig::read(&settings.root());
    let read = rallypay_adapter::read_config(&settings);
    settings.finish().unwrap();
    let defaults = config("").unwrap();
    assert_eq!(read.name, defaults.name);
    let shown = |config: &AdapterConfig| format!("{:?}", config.server);
    let beside_its_place = |config: &AdapterConfig| {
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

#[test]
fn a_column_that_the_mapping_does_not_have_is_a_fault() {
    let fault = config("[transactions.columns]\nstatuss = \"x\"\nstatus = \"\"")
        .err()
        .unwrap();
    assert!(
        fault.contains("transactions.columns.statuss: is not a column"),
        "{fault}"
    );
    assert!(
        fault.contains("transactions.columns.status: the name is empty"),
        "{fault}"
    );
}

/// docs/configuration.md has every key.
#[test]
fn the_document_of_the_configuration_has_every_key() {
    let example = include_str!("../example.toml");
    let settings = Settings::from_toml(&everything_on(example)).unwrap();
    let _ = echeck_service::telemetry::TelemetryConfig::read(&settings.root());
    let _ = rallypay_adapter::read_config(&settings);
    let table = settings.document(example);
    assert!(!table.contains("|  |\n"), "each key has words");
    echeck_test_servers::document::check_part("configuration.md", "rallypay-adapter", &table);
}
