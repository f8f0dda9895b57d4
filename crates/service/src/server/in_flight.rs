//! Which calls are in flight: how many there may be, how many there are, and a way to cut them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::refusal::refusal_for;
use super::seats::{Seat, Seats, Share, peer_of};
use super::settings::ServerConfig;
use crate::access::table::MethodRule;
use crate::access::{ANONYMOUS, Caller};

/// When a call that was one too many may be tried again.
const SOON: Duration = Duration::from_millis(200);

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
    identity: usize,
    streams: usize,
}

impl InFlight {
    pub(super) fn new(config: &ServerConfig) -> Self {
        let of_health = config.max_health_calls;
        let calls = CallLimits {
            all: config.max_concurrent_calls,
            peer: config.max_calls_per_peer,
            method: config.max_calls_per_method,
            identity: config.max_calls_per_identity,
            streams: config.max_streams_per_identity,
        };
        let about_the_server = CallLimits {
            all: of_health,
            peer: of_health.div_ceil(2),
            method: of_health.div_ceil(2),
            identity: of_health.div_ceil(2),
            streams: of_health.div_ceil(2),
        };
        Self {
            calls: (Seats::default(), calls),
            about_the_server: (Seats::default(), about_the_server),
            cut: CancellationToken::new(),
        }
    }

    /// Admits a call of a method, or says that there are too many.
    pub(super) fn admit(&self, rule: &MethodRule, caller: &Caller) -> Result<Seat, Status> {
        let (seats, limits) = match is_about_the_server(rule.path) {
            true => &self.about_the_server,
            false => &self.calls,
        };
        seats.take(limits.shares(rule, caller)).map_err(too_many)
    }

    /// How many calls are in flight.
    pub(super) fn count(&self) -> usize {
        self.calls.0.count()
    }
}

impl CallLimits {
    /// One peer gets half of the seats that one method has.
    fn shares(self, rule: &MethodRule, caller: &Caller) -> Vec<(Share, usize)> {
        let method: std::sync::Arc<str> = rule.path.into();
        let mut shares = vec![
            (Share::All, self.all),
            (Share::Method(method.clone()), self.method),
        ];
        // Those without a name have nothing in common but that.
        if *caller.identity != *ANONYMOUS {
            let identity = &caller.identity;
            shares.push((Share::Identity(identity.clone()), self.identity));
            if rule.streaming {
                shares.push((Share::StreamsOf(identity.clone()), self.streams));
            }
        }
        if let Some(peer) = caller.address.map(|peer| peer_of(peer.ip())) {
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
        Share::Identity(_) => "your identity",
        Share::StreamsOf(_) => "your identity, in streams,",
    };
    let what = format!("{whose} already has {limit} calls in flight; try again later");
    refusal_for(Code::ResourceExhausted, "TOO_MANY_CALLS", what, SOON)
}
