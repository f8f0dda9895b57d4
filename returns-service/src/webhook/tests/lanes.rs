//! That endpoints do not delay each other.

use echeck_test_servers::http::Answer;

use super::*;

const ENDPOINTS: u64 = 100;
const MESSAGES: u64 = 5;

/// How long after they became due the messages to all endpoints but the first arrived: the
/// 99th of a hundred.
async fn p99(dead: Option<Answer>) -> Duration {
    let mut world = World::new().await;
    world.timeout = Duration::from_secs(5);
    let first = HttpReceiver::start().await;
    if let Some(answer) = dead {
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
            took.push(
                (delivery.ended_at.unwrap() - due_at)
                    .to_std()
                    .unwrap_or_default(),
            );
        }
    }
    assert_eq!(took.len() as u64, (ENDPOINTS - 1) * MESSAGES);
    sender.abort();
    took.sort();
    took[took.len() * 99 / 100]
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_endpoints_a_dead_one_does_not_delay_the_others() {
    let without = p99(None).await;
    let with_hanging = p99(Some(Answer::Hang)).await;
    let with_resetting = p99(Some(Answer::Reset)).await;
    println!(
        "p99: {without:?} with all well, {with_hanging:?} with one hanging, {with_resetting:?} with one resetting"
    );
    // A machine that is busy with other tests is no better clock than this; whoever waited for
    // the dead endpoint once would take its time-out of five seconds.
    let most = without * 2 + Duration::from_millis(1_500);
    assert!(with_hanging < most && with_resetting < most);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_dead_endpoints_than_places_do_not_delay_one_that_works() {
    let mut world = World::new().await;
    world.sender.concurrency = 8;
    world.sender.failing_concurrency = 4;
    world.sender.schedule = Schedule { scale: 1_000 };
    let (dead, works) = (HttpReceiver::start().await, HttpReceiver::start().await);
    dead.answer(Answer::Hang);
    world.events(1, 9).await;
    for number in 0..30 {
        let id = format!("whe_{number}");
        world.endpoint(&id, &dead.url("/"), false).await;
        world.due(&id, 1, 8).await;
    }
    let sender = world.start();
    eventually("all are known to fail", async || {
        let all = world.store.endpoints(None, 100).await.unwrap();
        all.iter().all(|one| one.failing_since.is_some())
    })
    .await;
    world.endpoint("whe_works", &works.url("/"), false).await;
    world.due("whe_works", 9, 9).await;
    let due = std::time::Instant::now();
    world.settled("whe_works").await;
    // Whoever waited for one of the dead would take its time-out of five seconds.
    let took = due.elapsed();
    assert!(took < Duration::from_millis(2_500), "{took:?}");
    sender.abort();
}
