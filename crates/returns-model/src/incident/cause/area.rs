//! What a cause takes away from the job, and how soon somebody must act.

use strum::{EnumString, IntoStaticStr};

/// What a cause takes away from the job. When a part of the job works again, all incidents of its
/// area have recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Area {
    /// The acquirer's server cannot be used.
    Reach,
    /// The expected file is not there.
    Presence,
    /// The file that is there cannot be used.
    Content,
    /// This machine's disk.
    Disk,
    /// The bucket.
    Bucket,
    /// The returns database.
    Store,
    /// A database of another team.
    Target,
    /// Rows that a database of another team refuses.
    Refusal,
    /// An import.
    Import,
    /// Entries of an import that wait for a person.
    Held,
    /// Holds of all imports that wait.
    Waiting,
    /// The alerts themselves.
    Alerting,
    /// Webhook messages to platforms.
    Webhook,
    /// The stream that the journal is published to.
    Stream,
    /// This machine's clock.
    Clock,
    /// The trust in what is recorded.
    Integrity,
    /// The service's own process.
    Process,
}

impl Area {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// How soon somebody must act on a cause of this area.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Clock
            | Self::Waiting
            | Self::Alerting
            | Self::Webhook
            | Self::Stream
            | Self::Process => Severity::Warning,
            Self::Reach
            | Self::Presence
            | Self::Content
            | Self::Disk
            | Self::Bucket
            | Self::Store
            | Self::Target
            | Self::Refusal
            | Self::Import
            | Self::Held
            | Self::Integrity => Severity::Critical,
        }
    }
}

/// How soon somebody must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Severity {
    /// In working hours.
    Warning,
    /// Now: returns are not applied, or may be lost.
    Critical,
}

impl Severity {
    /// Its name in the database and in alerts.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}
