//! Which calls are in flight: how many there may be, how many there are, and a way to cut them.

use std::net::SocketAddr;

use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::refusal::refusal;
use super::seats::{Seat, Seats, Share, peer_of};
use super::settings::ServerConfig;

/// The calls in flight on all connections of one server. Health and reflection must answer on a
/// server that has no seat left, so they have seats of their own.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    calls: (Seats, CallLimits),
    about_the_server: (Seats, CallLimits),
    /// Cancelled when the drain has run out of time.
    pub(super) cut: CancellationToken,
}

#[derive(Debug, Clone, Copy)]
struct CallLimits {
    all: usize,
    peer: usize,
    method: usize,
}

impl InFlight {
    pub(super) fn new(config: &ServerConfig) -> Self {
        let of_health = config.max_health_calls;
        let calls = CallLimits {
            all: config.max_concurrent_calls,
            peer: config.max_calls_per_peer,
            method: config.max_calls_per_method,
        };
        let about_the_server = CallLimits {
            all: of_health,
            peer: of_health.div_ceil(2),
            method: of_health.div_ceil(2),
        };
        Self {
            calls: (Seats::default(), calls),
            about_the_server: (Seats::default(), about_the_server),
            cut: CancellationToken::new(),
        }
    }

    /// Admits a call of the method with this path, or says that there are too many.
    pub(super) fn admit(&self, path: &str, peer: Option<SocketAddr>) -> Result<Seat, Status> {
        let (seats, limits) = match is_about_the_server(path) {
            true => &self.about_the_server,
            false => &self.calls,
        };
        seats.take(limits.shares(path, peer)).map_err(too_many)
    }

    /// How many calls are in flight.
    pub(super) fn count(&self) -> usize {
        self.calls.0.count()
    }
}

impl CallLimits {
    /// One peer gets half of the seats that one method has.
    fn shares(self, path: &str, peer: Option<SocketAddr>) -> Vec<(Share, usize)> {
        let method: std::sync::Arc<str> = path.into();
        let mut shares = vec![
            (Share::All, self.all),
            (Share::Method(method.clone()), self.method),
        ];
        if let Some(peer) = peer.map(|peer| peer_of(peer.ip())) {
            let of_method = self.peer.min(self.method).div_ceil(2);
            shares.push((Share::Peer(peer), self.peer));
            shares.push((Share::MethodOfPeer(peer, method), of_method));
        }
        shares
    }
}

fn is_about_the_server(path: &str) -> bool {
    path.starts_with("/grpc.health.") || path.starts_with("/grpc.reflection.")
}

fn too_many((share, limit): (Share, usize)) -> Status {
    let whose = match share {
        Share::All => "the server",
        Share::Peer(_) => "your address",
        Share::Method(_) => "this method",
        Share::MethodOfPeer(..) => "this method, called from your address,",
    };
    let what = format!("{whose} already has {limit} calls in flight; try again later");
    refusal(Code::ResourceExhausted, "TOO_MANY_CALLS", what)
}
