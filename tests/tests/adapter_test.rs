//! `echeck adapter-test` on the two real adapters.

use std::path::Path;
use std::process::{Command, Output};

use echeck::database::DatabaseArguments;
use echeck::stack::DataFolder;
use echeck_tests::{Fleet, Process, binary, connect, port, serve};
use sqlx::SqlitePool;

const PAYMENTS: [&str; 4] = ["TR1", "TR2", "TR3", "TR4"];
const FUNDED: &str = "TR5";

/// Two databases with pending payments, and one that is funded.
async fn databases(folder: &Path) -> DataFolder {
    let data = DataFolder::open(folder, &DatabaseArguments::default())
        .await
        .unwrap();
    let gateway = SqlitePool::connect(data.gateway().url()).await.unwrap();
    let rallypay = SqlitePool::connect(data.rallypay().url()).await.unwrap();
    let pending = PAYMENTS.map(|id| (id, "PENDING"));
    for (id, state) in pending.into_iter().chain([(FUNDED, "SUCCEEDED")]) {
        sqlx::query(
            "INSERT INTO transfers (id, type, state, amount, application, merchant_identity, \
             created_at, updated_at) VALUES (?, 'DEBIT', ?, 5000, 'AP', 'ID', '2026-01-05', \
             '2026-01-05')",
        )
        .bind(id)
        .bind(state)
        .execute(&gateway)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO transactions (transfer_id, amount_cents, status, created_at, updated_at) \
             VALUES (?, 5000, ?, '2026-01-05', '2026-01-05')",
        )
        .bind(id)
        .bind(state.to_ascii_lowercase())
        .execute(&rallypay)
        .await
        .unwrap();
    }
    data
}

async fn start(name: &str, folder: &Path, url: &str) -> (Process, u16) {
    let port = port();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\n[access]\nanonymous_roles = [\"adapter_client\"]\n\
         [target]\nurl = {url:?}\n"
    );
    let process = serve(name, folder, &config);
    connect(port).await;
    (process, port)
}

fn adapter_test(port: u16, payments: &[&str], funded: Option<&str>, home: &Path) -> Output {
    let mut command = Command::new(binary("echeck"));
    command
        .arg("adapter-test")
        .arg(format!("127.0.0.1:{port}"))
        .env("ECHECK_CONFIG_HOME", home);
    for payment in payments {
        command.args(["--payment", payment]);
    }
    command.args(funded.map(|id| format!("--funded={id}")));
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_adapters_keep_what_every_adapter_promises() {
    let folder = tempfile::tempdir().unwrap();
    let data = databases(folder.path()).await;
    for (name, url) in [
        ("gateway-adapter", data.gateway().url()),
        ("rallypay-adapter", data.rallypay().url()),
    ] {
        let (_process, port) = start(name, folder.path(), url).await;
        let tried = adapter_test(port, &PAYMENTS, Some(FUNDED), folder.path());
        let said = String::from_utf8_lossy(&tried.stdout);
        assert_eq!(tried.status.code(), Some(0), "{name}: {said}{tried:?}");
        assert_eq!(said.matches('✓').count(), 17, "{name}: {said}");
        // The payments are used up, and a second run says so.
        let again = adapter_test(port, &PAYMENTS[..1], None, folder.path());
        let said = String::from_utf8_lossy(&again.stdout);
        assert_eq!(again.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains("1 case does not hold"), "{name}: {said}");
        assert!(said.contains("4 cases were left out"), "{name}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_of_an_installation_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(folder.path(), |program| match program {
        "returns-service" => "[sources.bank]\nformat = \"nacha\"\n".to_owned(),
        _ => String::new(),
    })
    .await;
    fleet.connect().await;
    let gateway = SqlitePool::connect(fleet.data.gateway().url())
        .await
        .unwrap();
    echeck_tests::eventually("the gateway is claimed", || async {
        let claimed = sqlx::query("SELECT 1 FROM echeck_identity");
        claimed
            .fetch_optional(&gateway)
            .await
            .is_ok_and(|row| row.is_some())
    })
    .await;
    // A second adapter in front of the same database, which has the name of the first.
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    let (_process, port) = start("gateway-adapter", &copy, fleet.data.gateway().url()).await;
    let refused = adapter_test(port, &[], None, folder.path());
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("is left alone"), "{said}");
}
