//! The connections of a server: how many there may be, of all peers and of one, and how long a
//! new one may be silent. One that has said nothing yet makes room for the next.

use std::collections::VecDeque;
use std::future::Future as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;
use tracing::{debug, warn};

use super::farewell::{Farewell, Farewells};
use super::seats::{Seat, Seats, Share, peer_of};
use super::settings::ServerConfig;
use crate::access::Peer;
use crate::tls::{HandshakeFault, ServerStream, ServerTls};

/// The bytes with which a client begins HTTP/2 (RFC 9113, section 3.4).
const PREFACE_BYTES: usize = 24;

/// How often a refusal is logged at most.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(10);

/// All connections.
pub(super) struct Connections {
    seats: Seats,
    most: usize,
    most_of_peer: usize,
    handshake_timeout: Duration,
    /// Those that have said nothing yet, the oldest first, and some that have.
    silent: VecDeque<Weak<Place>>,
    pub(super) farewells: Farewells,
    warned: Option<Instant>,
}

/// The place of one connection.
struct Place {
    peer: IpAddr,
    state: Mutex<PlaceState>,
    /// Cancelled when the place is given to another.
    taken_away: CancellationToken,
}

enum PlaceState {
    Silent(Seat),
    Speaking(Seat),
    TakenAway,
}

impl Connections {
    pub(super) fn new(config: &ServerConfig) -> Self {
        let (most, most_of_peer) = config.connection_limits();
        Self {
            seats: Seats::default(),
            most,
            most_of_peer,
            handshake_timeout: config.handshake_timeout,
            silent: VecDeque::new(),
            farewells: Farewells::default(),
            warned: None,
        }
    }

    /// How many there may be.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Admits a connection; one too many is told so, and closed.
    pub(super) fn admit(&mut self, stream: TcpStream) -> Option<Admitted> {
        // A connection without an address is gone already.
        let address = stream.peer_addr().ok()?;
        let peer = peer_of(address.ip());
        while self.silent.front().is_some_and(|oldest| !is_silent(oldest)) {
            self.silent.pop_front();
        }
        let seat = loop {
            let shares = vec![
                (Share::All, self.most),
                (Share::Peer(peer), self.most_of_peer),
            ];
            match self.seats.take(shares) {
                Ok(seat) => break seat,
                Err((share, _)) if self.make_room(&share) => {}
                Err((share, limit)) => {
                    self.refuse(stream, &share, limit);
                    return None;
                }
            }
        };
        let place = Arc::new(Place {
            peer,
            state: Mutex::new(PlaceState::Silent(seat)),
            taken_away: CancellationToken::new(),
        });
        self.silent.push_back(Arc::downgrade(&place));
        Some(Admitted {
            stream,
            address,
            place,
            until: Instant::now() + self.handshake_timeout,
        })
    }

    /// Takes the place of the connection that has been silent longest, among those that count
    /// for the share. False when there is none.
    fn make_room(&mut self, share: &Share) -> bool {
        let counts = |place: &Weak<Place>| {
            let peer = place.upgrade().map(|place| place.peer);
            peer.is_some_and(|peer| *share == Share::All || *share == Share::Peer(peer))
        };
        let found = |place: &Weak<Place>| counts(place) && is_silent(place);
        let at = self.silent.iter().position(found);
        let Some(place) = at.and_then(|at| self.silent.remove(at)) else {
            return false;
        };
        if let Some(place) = place.upgrade() {
            place.take_away();
        }
        true
    }

    fn refuse(&mut self, stream: TcpStream, share: &Share, limit: usize) {
        let whose = match share {
            Share::Peer(_) => "your address",
            Share::All
            | Share::Method(_)
            | Share::MethodOfPeer(..)
            | Share::Identity(_)
            | Share::StreamsOf(_) => "the server",
        };
        let why =
            format!("{whose} already has {limit} connections; close some, or try again later");
        let now = Instant::now();
        if self
            .warned
            .is_none_or(|last| now - last >= BETWEEN_WARNINGS)
        {
            self.warned = Some(now);
            let peer = stream.peer_addr().ok().map(tracing::field::display);
            warn!(peer, why, "refused a connection");
        }
        self.farewells.say(stream, Farewell::TooMany, &why);
    }
}

fn is_silent(place: &Weak<Place>) -> bool {
    let place = place.upgrade();
    place.is_some_and(|place| matches!(*place.state(), PlaceState::Silent(_)))
}

impl Place {
    fn state(&self) -> MutexGuard<'_, PlaceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the place to another, unless the connection has spoken meanwhile.
    fn take_away(&self) {
        let mut state = self.state();
        if matches!(*state, PlaceState::Silent(_)) {
            *state = PlaceState::TakenAway;
            self.taken_away.cancel();
        }
    }

    /// The connection has spoken. False when its place is gone.
    fn speaks(&self) -> bool {
        let mut state = self.state();
        match std::mem::replace(&mut *state, PlaceState::TakenAway) {
            PlaceState::Silent(seat) | PlaceState::Speaking(seat) => {
                *state = PlaceState::Speaking(seat);
                true
            }
            PlaceState::TakenAway => false,
        }
    }
}

/// A connection that has a place and has said nothing yet.
pub(super) struct Admitted {
    stream: TcpStream,
    pub(super) address: SocketAddr,
    place: Arc<Place>,
    /// By then it has to speak.
    until: Instant,
}

impl Admitted {
    /// Begins TLS, where the server has it.
    pub(super) async fn begin(self, tls: Option<&ServerTls>) -> Result<Connection, HandshakeFault> {
        let Self {
            stream,
            address,
            place,
            until,
        } = self;
        let stream = match tls {
            None => ServerStream::Plain(stream),
            Some(tls) => tokio::select! {
                begun = tls.accept(stream) => begun?,
                () = place.taken_away.cancelled() => return Err(HandshakeFault::Lost(too_silent(MADE_ROOM))),
                () = sleep_until(until) => return Err(HandshakeFault::Lost(too_silent(TOO_LATE))),
            },
        };
        let peer = Peer {
            address: Some(address),
            certificate: stream.certificate(),
        };
        let waiting = Waiting {
            timer: Box::pin(sleep_until(until)),
            taken_away: Box::pin(place.taken_away.clone().cancelled_owned()),
            heard: 0,
        };
        Ok(Connection {
            stream,
            peer: Arc::new(peer),
            place,
            waiting: Some(waiting),
        })
    }
}

const MADE_ROOM: &str = "it made room for another";
const TOO_LATE: &str = "it did not begin in time";

/// A connection, which ends when it does not speak in time.
pub(super) struct Connection {
    stream: ServerStream,
    peer: Arc<Peer>,
    place: Arc<Place>,
    /// Until it has spoken.
    waiting: Option<Waiting>,
}

struct Waiting {
    timer: Pin<Box<Sleep>>,
    taken_away: Pin<Box<WaitForCancellationFutureOwned>>,
    heard: usize,
}

fn too_silent(why: &'static str) -> io::Error {
    debug!(why, "a silent connection is closed");
    io::Error::new(io::ErrorKind::TimedOut, why)
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let Some(waiting) = &mut this.waiting else {
            return Pin::new(&mut this.stream).poll_read(context, buffer);
        };
        if waiting.taken_away.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(too_silent(MADE_ROOM)));
        }
        if waiting.timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(too_silent(TOO_LATE)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        waiting.heard += buffer.filled().len() - before;
        if waiting.heard >= PREFACE_BYTES {
            if !this.place.speaks() {
                return Poll::Ready(Err(too_silent(MADE_ROOM)));
            }
            this.waiting = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Connected for Connection {
    type ConnectInfo = Arc<Peer>;

    fn connect_info(&self) -> Self::ConnectInfo {
        Arc::clone(&self.peer)
    }
}
