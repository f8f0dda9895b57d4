//! How many statements a read costs.

use echeck::database::DatabaseArguments;
use echeck_proto::returns::v1 as proto;
use echeck_tests::{Fleet, eventually};
use proto::get_transfer_request::Key;
use proto::returns_service_client::ReturnsServiceClient;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tonic::transport::Channel;

use crate::counted::{executed, executed_since, name_of};

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

    let names = [name_of(&returns), name_of(&gateway)];
    let before = executed(&names).await;
    for _ in 0..CALLS {
        assert!(is_found(&channel).await);
    }
    // What is executed less often belongs to the services themselves: a lease, a sign of life.
    let mut of_calls = executed_since(&names, &before).await;
    of_calls.retain(|(_, calls)| *calls >= CALLS);
    // The services execute some of the same statements for themselves.
    let of_a_call: i64 = of_calls.iter().map(|(_, calls)| calls / CALLS).sum();
    assert!(of_a_call > 0, "nothing was counted");
    assert!(of_a_call <= MOST_OF_A_CALL, "{of_calls:#?}");
}
