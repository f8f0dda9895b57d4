use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::*;

/// Waits until no connection is taken any more.
async fn stops_listening(running: &Running) {
    let refused = async {
        while TcpStream::connect(running.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within(Duration::from_secs(10), refused).await;
}

#[tokio::test]
async fn a_drain_takes_no_new_connections_and_lets_calls_end() {
    let running = start("drain_timeout_ms = 60000").await;
    let unary = call_aside(running.client().await, "slow");
    happens(&running.sample.entered).await;
    let response = running
        .client()
        .await
        .watch_import(watch("slow"))
        .await
        .unwrap();
    let mut messages = response.into_inner();
    assert!(messages.message().await.unwrap().is_some());
    happens(&running.sample.entered).await;

    running.shutdown.cancel();
    stops_listening(&running).await;
    assert!(!running.served.is_finished());

    running.sample.gate.add_permits(2);
    within(Duration::from_secs(10), unary)
        .await
        .unwrap()
        .unwrap();
    assert!(messages.message().await.unwrap().is_some());
    assert!(messages.message().await.unwrap().is_none());
    within(Duration::from_secs(10), running.served)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_drain_is_bounded_and_tells_the_callers_that_it_cuts() {
    let running = start("drain_timeout_ms = 300").await;
    let unary = call_aside(running.client().await, "slow");
    happens(&running.sample.entered).await;
    let response = running
        .client()
        .await
        .watch_import(watch("slow"))
        .await
        .unwrap();
    let mut messages = response.into_inner();
    assert!(messages.message().await.unwrap().is_some());

    let started = Instant::now();
    running.shutdown.cancel();
    within(Duration::from_secs(10), running.served)
        .await
        .unwrap()
        .unwrap();
    assert!(started.elapsed() >= Duration::from_millis(300));

    let cut = unary.await.unwrap().unwrap_err();
    assert_eq!(reason(&cut), because(Code::Unavailable, "SHUTTING_DOWN"));
    let cut = messages.message().await.unwrap_err();
    assert_eq!(reason(&cut), because(Code::Unavailable, "SHUTTING_DOWN"));
    happens(&running.sample.dropped).await;
    happens(&running.sample.dropped).await;
}

#[tokio::test]
async fn a_connection_that_never_says_anything_does_not_hold_up_the_end_for_ever() {
    let running = start("drain_timeout_ms = 200").await;
    let _silent = TcpStream::connect(running.address).await.unwrap();
    running
        .client()
        .await
        .get_transfer(ask("answer"))
        .await
        .unwrap();
    running.shutdown.cancel();
    within(Duration::from_secs(10), running.served)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let running = start("drain_timeout_ms = 60000").await;
    let mut client = running.client().await;
    client.get_transfer(ask("answer")).await.unwrap();
    running.shutdown.cancel();
    within(Duration::from_secs(10), running.served)
        .await
        .unwrap()
        .unwrap();
    client.get_transfer(ask("answer")).await.unwrap_err();
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let running = start("").await;
    let settings = Settings::from_toml("").unwrap();
    let address = running.address.to_string();
    let config = ServerConfig::read(&settings.root(), ServerDefaults::at(&address));
    let error = config.bind().await.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot listen on {}", running.address)),
        "{error}"
    );
}
