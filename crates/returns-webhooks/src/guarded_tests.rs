//! The guard at the moment of dialling.

use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::dns::Resolve as _;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use echeck_service::clock::SystemClock;
use echeck_test_servers::http::HttpReceiver;
use futures_util::future::BoxFuture;

use crate::client::{ClientSettings, Signed, WebhookClient};
use crate::guard::{Guard, GuardedResolver, Lookup};

/// A name that is public when it is looked at first, and this machine ever after.
#[derive(Default)]
struct Flipping(AtomicUsize);

impl Lookup for Flipping {
    fn lookup(&self, _name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, String>> {
        let address = match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => [8, 8, 8, 8],
            _ => [127, 0, 0, 1],
        };
        Box::pin(async move { Ok(vec![IpAddr::from(address)]) })
    }
}

async fn post(guard: Guard, lookup: Arc<dyn Lookup>, url: &str) -> Option<String> {
    let message = Signed {
        url,
        message_id: "msg_1",
        timestamp_s: 1,
        signatures: "v1,x".to_owned(),
        body: "{}".to_owned(),
    };
    let settings = ClientSettings {
        guard,
        timeout: Duration::from_secs(30),
        ca_pem: None,
    };
    let client = WebhookClient::new(&settings, lookup, Arc::new(SystemClock)).unwrap();
    client.post(message).await.error
}

#[tokio::test]
async fn a_name_that_changes_its_answer_between_check_and_dial_reaches_nobody() {
    let receiver = HttpReceiver::start().await;
    let url = format!("http://rebind.example:{}/", receiver.address().port());
    for (allow_private, arrives) in [(false, false), (true, true)] {
        let guard = Guard {
            allow_private,
            allow_http: true,
        };
        let lookup = Arc::new(Flipping::default());
        let resolver = GuardedResolver {
            guard,
            lookup: lookup.clone(),
        };
        let first = resolver.resolve("rebind.example".parse().unwrap()).await;
        assert_eq!(first.ok().unwrap().count(), 1, "the check finds it public");
        let error = post(guard, lookup, &url).await;
        assert_eq!(error.is_none(), arrives, "{error:?}");
        if let Some(error) = error {
            assert!(
                error.contains("127.0.0.1, which is not on the public"),
                "{error}"
            );
        }
        assert_eq!(!receiver.received().is_empty(), arrives);
    }
}

/// Every name is this machine.
struct Here;

impl Lookup for Here {
    fn lookup(&self, _name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, String>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

const OPEN: Guard = Guard {
    allow_private: true,
    allow_http: true,
};

#[tokio::test]
async fn an_address_that_is_written_as_one_is_looked_at_at_every_send() {
    let receiver = HttpReceiver::start().await;
    let guard = Guard {
        allow_private: false,
        ..OPEN
    };
    let port = receiver.address().port();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "localhost",
    ] {
        let url = format!("http://{host}:{port}/");
        let error = post(guard, Arc::new(Here), &url).await.unwrap();
        assert!(error.starts_with("nothing was sent"), "{host}: {error}");
    }
    assert!(receiver.received().is_empty());
    let url = format!("http://2130706433:{port}/");
    assert_eq!(post(OPEN, Arc::new(Here), &url).await, None);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let receiver = HttpReceiver::start().await;
    let endless = "x".repeat(10_000_000);
    receiver.answer(echeck_test_servers::http::Answer::Status(400, endless));
    let error = post(OPEN, Arc::new(Here), &receiver.url("/"))
        .await
        .unwrap();
    assert!(error.len() < 200, "{} bytes are kept", error.len());
}
