//! How much one identity may ask for in a second: calls, and bytes that it sends. A call too many is
//! refused; an upload that is too fast is slowed down, since breaking it off would only make its
//! sender begin again.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tonic::{Code, Status};

use super::refusal::refusal_for;
use super::settings::ServerConfig;
use crate::access::Caller;

type Limiter = RateLimiter<
    Arc<str>,
    HashMapStateStore<Arc<str>>,
    MonotonicClock,
    NoOpMiddleware<std::time::Instant>,
>;

/// Above this many, identities that have been quiet are forgotten.
const MOST_REMEMBERED: usize = 10_000;

/// The limits of all identities.
#[derive(Clone)]
pub(super) struct Paces {
    calls: Arc<Limiter>,
    bytes: Arc<Limiter>,
}

impl Paces {
    pub(super) fn new(config: &ServerConfig) -> Self {
        let limiter = |per_second| {
            let quota = Quota::per_second(per_second);
            Arc::new(RateLimiter::new(
                quota,
                HashMapStateStore::default(),
                MonotonicClock,
            ))
        };
        Self {
            calls: limiter(config.max_calls_per_second),
            bytes: limiter(config.max_bytes_per_second),
        }
    }

    /// Counts a call, or says when the next may come.
    pub(super) fn admit(&self, caller: &Caller) -> Result<Pace, Status> {
        if self.calls.len() > MOST_REMEMBERED {
            self.calls.retain_recent();
            self.bytes.retain_recent();
        }
        match self.calls.check_key(&caller.identity) {
            Ok(()) => Ok(Pace {
                identity: caller.identity.clone(),
                bytes: self.bytes.clone(),
            }),
            Err(not_until) => {
                let wait = not_until.wait_time_from(MonotonicClock.now());
                let what = "your identity makes too many calls a second; try again later";
                Err(refusal_for(
                    Code::ResourceExhausted,
                    "TOO_MANY_CALLS",
                    what,
                    wait,
                ))
            }
        }
    }
}

/// What one call of an identity may send.
pub(super) struct Pace {
    identity: Arc<str>,
    bytes: Arc<Limiter>,
}

impl Pace {
    /// Counts bytes that came, and says for how long no more are taken.
    pub(super) fn take(&self, bytes: usize) -> Option<Duration> {
        let bytes = NonZeroU32::new(u32::try_from(bytes).unwrap_or(u32::MAX))?;
        match self.bytes.check_key_n(&self.identity, bytes) {
            Ok(Ok(())) => None,
            Ok(Err(not_until)) => Some(not_until.wait_time_from(MonotonicClock.now())),
            // More than a whole second has: a second is what it costs.
            Err(_) => Some(Duration::from_secs(1)),
        }
    }
}
