//! Incidents: whatever keeps a job from being right. Any part of the service reports trouble
//! here, and says when it is over; nobody reports to people by any other way.
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

use chrono::{DateTime, Utc};
use returns_model::incident::{Area, Subject, Trouble};
use tokio::sync::mpsc;
mod attendant;
mod change;
mod channel;
mod courier;
pub mod diagnosis;
mod heartbeat;
mod ledger;
mod look;
mod memory;
mod merge;
mod notice;
mod operate;
mod owner_mail;
mod rules;
mod settings;
mod watch;

#[cfg(test)]
mod tests;

pub use attendant::Attendant;
pub use channel::{Scrub, install_tls_provider};
pub use heartbeat::beat;
pub use look::Diagnoser;
pub use memory::Memory;
pub use operate::{Dossier, OperateError, TestResult};
pub use owner_mail::{Letter, OwnerMail};
pub use settings::AlertSettings;
pub use watch::StoreWatch;

/// What the desk hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Something is not right.
    Trouble(Box<Trouble>),
    /// Everything of this area is right again for the subject.
    Clear {
        subject: Subject,
        area: Area,
        at: DateTime<Utc>,
    },
}

/// Where trouble is reported. Reporting never waits and never fails: whoever meets trouble has
/// enough of it already.
#[derive(Debug, Clone)]
pub struct Desk {
    signals: mpsc::UnboundedSender<Signal>,
}

impl Desk {
    /// A desk, and what is reported to it.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Signal>) {
        let (signals, received) = mpsc::unbounded_channel();
        (Self { signals }, received)
    }

    /// Says that something is not right. Said again and again, it is still one incident.
    pub fn report(&self, trouble: Trouble) {
        // The desk is gone only when the service ends.
        let _ = self.signals.send(Signal::Trouble(Box::new(trouble)));
    }

    /// Says that nothing of `area` is wrong any more with `subject`. Said without an open
    /// incident, it means nothing.
    pub fn clear(&self, subject: Subject, area: Area, at: DateTime<Utc>) {
        let _ = self.signals.send(Signal::Clear { subject, area, at });
    }
}
