//! The two proxies of the rig. One stands in front of two copies of an adapter and gives each
//! connection to the next copy that lives. One stands in front of a database and, when it is
//! told to, cuts a connection after a COMMIT was sent and before its answer is back.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::wire::{Protocol, Watch};

/// When a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Once the server's answer has come: the commit has happened, and nobody is told.
    AfterAnswer,
    /// As soon as the COMMIT is passed on: it may happen or not.
    AtOnce,
}

/// One address in front of several copies of a service.
pub struct Front {
    cut: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Front {
    /// Listens on `port`, for the copies that listen on `copies`.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(port: u16, copies: Vec<u16>) -> Result<Self> {
        let listener = listen(port).await?;
        let (cut, cuts) = watch::channel(0);
        let next = AtomicUsize::new(0);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let first = next.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(pass_on(client, copies.clone(), first, cuts.clone()));
            }
        });
        Ok(Self { cut, task })
    }

    /// Cuts every connection that there is: calls lose their answers.
    pub fn cut(&self) {
        self.cut.send_modify(|count| *count += 1);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(
    mut client: TcpStream,
    copies: Vec<u16>,
    first: usize,
    mut cuts: watch::Receiver<u64>,
) {
    cuts.mark_unchanged();
    for at in 0..copies.len() {
        let port = copies[(first + at) % copies.len()];
        let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
            continue;
        };
        // Whatever ends it, both sides see the connection close.
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => {}
            _ = cuts.changed() => {}
        }
        return;
    }
}

/// A proxy in front of a database.
pub struct Cutter {
    /// How many more COMMITs are cut off, for each way of cutting.
    armed: Arc<[AtomicUsize; 2]>,
    done: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Cutter {
    /// Listens on `port`, for the server on `server`.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(port: u16, server: u16, protocol: Protocol) -> Result<Self> {
        let listener = listen(port).await?;
        let armed: Arc<[AtomicUsize; 2]> = Arc::default();
        let done: Arc<AtomicU64> = Arc::default();
        let shared = (armed.clone(), done.clone());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (armed, done) = shared.clone();
                tokio::spawn(async move {
                    let session = Session {
                        watch: Watch::new(protocol),
                        armed,
                        done,
                    };
                    // An error is a closed connection, which is all that both sides see.
                    let _ = session.run(client, server).await;
                });
            }
        });
        Ok(Self { armed, done, task })
    }

    /// Cuts off the next `commits` COMMITs.
    pub fn arm(&self, how: Cut, commits: usize) {
        self.armed[how as usize].store(commits, Ordering::SeqCst);
    }

    /// Cuts off nothing more.
    pub fn disarm(&self) {
        for armed in &*self.armed {
            armed.store(0, Ordering::SeqCst);
        }
    }

    /// How many COMMITs were cut off so far.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Session {
    watch: Watch,
    armed: Arc<[AtomicUsize; 2]>,
    done: Arc<AtomicU64>,
}

impl Session {
    async fn run(mut self, mut client: TcpStream, port: u16) -> std::io::Result<()> {
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (mut from_client, mut from_server) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        loop {
            tokio::select! {
                read = client.read(&mut from_client) => {
                    let bytes = &from_client[..read?];
                    if bytes.is_empty() {
                        return Ok(());
                    }
                    let commit = self.watch.client_sends(bytes);
                    server.write_all(bytes).await?;
                    if commit && let Some(how) = self.take() {
                        self.done.fetch_add(1, Ordering::SeqCst);
                        if how == Cut::AfterAnswer {
                            // However much of the answer this is, nobody gets it.
                            let _answer = server.read(&mut from_server).await?;
                        }
                        return Ok(());
                    }
                }
                read = server.read(&mut from_server) => {
                    let bytes = &from_server[..read?];
                    if bytes.is_empty() {
                        return Ok(());
                    }
                    self.watch.server_sends(bytes);
                    client.write_all(bytes).await?;
                }
            }
        }
    }

    /// Whether this COMMIT is one to cut off.
    fn take(&self) -> Option<Cut> {
        [Cut::AfterAnswer, Cut::AtOnce].into_iter().find(|how| {
            self.armed[*how as usize]
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
        })
    }
}

async fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await
        .with_context(|| format!("port {port} cannot be listened on"))
}
