//! The journal as a stream of the database server itself: a logical publication (docs/journal.md).

use echeck_test_servers::own_postgres::OwnPostgres;
use echeck_tests::{Payment, World, Worldpay, eventually};
use sqlx::{Connection as _, PgConnection};

/// A row as others see it.
type Row = (i64, Vec<u8>, String);

async fn rows(server: &OwnPostgres) -> Vec<Row> {
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::query_as("SELECT position, hash, payload FROM journal ORDER BY position")
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

/// The statements of docs/journal.md between its marks.
fn documented(part: &str) -> Vec<String> {
    let text = include_str!("../../docs/journal.md");
    let (_, after) = text.split_once(&format!("<!-- {part} -->")).unwrap();
    let block = after.trim_start_matches('\n').lines();
    let block: Vec<&str> = block.take_while(|line| line.starts_with("    ")).collect();
    let statements = block.join("\n");
    statements
        .split(';')
        .map(|one| one.trim().to_owned())
        .filter(|one| !one.is_empty())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_gets_each_row_of_the_journal_once_and_continues_where_it_was() {
    let server = OwnPostgres::new();
    let url = server.start();
    let world = World::start_with(|options| options.databases.returns_db = Some(url)).await;
    for id in ["TR1", "TR2", "TR3"] {
        world.add(Payment::debit(id)).await;
    }
    let first = Worldpay::new().returned("TR1", "R01");
    world.import("worldpay_returns", "1.csv", first).await;

    for statement in documented("publisher") {
        server.execute(&statement);
    }
    let consumer = OwnPostgres::new();
    consumer.start();
    for statement in documented("subscriber") {
        let publisher = format!(
            "host=127.0.0.1 port={} user=postgres dbname=postgres",
            server.port()
        );
        consumer.execute(&statement.replace(
            "host=returns-db dbname=returns user=echeck_reader",
            &publisher,
        ));
    }
    eventually("the row from before is there", || async {
        rows(&consumer).await.len() == 1
    })
    .await;

    consumer.execute("ALTER SUBSCRIPTION echeck_journal DISABLE");
    let second = Worldpay::new()
        .returned("TR2", "R02")
        .returned("TR3", "R03");
    world.import("worldpay_returns", "2.csv", second).await;
    consumer.execute("ALTER SUBSCRIPTION echeck_journal ENABLE");
    eventually("the rows from meanwhile are there", || async {
        rows(&consumer).await.len() == 3
    })
    .await;
    assert_eq!(rows(&consumer).await, rows(&server).await);
    consumer.execute("DROP SUBSCRIPTION echeck_journal");
}
