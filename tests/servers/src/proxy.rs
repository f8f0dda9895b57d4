//! A line that can be made bad: a TCP proxy which cuts, slows down or holds up what passes,
//! and an address that answers nothing at all.
//!
//! ```no_run
//! use echeck_test_servers::proxy::Proxy;
//!
//! let proxy = Proxy::start(2222); // in front of 127.0.0.1:2222
//! proxy.cut_after(1 << 20);       // a MiB more from the server, then every connection ends
//! println!("connect to port {}", proxy.port());
//! ```

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a thread of the proxy waits before it looks again what it is to do.
const TICK: Duration = Duration::from_millis(10);

/// What is done to bytes that come from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// So many more pass, then all connections are closed.
    CutAfter(u64),
    /// So many pass, then none, and no connection is closed.
    HoldAfter(u64),
    /// So many pass a second.
    Throttle(u64),
    /// None pass, and no connection is closed.
    HoldUp,
    /// The first bytes become the others.
    Replace(&'static [u8], &'static [u8]),
}

struct State {
    /// The port of the server.
    server: AtomicU16,
    fault: Mutex<Fault>,
    open: Mutex<Vec<TcpStream>>,
    connections: AtomicU64,
    bytes: AtomicU64,
    ended: AtomicBool,
}

/// A proxy in front of a server on 127.0.0.1. What is told to it applies at once, to the
/// connections there are and to new ones.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    /// Listens on a port of its own, for the server on `server`.
    ///
    /// # Panics
    /// When no port can be had.
    #[must_use]
    pub fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port can be had");
        let port = listener.local_addr().expect("it listens").port();
        let state = Arc::new(State {
            server: AtomicU16::new(server),
            fault: Mutex::new(Fault::None),
            open: Mutex::default(),
            connections: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let shared = state.clone();
        std::thread::spawn(move || accept(&listener, &shared));
        Self { port, state }
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets everything pass again.
    pub fn pass(&self) {
        self.set(Fault::None);
    }

    /// Lets `bytes` more come from the server, over all connections, and then closes them.
    pub fn cut_after(&self, bytes: u64) {
        self.set(Fault::CutAfter(bytes));
    }

    /// Lets `bytes` more come from the server, and then nothing, and closes nothing.
    pub fn hold_after(&self, bytes: u64) {
        self.set(Fault::HoldAfter(bytes));
    }

    /// Leads new connections to another server on 127.0.0.1, and closes those there are.
    pub fn turn_to(&self, server: u16) {
        self.state.server.store(server, Ordering::SeqCst);
        self.cut();
    }

    /// Closes every connection now; new ones pass.
    pub fn cut(&self) {
        self.state.close_all();
    }

    /// Lets so many bytes a second come from the server.
    pub fn throttle(&self, bytes_per_second: u64) {
        self.set(Fault::Throttle(bytes_per_second));
    }

    /// Puts other bytes in the place of these, wherever a block that comes from the server has
    /// them whole. Both have the same length.
    ///
    /// # Panics
    /// When they have not.
    pub fn replace(&self, these: &'static [u8], others: &'static [u8]) {
        assert_eq!(these.len(), others.len(), "nothing may move");
        self.set(Fault::Replace(these, others));
    }

    /// Lets nothing come from the server, and closes nothing: a firewall that has forgotten
    /// the connection. New connections are taken, and hear nothing either.
    pub fn hold_up(&self) {
        self.set(Fault::HoldUp);
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many bytes came from the server.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.state.bytes.load(Ordering::SeqCst)
    }

    fn set(&self, fault: Fault) {
        *self.state.fault() = fault;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.state.close_all();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl State {
    fn fault(&self) -> MutexGuard<'_, Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close_all(&self) {
        for stream in self.open().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    while let Ok((client, _)) = listener.accept() {
        if state.has_ended() {
            return;
        }
        state.connections.fetch_add(1, Ordering::SeqCst);
        let server = state.server.load(Ordering::SeqCst);
        let Ok(upstream) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else {
            continue;
        };
        // Small messages go at once, as they do without a proxy.
        let _ = client.set_nodelay(true);
        let _ = upstream.set_nodelay(true);
        let copies = [client.try_clone(), upstream.try_clone(), client.try_clone()];
        let [Ok(a), Ok(b), Ok(to_client)] = copies else {
            continue;
        };
        let Ok(from_client) = client.try_clone() else {
            continue;
        };
        let Ok(to_server) = upstream.try_clone() else {
            continue;
        };
        state.open().extend([a, b]);
        std::thread::spawn(move || pass_on(from_client, to_server));
        let state = state.clone();
        std::thread::spawn(move || pass_with_faults(upstream, to_client, &state));
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    // Whatever ends it, both sides see the connection close.
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

fn pass_with_faults(mut from: TcpStream, mut to: TcpStream, state: &State) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        if let Fault::Replace(these, others) = *state.fault() {
            replace(&mut buffer[..bytes], these, others);
        }
        if pass_block(&buffer[..bytes], &mut to, state).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

fn replace(block: &mut [u8], these: &[u8], others: &[u8]) {
    for at in 0..block.len().saturating_sub(these.len() - 1) {
        if block[at..].starts_with(these) {
            block[at..at + others.len()].copy_from_slice(others);
        }
    }
}

/// Passes a block on, as the fault of the moment lets it.
fn pass_block(mut block: &[u8], to: &mut TcpStream, state: &State) -> std::io::Result<()> {
    while !block.is_empty() {
        if state.has_ended() {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        let started = Instant::now();
        let fault = *state.fault();
        let bytes = match fault {
            Fault::None | Fault::Replace(..) => block.len(),
            Fault::HoldUp => 0,
            Fault::CutAfter(left) | Fault::HoldAfter(left) => {
                usize::try_from(left).unwrap_or(usize::MAX).min(block.len())
            }
            // A hundredth of a second's share at a time.
            Fault::Throttle(per_second) => usize::try_from(per_second / 100)
                .unwrap_or(usize::MAX)
                .clamp(1, block.len()),
        };
        let (now, later) = block.split_at(bytes);
        to.write_all(now)?;
        state.bytes.fetch_add(now.len() as u64, Ordering::SeqCst);
        block = later;
        match fault {
            Fault::None | Fault::Replace(..) => {}
            Fault::CutAfter(left) => {
                let left = left - now.len() as u64;
                *state.fault() = Fault::CutAfter(left);
                if left == 0 {
                    state.close_all();
                    return Err(std::io::ErrorKind::BrokenPipe.into());
                }
            }
            Fault::HoldAfter(left) => {
                *state.fault() = Fault::HoldAfter(left - now.len() as u64);
                if left == 0 {
                    std::thread::park_timeout(TICK);
                }
            }
            Fault::Throttle(_) | Fault::HoldUp => {
                std::thread::park_timeout(TICK.saturating_sub(started.elapsed()));
            }
        }
    }
    Ok(())
}

/// An address that is there and does not answer: connections to it wait for ever, as behind a
/// firewall that drops them.
pub struct BlackHole {
    port: u16,
    /// Its queue of connections is full, and nobody takes any of them.
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl BlackHole {
    /// Opens one on 127.0.0.1.
    ///
    /// # Panics
    /// When this system answers although the queue is full.
    #[must_use]
    pub fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port can be had");
        let address = listener.local_addr().expect("it listens");
        // The shortest queue that there is.
        rustix::net::listen(&listener, 0).expect("the queue can be shortened");
        let waiting = fill(&address);
        Self {
            port: address.port(),
            _listener: listener,
            _waiting: waiting,
        }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

fn fill(address: &SocketAddr) -> Vec<TcpStream> {
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(address, Duration::from_millis(200)) {
        waiting.push(stream);
        assert!(waiting.len() < 100, "the queue has an end");
    }
    waiting
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends numbered bytes for as long as anybody reads.
    fn source() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let block = [7; 1024];
                while stream.write_all(&block).is_ok() {}
            }
        });
        port
    }

    fn through(proxy: &Proxy) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        let second = Duration::from_secs(1);
        stream.set_read_timeout(Some(second)).unwrap();
        stream
    }

    #[test]
    fn a_cut_lets_so_many_bytes_pass_and_no_more() {
        let proxy = Proxy::start(source());
        proxy.cut_after(100_000);
        let mut got = Vec::new();
        // A reset may come in place of an end.
        let _ = through(&proxy).read_to_end(&mut got);
        assert_eq!(proxy.bytes(), 100_000);
        assert!(got.len() <= 100_000);
        assert_eq!(proxy.connections(), 1);
    }

    #[test]
    fn a_throttle_holds_the_pace() {
        let proxy = Proxy::start(source());
        proxy.throttle(10_000);
        let mut stream = through(&proxy);
        let started = Instant::now();
        let mut got = [0; 3_000];
        stream.read_exact(&mut got).unwrap();
        assert!(started.elapsed() > Duration::from_millis(200));
    }

    #[test]
    fn a_replacement_changes_bytes_and_moves_none() {
        let proxy = Proxy::start(source());
        proxy.replace(&[7, 7], &[1, 2]);
        let mut got = [0; 4];
        through(&proxy).read_exact(&mut got).unwrap();
        assert_eq!(got, [1, 2, 1, 2]);
    }

    #[test]
    fn a_hold_up_ends_nothing_and_passes_nothing() {
        let proxy = Proxy::start(source());
        proxy.hold_up();
        let mut stream = through(&proxy);
        let error = stream.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        proxy.pass();
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 1);
    }

    #[test]
    fn a_black_hole_answers_nothing() {
        let hole = BlackHole::open();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, hole.port()));
        let error = TcpStream::connect_timeout(&address, Duration::from_millis(300)).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    }
}
