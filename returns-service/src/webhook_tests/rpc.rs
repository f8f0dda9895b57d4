//! The calls of the service.

use echeck_proto::returns::v1 as proto;
use proto::webhook_service_server::WebhookService as _;
use returns_model::audit::AuditFilter;
use tonic::{Code, Request};

use super::api_of;
use super::world::*;

fn create(url: &str, key: &str) -> Request<proto::CreateEndpointRequest> {
    Request::new(proto::CreateEndpointRequest {
        url: url.to_owned(),
        description: "a platform".to_owned(),
        style: proto::WebhookStyle::Rainforest.into(),
        api_version: "2024-10-16".to_owned(),
        event_types: vec!["payin.*".to_owned()],
        request_id: key.to_owned(),
        reason: "a new platform".to_owned(),
        ..proto::CreateEndpointRequest::default()
    })
}

fn rotate(id: &str) -> Request<proto::RotateSecretRequest> {
    Request::new(proto::RotateSecretRequest {
        endpoint_id: id.to_owned(),
        request_id: String::new(),
        reason: "every year".to_owned(),
        ..proto::RotateSecretRequest::default()
    })
}

#[tokio::test]
async fn a_secret_is_shown_once_and_is_nowhere_else() {
    let world = World::new().await;
    let api = api_of(&world);
    let made = api
        .create_endpoint(create("http://a.example/x", "k1"))
        .await;
    let made = made.unwrap().into_inner();
    let id = made.endpoint.unwrap().endpoint_id;
    let first = made.key.unwrap().secret;
    assert!(id.starts_with("whe_") && first.starts_with("whsec_"));
    let rotated = api.rotate_secret(rotate(&id)).await.unwrap().into_inner();
    let second = rotated.key.unwrap().secret;
    assert!(rotated.previous_key_retires_at.is_some());
    let request = proto::GetEndpointRequest { endpoint_id: id };
    let got = api.get_endpoint(Request::new(request)).await.unwrap();
    let got = got.into_inner().endpoint.unwrap();
    assert_eq!(got.keys.len(), 2);
    let again = api
        .create_endpoint(create("http://a.example/x", "k1"))
        .await;
    let again = again.unwrap().into_inner();
    let repeated = again.key.unwrap().secret;
    assert_eq!(
        repeated, first,
        "the same request again gets the first answer"
    );
    let audit = world
        .store
        .audit(&AuditFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(audit.len(), 2);
    let said = format!("{got:?} {audit:?}");
    for secret in [first, second] {
        let bare = secret.strip_prefix("whsec_").unwrap();
        let raw = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, bare);
        let raw = raw.unwrap();
        assert!(!said.contains(bare));
        for file in std::fs::read_dir(world.folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
            assert!(!has(bare.as_bytes()) && !has(&raw));
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_endpoint_is_reported_field_by_field_and_nothing_is_kept() {
    let mut world = World::new().await;
    world.guard = Guard::default();
    let api = api_of(&world);
    for url in [
        "http://a.example/",
        "https://127.0.0.1/",
        "https://2852039166/",
        "nonsense",
    ] {
        let refused = api.create_endpoint(create(url, "")).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{url}");
        assert!(
            refused.message().starts_with("url: "),
            "{}",
            refused.message()
        );
    }
    let mut bad = create("https://a.example/", "");
    bad.get_mut().owner_email = "nobody".to_owned();
    bad.get_mut().event_types = vec!["*".to_owned()];
    let refused = api.create_endpoint(bad).await.unwrap_err();
    assert!(refused.message().contains("owner_email") && refused.message().contains("event_types"));
    let mut without_reason = create("https://a.example/", "");
    without_reason.get_mut().reason = " ".to_owned();
    let refused = api.create_endpoint(without_reason).await.unwrap_err();
    assert!(refused.message().starts_with("reason"));
    assert!(world.store.endpoints(None, 9).await.unwrap().is_empty());
    assert!(
        api.create_endpoint(create("https://a.example/", "k"))
            .await
            .is_ok()
    );
    let other = api.create_endpoint(create("https://b.example/", "k")).await;
    assert_eq!(other.unwrap_err().code(), Code::AlreadyExists);
}

#[tokio::test]
async fn an_endpoint_is_changed_disabled_and_enabled_each_once() {
    let world = World::new().await;
    let api = api_of(&world);
    let made = api.create_endpoint(create("http://a.example/x", "")).await;
    let id = made.unwrap().into_inner().endpoint.unwrap().endpoint_id;
    let update = |version| {
        Request::new(proto::UpdateEndpointRequest {
            endpoint_id: id.clone(),
            version,
            ordered: Some(true),
            event_types: Some(proto::WebhookEventTypes::default()),
            request_id: String::new(),
            reason: "they want all".to_owned(),
            ..proto::UpdateEndpointRequest::default()
        })
    };
    let changed = api.update_endpoint(update(0)).await.unwrap().into_inner();
    let changed = changed.endpoint.unwrap();
    assert!(changed.ordered && changed.event_types.is_empty());
    assert_eq!(
        (changed.url.as_str(), changed.version),
        ("http://a.example/x", 1)
    );
    let same = api.update_endpoint(update(1)).await.unwrap().into_inner();
    assert_eq!(
        same.endpoint.unwrap().version,
        1,
        "saying it again changes nothing"
    );
    let stale = api.update_endpoint(update(9)).await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted);
    for _ in 0..2 {
        let request = proto::DisableEndpointRequest {
            endpoint_id: id.clone(),
            request_id: String::new(),
            reason: "maintenance".to_owned(),
        };
        let disabled = api.disable_endpoint(Request::new(request)).await.unwrap();
        let disabled = disabled.into_inner().endpoint.unwrap();
        assert_eq!((disabled.enabled, disabled.version), (false, 2));
        assert_eq!(disabled.disabled_reason, "anonymous: maintenance");
    }
    for _ in 0..2 {
        let request = proto::EnableEndpointRequest {
            endpoint_id: id.clone(),
            request_id: String::new(),
            reason: "done".to_owned(),
        };
        let enabled = api.enable_endpoint(Request::new(request)).await.unwrap();
        let enabled = enabled.into_inner().endpoint.unwrap();
        assert_eq!((enabled.enabled, enabled.version), (true, 3));
    }
    let audit = world
        .store
        .audit(&AuditFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(
        audit.len(),
        5,
        "what changed nothing is not kept, but for what failed"
    );
}

#[tokio::test]
async fn a_test_is_posted_signed_at_once_and_tells_what_came_of_it() {
    let mut world = World::new().await;
    let receiver = HttpReceiver::start().await;
    let keys = world.endpoint("whe_1", &receiver.url("/"), false).await;
    let test = || {
        Request::new(proto::SendTestEventRequest {
            endpoint_id: "whe_1".to_owned(),
            request_id: String::new(),
        })
    };
    let api = api_of(&world);
    let fine = api.send_test_event(test()).await.unwrap().into_inner();
    assert!(fine.delivered && fine.http_status == 200 && fine.error.is_empty());
    let received = receiver.received().remove(0);
    let header = |name: &str| received.header(name).unwrap();
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    assert_eq!(id, fine.message_id);
    let signed = format!("{id}.{at}.{}", received.body);
    assert!(verifies(
        &keys[0],
        header("webhook-signature"),
        signed.as_bytes()
    ));
    assert!(received.body.contains("\"event_type\":\"test\""));
    receiver.answer(echeck_test_servers::http::Answer::Hang);
    world.timeout = Duration::from_millis(300);
    let impatient = api_of(&world);
    let hanging = impatient
        .send_test_event(test())
        .await
        .unwrap()
        .into_inner();
    assert!(!hanging.delivered && hanging.http_status == 0 && hanging.took_ms >= 300);
    assert_eq!(hanging.error, "no answer within 300 ms");
    assert!(world.deliveries("whe_1").await.is_empty());
}

#[tokio::test]
async fn events_are_listed_replayed_and_recovered_in_an_endpoints_own_words() {
    let world = World::new().await;
    let api = api_of(&world);
    world.events(1, 3).await;
    let receiver = HttpReceiver::start().await;
    let made = api.create_endpoint(create(&receiver.url("/"), "")).await;
    let id = made.unwrap().into_inner().endpoint.unwrap().endpoint_id;
    let request = proto::ListEventsRequest {
        style: proto::WebhookStyle::Rainforest.into(),
        api_version: "2024-10-16".to_owned(),
        page_size: 2,
        ..proto::ListEventsRequest::default()
    };
    let page = api
        .list_events(Request::new(request.clone()))
        .await
        .unwrap()
        .into_inner();
    let types: Vec<_> = page
        .events
        .iter()
        .map(|one| (one.sequence, one.event_type.as_str()))
        .collect();
    assert_eq!(
        types,
        [
            (1, "payin.returned"),
            (1, "ach_return.created"),
            (2, "payin.returned"),
            (2, "ach_return.created")
        ]
    );
    let next = proto::ListEventsRequest {
        page_token: page.next_page_token,
        ..request
    };
    let last = api
        .list_events(Request::new(next))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((last.events.len(), last.next_page_token.as_str()), (2, ""));
    let replay = |selection| {
        Request::new(proto::ReplayRequest {
            endpoint_id: id.clone(),
            selection: Some(selection),
            request_id: String::new(),
            reason: "they lost it".to_owned(),
        })
    };
    let event = proto::replay_request::Selection::EventId("evt_2".to_owned());
    let done = api.replay(replay(event)).await.unwrap().into_inner();
    assert_eq!(done.messages, 1, "it wants payin.* only");
    let sent = world.deliveries(&id).await.remove(0);
    assert_eq!(sent.message_id, page.events[2].message_id);
    let unknown = proto::replay_request::Selection::MessageId("msg_none".to_owned());
    assert_eq!(
        api.replay(replay(unknown)).await.unwrap_err().code(),
        Code::NotFound
    );
    let known = proto::replay_request::Selection::MessageId(sent.message_id);
    assert_eq!(
        api.replay(replay(known))
            .await
            .unwrap()
            .into_inner()
            .messages,
        1
    );
    let recover = proto::RecoverRequest {
        endpoint_id: id.clone(),
        start_time: Some(prost_types::Timestamp::default()),
        end_time: None,
        request_id: String::new(),
        reason: "they were down".to_owned(),
    };
    let done = api
        .recover(Request::new(recover))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(done.messages, 3, "two were never sent, one waits");
    let request = proto::ListDeliveriesRequest {
        endpoint_id: id.clone(),
        page_size: 2,
        ..proto::ListDeliveriesRequest::default()
    };
    let page = api
        .list_deliveries(Request::new(request.clone()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(page.deliveries.len(), 2);
    let next = proto::ListDeliveriesRequest {
        page_token: page.next_page_token,
        ..request
    };
    let last = api
        .list_deliveries(Request::new(next))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(last.deliveries.len(), 1);
}
