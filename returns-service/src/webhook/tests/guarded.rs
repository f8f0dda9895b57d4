//! The guard at the moment of dialling.

use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::dns::Resolve as _;

use super::*;
use crate::webhook::client::Signed;
use crate::webhook::guard::GuardedResolver;

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

async fn post(world: &World, lookup: Arc<dyn Lookup>, url: &str) -> Option<String> {
    let message = Signed {
        url,
        message_id: "msg_1",
        timestamp_s: 1,
        signatures: "v1,x".to_owned(),
        body: "{}".to_owned(),
    };
    world.client(lookup).post(message).await.error
}

#[tokio::test]
async fn a_name_that_changes_its_answer_between_check_and_dial_reaches_nobody() {
    let mut world = World::new().await;
    let receiver = HttpReceiver::start().await;
    let url = format!("http://rebind.example:{}/", receiver.address().port());
    for (allow_private, arrives) in [(false, false), (true, true)] {
        world.guard.allow_private = allow_private;
        let lookup = Arc::new(Flipping::default());
        let resolver = GuardedResolver {
            guard: world.guard,
            lookup: lookup.clone(),
        };
        let first = resolver.resolve("rebind.example".parse().unwrap()).await;
        assert_eq!(first.ok().unwrap().count(), 1, "the check finds it public");
        let error = post(&world, lookup, &url).await;
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

#[tokio::test]
async fn an_address_that_is_written_as_one_is_looked_at_at_every_send() {
    let mut world = World::new().await;
    let receiver = HttpReceiver::start().await;
    world.guard.allow_private = false;
    let port = receiver.address().port();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "localhost",
    ] {
        let url = format!("http://{host}:{port}/");
        let error = post(&world, Arc::new(Here), &url).await.unwrap();
        assert!(error.starts_with("nothing was sent"), "{host}: {error}");
    }
    assert!(receiver.received().is_empty());
    world.guard.allow_private = true;
    let url = format!("http://2130706433:{port}/");
    assert_eq!(post(&world, Arc::new(Here), &url).await, None);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let world = World::new().await;
    let receiver = HttpReceiver::start().await;
    let endless = "x".repeat(10_000_000);
    receiver.answer(echeck_test_servers::http::Answer::Status(400, endless));
    let error = post(&world, Arc::new(Here), &receiver.url("/"))
        .await
        .unwrap();
    assert!(error.len() < 200, "{} bytes are kept", error.len());
}
