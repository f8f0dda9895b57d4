//! Secrets come out at no door, also when receivers repeat them.

use std::io::Write;

use echeck_test_servers::http::Answer;
use secrecy::ExposeSecret as _;
use tracing_subscriber::fmt::MakeWriter;

use super::world::*;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_key_and_no_path_is_in_a_log_an_error_or_an_incident_even_when_repeated() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let mut world = World::new().await;
    let receiver = HttpReceiver::start().await;
    let url = receiver.url("/hooks/CANARYpath?key=CANARYquery");
    let keys = world.endpoint("whe_1", &url, false).await;
    let secret = keys[0].for_receiver().unwrap().expose_secret();
    let bare = secret.strip_prefix("whsec_").unwrap().to_owned();
    world.events(1, 1).await;
    world.due("whe_1", 1, 1).await;
    receiver.answer(Answer::Status(
        400,
        format!("bad {url} CANARYpath CANARYquery"),
    ));
    receiver.answer_next(Answer::Reset);
    let sender = world.start();
    let ended = world.settled("whe_1").await;
    eventually("the incident is told", async || !world.signals.is_empty()).await;
    sender.abort();
    let unreachable = "http://nowhere.invalid:1/CANARYpath";
    world.endpoint("whe_2", unreachable, false).await;
    world.due("whe_2", 1, 1).await;
    let sender = world.start();
    let gone = world.settled("whe_2").await;
    // The first one's is told again at the second start.
    eventually("the incidents are told", async || world.signals.len() >= 3).await;
    sender.abort();

    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(
        logged.contains("a webhook was not delivered"),
        "the log was kept"
    );
    let told = format!("{:?}", world.signals());
    assert!(told.contains("WebhookUndeliverable"), "{told}");
    for (place, text) in [
        ("the log", logged),
        ("the incidents", told),
        ("the deliveries", format!("{ended:?} {gone:?}")),
        ("what is printed", format!("{keys:?}")),
    ] {
        for canary in [bare.as_str(), "CANARYpath", "CANARYquery"] {
            let at = text.find(canary);
            let around = at.map(|at| text[at.saturating_sub(200)..at].to_owned());
            assert_eq!(around, None, "{canary} is in {place}");
        }
    }
}
