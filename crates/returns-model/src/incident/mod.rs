//! Incidents: what is wrong, why, what follows from it, and what people do about it.

mod cause;
pub mod clean;
mod content;
mod local_time;
mod record;

use chrono::{DateTime, NaiveDate, Utc};

pub use cause::{Area, Cause, Description, Severity, WrongClock};
pub use content::{CheckLine, CheckOutcome, Content};
pub use local_time::LocalTime;
pub use record::{
    AlertKind, AlertRecord, AlertState, Attempt, IncidentEvent, IncidentEventKind, IncidentRecord,
    IncidentState, IncidentWrite, Signature,
};

/// What a problem is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A source of files, by its name.
    Source(String),
    /// A server of files, by its host and port. It may have several sources.
    Host(String),
    /// A source's file of a day. Each missed day is a problem of its own, so that another day's file
    /// does not end its alarm.
    Day { source: String, day: NaiveDate },
    /// An import, by its id.
    Import(String),
    /// A database behind an adapter, by its name.
    Database(String),
    /// The bucket for archive and reports.
    Bucket,
    /// The returns database.
    Store,
    /// What the returns database has recorded.
    Journal,
    /// This machine: its disk, its clock.
    Machine,
    /// The returns service itself.
    Service,
    /// All holds together.
    Holds,
    /// The room for received files.
    Spool,
    /// The stream that the journal is published to.
    Stream,
    /// A channel for alerts, by its name.
    Channel(String),
    /// A platform's endpoint for webhooks, by its id.
    Endpoint(String),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source(name) => write!(f, "source:{name}"),
            Self::Host(host) => write!(f, "host:{host}"),
            Self::Day { source, day } => write!(f, "source:{source}:{day}"),
            Self::Import(id) => write!(f, "import:{id}"),
            Self::Database(name) => write!(f, "database:{name}"),
            Self::Bucket => f.write_str("bucket"),
            Self::Store => f.write_str("store"),
            Self::Journal => f.write_str("journal"),
            Self::Service => f.write_str("service"),
            Self::Machine => f.write_str("machine"),
            Self::Holds => f.write_str("holds"),
            Self::Spool => f.write_str("spool"),
            Self::Stream => f.write_str("stream"),
            Self::Channel(name) => write!(f, "channel:{name}"),
            Self::Endpoint(id) => write!(f, "endpoint:{id}"),
        }
    }
}

/// A problem, as the part of the service reports it that observed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub subject: Subject,
    pub cause: Cause,
    /// The source whose job it disturbs, when it is the job of one source.
    pub source: Option<String>,
    /// All sources whose jobs it disturbs, when they share what is wrong.
    pub sources: Vec<String>,
    /// The import that it keeps from being finished.
    pub import_id: Option<String>,
    /// The run that observed it.
    pub run_id: Option<String>,
    /// When it is tried again automatically.
    pub next_try_at: Option<DateTime<Utc>>,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl Problem {
    /// A problem of which only the cause is known.
    pub fn new(subject: Subject, cause: Cause, at: DateTime<Utc>) -> Self {
        Self {
            subject,
            cause,
            source: None,
            sources: Vec::new(),
            import_id: None,
            run_id: None,
            next_try_at: None,
            at,
        }
    }

    /// One incident per key is open.
    pub fn key(&self) -> String {
        format!("{}/{}", self.cause.kind(), self.subject)
    }
}
