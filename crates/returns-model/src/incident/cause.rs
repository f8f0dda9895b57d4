//! Why something is not right, as far as it is known: a closed table, so that whoever adds a
//! cause must also say in plain English what it means and what to do about it.

use chrono::{DateTime, Utc};

use super::{Subject, wording};

/// A cause, with what was seen. Nothing in it is a secret or an account number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The name of the acquirer's host does not resolve.
    HostNotFound { host: String },
    /// The host answers, but nothing listens on the port.
    PortClosed { host: String, port: u16 },
    /// No answer within the time-out: neither yes nor no.
    HostSilent {
        host: String,
        port: u16,
        after_ms: u64,
    },
    /// Something answers that does not speak SSH as we do.
    HandshakeFailed { host: String, why: String },
    /// The server shows another key than the one that is pinned.
    HostKeyChanged {
        host: String,
        expected: String,
        seen: String,
    },
    /// The server does not take our key.
    KeyRefused { user: String, host: String },
    /// The server does not take our password.
    PasswordRefused { user: String, host: String },
    /// The server wants a new password first.
    PasswordExpired { user: String, host: String },
    /// A credential of our own cannot be used, before anybody was shown it.
    CredentialUnusable { key: String, why: String },
    /// The folder is not there.
    DirectoryMissing { directory: String },
    /// The folder is there, but may not be listed.
    DirectoryUnreadable { directory: String, why: String },
    /// No file matches at all.
    FileMissing {
        directory: String,
        pattern: String,
        due: Option<DateTime<Utc>>,
        /// How many other files are there. `None` when the day is over, so that what is there
        /// now says nothing about it.
        others: Option<u64>,
    },
    /// The newest file that matches is an old one, which was taken before.
    FileStale {
        name: String,
        age_hours: u64,
        due: Option<DateTime<Utc>>,
    },
    /// The file is still being written.
    FileGrowing {
        name: String,
        from_bytes: u64,
        to_bytes: u64,
    },
    /// The file is there, and the other file that says it is complete is not.
    FileUnmarked { name: String, marker: String },
    /// A file is due, and the run that is to take it has not come to its end.
    RunStillGoing {
        run_id: String,
        since: DateTime<Utc>,
        due: DateTime<Utc>,
    },
    /// The file has no bytes.
    FileEmpty { name: String },
    /// The file was refused whole.
    FileRejected { name: String, why: String },
    /// The file is fine, but of another kind than the source says.
    WrongProfile {
        name: String,
        configured: String,
        looks_like: String,
    },
    /// What the file is wrapped in could not be opened.
    FileUnopenable { name: String, why: String },
    /// The connection broke in the middle of a file.
    DownloadCut {
        name: String,
        at_bytes: u64,
        of_bytes: u64,
    },
    /// Bytes come so slowly that the file would not arrive in time.
    DownloadSlow {
        name: String,
        bytes_per_second: u64,
        least: u64,
    },
    /// A file was imported, but could not be moved or deleted at the acquirer.
    NotArchivedRemotely { name: String, why: String },
    /// Anything else that the server refused.
    SourceFailed { what: String, why: String },
    /// There is no room left on a disk of this machine.
    DiskFull { path: String },
    /// The spool cannot be used.
    SpoolFailed { path: String, why: String },
    /// The bucket's server does not know our access key id.
    BucketKeyIdUnknown { bucket: String },
    /// The bucket's server knows the key id, but the secret is another.
    BucketSecretWrong { bucket: String },
    /// The session token has run out.
    BucketTokenExpired { bucket: String },
    /// There is no such bucket.
    BucketMissing { bucket: String },
    /// The keys are right, but may not do this.
    BucketForbidden { bucket: String, action: String },
    /// The bucket's server does not answer.
    BucketUnreachable { endpoint: String, why: String },
    /// Anything else that the bucket's server refused.
    BucketFailed {
        bucket: String,
        action: String,
        why: String,
    },
    /// What was read back from the bucket is not what was written.
    ReportWrong { key: String, what: String },
    /// The returns database does not answer or refuses.
    StoreUnreachable { why: String },
    /// An adapter does not answer.
    AdapterUnreachable { database: String, why: String },
    /// A target takes no writes.
    TargetReadOnly { database: String },
    /// A target, or its adapter, refuses what it is fed.
    TargetFailed { database: String, why: String },
    /// The gateway could not be asked, or the import cannot go on for another reason.
    ImportStuck { why: String },
    /// Read is not applied + duplicate + held + rejected.
    DoesNotTieOut { what: String },
    /// A channel does not take alerts.
    ChannelFailed { channel: String, why: String },
    /// Messages to a platform were tried often enough, and are given up.
    WebhookDead {
        endpoint: String,
        host: String,
        why: String,
        count: u64,
    },
    /// A platform's endpoint took nothing for so long, or wants nothing, that it is left alone.
    WebhookDisabled {
        endpoint: String,
        host: String,
        why: String,
        /// Whether its owner was told, in a sentence.
        owner: String,
    },
    /// Messages to a platform cannot be sent, for a reason of our own.
    WebhookStuck { endpoint: String, why: String },
    /// The clock of this machine differs from another's.
    ClockWrong { by_seconds: i64, against: String },
}

/// What a cause takes away from the job; one recovery ends everything of an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// A database that belongs to others.
    Target,
    /// An import.
    Import,
    /// The alerts themselves.
    Alerting,
    /// What platforms are told.
    Webhook,
    /// This machine's clock.
    Clock,
}

/// How soon somebody must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// In working hours.
    Warning,
    /// Now: returns are not applied, or may be lost.
    Critical,
}

impl Severity {
    pub const ALL: [Self; 2] = [Self::Warning, Self::Critical];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Area {
    pub const ALL: [Self; 11] = [
        Self::Reach,
        Self::Presence,
        Self::Content,
        Self::Disk,
        Self::Bucket,
        Self::Store,
        Self::Target,
        Self::Import,
        Self::Alerting,
        Self::Webhook,
        Self::Clock,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::Presence => "presence",
            Self::Content => "content",
            Self::Disk => "disk",
            Self::Bucket => "bucket",
            Self::Store => "store",
            Self::Target => "target",
            Self::Import => "import",
            Self::Alerting => "alerting",
            Self::Webhook => "webhook",
            Self::Clock => "clock",
        }
    }
}

impl Cause {
    /// The cause's name for machines. It never changes.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::HostNotFound { .. } => "HOST_NOT_FOUND",
            Self::PortClosed { .. } => "PORT_CLOSED",
            Self::HostSilent { .. } => "HOST_SILENT",
            Self::HandshakeFailed { .. } => "HANDSHAKE_FAILED",
            Self::HostKeyChanged { .. } => "HOST_KEY_CHANGED",
            Self::KeyRefused { .. } => "KEY_REFUSED",
            Self::PasswordRefused { .. } => "PASSWORD_REFUSED",
            Self::PasswordExpired { .. } => "PASSWORD_EXPIRED",
            Self::CredentialUnusable { .. } => "CREDENTIAL_UNUSABLE",
            Self::DirectoryMissing { .. } => "DIRECTORY_MISSING",
            Self::DirectoryUnreadable { .. } => "DIRECTORY_UNREADABLE",
            Self::FileMissing { .. } => "FILE_MISSING",
            Self::FileStale { .. } => "FILE_STALE",
            Self::FileGrowing { .. } => "FILE_GROWING",
            Self::FileUnmarked { .. } => "FILE_UNMARKED",
            Self::RunStillGoing { .. } => "RUN_STILL_GOING",
            Self::FileEmpty { .. } => "FILE_EMPTY",
            Self::FileRejected { .. } => "FILE_REJECTED",
            Self::WrongProfile { .. } => "WRONG_PROFILE",
            Self::FileUnopenable { .. } => "FILE_UNOPENABLE",
            Self::DownloadCut { .. } => "DOWNLOAD_CUT",
            Self::DownloadSlow { .. } => "DOWNLOAD_SLOW",
            Self::NotArchivedRemotely { .. } => "NOT_ARCHIVED_REMOTELY",
            Self::SourceFailed { .. } => "SOURCE_FAILED",
            Self::DiskFull { .. } => "DISK_FULL",
            Self::SpoolFailed { .. } => "SPOOL_FAILED",
            Self::BucketKeyIdUnknown { .. } => "BUCKET_KEY_ID_UNKNOWN",
            Self::BucketSecretWrong { .. } => "BUCKET_SECRET_WRONG",
            Self::BucketTokenExpired { .. } => "BUCKET_TOKEN_EXPIRED",
            Self::BucketMissing { .. } => "BUCKET_MISSING",
            Self::BucketForbidden { .. } => "BUCKET_FORBIDDEN",
            Self::BucketUnreachable { .. } => "BUCKET_UNREACHABLE",
            Self::BucketFailed { .. } => "BUCKET_FAILED",
            Self::ReportWrong { .. } => "REPORT_WRONG",
            Self::StoreUnreachable { .. } => "STORE_UNREACHABLE",
            Self::AdapterUnreachable { .. } => "ADAPTER_UNREACHABLE",
            Self::TargetReadOnly { .. } => "TARGET_READ_ONLY",
            Self::TargetFailed { .. } => "TARGET_FAILED",
            Self::ImportStuck { .. } => "IMPORT_STUCK",
            Self::DoesNotTieOut { .. } => "DOES_NOT_TIE_OUT",
            Self::ChannelFailed { .. } => "CHANNEL_FAILED",
            Self::WebhookDead { .. } => "WEBHOOK_DEAD",
            Self::WebhookDisabled { .. } => "WEBHOOK_DISABLED",
            Self::WebhookStuck { .. } => "WEBHOOK_STUCK",
            Self::ClockWrong { .. } => "CLOCK_WRONG",
        }
    }

    /// What the cause takes away.
    pub const fn area(&self) -> Area {
        match self {
            Self::HostNotFound { .. }
            | Self::PortClosed { .. }
            | Self::HostSilent { .. }
            | Self::HandshakeFailed { .. }
            | Self::HostKeyChanged { .. }
            | Self::KeyRefused { .. }
            | Self::PasswordRefused { .. }
            | Self::PasswordExpired { .. }
            | Self::CredentialUnusable { .. }
            | Self::DirectoryMissing { .. }
            | Self::DirectoryUnreadable { .. }
            | Self::DownloadCut { .. }
            | Self::DownloadSlow { .. }
            | Self::NotArchivedRemotely { .. }
            | Self::SourceFailed { .. } => Area::Reach,
            Self::FileMissing { .. }
            | Self::FileStale { .. }
            | Self::FileGrowing { .. }
            | Self::FileUnmarked { .. }
            | Self::RunStillGoing { .. } => Area::Presence,
            Self::FileEmpty { .. }
            | Self::FileRejected { .. }
            | Self::WrongProfile { .. }
            | Self::FileUnopenable { .. } => Area::Content,
            Self::DiskFull { .. } | Self::SpoolFailed { .. } => Area::Disk,
            Self::BucketKeyIdUnknown { .. }
            | Self::BucketSecretWrong { .. }
            | Self::BucketTokenExpired { .. }
            | Self::BucketMissing { .. }
            | Self::BucketForbidden { .. }
            | Self::BucketUnreachable { .. }
            | Self::BucketFailed { .. }
            | Self::ReportWrong { .. } => Area::Bucket,
            Self::StoreUnreachable { .. } => Area::Store,
            Self::AdapterUnreachable { .. }
            | Self::TargetReadOnly { .. }
            | Self::TargetFailed { .. } => Area::Target,
            Self::ImportStuck { .. } | Self::DoesNotTieOut { .. } => Area::Import,
            Self::ChannelFailed { .. } => Area::Alerting,
            Self::WebhookDead { .. } | Self::WebhookDisabled { .. } | Self::WebhookStuck { .. } => {
                Area::Webhook
            }
            Self::ClockWrong { .. } => Area::Clock,
        }
    }

    /// How soon somebody must look.
    pub const fn severity(&self) -> Severity {
        match self.area() {
            Area::Clock | Area::Alerting | Area::Webhook => Severity::Warning,
            Area::Reach
            | Area::Presence
            | Area::Content
            | Area::Disk
            | Area::Bucket
            | Area::Store
            | Area::Target
            | Area::Import => Severity::Critical,
        }
    }

    /// The first line of an alert: the likely cause in plain English, in one line.
    pub fn headline(&self) -> String {
        wording::headline(self)
    }

    /// What follows from it.
    pub fn meaning(&self, subject: &Subject) -> String {
        wording::meaning(self, subject)
    }

    /// What to do about it, in order.
    pub fn to_do(&self) -> Vec<String> {
        wording::to_do(self)
    }
}
