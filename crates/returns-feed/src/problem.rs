//! Reports to the incidents that a feed is stalled, and that it recovered.

use std::time::Duration;

use echeck_service::ErrorChain;
use returns_import::decide::DecideError;
use returns_model::hold::RefusedRows;
use returns_model::incident::{Area, Cause, Problem, Subject};

use super::{Feed, FeedError, Role};

impl Feed {
    fn subject(&self) -> Subject {
        Subject::Database(self.database().to_owned())
    }

    /// Reports why the feed is stalled; it is tried again after `pause`.
    pub(super) fn report_stalled(&self, error: &FeedError, pause: Duration) {
        let Some(cause) = self.cause(error) else {
            return;
        };
        let now = self.clock.now();
        let pause = chrono::TimeDelta::from_std(pause).unwrap_or_default();
        self.incidents.report(Problem {
            next_try_at: now.checked_add_signed(pause),
            ..Problem::new(self.subject(), cause, now)
        });
    }

    /// The cause, unless that is the returns database: its watch reports that once for all.
    fn cause(&self, error: &FeedError) -> Option<Cause> {
        match error {
            FeedError::Adapter(error) => Some(error.cause(self.leads())),
            // Only the system of record is asked for what decides.
            FeedError::Decide(DecideError::Adapter(error)) => Some(error.cause(true)),
            FeedError::Store(store) | FeedError::Decide(DecideError::Store(store)) => {
                (!store.is_outage()).then(|| self.failed(error))
            }
            FeedError::OtherJournal { target, theirs, .. } => {
                let why = format!("it follows another journal ({theirs})");
                Some(self.foreign(target, why))
            }
            FeedError::Foreign { target, why, .. } => Some(self.foreign(target, why.clone())),
            FeedError::OtherVersion { .. }
            | FeedError::Ahead { .. }
            | FeedError::Diverged { .. }
            | FeedError::NoRow(_)
            | FeedError::Unreadable { .. }
            | FeedError::Contract { .. }
            | FeedError::NoSource(_) => Some(self.failed(error)),
        }
    }

    fn foreign(&self, target: &str, why: String) -> Cause {
        Cause::TargetForeign {
            database: self.database().to_owned(),
            leads: self.leads(),
            target: target.to_owned(),
            why,
        }
    }

    fn failed(&self, error: &FeedError) -> Cause {
        Cause::TargetFailed {
            database: self.database().to_owned(),
            leads: self.leads(),
            why: ErrorChain(error).to_string(),
        }
    }

    fn leads(&self) -> bool {
        self.role == Role::SystemOfRecord
    }

    /// Reports rows that the database refuses, whatever else it takes.
    pub(super) fn report_refusals(&self, refused: RefusedRows) {
        let cause = Cause::RowsRefused {
            database: self.database().to_owned(),
            count: refused.count,
            why: refused.detail,
        };
        let now = self.clock.now();
        self.incidents
            .report(Problem::new(self.subject(), cause, now));
    }

    /// Reports that no row which the database refuses waits any more.
    pub(super) fn report_refusals_over(&self) {
        self.incidents
            .clear(self.subject(), Area::Refusal, self.clock.now());
    }

    /// Reports that the database accepts what it is fed. Without an incident it means nothing.
    pub(super) fn report_available(&self) {
        self.incidents
            .clear(self.subject(), Area::Target, self.clock.now());
    }
}
