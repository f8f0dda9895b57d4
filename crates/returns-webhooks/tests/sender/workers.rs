//! That endpoints do not delay each other.

use echeck_test_servers::http::Answer;

use super::world::*;

const ENDPOINTS: u64 = 100;
const MESSAGES: u64 = 5;
/// Whoever waits for an answer that never comes waits for longer than any test does.
const ENDLESS: Duration = Duration::from_secs(60);

/// How long after they became due the messages to all endpoints but the first arrived, the 99th
/// of a hundred; each did at its first try. And what the first has heard of by then.
async fn p99(first_answers: Option<Answer>) -> (Duration, Vec<Delivery>) {
    let mut world = World::new().await;
    world.timeout = ENDLESS;
    world.sender.concurrency = 8;
    let first = HttpReceiver::start().await;
    if let Some(answer) = first_answers {
        first.answer(answer);
    }
    let others = HttpReceiver::start().await;
    world.events(1, MESSAGES).await;
    for number in 0..ENDPOINTS {
        let receiver = if number == 0 { &first } else { &others };
        let id = format!("whe_{number}");
        world
            .endpoint(&id, &receiver.url(&format!("/{number}")), false)
            .await;
    }
    for number in 0..ENDPOINTS {
        world.due(&format!("whe_{number}"), 1, MESSAGES).await;
    }
    let due_at = world.clock.now();
    let sender = world.start();
    let mut took = Vec::new();
    for number in 1..ENDPOINTS {
        for delivery in world.settled(&format!("whe_{number}")).await {
            assert_eq!(
                (delivery.state, delivery.attempts),
                (DeliveryState::Delivered, 1)
            );
            let after = delivery.ended_at.unwrap() - due_at;
            took.push(after.to_std().unwrap_or_default());
        }
    }
    assert_eq!(took.len() as u64, (ENDPOINTS - 1) * MESSAGES);
    let heard = world.deliveries("whe_0").await;
    sender.abort();
    took.sort();
    (took[took.len() * 99 / 100], heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_endpoints_a_dead_one_does_not_delay_the_others() {
    let (without, _) = p99(None).await;
    let (with_hanging, hanging) = p99(Some(Answer::Hang)).await;
    // All others have everything while its first try still waits.
    assert!(hanging.iter().all(|one| one.attempts == 0), "{hanging:?}");
    let (with_resetting, _) = p99(Some(Answer::Reset)).await;
    println!(
        "p99: {without:?} with all well, {with_hanging:?} with one hanging, {with_resetting:?} with one resetting"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_dead_endpoints_than_places_do_not_delay_one_that_works() {
    const DEAD: usize = 30;
    const PLACES: usize = 4;
    let mut world = World::new().await;
    world.timeout = ENDLESS;
    world.sender.concurrency = 8;
    world.sender.failing_concurrency = PLACES;
    world.sender.schedule = Schedule { scale: 1_000 };
    let (dead, works) = (HttpReceiver::start().await, HttpReceiver::start().await);
    dead.answer(Answer::Status(500, String::new()));
    world.events(1, 2).await;
    for number in 0..DEAD {
        let id = format!("whe_{number}");
        world.endpoint(&id, &dead.url("/"), false).await;
        world.due(&id, 1, 1).await;
    }
    let sender = world.start();
    eventually("all are known to fail", async || {
        let all = world.store.endpoints(None, 100).await.unwrap();
        all.iter().all(|one| one.failing_since.is_some())
    })
    .await;
    let answered = dead.received().len();
    dead.answer(Answer::Hang);
    for number in 0..DEAD {
        world.due(&format!("whe_{number}"), 2, 2).await;
    }
    eventually("as many hang as there are places", async || {
        dead.received().len() >= answered + PLACES
    })
    .await;
    world.endpoint("whe_works", &works.url("/"), false).await;
    world.due("whe_works", 2, 2).await;
    let ended = world.settled("whe_works").await;
    assert_eq!(ended[0].state, DeliveryState::Delivered);
    sender.abort();
}
