use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use echeck_proto::returns::v1::get_transfer_request::Key;
use serde_json::Value;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::*;
use crate::telemetry::{LogFormat, lines as log_lines};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry};

#[tokio::test]
async fn a_message_over_the_limit_is_refused_as_out_of_range() {
    let running = start("max_message_bytes = 1024").await;
    let mut client = running.client().await;
    let long = |length| {
        let key = Some(Key::TransferId("x".repeat(length)));
        Request::new(GetTransferRequest {
            key,
            ..Default::default()
        })
    };
    client.get_transfer(long(1_000)).await.unwrap();
    let status = client.get_transfer(long(1_100)).await.unwrap_err();
    assert_eq!(reason(&status), because(Code::OutOfRange, "OUT_OF_RANGE"));
    assert!(status.message().contains("1024"), "{status}");
}

#[tokio::test]
async fn one_call_too_many_is_refused_at_once_but_health_still_answers() {
    let running = start("max_concurrent_calls = 2").await;
    let slow = [
        call_aside(running.client().await, "slow"),
        call_aside(running.client().await, "slow"),
    ];
    happens(&running.sample.entered).await;
    happens(&running.sample.entered).await;
    let mut client = running.client().await;
    let status = client.get_transfer(ask("answer")).await.unwrap_err();
    assert_eq!(
        reason(&status),
        because(Code::ResourceExhausted, "TOO_MANY_CALLS")
    );
    let mut health = HealthClient::new(running.channel().await);
    health.check(HealthCheckRequest::default()).await.unwrap();

    running.sample.gate.add_permits(2);
    for call in slow {
        call.await.unwrap().unwrap();
    }
    client.get_transfer(ask("answer")).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_gives_its_seat_back() {
    let running = start("max_concurrent_calls = 1").await;
    let slow = call_aside(running.client().await, "slow");
    happens(&running.sample.entered).await;
    slow.abort();
    happens(&running.sample.dropped).await;
    running
        .client()
        .await
        .get_transfer(ask("answer"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_panic_fails_its_own_call_and_nothing_else() {
    let running = start("").await;
    let mut client = running.client().await;
    let other = call_aside(client.clone(), "slow");
    happens(&running.sample.entered).await;

    let status = client.get_transfer(ask("panic")).await.unwrap_err();
    assert_eq!(reason(&status), because(Code::Internal, "PANICKED"));
    assert!(status.message().contains("its log says where"), "{status}");

    let mut messages = client
        .watch_import(watch("panic"))
        .await
        .unwrap()
        .into_inner();
    assert!(messages.message().await.unwrap().is_some());
    happens(&running.sample.entered).await;
    running.sample.gate.add_permits(2);
    let status = messages.message().await.unwrap_err();
    assert_eq!(reason(&status), because(Code::Internal, "PANICKED"));

    within(Duration::from_secs(10), other)
        .await
        .unwrap()
        .unwrap();
    client.get_transfer(ask("answer")).await.unwrap();
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let running = start("").await;
    let mut client = echeck_proto::adapter::v1::adapter_service_client::AdapterServiceClient::new(
        running.channel().await,
    );
    let status = client
        .check_target(echeck_proto::adapter::v1::CheckTargetRequest::default())
        .await;
    assert_eq!(
        reason(&status.unwrap_err()),
        because(Code::Unimplemented, "UNIMPLEMENTED")
    );
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The lines that end a call.
    fn of_calls(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|line| line["status"].is_string())
            .collect()
    }
}

/// The runtime of this test has one thread, so that the log of the server is caught as well.
#[tokio::test]
async fn each_call_leaves_one_line_and_only_a_defect_is_a_warning() {
    let lines = Lines::default();
    let writer = lines.clone();
    let layer = log_lines(LogFormat::Json, move || writer.clone());
    let layer = layer.with_filter(EnvFilter::new("echeck_service=debug"));
    let _guard = tracing::subscriber::set_default(Registry::default().with(layer));

    let running = start("default_timeout_ms = 100").await;
    let mut client = running.client().await;
    client.get_transfer(ask("answer")).await.unwrap();
    client.get_transfer(ask("defect")).await.unwrap_err();
    client.get_transfer(ask("slow")).await.unwrap_err();
    let mut messages = client.watch_import(watch("")).await.unwrap().into_inner();
    messages.message().await.unwrap();
    assert_eq!(lines.of_calls().len(), 3, "the stream has not ended");
    happens(&running.sample.entered).await;
    drop(messages);
    happens(&running.sample.dropped).await;
    running.shutdown.cancel();
    within(Duration::from_secs(10), running.served)
        .await
        .unwrap()
        .unwrap();

    let found: Vec<_> = lines
        .of_calls()
        .iter()
        .map(|line| {
            assert!(
                line["peer"].as_str().unwrap().starts_with("127.0.0.1:"),
                "{line}"
            );
            assert!(line["duration_ms"].is_u64(), "{line}");
            ["method", "status", "severity", "reason"]
                .map(|field| line[field].as_str().unwrap_or("none").to_owned())
        })
        .collect();
    let unary = "/echeck.returns.v1.ReturnsService/GetTransfer";
    let stream = "/echeck.returns.v1.ReturnsService/WatchImport";
    assert_eq!(
        found,
        [
            [unary, "OK", "INFO", "none"],
            [unary, "INTERNAL", "WARN", "asked\nto fail"],
            [
                unary,
                "DEADLINE_EXCEEDED",
                "INFO",
                "the call did not end within 100 ms"
            ],
            [stream, "CANCELLED", "INFO", "the caller went away"],
        ]
    );
}
