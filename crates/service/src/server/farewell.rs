//! What a connection is told that cannot be served, in the words of HTTP/2, which clients of gRPC
//! show to people.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// How many are told at a time; the others are closed without a word.
const AT_A_TIME: usize = 64;
const TIME: Duration = Duration::from_secs(1);

/// Why a connection cannot be served, as HTTP/2 has it (RFC 9113, section 7).
#[derive(Debug, Clone, Copy)]
pub(super) enum Farewell {
    /// There are too many: `ENHANCE_YOUR_CALM`, which is `RESOURCE_EXHAUSTED` in gRPC.
    TooMany = 0xb,
    /// It must be with TLS: `INADEQUATE_SECURITY`, which is `PERMISSION_DENIED` in gRPC.
    WithoutTls = 0xc,
}

#[derive(Clone)]
pub(super) struct Farewells(Arc<Semaphore>);

impl Default for Farewells {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

impl Farewells {
    /// Says why, and closes the connection.
    pub(super) fn say(&self, stream: TcpStream, farewell: Farewell, why: &str) {
        self.close(stream, goodbye(farewell, why));
    }

    /// Closes a connection on which the last word is said already.
    pub(super) fn linger(&self, stream: TcpStream) {
        self.close(stream, Vec::new());
    }

    fn close(&self, mut stream: TcpStream, bytes: Vec<u8>) {
        let Ok(turn) = self.0.clone().try_acquire_owned() else {
            return;
        };
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
fn goodbye(farewell: Farewell, why: &str) -> Vec<u8> {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GOAWAY: [u8; 6] = [7, 0, 0, 0, 0, 0];
    // The last stream that was served, of which there is none, and the error.
    let head = [0_u32.to_be_bytes(), (farewell as u32).to_be_bytes()].concat();
    let payload = [head.as_slice(), why.as_bytes()].concat();
    // Our sentences are far shorter than the 16 MiB that three bytes count.
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let [_, length @ ..] = length;
    [SETTINGS.as_slice(), &length, &GOAWAY, &payload].concat()
}
