//! The returns database on PostgreSQL with a synchronous standby, which takes over.

use std::collections::BTreeSet;

use echeck_proto::returns::v1 as proto;
use echeck_test_servers::own_postgres::OwnPostgres;
use echeck_test_servers::proxy::Proxy;
use echeck_tests::{Payment, World, Worldpay, eventually};

const RETURNS: usize = 600;

/// What leads to the primary: a name, an address, a proxy. Here it is the last.
fn at(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_in_the_middle_of_an_import_loses_nothing_and_repeats_nothing() {
    let primary = OwnPostgres::new();
    primary.start();
    let standby = primary.synchronous_standby();
    let proxy = Proxy::start(primary.port());
    let world = World::start_with(|options| {
        options.databases.returns_db = Some(at(proxy.port()));
        options.returns.push_str("\n[import]\nbatch_size = 5\n");
    })
    .await;
    let mut file = Worldpay::new();
    for number in 0..RETURNS {
        let id = format!("TR{number}");
        world.add(Payment::debit(&id)).await;
        file = file.returned(&id, "R01").case_id(&format!("C{number}"));
    }
    let sent = world
        .send(
            "worldpay_returns",
            "r.csv",
            file,
            proto::WaitLevel::Unspecified,
        )
        .await;
    let import_id = sent.unwrap().file_import.unwrap().import_id;
    eventually("the import is on its way", || async {
        world.journal_length().await >= 50
    })
    .await;
    primary.cut();
    standby.promote();
    proxy.turn_to(standby.port());

    let imported = || async {
        let ask = proto::GetImportRequest {
            import_id: import_id.clone(),
        };
        let answer = world.client.clone().get_import(ask).await;
        answer.is_ok_and(|found| {
            let import = found.into_inner().file_import.unwrap();
            import.state() == proto::ImportState::Applied
        })
    };
    assert!(!imported().await, "the import ended before the failover");
    eventually("the import has ended on the new primary", imported).await;
    assert_eq!(world.journal_length().await, RETURNS as u64);
    let undone = sqlx::query_scalar::<_, String>(
        "SELECT parent_id FROM transfers WHERE parent_id IS NOT NULL",
    )
    .fetch_all(&world.gateway)
    .await
    .unwrap();
    assert_eq!(undone.len(), RETURNS, "a reversal for each return");
    assert_eq!(undone.iter().collect::<BTreeSet<_>>().len(), RETURNS);
    let returned: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM transactions WHERE status = 'returned'")
            .fetch_one(&world.rallypay)
            .await
            .unwrap();
    assert_eq!(returned, RETURNS as i64);
    let verdict = world.verdict().await;
    assert!(verdict.sound && verdict.missing.is_empty(), "{verdict:?}");
}

/// An old primary that comes back must not be taken for the new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_refused_as_returns_database() {
    let primary = OwnPostgres::new();
    primary.start();
    let standby = primary.synchronous_standby();
    let folder = tempfile::tempdir().unwrap();
    let mut options = echeck::stack::StackOptions::new(folder.path(), echeck::stack::Ports::ANY);
    options.databases.returns_db = Some(standby.url());
    let Err(refused) = echeck::stack::Stack::start(&options).await else {
        panic!("it was taken");
    };
    let said = format!("{refused:#}");
    assert!(said.contains("it is a standby"), "{said}");
}
