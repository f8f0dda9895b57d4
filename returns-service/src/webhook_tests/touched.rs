//! What operators do holds at once.

use echeck_proto::returns::v1 as proto;
use echeck_test_servers::http::Answer;
use proto::webhook_service_server::WebhookService as _;
use tonic::Request;

use super::api_of;
use super::world::*;

impl World {
    async fn update(&self, change: proto::UpdateEndpointRequest) {
        let ask = proto::UpdateEndpointRequest {
            endpoint_id: "whe_1".to_owned(),
            request_id: String::new(),
            reason: "a test".to_owned(),
            ..change
        };
        api_of(self)
            .update_endpoint(Request::new(ask))
            .await
            .unwrap();
    }

    async fn move_to(&self, url: String) {
        self.update(proto::UpdateEndpointRequest {
            url: Some(url),
            ..proto::UpdateEndpointRequest::default()
        })
        .await;
    }

    async fn disable(&self) {
        let ask = proto::DisableEndpointRequest {
            endpoint_id: "whe_1".to_owned(),
            request_id: String::new(),
            reason: "a test".to_owned(),
        };
        api_of(self)
            .disable_endpoint(Request::new(ask))
            .await
            .unwrap();
    }

    async fn enable(&self) {
        let ask = proto::EnableEndpointRequest {
            endpoint_id: "whe_1".to_owned(),
            request_id: String::new(),
            reason: "a test".to_owned(),
        };
        api_of(self)
            .enable_endpoint(Request::new(ask))
            .await
            .unwrap();
    }

    /// An endpoint that has asked to be left alone for a day, with messages waiting.
    async fn resting(&self) -> HttpReceiver {
        let receiver = HttpReceiver::start().await;
        receiver.answer_next(Answer::With(503, "retry-after: 86400\r\n".into()));
        self.endpoint("whe_1", &receiver.url("/"), true).await;
        self.events(1, 3).await;
        self.due("whe_1", 1, 3).await;
        receiver
    }
}

async fn all_came(receiver: &HttpReceiver, expected: &[&str]) {
    eventually("all came", async || ids(receiver) == expected).await;
}

#[tokio::test]
async fn whoever_asked_to_wait_for_a_day_is_tried_at_once_at_a_new_address() {
    let world = World::new().await;
    let _old = world.resting().await;
    let new = HttpReceiver::start().await;
    let sender = world.start();
    eventually("it asked to wait", async || {
        let all = world.deliveries("whe_1").await;
        all.iter().any(|one| one.attempts == 1)
    })
    .await;
    world.move_to(new.url("/")).await;
    all_came(&new, &["msg_1", "msg_2", "msg_3"]).await;
    sender.abort();
}

#[tokio::test]
async fn whoever_asked_to_wait_for_a_day_is_tried_at_once_when_enabled_or_sent_something_again() {
    for again in ["enable", "replay", "recover"] {
        let world = World::new().await;
        let receiver = world.resting().await;
        let sender = world.start();
        eventually("it asked to wait", async || {
            let all = world.deliveries("whe_1").await;
            all.iter().any(|one| one.attempts == 1)
        })
        .await;
        let endpoint_id = "whe_1".to_owned();
        let reason = "it works again".to_owned();
        match again {
            "enable" => {
                world.disable().await;
                world.enable().await;
            }
            "replay" => {
                let ask = proto::ReplayRequest {
                    endpoint_id,
                    selection: Some(proto::replay_request::Selection::EventId(
                        "evt_1".to_owned(),
                    )),
                    request_id: String::new(),
                    reason,
                };
                api_of(&world).replay(Request::new(ask)).await.unwrap();
            }
            _ => {
                let ask = proto::RecoverRequest {
                    endpoint_id,
                    start_time: Some(prost_types::Timestamp::default()),
                    end_time: None,
                    request_id: String::new(),
                    reason,
                };
                api_of(&world).recover(Request::new(ask)).await.unwrap();
            }
        }
        eventually("all came", async || {
            let came = ids(&receiver);
            ["msg_1", "msg_2", "msg_3"]
                .iter()
                .all(|id| came.iter().filter(|one| one == id).count() >= 1)
                && came.iter().filter(|one| *one == "msg_1").count() >= 2
        })
        .await;
        sender.abort();
    }
}

#[tokio::test]
async fn a_disabled_endpoint_gets_no_further_message_of_those_that_were_read_with_one() {
    let mut world = World::new().await;
    world.sender.per_endpoint = 1;
    let receiver = HttpReceiver::start().await;
    receiver.answer_next(Answer::Late(Duration::from_secs(2)));
    world.endpoint("whe_1", &receiver.url("/"), false).await;
    world.events(1, 9).await;
    world.due("whe_1", 1, 9).await;
    let sender = world.start();
    eventually("the first came", async || !receiver.received().is_empty()).await;
    world.disable().await;
    assert_eq!(receiver.received().len(), 1, "its answer still waits");
    eventually("its answer is recorded", async || {
        let all = world.deliveries("whe_1").await;
        all.iter().any(|one| one.state == DeliveryState::Delivered)
    })
    .await;
    // What was read with the first would follow it at once.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(receiver.received().len(), 1);
    sender.abort();
}

#[tokio::test]
async fn a_key_that_was_replaced_at_once_signs_no_further_message() {
    let mut world = World::new().await;
    world.sender.per_endpoint = 1;
    let receiver = HttpReceiver::start().await;
    receiver.answer_next(Answer::Late(Duration::from_secs(2)));
    let [old, _] = world.endpoint("whe_1", &receiver.url("/"), false).await;
    world.events(1, 3).await;
    world.due("whe_1", 1, 3).await;
    let sender = world.start();
    eventually("the first came", async || !receiver.received().is_empty()).await;
    let ask = proto::RotateSecretRequest {
        endpoint_id: "whe_1".to_owned(),
        overlap_s: Some(0),
        request_id: String::new(),
        reason: "it leaked".to_owned(),
        ..proto::RotateSecretRequest::default()
    };
    api_of(&world)
        .rotate_secret(Request::new(ask))
        .await
        .unwrap();
    assert_eq!(receiver.received().len(), 1, "its answer still waits");
    world.settled("whe_1").await;
    let signed_by_old: Vec<bool> = receiver
        .received()
        .iter()
        .map(|one| {
            let header = |name: &str| one.header(name).unwrap();
            let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
            let signed = format!("{id}.{at}.{}", one.body);
            verifies(&old, header("webhook-signature"), signed.as_bytes())
        })
        .collect();
    assert_eq!(signed_by_old, [true, false, false]);
    sender.abort();
}

#[tokio::test]
async fn what_an_old_address_answers_late_changes_nothing_for_the_new_one() {
    let world = World::new().await;
    let old = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let new = HttpReceiver::start().await;
    let url = format!("http://{}/", old.local_addr().unwrap());
    world.endpoint("whe_1", &url, false).await;
    world.events(1, 1).await;
    world.due("whe_1", 1, 1).await;
    let sender = world.start();
    let (mut connection, _) = old.accept().await.unwrap();
    world.move_to(new.url("/")).await;
    use tokio::io::AsyncWriteExt as _;
    let gone = b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n";
    connection.write_all(gone).await.unwrap();
    let ended = world.settled("whe_1").await;
    assert_eq!(ended[0].state, DeliveryState::Delivered);
    assert_eq!(ids(&new), ["msg_1"]);
    let endpoint = world.store.endpoint("whe_1").await.unwrap().unwrap();
    assert!(endpoint.is_enabled());
    sender.abort();
}

#[tokio::test]
async fn an_endpoint_that_was_changed_since_it_failed_is_not_disabled_for_that() {
    let world = World::new().await;
    world.endpoint("whe_1", "http://a.example/", false).await;
    let used = world.store.endpoint("whe_1").await.unwrap().unwrap();
    world.move_to("http://b.example/".to_owned()).await;
    let sender = world.sender();
    sender.disable(&used, "answered 410").await.unwrap();
    let endpoint = world.store.endpoint("whe_1").await.unwrap().unwrap();
    assert!(endpoint.is_enabled());
    sender.disable(&endpoint, "answered 410").await.unwrap();
    let endpoint = world.store.endpoint("whe_1").await.unwrap().unwrap();
    assert!(!endpoint.is_enabled());
}

#[tokio::test]
async fn what_an_endpoint_no_longer_wants_is_not_sent_and_is_no_incident() {
    let mut world = World::new().await;
    let receiver = HttpReceiver::start().await;
    world.endpoint("whe_1", &receiver.url("/"), true).await;
    world.events(1, 3).await;
    insert_event(&world.url(), 4, "M2", &facts("TR4")).await;
    world.due("whe_1", 1, 4).await;
    world
        .update(proto::UpdateEndpointRequest {
            merchant: Some("M2".to_owned()),
            ..proto::UpdateEndpointRequest::default()
        })
        .await;
    let sender = world.start();
    let ended = world.settled("whe_1").await;
    let states: Vec<_> = ended
        .iter()
        .map(|one| (one.sequence, one.state, one.attempts))
        .collect();
    assert_eq!(
        states,
        [
            (4, DeliveryState::Delivered, 1),
            (3, DeliveryState::Undeliverable, 0),
            (2, DeliveryState::Undeliverable, 0),
            (1, DeliveryState::Undeliverable, 0)
        ]
    );
    assert_eq!(ids(&receiver), ["msg_4"]);
    assert!(!world.signals().iter().any(Option::is_some));
    sender.abort();
}

#[tokio::test]
async fn a_replay_while_the_message_is_on_its_way_sends_it_once_more() {
    let world = World::new().await;
    let receiver = HttpReceiver::start().await;
    receiver.answer_next(Answer::Late(Duration::from_secs(1)));
    world.one_message(&receiver).await;
    let sender = world.start();
    eventually("it came", async || !receiver.received().is_empty()).await;
    world.due("whe_1", 1, 1).await;
    all_came(&receiver, &["msg_1", "msg_1"]).await;
    let ended = world.settled("whe_1").await;
    assert_eq!(ended[0].state, DeliveryState::Delivered);
    sender.abort();
}
