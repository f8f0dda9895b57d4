//! A line on which everything takes a while: a TCP proxy that passes bytes on, each after a delay, and as
//! many at a time as are sent.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Blocks that may be on their way at once: far more than SSH sends without an answer.
const BLOCKS: usize = 1_024;
const BLOCK_BYTES: usize = 64 << 10;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The port of the server on this machine.
    #[arg(long)]
    to: u16,
    /// How long each byte is on its way, in milliseconds; half a round trip.
    #[arg(long)]
    delay_ms: u64,
}

/// Prints its port, and passes on until it is killed.
pub(crate) async fn run(Arguments { to, delay_ms }: Arguments) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    writeln!(std::io::stdout(), "{}", serde_json::json!({"port": port}))?;
    let delay = Duration::from_millis(delay_ms);
    loop {
        let (caller, _) = listener.accept().await?;
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await?;
        caller.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_caller, to_caller) = caller.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::spawn(pass(from_caller, to_server, delay));
        tokio::spawn(pass(from_server, to_caller, delay));
    }
}

/// Passes bytes on until one side closes; then the other side sees it closed.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(BLOCKS);
    tokio::spawn(async move {
        while let Some((due, block)) = receiver.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&block).await.is_err() {
                return;
            }
        }
    });
    let mut block = vec![0; BLOCK_BYTES];
    while let Ok(bytes @ 1..) = from.read(&mut block).await {
        let due = Instant::now() + delay;
        if sender.send((due, block[..bytes].to_vec())).await.is_err() {
            return;
        }
    }
}
