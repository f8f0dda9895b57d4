//! What a session's thread waits for at the moment, and since when. A run may wait longer than
//! people may be left in the dark, so its silence is reported before it is over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An answer of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    HostName,
    Connection,
    Handshake,
    LogIn,
    /// To a request, such as `the list of "/outgoing"`.
    To(Arc<str>),
}

/// A download that is slower than its source may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Crawl {
    pub(crate) name: String,
    pub(crate) bytes_per_second: u64,
    pub(crate) least: u64,
}

/// What is awaited now, shared with those who watch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Awaited(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answer: Option<(Answer, Instant)>,
    crawl: Option<Crawl>,
}

impl Awaited {
    /// Makes a call that waits for an answer.
    pub(crate) fn during<T>(&self, answer: Answer, call: impl FnOnce() -> T) -> T {
        self.now().answer = Some((answer, Instant::now()));
        let came = call();
        self.now().answer = None;
        came
    }

    /// What has been awaited for longer than `patience`: what it is, since when, and for how long.
    pub(crate) fn overdue(&self, patience: Duration) -> Option<(Answer, Instant, Duration)> {
        let (answer, since) = self.now().answer.clone()?;
        let waited = since.elapsed();
        (waited >= patience).then_some((answer, since, waited))
    }

    /// Notes that a download crawls.
    pub(crate) fn note_crawl(&self, crawl: Crawl) {
        self.now().crawl = Some(crawl);
    }

    /// The crawl that was noted since this was last asked.
    pub(crate) fn take_crawl(&self) -> Option<Crawl> {
        self.now().crawl.take()
    }

    fn now(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_overdue_while_it_is_awaited_and_not_after_it_came() {
        let awaited = Awaited::default();
        let none = Duration::ZERO;
        assert_eq!(awaited.overdue(none), None);
        awaited.during(Answer::LogIn, || {
            let overdue = awaited.overdue(none).map(|(answer, ..)| answer);
            assert_eq!(overdue, Some(Answer::LogIn));
            assert_eq!(awaited.overdue(Duration::from_secs(60)), None);
        });
        assert_eq!(awaited.overdue(none), None);
    }
}
