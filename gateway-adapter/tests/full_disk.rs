//! A disk that takes no more in the middle of a batch: the real binary, which may not write
//! beyond a few hundred kilobytes of any file.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{D, rig};
use echeck_adapter::testing::{AdapterRig, Journal, reverse};
use echeck_proto::adapter::v1::GetProgressRequest;
use echeck_proto::adapter::v1::adapter_service_client::AdapterServiceClient;
use tonic::Code;
use tonic::transport::Channel;

/// An adapter as a process, killed when the test is over.
struct Adapter {
    process: Child,
    client: AdapterServiceClient<Channel>,
}

impl Drop for Adapter {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `limits` are commands of the shell that becomes the adapter.
async fn start(rig: &AdapterRig, limits: &str) -> Adapter {
    let address = format!("127.0.0.1:{}", echeck_test_servers::port());
    let program = env!("CARGO_BIN_EXE_gateway-adapter");
    let process = Command::new("bash")
        .args(["-c", &format!("{limits} exec {program}")])
        .env("ECHECK__TARGET__URL", rig.url())
        .env("ECHECK__SERVER__LISTEN", &address)
        .env("ECHECK__ACCESS__ANONYMOUS_ROLES", "adapter_client")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let url = format!("http://{address}");
    let connecting = async {
        loop {
            match AdapterServiceClient::connect(url.clone()).await {
                Ok(client) => return client,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let client = tokio::time::timeout(Duration::from_secs(30), connecting)
        .await
        .unwrap();
    Adapter { process, client }
}

const REVERSALS: &str = "SELECT count(*) FROM transfers WHERE type = 'REVERSAL'";

#[tokio::test]
async fn a_full_disk_leaves_nothing_half_applied_and_the_batch_continues_once_there_is_room() {
    let rig = rig("").await;
    rig.claim_for("gateway").await;
    let rows: Vec<String> = (0..2_000)
        .map(|number| D::new(&format!("TR{number:04}")).sql())
        .collect();
    rig.sql(&format!("BEGIN; {} COMMIT", rows.join(" "))).await;
    let batch = Journal::default()
        .changes((0..2_000).map(|number| reverse(&format!("TR{number:04}"), 500, None)));

    let mut full = start(&rig, "trap '' XFSZ; ulimit -f 256;").await;
    let refused = full.client.apply_updates(batch.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    assert!(refused.message().contains("disk"), "{}", refused.message());
    let progress = full
        .client
        .get_progress(GetProgressRequest::default())
        .await;
    assert!(progress.unwrap().into_inner().cursor.is_none());
    drop(full);
    assert_eq!(rig.one(REVERSALS).await, "0");
    assert_eq!(
        rig.one("SELECT count(*) FROM transfers WHERE updated_at > '2026-03'")
            .await,
        "0"
    );

    let mut roomy = start(&rig, "").await;
    let applied = roomy
        .client
        .apply_updates(batch)
        .await
        .unwrap()
        .into_inner();
    assert!(applied.exceptions.is_empty(), "{:?}", applied.exceptions);
    assert_eq!(rig.one(REVERSALS).await, "2000");
}
