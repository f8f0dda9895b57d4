//! The heartbeat.

use std::sync::atomic::{AtomicBool, Ordering};

use echeck_test_servers::http::Answer;

use super::*;

#[tokio::test]
async fn the_heartbeat_goes_out_only_while_the_service_is_healthy() {
    let monitor = HttpReceiver::start().await;
    let toml = format!(
        "[alerts.heartbeat]\nurl = {:?}\nevery_ms = 100\nmethod = \"POST\"\n",
        monitor.url("/ping/token")
    );
    let settings = alerts(&toml).heartbeat.unwrap();
    let healthy = Arc::new(AtomicBool::new(true));
    let asked = healthy.clone();
    let health = move || {
        if asked.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err("ill".to_owned())
        }
    };
    let shutdown = CancellationToken::new();
    let beating = tokio::spawn(beat(settings, health, shutdown.clone()));
    let count = || monitor.received().len();
    eventually("it beats", async || count() >= 3).await;
    // A monitor that fails is asked again.
    monitor.answer_next(Answer::Status(500, String::new()));
    let before = count();
    eventually("it beats on", async || count() >= before + 3).await;

    healthy.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(150)).await;
    let before = count();
    tokio::time::sleep(Duration::from_millis(500)).await;
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
