//! Incidents: whatever keeps a job from being right. Any part of the service reports trouble
//! here, and says when it is over; nobody reports to people by any other way.

mod attendant;
mod cause;
mod change;
mod channel;
mod clean;
mod content;
mod courier;
mod heartbeat;
mod ledger;
pub(crate) mod look;
mod memory;
mod merge;
mod notice;
mod operate;
mod outside;
mod rules;
mod settings;
mod watch;
mod wording;

#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::mpsc;

pub(crate) use attendant::Attendant;
pub(crate) use cause::{Area, Cause, Severity};
pub(crate) use channel::{Scrub, install_tls_provider};
pub(crate) use content::{CheckLine, Content, Outcome};
pub(crate) use heartbeat::beat;
pub(crate) use look::{Look, Picture};
#[cfg(test)]
pub(crate) use memory::Memory;
pub(crate) use operate::{Dossier, OperateError, TestResult};
pub(crate) use settings::AlertSettings;
pub(crate) use watch::StoreWatch;

/// What trouble is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// A source of files, by its name.
    Source(String),
    /// What a source was to bring on a day: each day that is missed is trouble of its own, so
    /// that no other day's file ends its alarm.
    Day { source: String, day: NaiveDate },
    /// An import, by its id.
    Import(String),
    /// A database behind an adapter, by its name.
    Database(String),
    /// The bucket for archive and reports.
    Bucket,
    /// The returns database.
    Store,
    /// This machine: its disk, its clock.
    Machine,
    /// A channel for alerts, by its name.
    Channel(String),
    /// A platform's endpoint for webhooks, by its id.
    Endpoint(String),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source(name) => write!(f, "source:{name}"),
            Self::Day { source, day } => write!(f, "source:{source}:{day}"),
            Self::Import(id) => write!(f, "import:{id}"),
            Self::Database(name) => write!(f, "database:{name}"),
            Self::Bucket => f.write_str("bucket"),
            Self::Store => f.write_str("store"),
            Self::Machine => f.write_str("machine"),
            Self::Channel(name) => write!(f, "channel:{name}"),
            Self::Endpoint(id) => write!(f, "endpoint:{id}"),
        }
    }
}

/// Trouble, as the part of the service that met it tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) subject: Subject,
    pub(crate) cause: Cause,
    /// The source whose job it keeps from being right, when it is one's alone.
    pub(crate) source: Option<String>,
    /// The import that it keeps from being finished.
    pub(crate) import_id: Option<String>,
    /// The run that met it.
    pub(crate) run_id: Option<String>,
    /// When it is tried again by itself.
    pub(crate) next_try_at: Option<DateTime<Utc>>,
    /// When it happened.
    pub(crate) at: DateTime<Utc>,
}

impl Trouble {
    /// Trouble with nothing known but its cause.
    pub(crate) fn new(subject: Subject, cause: Cause, at: DateTime<Utc>) -> Self {
        Self {
            subject,
            cause,
            source: None,
            import_id: None,
            run_id: None,
            next_try_at: None,
            at,
        }
    }

    /// As long as it stays the same, it is the same incident.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.cause.kind(), self.subject)
    }
}

/// What the desk hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signal {
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
pub(crate) struct Desk {
    signals: mpsc::UnboundedSender<Signal>,
}

impl Desk {
    /// A desk, and what is reported to it.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Signal>) {
        let (signals, received) = mpsc::unbounded_channel();
        (Self { signals }, received)
    }

    /// Says that something is not right. Said again and again, it is still one incident.
    pub(crate) fn report(&self, trouble: Trouble) {
        // The desk is gone only when the service ends.
        let _ = self.signals.send(Signal::Trouble(Box::new(trouble)));
    }

    /// Says that nothing of `area` is wrong any more with `subject`. Said without an open
    /// incident, it means nothing.
    pub(crate) fn clear(&self, subject: Subject, area: Area, at: DateTime<Utc>) {
        let _ = self.signals.send(Signal::Clear { subject, area, at });
    }
}
