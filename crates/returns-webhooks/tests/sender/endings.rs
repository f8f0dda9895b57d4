//! How it ends with endpoints that do not work, and what changes while messages wait.

use echeck_test_servers::http::Answer;

use super::world::*;

#[tokio::test]
async fn after_ten_tries_a_message_is_a_dead_letter_until_it_is_sent_again() {
    let mut world = World::new().await;
    let receiver = HttpReceiver::start().await;
    receiver.answer(Answer::Status(500, "token=CANARY-TOKEN".into()));
    world
        .endpoint("whe_1", &receiver.url("/CANARY-TOKEN"), false)
        .await;
    world.events(1, 2).await;
    world.due("whe_1", 1, 1).await;
    let sender = world.start();
    let ended = world.settled("whe_1").await;
    assert_eq!(
        (ended[0].state, ended[0].attempts),
        (DeliveryState::Undeliverable, 10)
    );
    assert_eq!(receiver.received().len(), 10);
    let error = ended[0].last_error.clone().unwrap();
    assert!(
        !error.contains("CANARY"),
        "the path may be a password: {error}"
    );
    eventually("the incident is told", async || world.signals.len() == 1).await;
    let told = world.signals();
    let [
        Some(Cause::WebhookUndeliverable {
            count: 1,
            host,
            why,
            ..
        }),
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(*host, receiver.address().to_string());
    assert!(why.contains("HTTP 500"));
    receiver.answer(Answer::Status(200, String::new()));
    world.due("whe_1", 2, 2).await;
    world.settled("whe_1").await;
    // The sender says what follows from an answer right after it has recorded it.
    tokio::time::sleep(Duration::from_millis(300)).await;
    sender.abort();
    let _ = sender.await;
    assert!(
        !world.signals().contains(&None),
        "the message before is still missing there"
    );
    let sender = world.start();
    world.due("whe_1", 1, 1).await;
    world.settled("whe_1").await;
    eventually("the end is told", async || world.signals().contains(&None)).await;
    sender.abort();
}

#[tokio::test]
async fn a_message_that_is_taken_while_another_is_refused_for_good_ends_no_incident() {
    let mut world = World::new().await;
    let receiver = HttpReceiver::start().await;
    receiver.answer_next(Answer::Late(Duration::from_millis(800)));
    receiver.answer_next(Answer::Status(410, String::new()));
    world.endpoint("whe_1", &receiver.url("/"), false).await;
    world.events(1, 2).await;
    world.due("whe_1", 1, 2).await;
    let sender = world.start();
    eventually("one is taken", async || {
        let all = world.deliveries("whe_1").await;
        all.iter().any(|one| one.state == DeliveryState::Delivered)
    })
    .await;
    let endpoint = world.store.endpoint("whe_1").await.unwrap().unwrap();
    assert!(!endpoint.is_enabled());
    // The sender says what follows from an answer right after it has recorded it.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let told = world.signals();
    assert!(
        matches!(told[..], [Some(Cause::WebhookDisabled { .. })]),
        "{told:?}"
    );
    sender.abort();
}

#[tokio::test]
async fn an_event_of_a_newer_version_is_not_sent_is_reported_and_holds_up_nothing_else() {
    let mut world = World::new().await;
    world.sender.per_endpoint = 1;
    let receiver = HttpReceiver::start().await;
    world.endpoint("whe_1", &receiver.url("/"), false).await;
    world.events(1, 3).await;
    let facts = r#"{"schema_version":1,"version":1,"what":{"kind":"of_tomorrow"}}"#;
    let pool = sqlx::SqlitePool::connect(&world.url()).await.unwrap();
    let known: String = sqlx::query_scalar("SELECT facts FROM webhook_events WHERE sequence = 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    let set = async |facts: &str| {
        let sql = "UPDATE webhook_events SET facts = ?1 WHERE sequence = 1";
        let done = sqlx::query(sql).bind(facts.to_owned()).execute(&pool).await;
        done.unwrap();
    };
    set(facts).await;
    world.due("whe_1", 1, 3).await;
    let sender = world.start();
    eventually("the others came", async || receiver.received().len() == 2).await;
    let mut told = Vec::new();
    eventually("it is told", async || {
        told.extend(world.signals().into_iter().flatten());
        !told.is_empty()
    })
    .await;
    let Cause::WebhookStuck { why, .. } = &told[0] else {
        panic!("{told:?}");
    };
    assert!(why.contains("evt_1") && why.contains("version"), "{why}");
    let waits = world.deliveries("whe_1").await.pop().unwrap();
    assert_eq!((waits.sequence, waits.attempts), (1, 0), "no try was used");
    assert_eq!(waits.state, DeliveryState::Pending);
    // This replica has the newer version by now.
    set(&known).await;
    world.settled("whe_1").await;
    eventually("the end is told", async || world.signals().contains(&None)).await;
    assert!(
        receiver
            .received()
            .iter()
            .all(|one| !one.body.contains("\"data\":null"))
    );
    sender.abort();
}

#[tokio::test]
async fn a_message_that_was_given_up_just_before_a_stop_is_reported_at_the_next_start() {
    let mut world = World::new().await;
    let receiver = HttpReceiver::start().await;
    receiver.answer(Answer::Status(500, String::new()));
    world.endpoint("whe_1", &receiver.url("/"), false).await;
    world.events(1, 1).await;
    world.due("whe_1", 1, 1).await;
    let sender = world.start();
    world.settled("whe_1").await;
    sender.abort();
    // Whatever was told before, it is told again.
    world.signals();
    let sender = world.start();
    eventually("it is told", async || !world.signals.is_empty()).await;
    let told = world.signals();
    assert!(
        matches!(
            told[..],
            [Some(Cause::WebhookUndeliverable { count: 1, .. })]
        ),
        "{told:?}"
    );
    sender.abort();
}

#[tokio::test]
async fn an_endpoint_that_fails_for_too_long_is_disabled_and_its_owner_notified() {
    let mut world = World::new().await;
    world.sender.disable_after = TimeDelta::milliseconds(100);
    world.sender.schedule = Schedule { scale: 10 };
    let receiver = HttpReceiver::start().await;
    receiver.answer(Answer::Status(500, String::new()));
    world.endpoint("whe_1", &receiver.url("/"), false).await;
    world.events(1, 3).await;
    world.due("whe_1", 1, 3).await;
    let sender = world.start();
    eventually("it is disabled", async || {
        world.due("whe_1", 3, 3).await;
        let endpoint = world.store.endpoint("whe_1").await.unwrap().unwrap();
        !endpoint.is_enabled()
    })
    .await;
    eventually("the incident is told", async || !world.signals.is_empty()).await;
    assert!(matches!(
        world.signals().last(),
        Some(Some(Cause::WebhookDisabled { .. }))
    ));
    assert_eq!(world.mail.sent().len(), 1);
    sender.abort();
}

#[tokio::test]
async fn with_strict_order_a_message_waits_for_the_one_before() {
    let world = World::new().await;
    let receiver = HttpReceiver::start().await;
    for _ in 0..3 {
        receiver.answer_next(Answer::Status(503, String::new()));
    }
    world.endpoint("whe_1", &receiver.url("/"), true).await;
    world.events(1, 20).await;
    world.due("whe_1", 1, 20).await;
    let sender = world.start();
    world.settled("whe_1").await;
    let expected: Vec<String> = std::iter::repeat_n(1, 3)
        .chain(1..=20)
        .map(|sequence| format!("msg_{sequence}"))
        .collect();
    assert_eq!(ids(&receiver), expected);
    sender.abort();
}

#[tokio::test]
async fn a_message_that_is_given_up_holds_up_a_strict_order_no_longer() {
    let world = World::new().await;
    let receiver = HttpReceiver::start().await;
    for _ in 0..10 {
        receiver.answer_next(Answer::Reset);
    }
    world.endpoint("whe_1", &receiver.url("/"), true).await;
    world.events(1, 2).await;
    world.due("whe_1", 1, 2).await;
    let sender = world.start();
    let ended = world.settled("whe_1").await;
    let states: Vec<_> = ended.iter().map(|one| one.state).collect();
    assert_eq!(
        states,
        [DeliveryState::Delivered, DeliveryState::Undeliverable]
    );
    sender.abort();
}

#[tokio::test]
async fn a_key_that_is_rotated_while_messages_wait_signs_along_until_it_retires() {
    let world = World::new().await;
    let receiver = HttpReceiver::start().await;
    let [old, _] = world.one_message(&receiver).await;
    let new = draw(SecretKind::HmacSha256);
    let now = world.clock.now();
    let secret = SecretRecord {
        created_at: now,
        ..record(&world.encryptor, "whs_new", "whe_1", &new)
    };
    let retires_at = now + TimeDelta::seconds(4);
    let added = world
        .store
        .add_secret(&secret, 0, retires_at, &audit("rotation"))
        .await;
    assert!(added.unwrap());
    let sender = world.start();
    world.settled("whe_1").await;
    eventually("the old key has retired", async || {
        world.clock.now() > retires_at
    })
    .await;
    world.due("whe_1", 1, 1).await;
    eventually("it came again", async || receiver.received().len() == 2).await;
    let good = receiver
        .received()
        .iter()
        .map(|one| {
            let signatures = one.header("webhook-signature").unwrap();
            let timestamp = one.header("webhook-timestamp").unwrap();
            let signed = format!("msg_1.{timestamp}.{}", one.body);
            [&new, &old].map(|key| verifies(key, signatures, signed.as_bytes()))
        })
        .collect::<Vec<_>>();
    assert_eq!(good, [[true, true], [true, false]]);
    sender.abort();
}

#[tokio::test]
async fn a_key_that_cannot_be_opened_is_reported_and_costs_no_try() {
    let mut world = World::new().await;
    let receiver = HttpReceiver::start().await;
    world.one_message(&receiver).await;
    world.encryptor = encryptor();
    let sender = world.start();
    eventually("it is told", async || !world.signals.is_empty()).await;
    let told = world.signals();
    let Some(Cause::WebhookStuck { why, .. }) = &told[0] else {
        panic!("{told:?}");
    };
    assert!(why.contains("spool.identity"), "{why}");
    assert_eq!(world.deliveries("whe_1").await[0].attempts, 0);
    assert!(receiver.received().is_empty());
    sender.abort();
}
