//! `echeck adapter init`, as the person who is to connect a database uses it.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::path::Path;
use std::process::{Command, Output};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

const APP: &str = "
    CREATE TABLE charges (
        id INTEGER PRIMARY KEY, status TEXT NOT NULL, amount INTEGER NOT NULL, kind TEXT NOT NULL);
    CREATE TABLE echeck_charges (
        id INTEGER PRIMARY KEY, status TEXT NOT NULL, amount INTEGER NOT NULL, kind TEXT NOT NULL);
    CREATE TABLE payments (
        id TEXT PRIMARY KEY, gateway_id TEXT UNIQUE, state TEXT NOT NULL, amount INTEGER NOT NULL,
        return_code TEXT, updated_at TEXT);
    INSERT INTO charges (status, amount, kind) VALUES ('paid', 500, 'debit'), ('new', 600, 'debit');
    INSERT INTO payments VALUES ('1', 'TR1', 'paid', 500, NULL, NULL), ('2', 'TR2', 'odd', 5, NULL, NULL)";

async fn database(folder: &Path) -> String {
    let path = folder.join("app.db");
    let options = SqliteConnectOptions::new().filename(&path);
    let options = options.create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(APP))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    format!("sqlite:{}", path.display())
}

fn echeck(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_echeck"))
        .current_dir(folder)
        .args(["adapter", "init"])
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_gateway_is_proposed_with_what_is_doubtful_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let url = database(folder.path()).await;
    let done = echeck(
        folder.path(),
        &["gateway", "--url", &url, "--table", "charges"],
    );
    let said = text(&done.stdout);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(
        said.starts_with("gateway-adapter.toml has a mapping for sqlite "),
        "{said}"
    );
    for line in [
        "- transfers.columns.own_id: the database numbers the rows;",
        "- transfers.columns.parent_id: no column links a reversal to its payment;",
        "- transfers.columns.own_id: table \"charges\" has no column \"return_key\"",
        "  gateway-adapter --config gateway-adapter.toml --check --try TRANSFER",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let file = std::fs::read_to_string(folder.path().join("gateway-adapter.toml")).unwrap();
    assert!(file.contains("succeeded = \"paid\""), "{file}");
    assert!(file.contains("pending = \"new\""), "{file}");

    let again = echeck(
        folder.path(),
        &["gateway", "--url", &url, "--table", "charges"],
    );
    assert_eq!(again.status.code(), Some(1));
    assert!(
        text(&again.stderr)
            .contains("gateway-adapter.toml cannot be written; it is never overwritten"),
        "{}",
        text(&again.stderr)
    );
}

#[tokio::test]
async fn a_fault_of_a_table_that_is_called_like_ours_is_not_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let url = database(folder.path()).await;
    let named = ["gateway", "--url", &url, "--table", "echeck_charges"];
    let said = text(&echeck(folder.path(), &named).stdout);
    let fault = "own_id: table \"echeck_charges\" has no column \"return_key\"";
    assert!(said.contains(fault), "{said}");
}

#[tokio::test]
async fn a_mirror_is_proposed_for_the_table_that_looks_most_like_one() {
    let folder = tempfile::tempdir().unwrap();
    let url = database(folder.path()).await;
    let file = folder.path().join("address");
    std::fs::write(&file, format!("{url}\n")).unwrap();
    let done = echeck(
        folder.path(),
        &[
            "mirror",
            "--url-file",
            "address",
            "--out",
            "app.toml",
            "--json",
        ],
    );
    let said: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(2), "{said}");
    let keys: Vec<&str> = said["doubts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|doubt| doubt["key"].as_str().unwrap())
        .collect();
    assert_eq!(
        keys,
        [
            "transactions.table",
            "transactions.columns.transfer_id",
            "transactions.statuses.open",
            "transactions.statuses.failed",
            "transactions.statuses.returned",
            "transactions.statuses.restored",
        ]
    );
    assert_eq!(said["faults"], serde_json::json!([]));
    let toml = std::fs::read_to_string(folder.path().join("app.toml")).unwrap();
    for line in [
        "url_file = \"address\"",
        "table = \"payments\"",
        "transfer_id = \"gateway_id\"",
        "failure_code = \"return_code\"",
        "returned_at = \"\"",
        "open = [\"paid\"]",
    ] {
        assert!(toml.contains(&format!("\n{line}\n")), "{line}: {toml}");
    }
}

#[test]
fn a_password_is_neither_written_nor_told() {
    let folder = tempfile::tempdir().unwrap();
    let url = "postgres://pay:hunter2@127.0.0.1:1/pay";
    let done = echeck(folder.path(), &["gateway", "--url", url]);
    assert_eq!(done.status.code(), Some(1));
    let said = text(&done.stdout) + &text(&done.stderr);
    assert!(said.contains("127.0.0.1:1"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    assert!(!folder.path().join("gateway-adapter.toml").exists());
}
