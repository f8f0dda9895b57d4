//! Which calls are in flight: how many there may be, how many there are, and a way to cut them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::refusal::refusal;

/// The calls in flight on all connections of one server.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    seats: Arc<Semaphore>,
    limit: usize,
    /// Cancelled when the drain has run out of time.
    pub(super) cut: CancellationToken,
}

/// One call's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    _permit: OwnedSemaphorePermit,
}

impl InFlight {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            seats: Arc::new(Semaphore::new(limit)),
            limit,
            cut: CancellationToken::new(),
        }
    }

    /// Admits a call, or says that there are too many. Nothing queues here: a caller that
    /// is refused at once can back off.
    pub(super) fn admit(&self) -> Result<Seat, Status> {
        match self.seats.clone().try_acquire_owned() {
            Ok(permit) => Ok(Seat { _permit: permit }),
            Err(_) => {
                let what = format!(
                    "the server already has {} calls in flight; try again later",
                    self.limit
                );
                Err(refusal(Code::ResourceExhausted, "TOO_MANY_CALLS", what))
            }
        }
    }

    /// How many calls are in flight.
    pub(super) fn count(&self) -> usize {
        self.limit.saturating_sub(self.seats.available_permits())
    }
}
