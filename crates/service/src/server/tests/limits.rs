//! What one peer cannot take from others: seats, and connections.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::stream;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::*;

impl Running {
    /// A client at another address of this machine.
    async fn neighbor(&self) -> ReturnsServiceClient<Channel> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        let elsewhere = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        let channel = endpoint.local_address(Some(elsewhere)).connect().await;
        ReturnsServiceClient::new(channel.unwrap())
    }
}

fn assert_refused(status: &Status, whose: &str) {
    assert_eq!(
        reason(status),
        because(Code::ResourceExhausted, "TOO_MANY_CALLS")
    );
    assert!(status.message().starts_with(whose), "{status}");
}

/// What comes from the server until it closes the connection.
async fn heard(mut socket: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // One that the server resets has ended too.
    let _ = within(Duration::from_secs(10), socket.read_to_end(&mut bytes)).await;
    bytes
}

#[tokio::test]
async fn one_address_gets_a_part_of_the_seats_and_others_the_rest() {
    let running = start("max_calls_per_peer = 4").await;
    let mut client = running.client().await;
    let mut slow = vec![];
    for _ in 0..2 {
        slow.push(call_aside(client.clone(), "slow"));
        happens(&running.sample.entered).await;
    }
    let status = client.get_transfer(ask("answer")).await.unwrap_err();
    assert_refused(
        &status,
        "this method, called from your address, already has 2",
    );
    let mut streams = vec![];
    for _ in 0..2 {
        let response = client.watch_import(watch("slow")).await.unwrap();
        streams.push(response.into_inner());
    }
    let status = client.import_file(stream::empty()).await.unwrap_err();
    assert_refused(&status, "your address already has 4");

    let mut neighbor = running.neighbor().await;
    neighbor.get_transfer(ask("answer")).await.unwrap();
    drop(streams);
    running.sample.gate.add_permits(4);
    for call in slow {
        call.await.unwrap().unwrap();
    }
    client.get_transfer(ask("answer")).await.unwrap();
}

#[tokio::test]
async fn one_method_leaves_seats_to_the_others() {
    let running = start("max_calls_per_method = 1").await;
    let slow = call_aside(running.client().await, "slow");
    happens(&running.sample.entered).await;
    let mut neighbor = running.neighbor().await;
    let status = neighbor.get_transfer(ask("answer")).await.unwrap_err();
    assert_refused(&status, "this method already has 1");
    neighbor.import_file(stream::empty()).await.unwrap();
    running.sample.gate.add_permits(1);
    slow.await.unwrap().unwrap();
}

#[tokio::test]
async fn health_has_seats_of_its_own_and_those_who_watch_leave_some() {
    let running = start("max_concurrent_calls = 1\nmax_health_calls = 4").await;
    let _slow = call_aside(running.client().await, "slow");
    happens(&running.sample.entered).await;
    let mut health = HealthClient::new(running.channel().await);
    let _watching = health.watch(HealthCheckRequest::default()).await.unwrap();
    let status = health.watch(HealthCheckRequest::default()).await;
    assert_refused(
        &status.unwrap_err(),
        "this method, called from your address,",
    );
    health.check(HealthCheckRequest::default()).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_sends_nothing_more_gives_its_seat_back() {
    let running = start("message_timeout_ms = 200\nmax_concurrent_calls = 1").await;
    let mut client = running.client().await;
    let status = client.import_file(stream::pending()).await.unwrap_err();
    assert_eq!(
        reason(&status),
        because(Code::DeadlineExceeded, "MESSAGE_TIMEOUT")
    );
    assert!(status.message().contains("within 200 ms"), "{status}");
    happens(&running.sample.dropped).await;
    client.get_transfer(ask("answer")).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_does_not_begin_is_closed() {
    let running = start("handshake_timeout_ms = 200").await;
    let silent = TcpStream::connect(running.address).await.unwrap();
    heard(silent).await;
    // One that has begun stays, however long it says nothing.
    let mut client = running.client().await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    client.get_transfer(ask("answer")).await.unwrap();
}

#[tokio::test]
async fn a_silent_connection_makes_room_for_the_next() {
    let running = start("max_connections = 2\nhandshake_timeout_ms = 60000").await;
    let first = TcpStream::connect(running.address).await.unwrap();
    let _second = TcpStream::connect(running.address).await.unwrap();
    let mut client = running.client().await;
    client.get_transfer(ask("answer")).await.unwrap();
    heard(first).await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    for (limit, whose) in [
        (
            "max_connections = 1",
            "the server already has 1 connections",
        ),
        (
            "max_connections_per_peer = 1",
            "your address already has 1 connections",
        ),
    ] {
        let running = start(limit).await;
        let mut client = running.client().await;
        client.get_transfer(ask("answer")).await.unwrap();
        let refused = TcpStream::connect(running.address).await.unwrap();
        let heard = heard(refused).await;
        let words = String::from_utf8_lossy(&heard);
        assert!(words.contains(whose), "{words:?}");
        // As a client of gRPC shows it.
        let endpoint = Endpoint::from_shared(format!("http://{}", running.address)).unwrap();
        let mut refused = ReturnsServiceClient::new(endpoint.connect_lazy());
        refused.get_transfer(ask("answer")).await.unwrap_err();
        client.get_transfer(ask("answer")).await.unwrap();
    }
}
