//! Secrets put in at every door come out at none.

use std::io::Write;
use std::sync::Mutex;

use echeck_test_servers::http::Answer;
use echeck_test_servers::smtp::{Security, SmtpServer, USER};
use tracing_subscriber::fmt::MakeWriter;

use super::*;

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

const CANARIES: [&str; 5] = [
    "CANARYurl",
    "CANARYbearer",
    "CANARYpassword",
    "CANARYrouting",
    "CANARYbeat",
];

#[tokio::test]
async fn no_secret_is_in_a_log_an_error_or_the_database_even_when_servers_repeat_it() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let (_folder, store) = empty_store().await;
    let web = HttpReceiver::start().await;
    let closed = format!("http://127.0.0.1:{}/CANARYurl", echeck_test_servers::port());
    let smtp = SmtpServer::start(Security::Starttls, Some("CANARYother")).await;
    let toml = format!(
        "[alerts]\ntimeout_ms = 3000\n\
         [alerts.channels.slack]\nkind = \"slack\"\nurl = {:?}\n\
         [alerts.channels.gone]\nkind = \"webhook\"\nurl = {closed:?}\nauthorization = \"Bearer CANARYbearer\"\n\
         [alerts.channels.hook]\nkind = \"webhook\"\nurl = {:?}\nauthorization = \"Bearer CANARYbearer\"\n\
         [alerts.channels.pd]\nkind = \"pagerduty\"\nurl = {:?}\nrouting_key = \"CANARYrouting\"\n\
         [alerts.channels.mail]\nkind = \"email\"\nhost = \"localhost\"\nport = {}\n\
         ca_file = {:?}\nuser = {USER:?}\npassword = \"CANARYpassword\"\n\
         from = \"a@b.example\"\nto = \"c@d.example\"\n\
         [alerts.heartbeat]\nurl = {:?}\nevery_ms = 100\n",
        web.url("/services/CANARYurl"),
        web.url("/hook/CANARYurl?key=CANARYurl"),
        web.url("/v2/enqueue"),
        smtp.port,
        smtp.certificate_file(),
        web.url("/ping/CANARYbeat"),
    );
    // A server may repeat what it was sent, and be taken at its word.
    web.answer(Answer::Status(
        400,
        "bad CANARYurl CANARYbearer CANARYrouting".into(),
    ));
    let heartbeat = alerts(&toml).heartbeat.unwrap();
    let shutdown = CancellationToken::new();
    let beating = tokio::spawn(beat(heartbeat, || Ok(()), shutdown.clone()));
    let rig = Rig::start(&store, &toml);
    rig.report(port_closed());
    eventually("every channel failed", async || {
        let alerts = rig.alerts().await;
        let failed = alerts.iter().filter(|one| one.last_error.is_some());
        failed.count() >= 5
    })
    .await;
    let results = rig.manager.test_channels("ann").await;
    assert!(results.iter().all(|result| result.error.is_some()));
    shutdown.cancel();
    beating.await.unwrap();
    let kept = format!(
        "{:?} {:?} {results:?}",
        rig.incidents().await,
        rig.alerts().await
    );
    rig.stop().await;

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("an alert was not delivered"),
        "the log was kept"
    );
    assert!(logged.contains("TRACE"), "with everything");
    for canary in CANARIES {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(canary);
        for (place, text) in [("log", &logged), ("database", &kept)] {
            if let Some(at) = text.find(canary).or_else(|| text.find(&encoded)) {
                let from = text.floor_char_boundary(at.saturating_sub(300));
                let to = text.ceil_char_boundary(at + 100);
                panic!("{canary} is in the {place}: {}", &text[from..to]);
            }
        }
    }
}

#[test]
fn faults_of_the_configuration_name_the_key_and_quote_no_secret() {
    let toml = "[alerts]\nrunbook_url = \"wiki\"\n\
        [alerts.channels.a]\nkind = \"slack\"\nurl = \"http://hooks.example/CANARY\"\n\
        [alerts.channels.b]\nkind = \"webhook\"\nurl = \"https://x/CANARY\"\nauthorization = \"CANARY\\n\"\n\
        [alerts.channels.c]\nkind = \"pager\"\n\
        [alerts.channels.d]\nkind = \"email\"\nhost = \"mail.example\"\ntls = \"none\"\nuser = \"u\"\npassword = \"CANARY\"\nto = [\"nobody\"]\n\
        [alerts.channels.e]\nkind = \"slack\"\nurl = \"https://x/\"\nfallback = true\nregular = true\n\
        [alerts.channels.f]\nkind = \"pagerduty\"\n\
        [alerts.heartbeat]\nurl = \"ftp://CANARY\"\n";
    let settings = Settings::from_toml(toml).unwrap();
    AlertSettings::read(&settings.root().section("alerts"));
    let said = settings.finish().unwrap_err().to_string();
    for key in [
        "alerts.runbook_url: must begin",
        "alerts.channels.a.url: would send a secret in clear",
        "alerts.channels.b.authorization: cannot be sent",
        "alerts.channels.c.kind: must be one of slack, pagerduty, webhook, email",
        "alerts.channels.d.tls: must not be none",
        "alerts.channels.d.from",
        "alerts.channels.d.to: \"nobody\"",
        "alerts.channels.e.fallback: is for a channel",
        "alerts.channels.f.routing_key: is required",
        "alerts.heartbeat.url: is not a valid address",
    ] {
        assert!(said.contains(key), "{key} is missing in: {said}");
    }
    assert!(!said.contains("CANARY"), "{said}");
}
