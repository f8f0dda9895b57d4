//! Incidents: whatever keeps a job from being right. Any part of the service reports problem
//! here, and says when it is over; nobody reports to people by any other way.
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

use chrono::{DateTime, Utc};
use returns_model::incident::{Area, Problem, Subject};
use tokio::sync::mpsc;
mod change;
mod channel;
mod diagnoser;
pub mod diagnosis;
mod dispatcher;
mod heartbeat;
mod log;
mod manager;
mod memory;
mod merge;
mod message;
mod operate;
mod owner_mail;
mod rules;
mod settings;
mod watch;

#[cfg(test)]
mod tests;

pub use diagnoser::Diagnoser;
pub use heartbeat::beat;
pub use manager::IncidentManager;
pub use memory::IncidentMemory;
pub use operate::{IncidentDetails, OperateError, TestResult};
pub use owner_mail::{OwnerMail, OwnerMailer};
pub use settings::AlertSettings;
pub use watch::StoreWatch;

/// What the incidents hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Something is not right.
    Problem(Box<Problem>),
    /// Everything of this area is right again for the subject.
    Clear {
        subject: Subject,
        area: Area,
        at: DateTime<Utc>,
    },
}

/// Where problem is reported. Reporting never waits and never fails: whoever meets problem has
/// enough of it already.
#[derive(Debug, Clone)]
pub struct IncidentReporter {
    signals: mpsc::UnboundedSender<Signal>,
}

impl IncidentReporter {
    /// A incidents, and what is reported to it.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Signal>) {
        let (signals, received) = mpsc::unbounded_channel();
        (Self { signals }, received)
    }

    /// Says that something is not right. Said again and again, it is still one incident.
    pub fn report(&self, problem: Problem) {
        // The incidents is gone only when the service ends.
        let _ = self.signals.send(Signal::Problem(Box::new(problem)));
    }

    /// Says that nothing of `area` is wrong any more with `subject`. Said without an open
    /// incident, it means nothing.
    pub fn clear(&self, subject: Subject, area: Area, at: DateTime<Utc>) {
        let _ = self.signals.send(Signal::Clear { subject, area, at });
    }
}
