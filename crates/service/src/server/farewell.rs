//! What a connection is told that cannot be served: that there are too many, in the words of
//! HTTP/2, which clients of gRPC show to people as `RESOURCE_EXHAUSTED`.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// How many are told at a time; the others are closed without a word.
const AT_A_TIME: usize = 64;
const TIME: Duration = Duration::from_secs(1);

pub(super) struct Farewells(Arc<Semaphore>);

impl Default for Farewells {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

impl Farewells {
    /// Says why, and closes the connection.
    pub(super) fn say(&self, mut stream: TcpStream, why: &str) {
        let Ok(turn) = self.0.clone().try_acquire_owned() else {
            return;
        };
        let bytes = goodbye(why);
        tokio::spawn(async move {
            let said = async {
                stream.write_all(&bytes).await?;
                stream.shutdown().await?;
                // Closed with something unread, a socket takes back what it has sent.
                let mut ignored = [0; 1024];
                while stream.read(&mut ignored).await? > 0 {}
                std::io::Result::Ok(())
            };
            // A peer that does not listen is left.
            let _ = tokio::time::timeout(TIME, said).await;
            drop(turn);
        });
    }
}

/// An empty SETTINGS frame, and a GOAWAY frame with the reason as its debug data (RFC 9113,
/// sections 6.5 and 6.8).
fn goodbye(why: &str) -> Vec<u8> {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GOAWAY: [u8; 6] = [7, 0, 0, 0, 0, 0];
    const ENHANCE_YOUR_CALM: u32 = 0xb;
    // The last stream that was served, of which there is none, and the error.
    let head = [0_u32.to_be_bytes(), ENHANCE_YOUR_CALM.to_be_bytes()].concat();
    let payload = [head.as_slice(), why.as_bytes()].concat();
    // Our sentences are far shorter than the 16 MiB that three bytes count.
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let [_, length @ ..] = length;
    [SETTINGS.as_slice(), &length, &GOAWAY, &payload].concat()
}
