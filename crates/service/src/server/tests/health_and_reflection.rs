use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

use super::*;

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

async fn check(running: &Running, service: &str) -> Result<ServingStatus, (Code, String)> {
    let mut client = HealthClient::new(running.channel().await);
    let answer = client
        .check(about(service))
        .await
        .map_err(|status| reason(&status))?;
    Ok(answer.into_inner().status())
}

#[tokio::test]
async fn serving_is_said_only_while_the_probe_succeeds() {
    let running = start("").await;
    for service in ["", SERVICE] {
        assert_eq!(
            check(&running, service).await,
            Ok(ServingStatus::NotServing),
            "{service:?}"
        );
    }
    assert_eq!(
        check(&running, "no.such.Service").await,
        Err(because(Code::NotFound, "UNKNOWN_SERVICE"))
    );

    let mut client = HealthClient::new(running.channel().await);
    let mut states = client.watch(about(SERVICE)).await.unwrap().into_inner();
    let next = async || {
        let message = within(Duration::from_secs(10), states.message())
            .await
            .unwrap();
        message.map(|message| message.status())
    };
    let mut next = next;
    assert_eq!(next().await, Some(ServingStatus::NotServing));

    let well = Arc::new(AtomicBool::new(true));
    let probed = well.clone();
    let probe = move || {
        let well = probed.load(Ordering::SeqCst);
        async move {
            if well {
                Ok(())
            } else {
                Err("the database is away".to_owned())
            }
        }
    };
    let watching = running
        .health
        .watch(Duration::from_millis(20), running.shutdown.clone(), probe);
    assert_eq!(next().await, Some(ServingStatus::Serving));
    assert_eq!(check(&running, "").await, Ok(ServingStatus::Serving));
    assert_eq!(check(&running, SERVICE).await, Ok(ServingStatus::Serving));

    well.store(false, Ordering::SeqCst);
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    assert_eq!(check(&running, "").await, Ok(ServingStatus::NotServing));

    well.store(true, Ordering::SeqCst);
    assert_eq!(next().await, Some(ServingStatus::Serving));

    // At shutdown watchers are told, and their streams end.
    running.shutdown.cancel();
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    assert_eq!(next().await, None);
    within(Duration::from_secs(10), watching).await.unwrap();
}

#[tokio::test]
async fn a_probe_that_hangs_or_panics_does_not_leave_serving_behind() {
    let running = start("").await;
    let mut client = HealthClient::new(running.channel().await);
    let mut states = client.watch(about("")).await.unwrap().into_inner();
    assert_eq!(
        states.message().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    for end in ["hangs", "panics"] {
        let first = Arc::new(AtomicBool::new(true));
        let stop = CancellationToken::new();
        let watching = running
            .health
            .watch(Duration::from_millis(50), stop.clone(), move || {
                let first = first.swap(false, Ordering::SeqCst);
                async move {
                    match (first, end) {
                        (true, _) => Ok(()),
                        (false, "hangs") => std::future::pending().await,
                        (false, _) => panic!("asked to panic"),
                    }
                }
            });
        for expected in [ServingStatus::Serving, ServingStatus::NotServing] {
            let state = within(Duration::from_secs(10), states.message())
                .await
                .unwrap()
                .unwrap();
            assert_eq!(state.status(), expected, "{end}");
        }
        stop.cancel();
        assert_eq!(watching.await.is_err(), end == "panics");
    }
}

#[tokio::test]
async fn watching_an_unknown_service_says_so_without_an_error() {
    let running = start("").await;
    let mut client = HealthClient::new(running.channel().await);
    let mut states = client
        .watch(about("no.such.Service"))
        .await
        .unwrap()
        .into_inner();
    let state = states.message().await.unwrap().unwrap();
    assert_eq!(state.status(), ServingStatus::ServiceUnknown);
}

const LISTED: [&str; 4] = [
    "echeck.returns.v1.ReturnsService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

#[tokio::test]
async fn reflection_v1_lists_the_services_and_describes_them() {
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;
    let running = start("").await;
    let mut client =
        v1::server_reflection_client::ServerReflectionClient::new(running.channel().await);
    let ask = |what| v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(what),
    };
    let asked = stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(SERVICE.to_owned())),
    ]);
    let answers = client
        .server_reflection_info(asked)
        .await
        .unwrap()
        .into_inner();
    let answers: Vec<_> = answers
        .map(|answer| answer.unwrap().message_response)
        .collect()
        .await;
    let Some(MessageResponse::ListServicesResponse(list)) = &answers[0] else {
        panic!("{answers:?}");
    };
    let mut names: Vec<_> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, LISTED);
    let Some(MessageResponse::FileDescriptorResponse(file)) = &answers[1] else {
        panic!("{answers:?}");
    };
    assert!(String::from_utf8_lossy(&file.file_descriptor_proto[0]).contains("ReturnsService"));
}

#[tokio::test]
async fn reflection_v1alpha_lists_the_services_and_describes_them() {
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;
    let running = start("").await;
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::new(running.channel().await);
    let ask = |what| v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(what),
    };
    let asked = stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(
            "grpc.health.v1.Health".to_owned(),
        )),
    ]);
    let answers = client
        .server_reflection_info(asked)
        .await
        .unwrap()
        .into_inner();
    let answers: Vec<_> = answers
        .map(|answer| answer.unwrap().message_response)
        .collect()
        .await;
    let Some(MessageResponse::ListServicesResponse(list)) = &answers[0] else {
        panic!("{answers:?}");
    };
    let mut names: Vec<_> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, LISTED);
    assert!(
        matches!(
            &answers[1],
            Some(MessageResponse::FileDescriptorResponse(_))
        ),
        "{answers:?}"
    );
}
