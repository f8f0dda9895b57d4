//! A bare client of endpoints: it posts, and keeps nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The ports of the endpoints on this machine.
    #[arg(long = "port", required = true)]
    ports: Vec<u16>,
    /// How many messages each endpoint gets.
    #[arg(long)]
    messages: usize,
    /// How long a message is.
    #[arg(long)]
    bytes: usize,
    /// How many are on their way to one endpoint at once.
    #[arg(long, default_value_t = 4)]
    at_once: usize,
}

/// Posts to one endpoint until all its messages are taken.
async fn post(
    client: reqwest::Client,
    port: u16,
    body: Arc<str>,
    taken: Arc<AtomicUsize>,
    messages: usize,
) -> Result<()> {
    loop {
        let number = taken.fetch_add(1, Ordering::Relaxed);
        if number >= messages {
            return Ok(());
        }
        let message = client
            .post(format!("http://127.0.0.1:{port}/hook"))
            .header("webhook-id", number.to_string())
            .header("content-type", "application/json")
            .body(body.to_string());
        message.send().await.context("a message was not taken")?;
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    // reqwest wants one although nothing here is encrypted; another may be installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().build()?;
    let body: Arc<str> = "x".repeat(arguments.bytes).into();
    let mut posting = JoinSet::new();
    for port in arguments.ports {
        let taken = Arc::new(AtomicUsize::new(0));
        for _ in 0..arguments.at_once {
            let (body, taken) = (body.clone(), taken.clone());
            posting.spawn(post(client.clone(), port, body, taken, arguments.messages));
        }
    }
    while let Some(done) = posting.join_next().await {
        done??;
    }
    Ok(())
}
