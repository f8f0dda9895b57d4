#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

use chrono::{DateTime, Utc};
use returns_model::incident::{Area, Problem, Subject};
use tokio::sync::mpsc;
mod change;
mod channel;
mod clock_watch;
mod diagnoser;
pub mod diagnosis;
mod dispatcher;
mod failed_start;
mod heartbeat;
mod last_end;
mod lasting;
mod log;
mod manager;
mod memory;
mod merge;
mod message;
mod notes;
mod operate;
mod owner_mail;
mod rules;
mod settings;
mod vitals;
mod watch;

#[cfg(test)]
mod tests;

pub use change::SERVICE;
pub use clock_watch::{ClockReading, ClockReference, ClockWatch, LastAnswer, StoreClock};
pub use diagnoser::Diagnoser;
pub use failed_start::FailedStarts;
pub use heartbeat::beat;
pub use last_end::RunningProcess;
pub use lasting::Lasting;
pub use manager::IncidentManager;
pub use memory::IncidentMemory;
pub use notes::ProcessNotes;
pub use operate::{IncidentDetails, OperateError, TestResult};
pub use owner_mail::{OwnerMail, OwnerMailer};
pub use settings::AlertSettings;
pub use vitals::Vitals;
pub use watch::StoreWatch;

/// What the incident manager receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Something is wrong.
    Problem(Box<Problem>),
    /// Everything of this area has recovered for the subject.
    Clear {
        subject: Subject,
        area: Area,
        at: DateTime<Utc>,
    },
}

/// Where problems are reported. Reporting never waits and never fails, so that a problem does not
/// make another one.
#[derive(Debug, Clone)]
pub struct IncidentReporter {
    signals: mpsc::UnboundedSender<Signal>,
}

impl IncidentReporter {
    /// A reporter, and what is reported to it.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Signal>) {
        let (signals, received) = mpsc::unbounded_channel();
        (Self { signals }, received)
    }

    /// Says that something is wrong. Reported again and again, it is still one incident.
    pub fn report(&self, problem: Problem) {
        // The manager is gone only when the service ends.
        let _ = self.signals.send(Signal::Problem(Box::new(problem)));
    }

    /// Says that everything of `area` has recovered for `subject`. Without an open incident it
    /// changes nothing.
    pub fn clear(&self, subject: Subject, area: Area, at: DateTime<Utc>) {
        let _ = self.signals.send(Signal::Clear { subject, area, at });
    }
}
