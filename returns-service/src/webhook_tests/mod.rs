//! Endpoints by RPC, with the sender beside.

mod rpc;
mod touched;
#[expect(dead_code, reason = "the sender's own tests use the rest")]
#[path = "../../../crates/returns-webhooks/tests/sender/world.rs"]
mod world;

use echeck_test_fixtures::eventually;
use echeck_test_servers::http::Answer;

use returns_model::keyring::KeyRing;

use crate::api::{Requests, WebhookApi};
use world::*;

fn api_of(world: &World) -> WebhookApi {
    WebhookApi {
        store: world.store.clone(),
        client: world.signed_client(),
        clock: world.clock.clone(),
        notifier: world.notifier.clone(),
        incidents: world.incidents.clone(),
        requests: Requests {
            store: world.store.clone(),
            keys: KeyRing::new([&crate::new_spool_identity()]).unwrap(),
            clock: world.clock.clone(),
            failures: Default::default(),
        },
    }
}

#[tokio::test]
async fn an_endpoint_that_is_enabled_before_its_owner_is_notified_ends_the_mail() {
    let world = World::new().await;
    world.mail.answer(MailAnswer::Refuses);
    let receiver = world.gone().await;
    let sender = world.start();
    eventually("it is tried", async || world.mail.refused() >= 1).await;
    receiver.answer(Answer::Status(204, String::new()));
    let ask = echeck_proto::returns::v1::EnableEndpointRequest {
        endpoint_id: "whe_1".to_owned(),
        request_id: String::new(),
        reason: "it works".to_owned(),
    };
    use echeck_proto::returns::v1::webhook_service_server::WebhookService as _;
    let enabled = api_of(&world)
        .enable_endpoint(tonic::Request::new(ask))
        .await;
    let enabled = enabled.unwrap().into_inner().endpoint.unwrap();
    assert_eq!((enabled.enabled, enabled.owner_notification), (true, None));
    world.mail.answer(MailAnswer::Takes);
    world.settled("whe_1").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.mail.sent(), []);
    sender.abort();
}
