//! The one way in which work that never ends is done: by the replica that has its lease, pass
//! after pass, woken by what it depends on, with pauses that double while it fails.

use std::time::Duration;

use echeck_service::ErrorChain;
use tokio_util::sync::CancellationToken;

use crate::lease::{Lease, Replica};
use crate::notifier::{Notifier, Topic};

/// The first pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Pauses that double, from a fifth of a second.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// Pauses of at most `longest`.
    #[must_use]
    pub fn new(longest: Duration) -> Self {
        Self {
            next: FIRST_PAUSE.min(longest),
            longest,
        }
    }

    /// Something went well: the next pause is the shortest again.
    pub fn reset(&mut self) {
        *self = Self::new(self.longest);
    }

    /// The pause after one more failure.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause
    }

    /// Waits for the pause after one more failure, or for `stop`.
    pub async fn wait(&mut self, stop: &CancellationToken) {
        sleep(self.pause(), stop).await;
    }
}

/// Waits, or for `stop`.
pub async fn sleep(duration: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(duration) => {}
    }
}

/// What one pass over the work came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// There may be more to do at once.
    More,
    /// Nothing is left to do until something changes, or this long.
    Idle(Duration),
    /// Another replica has the lease by now.
    LeaseLost,
}

/// Work that one replica does at a time.
pub trait Job: Send + 'static {
    /// What stops a pass.
    type Error: std::error::Error + Send;

    /// The lease of the replica that does it, which names the work in the log as well.
    fn lease(&self) -> String;

    /// What wakes it.
    fn wakes(&self) -> &'static [Topic];

    /// The longest pause between two passes that fail.
    fn longest_pause(&self) -> Duration {
        Duration::from_secs(5)
    }

    /// Begins again: this replica has got the lease.
    fn begin(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Does what there is to do now. Dropped when the lease is lost, as by a crash.
    fn pass(
        &mut self,
        lease: &Lease,
        stop: &CancellationToken,
    ) -> impl Future<Output = Result<Pass, Self::Error>> + Send;

    /// A pass failed and is tried again after `pause`.
    fn failed(
        &mut self,
        lease: &Lease,
        error: &Self::Error,
        pause: Duration,
        _stop: &CancellationToken,
    ) -> impl Future<Output = ()> + Send {
        tracing::error!(
            job = lease.name(),
            error = %ErrorChain(error),
            pause_ms = pause.as_millis(),
            "the pass failed; it is tried again"
        );
        async {}
    }

    /// The lease is lost or given back: nothing of the job may go on.
    fn leave(&mut self) {}

    /// Ends what is on its way at a shutdown.
    fn drain(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Does a job until `stop`, whenever this replica has its lease.
pub async fn run(mut job: impl Job, replica: Replica, notifier: Notifier, stop: CancellationToken) {
    let name = job.lease();
    while let Some(lease) = replica.acquire(&name, &stop).await {
        job.begin().await;
        lease.keep(passes(&mut job, &lease, &notifier, &stop)).await;
        job.leave();
        lease.release().await;
    }
}

async fn passes(job: &mut impl Job, lease: &Lease, notifier: &Notifier, stop: &CancellationToken) {
    let mut backoff = Backoff::new(job.longest_pause());
    while !stop.is_cancelled() {
        let seen = notifier.seen();
        match job.pass(lease, stop).await {
            Ok(Pass::More) => backoff.reset(),
            Ok(Pass::Idle(longest)) => {
                backoff.reset();
                notifier.wait(seen, job.wakes(), longest, stop).await;
            }
            Ok(Pass::LeaseLost) => return,
            Err(error) => {
                let pause = backoff.pause();
                job.failed(lease, &error, pause, stop).await;
                sleep(pause, stop).await;
            }
        }
    }
    job.drain().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_again_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        let pauses: Vec<_> = (0..5).map(|_| backoff.pause().as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1000, 1000]);
        backoff.reset();
        assert_eq!(backoff.pause().as_millis(), 200);
    }
}
