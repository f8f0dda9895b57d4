//! What `--check` finds before anything is applied, and `--check --try` with one transfer.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{D, config, known, refuse_updates_of, rig_on};
use echeck_adapter::apply::Target;
use echeck_adapter::check::{TargetCheck, check, check_deeply};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::on_every_database;
use echeck_adapter::testing::AdapterRig;
use echeck_service::clock::{Clock as _, SystemClock};
use gateway_adapter::demo_schema;
use sqlx::{Connection as _, Executor as _, MySqlConnection};

on_every_database!(
    the_demonstration_passes_and_everything_can_be_tried_with_a_transfer,
    words_that_a_column_refuses_are_named_by_their_keys,
    what_fails_with_a_transfer_is_named_by_its_key,
    a_unique_column_that_all_reversals_fill_alike_is_a_fault,
);

async fn deeply(target: &Target, try_transfer: Option<&str>) -> TargetCheck {
    check_deeply(target, try_transfer, SystemClock.now()).await
}

/// The faults of a gateway with another schema.
async fn faults(dialect: Dialect, toml: &str, schema: &str) -> String {
    let rig = AdapterRig::on(dialect, schema, config(toml).unwrap().mapping).await;
    deeply(&rig.target, None).await.faults.join("\n")
}

fn replaced(schema: &str, from: &str, to: &str) -> String {
    assert!(schema.contains(from), "{from}");
    schema.replacen(from, to, 1)
}

async fn the_demonstration_passes_and_everything_can_be_tried_with_a_transfer(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    rig.sql(&known("TR1").sql()).await;
    let before = common::whole(&rig, "TR1").await;
    let found = deeply(&rig.target, Some("TR1")).await;
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    assert_eq!(
        found.tried,
        [
            "fail",
            "return",
            "restore a return",
            "reapply a return",
            "reverse",
            "release the reversal",
            "restore",
            "reapply",
            "release what was restored"
        ]
    );
    // A payout that came back is restored when its return is dishonored.
    rig.sql("UPDATE transfers SET type = 'CREDIT' WHERE id = 'TR1'")
        .await;
    let found = deeply(&rig.target, Some("TR1")).await;
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    assert_eq!(
        found.tried[..3],
        ["fail", "restore a payout", "take the payout back again"]
    );
    rig.sql("UPDATE transfers SET type = 'DEBIT' WHERE id = 'TR1'")
        .await;
    assert_eq!(common::whole(&rig, "TR1").await, before);
    assert_eq!(common::count(&rig, "1 = 1").await, "1");
    assert!(rig.progress(0, 1).await.cursor.is_none());
    let found = deeply(&rig.target, Some("TR9")).await;
    assert_eq!(found.faults, ["--try TR9: the target has no such transfer"]);
}

async fn words_that_a_column_refuses_are_named_by_their_keys(dialect: Dialect) {
    let toml = "[transfers.states]\nfailed = \"BROKEN\"\ncanceled = \"VOIDED\"\n\
                [transfers.types]\nreversal = \"UNDO\"\n\
                [transfers.reversal.set]\nstatement_descriptor = \"MUCH TOO LONG\"";
    let column = match dialect {
        Dialect::Mysql => "statement_descriptor VARCHAR(64)",
        Dialect::Postgres | Dialect::Sqlite => "statement_descriptor TEXT",
    };
    let schema = replaced(
        demo_schema(dialect),
        column,
        "statement_descriptor VARCHAR(9) CHECK (length(statement_descriptor) < 10)",
    );
    let rig = AdapterRig::on(dialect, &schema, config(toml).unwrap().mapping).await;
    let found = deeply(&rig.target, None).await;
    let faults = found.faults.join("\n");
    for begin in [
        "transfers.states.failed: column \"state\" of table \"transfers\" refuses \"BROKEN\" (CHECK",
        "transfers.types.reversal: column \"type\" of table \"transfers\" refuses \"UNDO\" (CHECK",
        "transfers.reversal.set.statement_descriptor: column \"statement_descriptor\" of table \
         \"transfers\" refuses \"MUCH TOO LONG\" (",
    ] {
        assert!(faults.contains(begin), "{begin}\nis not in\n{faults}");
    }
    assert_eq!(found.faults.len(), 3, "{faults}");
    let warning = "transfers.states.canceled: column \"state\" of table \"transfers\" can never be \
                   \"VOIDED\"";
    assert!(
        found.warnings[0].starts_with(warning),
        "{:?}",
        found.warnings
    );
    assert_eq!(found.warnings.len(), 1, "{:?}", found.warnings);
}

#[tokio::test]
async fn an_enum_without_a_configured_word_is_a_fault() {
    let states = "'PENDING', 'SUCCEEDED', 'CANCELED', 'RETURNED'";
    let mysql = demo_schema(Dialect::Mysql);
    let (from, _) = mysql.split_once("    amount ").unwrap();
    let (_, check) = from.split_once("    state ").unwrap();
    let mysql = mysql.replacen(check, &format!(" ENUM({states}) NOT NULL,\n"), 1);
    let postgres = demo_schema(Dialect::Postgres);
    let (from, _) = postgres.split_once("    amount ").unwrap();
    let (_, check) = from.split_once("    state ").unwrap();
    let postgres = postgres.replacen(check, " transfer_state NOT NULL,\n", 1);
    let postgres = format!("CREATE TYPE transfer_state AS ENUM ({states}); {postgres}");
    for (dialect, schema) in [(Dialect::Mysql, mysql), (Dialect::Postgres, postgres)] {
        let faults = faults(dialect, "", &schema).await;
        let message = "transfers.states.failed: column \"state\" of table \"transfers\" refuses \
                       \"FAILED\"";
        assert!(faults.starts_with(message), "{faults}");
        let faults = self::faults(dialect, "profile = \"rainforest\"", &schema).await;
        assert!(faults.starts_with(message), "{faults}");
        assert!(!faults.contains("transfers.states.returned"), "{faults}");
    }
}

async fn what_fails_with_a_transfer_is_named_by_its_key(dialect: Dialect) {
    let mut schema = demo_schema(dialect).to_owned();
    let end = schema.rfind("\n)").unwrap();
    schema.insert_str(
        end,
        ",\n    CONSTRAINT short_failure_code CHECK (parent_id IS NULL OR state <> 'FAILED' OR \
         length(failure_code) = 2)",
    );
    let rig = AdapterRig::on(dialect, &schema, config("").unwrap().mapping).await;
    rig.sql(&D::on_any("TR0").sql()).await;
    let refund = D::on_any("TR1")
        .set("type", "'REVERSAL'")
        .set("parent_id", "'TR0'");
    rig.sql(&refund.sql()).await;
    let found = deeply(&rig.target, Some("TR1")).await;
    let faults = found.faults.join("\n");
    let message = "--try TR1: fail: transfers.columns.failure_code: the target database refused: ";
    assert!(faults.starts_with(message), "{faults}");
    // The default profile shows a return as FAILED too.
    assert!(
        faults.contains("--try TR1: return: transfers.columns.failure_code"),
        "{faults}"
    );
    assert!(
        faults.contains("(not tried because of it: restore a return, reapply a return)"),
        "{faults}"
    );
    assert_eq!(found.faults.len(), 2, "{faults}");
    assert_eq!(found.tried[0], "reverse");

    rig.sql(&refuse_updates_of(dialect, "TR1")).await;
    let found = deeply(&rig.target, Some("TR1")).await;
    assert_eq!(found.faults.len(), 3, "{:?}", found.faults);
    assert!(found.faults[2].contains("reverse: the target database refused: is frozen"));
    assert_eq!(
        rig.rows("SELECT id FROM transfers ORDER BY id").await,
        ["TR0", "TR1"]
    );
}

async fn a_unique_column_that_all_reversals_fill_alike_is_a_fault(dialect: Dialect) {
    for filled in [
        "[transfers.reversal.set]\nidempotency_id = \"none\"",
        "[transfers.reversal]\ncopy = [\"idempotency_id\"]",
    ] {
        let rig = rig_on(dialect, filled).await;
        let faults = check(&rig.target).await.faults;
        assert_eq!(faults.len(), 1, "{faults:?}");
        let message = "the unique key on \"idempotency_id\" refuses a reversal";
        assert!(faults[0].starts_with("transfers.reversal."), "{faults:?}");
        assert!(faults[0].contains(message), "{faults:?}");
    }
}

#[tokio::test]
async fn two_keys_on_one_column_are_a_fault_but_for_lookups() {
    let rig = rig_on(
        Dialect::Sqlite,
        "[transfers.columns]\nfailure_message = \"failure_code\"\npayment_id = \"trace_id\"\n\
         deposit_id = \"ready_to_settle_at\"",
    )
    .await;
    let faults = check(&rig.target).await.faults;
    assert_eq!(
        faults,
        [
            "transfers.columns.failure_message: column \"failure_code\" of table \"transfers\" is \
             also that of transfers.columns.failure_code; name another one",
            "transfers.columns.deposit_id: column \"ready_to_settle_at\" of table \"transfers\" is \
             also that of transfers.columns.ready_to_settle_at; name another one",
        ]
    );
    let rig = rig_on(
        Dialect::Sqlite,
        "[transfers.reversal]\ncopy = [\"fee\", \"fee\"]",
    )
    .await;
    let faults = check(&rig.target).await.faults;
    assert_eq!(
        faults,
        [
            "transfers.reversal.copy: column \"fee\" of table \"transfers\" is named twice; name it once"
        ]
    );
}

#[tokio::test]
async fn a_key_that_cannot_hold_the_ids_of_reversals_is_a_fault() {
    let postgres = replaced(
        demo_schema(Dialect::Postgres),
        "trace_id             TEXT",
        "trace_id             BIGINT",
    );
    let mysql = replaced(
        demo_schema(Dialect::Mysql),
        "    id                   VARCHAR(64)",
        "    id                   VARCHAR(20)",
    );
    let mysql = replaced(
        &mysql,
        "parent_id            VARCHAR(64)",
        "parent_id VARCHAR(20)",
    );
    let found = faults(Dialect::Postgres, "", &postgres).await;
    let message = "transfers.columns.trace_id: column \"trace_id\" of table \"transfers\" is \
                   declared \"bigint\" and cannot hold the ids of new transfers, such as FNX01";
    assert!(found.starts_with(message), "{found}");
    let found = faults(Dialect::Mysql, "", &mysql).await;
    for key in ["id", "parent_id"] {
        let message =
            format!("transfers.columns.{key}: column \"{key}\" of table \"transfers\" is");
        assert!(found.contains(&message), "{found}");
    }
    assert_eq!(found.lines().count(), 2, "{found}");
}

/// The same database to an account that was given these rights.
async fn as_account(rig: &AdapterRig, dialect: Dialect, grants: &[&str]) -> Target {
    let url = rig.url();
    let (_, database) = url.rsplit_once('/').unwrap();
    let user = format!("u{}", &database[1..12]);
    let (_, place) = url.split_once('@').unwrap();
    let (create, name, scheme) = match dialect {
        Dialect::Mysql => (
            format!("CREATE USER '{user}'@'127.0.0.1' IDENTIFIED BY 'pw'"),
            format!("'{user}'@'127.0.0.1'"),
            "mysql",
        ),
        Dialect::Postgres | Dialect::Sqlite => (
            format!("CREATE ROLE {user} LOGIN"),
            user.clone(),
            "postgres",
        ),
    };
    rig.sql(&create).await;
    for grant in grants {
        rig.sql(&grant.replace("USER", &name)).await;
    }
    let toml = format!("[target]\nurl = \"{scheme}://{user}:pw@{place}\"");
    let config = config(&toml).unwrap();
    let database = config.target.open().await.unwrap();
    Target::new(database, config.mapping, "test".to_owned())
}

const OWN: [&str; 2] = [
    "GRANT SELECT, INSERT, UPDATE ON echeck_cursor TO USER",
    "GRANT SELECT, INSERT, UPDATE ON echeck_identity TO USER",
];

#[tokio::test]
async fn an_account_that_may_only_read_is_a_fault_by_key() {
    for dialect in [Dialect::Postgres, Dialect::Mysql] {
        let rig = rig_on(dialect, "").await;
        let grants = ["GRANT SELECT ON transfers TO USER", OWN[0], OWN[1]];
        let target = as_account(&rig, dialect, &grants).await;
        let faults = deeply(&target, None).await.faults.join("\n");
        for message in [
            "transfers.columns.state: the account lacks the right to UPDATE column \"state\" of \
             table \"transfers\"",
            "transfers.columns.id: the account lacks the right to INSERT column \"id\"",
        ] {
            assert!(faults.contains(message), "{message}\nis not in\n{faults}");
        }
    }
}

#[tokio::test]
async fn an_account_whose_transactions_are_read_only_is_a_fault() {
    let rig = rig_on(Dialect::Postgres, "").await;
    let all = "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO USER";
    let read_only = "ALTER ROLE USER SET default_transaction_read_only = on";
    let target = as_account(&rig, Dialect::Postgres, &[all, read_only]).await;
    let faults = deeply(&target, None).await.faults.join("\n");
    let message =
        "the target database is read-only: cannot execute UPDATE in a read-only transaction";
    assert!(faults.contains(message), "{faults}");
}

#[tokio::test]
async fn row_level_security_is_a_fault_unless_a_policy_shows_every_row() {
    let rig = rig_on(Dialect::Postgres, "").await;
    let all = "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO USER";
    let target = as_account(&rig, Dialect::Postgres, &[all]).await;
    assert!(deeply(&target, None).await.faults.is_empty());
    rig.sql("ALTER TABLE transfers ENABLE ROW LEVEL SECURITY")
        .await;
    rig.sql("CREATE POLICY few_rows ON transfers USING (amount < 1000)")
        .await;
    let faults = deeply(&target, None).await.faults;
    assert!(
        faults[0].contains("row-level security of table \"transfers\" hides rows"),
        "{faults:?}"
    );
    rig.sql("CREATE POLICY every_row ON transfers USING (true)")
        .await;
    let faults = deeply(&target, None).await.faults;
    assert!(faults.is_empty(), "{faults:?}");
}

#[tokio::test]
async fn the_program_tries_a_transfer_and_says_so() {
    let rig = rig_on(Dialect::Sqlite, "").await;
    rig.sql(&D::new("TR1").sql()).await;
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway-adapter"));
        let command = command
            .args(arguments)
            .env("ECHECK__TARGET__URL", rig.url());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    let (ok, said) = run(&["--check", "--try", "TR1"]);
    assert!(
        ok && said.contains("ok: tried and rolled back: fail, return,"),
        "{said}"
    );
    let (ok, said) = run(&["--check", "--try", "TR2"]);
    assert!(
        !ok && said.contains("--try TR2: the target has no such transfer"),
        "{said}"
    );
    let (ok, said) = run(&["--try", "TR1"]);
    assert!(!ok && said.contains("--check"), "{said}");
    assert_eq!(rig.one("SELECT state FROM transfers").await, "SUCCEEDED");
}

/// A server of its own, killed when the test is over.
struct StatementLogger(Child);

impl Drop for StatementLogger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_server_that_logs_statements_is_a_fault() {
    let keeper = rig_on(Dialect::Sqlite, "").await;
    let at = |name: &str| keeper.beside(name).display().to_string();
    let datadir = format!("--datadir={}", at("maria"));
    let installed = Command::new("mariadb-install-db")
        .args(["--no-defaults", "--auth-root-authentication-method=normal"])
        .args(["--skip-test-db", "--user=root", &datadir])
        .output()
        .unwrap();
    assert!(installed.status.success(), "{installed:?}");
    let user = "'echeck'@'127.0.0.1'";
    let setup = format!(
        "CREATE DATABASE core;\nCREATE USER {user} IDENTIFIED BY 'pw';\nGRANT ALL ON *.* TO {user};\n"
    );
    std::fs::write(at("init.sql"), setup).unwrap();
    let port = echeck_test_servers::port();
    let server = Command::new("mariadbd")
        .args([
            "--no-defaults",
            "--user=root",
            "--bind-address=127.0.0.1",
            &datadir,
        ])
        .arg(format!("--port={port}"))
        .arg(format!("--socket={}", at("sock")))
        .arg(format!("--pid-file={}", at("pid")))
        .arg(format!("--init-file={}", at("init.sql")))
        .args([
            "--log-bin=logged",
            "--server-id=1",
            "--binlog-format=STATEMENT",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = StatementLogger(server);
    let url = format!("mysql://echeck:pw@127.0.0.1:{port}/core");
    let connecting = async {
        loop {
            match MySqlConnection::connect(&url).await {
                Ok(connection) => return connection,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let connecting = tokio::time::timeout(Duration::from_secs(60), connecting);
    let mut owner = connecting.await.unwrap();
    owner.execute(demo_schema(Dialect::Mysql)).await.unwrap();
    let config = config(&format!("[target]\nurl = \"{url}\"")).unwrap();
    let database = config.target.open().await.unwrap();
    let target = Target::new(database, config.mapping, "test".to_owned());
    let faults = deeply(&target, None).await.faults.join("\n");
    let message = "the account cannot write to table \"transfers\": binlog_format is STATEMENT";
    assert!(faults.contains(message), "{faults}");
}
