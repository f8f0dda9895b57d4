//! The heartbeat.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use echeck_test_servers::http::Answer;

use super::*;

#[tokio::test]
async fn the_heartbeat_goes_out_only_while_the_service_is_healthy() {
    let monitor = HttpReceiver::start().await;
    let toml = format!(
        "[alerts.heartbeat]\nurl = {:?}\nevery_ms = 100\nafter_ms = 700\nmethod = \"POST\"\n",
        monitor.url("/ping/token")
    );
    let settings = alerts(&toml).heartbeat.unwrap();
    let healthy = Arc::new(AtomicBool::new(true));
    let ill = Arc::new(AtomicU32::new(0));
    let (asked, said_ill) = (healthy.clone(), ill.clone());
    let health = move || {
        if asked.load(Ordering::Relaxed) {
            Ok(())
        } else {
            said_ill.fetch_add(1, Ordering::Relaxed);
            Err("ill".to_owned())
        }
    };
    let asked_while_ill = || ill.load(Ordering::Relaxed);
    let shutdown = CancellationToken::new();
    let started = tokio::time::Instant::now();
    let beating = tokio::spawn(beat(settings, health, shutdown.clone()));
    let count = || monitor.received().len();
    eventually("it beats", async || count() >= 3).await;
    // After 700 ms, and twice 100 ms more.
    let lived = started.elapsed();
    assert!(lived >= std::time::Duration::from_millis(850), "{lived:?}");
    // A monitor that fails is asked again.
    monitor.answer_next(Answer::Status(500, String::new()));
    let before = count();
    eventually("it beats on", async || count() >= before + 3).await;

    healthy.store(false, Ordering::Relaxed);
    // One beat follows the other: once it is asked again, none is on its way.
    eventually("it is asked", async || asked_while_ill() >= 1).await;
    let before = count();
    eventually("it is asked again", async || asked_while_ill() >= 5).await;
    assert_eq!(count(), before, "an ill service is silent");
    healthy.store(true, Ordering::Relaxed);
    eventually("it beats again", async || count() > before).await;
    let request = monitor.received().remove(0);
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/ping/token")
    );
    shutdown.cancel();
    beating.await.unwrap();
}
