//! The adapter as it runs: started from a configuration, called over the network.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{D, config};
use echeck_adapter::config::AdapterConfig;
use echeck_adapter::dialect::Dialect;
use echeck_adapter::serve::{AdapterRunError, check_only, run};
use echeck_adapter::testing::{AdapterRig, Journal, fail, reason_of};
use echeck_proto::adapter::v1::adapter_service_client::AdapterServiceClient;
use echeck_proto::adapter::v1::{
    CheckTargetRequest, FundingPolicy, GetProgressRequest, LookupTransfersRequest, TransferKey,
    TransferState,
};
use echeck_service::clock::{Clock as _, Clocks, SystemClock};
use echeck_test_servers::proxy::Proxy;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Channel;

fn configured(rig: &AdapterRig, more: &str) -> AdapterConfig {
    let path = rig.path();
    let target = format!("[target]\nurl = \"sqlite://{}\"\n", path.display());
    config(&format!(
        "{target}{more}\n[access]\nanonymous_roles = \"admin,adapter_client\"\n[server]\nlisten = \"127.0.0.1:0\""
    ))
    .unwrap()
}

/// Waits for the address, and fails with the adapter's own error if it does not start.
async fn start(
    config: AdapterConfig,
    shutdown: CancellationToken,
) -> (
    SocketAddr,
    tokio::task::JoinHandle<Result<(), AdapterRunError>>,
) {
    let (bound, address) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(run(config, Clocks::of_machine(), shutdown, |at| {
        bound.send(at).unwrap();
    }));
    (address.await.unwrap(), running)
}

#[tokio::test]
async fn a_batch_is_applied_over_the_network() {
    let rig = common::rig("").await;
    rig.claim_for("gateway").await;
    rig.sql("DROP TABLE echeck_cursor; DROP TABLE echeck_exceptions")
        .await;
    rig.sql(&D::new("TR1").sql()).await;
    let shutdown = CancellationToken::new();
    let (address, running) = start(configured(&rig, ""), shutdown.clone()).await;
    let mut client: AdapterServiceClient<Channel> =
        AdapterServiceClient::connect(format!("http://{address}"))
            .await
            .unwrap();

    let checked = client
        .check_target(CheckTargetRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert!(checked.ok, "{:?}", checked.faults);
    assert_eq!(checked.profile, "finix");
    assert_eq!(checked.funding_policy(), FundingPolicy::State);
    assert!(checked.target.starts_with("sqlite /") && checked.target.ends_with("target.db"));
    assert!(checked.database_version.starts_with("SQLite 3."));
    assert!(checked.database_time.unwrap().seconds > 1_700_000_000);

    let keys = vec![TransferKey {
        kind: 1,
        value: "TR1".into(),
    }];
    let found = client
        .lookup_transfers(LookupTransfersRequest {
            keys,
            identity: None,
        })
        .await
        .unwrap();
    assert_eq!(found.into_inner().matches[0].transfers[0].amount_minor, 500);

    let mut journal = Journal::default();
    let batch = journal.changes([
        fail("TR1", TransferState::Succeeded),
        fail("TR9", TransferState::Pending),
    ]);
    let applied = client
        .apply_updates(batch.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(applied.exceptions.len(), 1);
    let again = client.apply_updates(batch).await.unwrap_err();
    assert_eq!(
        (again.code(), reason_of(&again)),
        (Code::FailedPrecondition, "CURSOR_MISMATCH".into())
    );
    let progress = client
        .get_progress(GetProgressRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(progress.cursor, applied.cursor);
    assert_eq!(progress.exceptions, applied.exceptions);
    assert_eq!(rig.one("SELECT state FROM transfers").await, "FAILED");
    assert_eq!(
        rig.one("SELECT adapter FROM echeck_cursor").await,
        "gateway"
    );

    let bad = client
        .apply_updates(Journal::default().batch(vec![]))
        .await
        .unwrap_err();
    assert_eq!(
        (bad.code(), reason_of(&bad)),
        (Code::InvalidArgument, "INVALID_REQUEST".into())
    );
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_full_batch_with_the_acquirers_rows_fits_through_the_network() {
    let rig = common::rig("").await;
    rig.claim_for("gateway").await;
    let shutdown = CancellationToken::new();
    let (address, running) = start(configured(&rig, ""), shutdown.clone()).await;
    let mut client = AdapterServiceClient::connect(format!("http://{address}"))
        .await
        .unwrap();
    let mut journal = Journal::default();
    let changes = (0..10_000).map(|n| {
        let mut change = fail(&format!("TR{n}"), TransferState::Pending);
        if let echeck_proto::adapter::v1::step::Change::FailTransfer(fail) = &mut change {
            fail.raw_json = format!("\"{}\"", "x".repeat(600));
        }
        change
    });
    let applied = client
        .apply_updates(journal.changes(changes))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(applied.cursor.unwrap().position, 10_000);
    assert_eq!(applied.exceptions.len(), 10_000);
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_mapping_that_does_not_fit_stops_the_start() {
    let rig = common::rig("").await;
    let config = configured(
        &rig,
        "[transfers.columns]\nstate = \"status\"\nfee = \"fees\"",
    );
    let outcome = run(
        config,
        Clocks::of_machine(),
        CancellationToken::new(),
        |_| {
            panic!("it must not listen");
        },
    )
    .await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("has no column \"status\"") && error.contains("no column \"fees\""));
}

#[tokio::test]
async fn a_check_changes_nothing_and_names_the_tables_that_will_be_created() {
    let rig = common::rig("").await;
    rig.sql("DROP TABLE echeck_cursor").await;
    let mut config = configured(&rig, "");
    let report = check_only(&config, None, SystemClock.now()).await.unwrap();
    assert_eq!(report.missing_tables, ["echeck_cursor"]);
    assert!(
        rig.rows("SELECT 1 FROM sqlite_schema WHERE name = 'echeck_cursor'")
            .await
            .is_empty()
    );

    config.target.create_tables = false;
    let checked = check_only(&config, None, SystemClock.now()).await;
    let error = checked.unwrap_err().to_string();
    assert!(
        error.contains("own tables are missing in the target: echeck_cursor"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_whose_server_is_away_serves_says_so_and_works_once_it_answers() {
    let rig = common::rig_on(Dialect::Postgres, "").await;
    let (server, name) = rig.url().rsplit_once('/').map(owned).unwrap();
    let (server, port) = server.rsplit_once(':').unwrap();
    let proxy = Proxy::start(port.parse().unwrap());
    proxy.hold_up();
    let url = format!("{server}:{}/{name}", proxy.port());
    let toml = format!(
        "[target]\nurl = \"{url}\"\n[access]\nanonymous_roles = \"admin,adapter_client\"\n[server]\nlisten = \"127.0.0.1:0\"\n"
    );
    let shutdown = CancellationToken::new();
    let (address, running) = start(config(&toml).unwrap(), shutdown.clone()).await;
    let mut client: AdapterServiceClient<Channel> =
        AdapterServiceClient::connect(format!("http://{address}"))
            .await
            .unwrap();
    let ask = CheckTargetRequest::default;
    let found = client.check_target(ask()).await.unwrap().into_inner();
    let says = |fault: &String| fault.contains("no answer within");
    assert!(!found.ok && found.faults.iter().any(says), "{found:?}");
    proxy.pass();
    let waiting = async {
        while !client.check_target(ask()).await.unwrap().into_inner().ok {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    waited.expect("the target is used once it answers");
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

fn owned((server, name): (&str, &str)) -> (String, String) {
    (server.to_owned(), name.to_owned())
}
