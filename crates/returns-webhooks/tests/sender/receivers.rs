//! Receivers that do what receivers do.

use echeck_test_servers::http::Answer;

use super::world::*;

#[tokio::test]
async fn a_message_arrives_once_signed_by_every_key() {
    let world = World::new().await;
    let receiver = HttpReceiver::start().await;
    let keys = world.one_message(&receiver).await;
    let sender = world.start();
    let ended = world.settled("whe_1").await;
    assert_eq!(ended[0].state, DeliveryState::Delivered);
    assert_eq!((ended[0].attempts, ended[0].last_status), (1, Some(200)));
    let received = receiver.received();
    assert_eq!(received.len(), 1);
    let header = |name: &str| received[0].header(name).unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("webhook-id"), "msg_1");
    let timestamp: i64 = header("webhook-timestamp").parse().unwrap();
    assert!((world.clock.now().timestamp() - timestamp).abs() < 60);
    let signed = format!("msg_1.{timestamp}.{}", received[0].body);
    let signatures = header("webhook-signature");
    assert_eq!(signatures.split(' ').count(), 2);
    for key in &keys {
        assert!(verifies(key, &signatures, signed.as_bytes()));
    }
    sender.abort();
}

/// A message whose first answer is `answer`; the next one comes by the real schedule, five seconds
/// later, and is taken.
async fn comes_again(answer: Answer, status: Option<u64>, said: &str) {
    let mut world = World::new().await;
    world.sender.schedule = Schedule { scale: 1_000 };
    if matches!(answer, Answer::Hang) {
        world.timeout = Duration::from_millis(300);
    }
    let receiver = HttpReceiver::start().await;
    receiver.answer_next(answer.clone());
    world.one_message(&receiver).await;
    let sender = world.start();
    let failed = world.tried("whe_1").await;
    assert_eq!(failed.last_status, status, "{answer:?}");
    let error = failed.last_error.unwrap();
    assert!(
        error.contains(said) && !error.is_empty(),
        "{answer:?}: {error}"
    );
    let ended = world.settled("whe_1").await;
    assert_eq!(ended[0].state, DeliveryState::Delivered, "{answer:?}");
    let ids = ids(&receiver);
    assert!(
        ids.len() >= 2 && ids.iter().all(|id| id == "msg_1"),
        "{ids:?}"
    );
    sender.abort();
}

#[tokio::test]
async fn whoever_answers_500_hangs_resets_or_redirects_gets_the_message_again_with_its_id() {
    let elsewhere = HttpReceiver::start().await;
    let location = format!("location: {}\r\n", elsewhere.url("/"));
    let refused = "HTTP 500: no";
    tokio::join!(
        comes_again(Answer::Status(500, "no".into()), Some(500), refused),
        comes_again(Answer::Status(404, String::new()), Some(404), "HTTP 404"),
        comes_again(Answer::Hang, None, "no answer within 300 ms"),
        comes_again(Answer::Reset, None, ""),
        comes_again(
            Answer::Redirect(elsewhere.url("/")),
            Some(302),
            "not followed"
        ),
        comes_again(Answer::With(301, location), Some(301), "not followed"),
    );
    assert!(
        elsewhere.received().is_empty(),
        "redirects are not followed"
    );
}

#[tokio::test]
async fn an_answer_after_the_time_out_counts_as_none_and_the_message_comes_again() {
    let mut world = World::new().await;
    world.timeout = Duration::from_millis(300);
    let receiver = HttpReceiver::start().await;
    receiver.answer_next(Answer::Late(Duration::from_millis(600)));
    world.one_message(&receiver).await;
    let sender = world.start();
    let ended = world.settled("whe_1").await;
    assert_eq!(ended[0].state, DeliveryState::Delivered);
    // A busy machine may make another answer late.
    assert!(ended[0].attempts >= 2);
    let ids = ids(&receiver);
    assert!(
        ids.len() >= 2 && ids.iter().all(|id| id == "msg_1"),
        "{ids:?}"
    );
    sender.abort();
}

#[tokio::test]
async fn whoever_asks_to_wait_is_left_alone_for_so_long_with_all_messages() {
    let world = World::new().await;
    let receiver = HttpReceiver::start().await;
    receiver.answer_next(Answer::With(429, "retry-after: 2\r\n".into()));
    world.endpoint("whe_1", &receiver.url("/"), true).await;
    world.events(1, 3).await;
    world.due("whe_1", 1, 3).await;
    let started = world.clock.now();
    let sender = world.start();
    for delivery in world.settled("whe_1").await {
        let waited = delivery.last_attempt_at.unwrap() - started;
        assert!(waited >= TimeDelta::seconds(2), "{delivery:?}");
    }
    assert_eq!(ids(&receiver), ["msg_1", "msg_1", "msg_2", "msg_3"]);
    sender.abort();
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_and_its_owner_notified() {
    let mut world = World::new().await;
    let receiver = HttpReceiver::start().await;
    receiver.answer(Answer::Status(410, String::new()));
    world.one_message(&receiver).await;
    let sender = world.start();
    eventually("it is disabled", async || {
        let endpoint = world.store.endpoint("whe_1").await.unwrap().unwrap();
        endpoint.disabled_why.is_some_and(|why| why.contains("410"))
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(receiver.received().len(), 1, "nothing more is sent");
    assert_eq!(
        world.deliveries("whe_1").await[0].state,
        DeliveryState::Pending,
        "it is kept"
    );
    eventually("the incident is told", async || !world.signals.is_empty()).await;
    let mail = world.mail.sent();
    assert_eq!(mail.len(), 1);
    assert_eq!(mail[0].to, "owner@platform.example");
    let told = world.signals();
    let [Some(Cause::WebhookDisabled { owner, host, .. })] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(owner.contains("was notified by e-mail"), "{owner}");
    assert_eq!(*host, receiver.address().to_string());
    assert_eq!(
        world.store.audit(&Default::default(), 1).await.unwrap()[0]
            .record
            .action,
        "disable_endpoint"
    );
    sender.abort();
}

#[tokio::test]
async fn killed_between_the_post_and_its_record_it_sends_the_message_again_with_its_id() {
    let world = World::new().await;
    let receiver = HttpReceiver::start().await;
    receiver.answer_next(Answer::Hang);
    world.one_message(&receiver).await;
    let killed = world.start();
    eventually("the message came", async || receiver.received().len() == 1).await;
    killed.abort();
    let _ = killed.await;
    let kept = world.deliveries("whe_1").await.remove(0);
    assert_eq!(
        (kept.state, kept.attempts),
        (DeliveryState::Pending, 0),
        "nothing was recorded"
    );
    let sender = world.start();
    let ended = world.settled("whe_1").await;
    assert_eq!(
        (ended[0].state, ended[0].attempts),
        (DeliveryState::Delivered, 1)
    );
    assert_eq!(ids(&receiver), ["msg_1", "msg_1"]);
    sender.abort();
}
