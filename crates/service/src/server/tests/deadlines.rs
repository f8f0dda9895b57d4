use std::time::Duration;

use tokio::time::Instant;

use super::*;

#[tokio::test]
async fn a_slow_unary_call_ends_at_the_callers_deadline_and_its_handler_stops() {
    let running = start("").await;
    let mut request = ask("slow");
    request.set_timeout(Duration::from_secs(1));
    let started = Instant::now();
    let status = running
        .client()
        .await
        .get_transfer(request)
        .await
        .unwrap_err();
    assert_eq!(
        reason(&status),
        because(Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );
    assert_eq!(status.message(), "the call did not end within 950 ms");
    assert!(started.elapsed() >= Duration::from_millis(950));
    happens(&running.sample.dropped).await;
}

#[tokio::test]
async fn a_client_stream_that_never_ends_is_ended_at_the_callers_deadline() {
    let running = start("").await;
    let mut request = Request::new(futures_util::stream::pending());
    request.set_timeout(Duration::from_secs(1));
    let status = running
        .client()
        .await
        .import_file(request)
        .await
        .unwrap_err();
    assert_eq!(
        reason(&status),
        because(Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );
    happens(&running.sample.dropped).await;
}

#[tokio::test]
async fn without_a_deadline_of_the_caller_the_default_holds() {
    let running = start("default_timeout_ms = 100").await;
    let mut client = running.client().await;
    let status = client.get_transfer(ask("slow")).await.unwrap_err();
    assert_eq!(
        reason(&status),
        because(Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );
    assert_eq!(status.message(), "the call did not end within 100 ms");
}

#[tokio::test]
async fn a_caller_cannot_ask_for_more_than_the_maximum() {
    let running = start("default_timeout_ms = 50\nmax_timeout_ms = 100").await;
    let mut request = ask("slow");
    request.set_timeout(Duration::from_secs(60));
    let status = running
        .client()
        .await
        .get_transfer(request)
        .await
        .unwrap_err();
    assert_eq!(status.message(), "the call did not end within 100 ms");
}

#[tokio::test]
async fn a_response_stream_ends_at_the_callers_deadline() {
    let running = start("").await;
    let mut request = watch("slow");
    request.set_timeout(Duration::from_millis(500));
    let mut messages = running
        .client()
        .await
        .watch_import(request)
        .await
        .unwrap()
        .into_inner();
    assert!(messages.message().await.unwrap().is_some());
    let status = within(Duration::from_secs(10), messages.message())
        .await
        .unwrap_err();
    assert_eq!(
        reason(&status),
        because(Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );
    happens(&running.sample.dropped).await;
}

#[tokio::test]
async fn a_response_stream_without_a_deadline_outlives_the_default_timeout() {
    let running = start("default_timeout_ms = 50").await;
    let response = running
        .client()
        .await
        .watch_import(watch("slow"))
        .await
        .unwrap();
    let mut messages = response.into_inner();
    assert!(messages.message().await.unwrap().is_some());
    let more = tokio::time::timeout(Duration::from_millis(200), messages.message()).await;
    assert!(more.is_err(), "the stream has ended: {more:?}");
    running.sample.gate.add_permits(1);
    assert!(messages.message().await.unwrap().is_some());
    assert!(messages.message().await.unwrap().is_none());
}

#[tokio::test]
async fn a_handler_sees_the_deadline_that_its_caller_set() {
    let running = start("").await;
    let mut client = running.client().await;
    let status = client.get_transfer(ask("deadline")).await.unwrap_err();
    assert_eq!(status.message(), "no deadline");
    let mut request = ask("deadline");
    request.set_timeout(Duration::from_secs(60));
    let status = client.get_transfer(request).await.unwrap_err();
    assert_eq!(status.message(), "a deadline");
}

#[tokio::test]
async fn a_timeout_that_is_none_is_refused() {
    let running = start("").await;
    let mut client = running.client().await;
    for wrong in ["soon", "5", "S", "123456789S", "-1S", "+1S", "1s", "1 S"] {
        let mut request = ask("answer");
        request
            .metadata_mut()
            .insert("grpc-timeout", wrong.parse().unwrap());
        let status = client.get_transfer(request).await.unwrap_err();
        assert_eq!(
            reason(&status),
            because(Code::InvalidArgument, "INVALID_TIMEOUT"),
            "{wrong}"
        );
        assert!(status.message().contains("grpc-timeout"), "{status}");
    }
    for right in ["1H", "2M", "3S", "30000m", "99999999u", "00000009S"] {
        let mut request = ask("answer");
        request
            .metadata_mut()
            .insert("grpc-timeout", right.parse().unwrap());
        client.get_transfer(request).await.unwrap();
    }
}
