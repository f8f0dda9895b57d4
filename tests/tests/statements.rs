//! How many statements a read costs. Time depends on the machine, their number does not.

use echeck::database::DatabaseArguments;
use echeck_proto::returns::v1 as proto;
use echeck_tests::{Fleet, eventually};
use proto::get_transfer_request::Key;
use proto::returns_service_client::ReturnsServiceClient;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tonic::transport::Channel;

const CALLS: i64 = 100;

/// One of the returns database, and of the gateway's whether it is the right one, the transfer, and
/// its reversals.
const MOST_OF_A_CALL: i64 = 4;

async fn is_found(channel: &Channel) -> bool {
    let ask = proto::GetTransferRequest {
        key: Some(Key::TransferId("TR1".to_owned())),
        ..Default::default()
    };
    let mut client = ReturnsServiceClient::new(channel.clone());
    client.get_transfer(ask).await.is_ok()
}

/// What was executed in some databases, with how often.
async fn executed(databases: &[String]) -> Vec<(String, i64)> {
    let server = echeck_test_servers::server("ECHECK_TEST_POSTGRES");
    let mut owner = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .unwrap();
    // Another test may make it at this moment.
    let made = owner.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    let _ = made.await;
    sqlx::query_as(
        "SELECT d.datname || ': ' || s.query, SUM(s.calls)::bigint FROM pg_stat_statements s \
         JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = ANY($1) GROUP BY 1",
    )
    .bind(databases)
    .fetch_all(&mut owner)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn get_transfer_costs_four_statements() {
    let folder = tempfile::tempdir().unwrap();
    let (returns, gateway) = (
        echeck_test_servers::postgres().await,
        echeck_test_servers::postgres().await,
    );
    let databases = DatabaseArguments {
        returns_db: Some(returns.clone()),
        gateway_db: Some(gateway.clone()),
        ..Default::default()
    };
    let fleet = Fleet::start_on(folder.path(), &databases, |program| match program {
        "returns-service" => {
            "[sources.worldpay_returns]\nformat = \"worldpay_echeck_return\"\n".to_owned()
        }
        _ => String::new(),
    })
    .await;
    let mut owner = PgConnection::connect(&gateway).await.unwrap();
    owner
        .execute(
            "INSERT INTO transfers (id, type, state, amount, trace_id, payment_id, application, \
             merchant_identity, created_at, updated_at) VALUES ('TR1', 'DEBIT', 'SUCCEEDED', 5000, \
             'FNXTR1', '8399TR1', 'AP', 'ID', now(), now())",
        )
        .await
        .unwrap();
    let channel = fleet.connect().await;
    eventually("it is found", || is_found(&channel)).await;

    let names: Vec<String> = [&returns, &gateway]
        .iter()
        .filter_map(|url| Some(url.rsplit_once('/')?.1.to_owned()))
        .collect();
    let before: std::collections::HashMap<String, i64> =
        executed(&names).await.into_iter().collect();
    for _ in 0..CALLS {
        assert!(is_found(&channel).await);
    }
    // What is executed less often belongs to the services themselves: a lease, a sign of life.
    let of_calls: Vec<(String, i64)> = executed(&names)
        .await
        .into_iter()
        .map(|(sql, calls)| (sql.clone(), calls - before.get(&sql).copied().unwrap_or(0)))
        .filter(|(_, calls)| *calls >= CALLS)
        .collect();
    let calls: i64 = of_calls.iter().map(|(_, calls)| calls).sum();
    assert!(calls > 0, "nothing was counted");
    assert!(
        calls <= MOST_OF_A_CALL * CALLS + MOST_OF_A_CALL,
        "{of_calls:#?}"
    );
}
