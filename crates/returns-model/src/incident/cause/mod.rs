//! What can be wrong, as a closed table. A new cause is a variant here and a function in the module
//! of its group, which describes it in plain English; the compiler asks for it. `docs/alerts.md`
//! lists all causes: see `tests.rs`.

mod area;
mod connection;
mod description;
mod file;
mod held;
mod integrity;
mod log_in;
mod platform;
mod remote;
mod reports;
mod service;
mod stream;
mod target;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use strum::IntoStaticStr;

use super::LocalTime;

pub use area::{Area, Severity};
pub use description::Description;

/// Whose clock is wrong, of two that differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WrongClock {
    /// There is no third to compare them with.
    #[default]
    Unknown,
    /// This machine's.
    Ours,
    /// The other's: this machine's agrees with those of other servers.
    Theirs,
}

/// A cause, with what was seen. Nothing in it is a secret or an account number.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr, strum::VariantNames)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", const_into_str)]
pub enum Cause {
    /// The name of the acquirer's host does not resolve.
    HostNotFound { host: String },
    /// Whether the name of the acquirer's host resolves is not known.
    NameServerFailed { host: String, why: String },
    /// The host answers, but nothing listens on the port.
    PortClosed { host: String, port: u16 },
    /// No answer within the time-out: neither yes nor no.
    HostSilent {
        host: String,
        port: u16,
        after_ms: u64,
    },
    /// The server took our connection, and then did not answer one request in time.
    ServerSilent {
        host: String,
        what: String,
        after_ms: u64,
    },
    /// The server took our connection, and does not answer the log-in.
    LogInSilent { host: String, after_ms: u64 },
    /// A server answers, but no SSH session comes about.
    HandshakeFailed { host: String, why: String },
    /// The acquirer's server cannot be reached, and our own system says why.
    HostUnreachable {
        host: String,
        port: u16,
        why: String,
    },
    /// The acquirer's server takes connections and does not begin the SSH handshake, or not end it.
    HandshakeSilent { host: String, after_ms: u64 },
    /// The server's host key is not the pinned one.
    HostKeyChanged {
        host: String,
        expected: String,
        seen: String,
    },
    /// The server does not accept our key.
    KeyRefused { user: String, host: String },
    /// The server does not accept our password.
    PasswordRefused { user: String, host: String },
    /// The server wants a new password first.
    PasswordExpired { user: String, host: String },
    /// The server let us in, and gives us no SFTP.
    NoFileService {
        user: String,
        host: String,
        why: String,
    },
    /// A credential of our own cannot be used, so that it was not sent.
    CredentialUnusable { key: String, why: String },
    /// The folder is not there.
    DirectoryMissing { directory: String },
    /// The folder is there, but cannot be listed.
    DirectoryUnreadable { directory: String, why: String },
    /// No file matches at all.
    FileMissing {
        directory: String,
        pattern: String,
        due: Option<LocalTime>,
        /// The number of other entries. `None` when the day is over, so that what is there now says
        /// nothing about it.
        others: Option<u64>,
    },
    /// The newest file that matches is an old one, which was imported before.
    FileStale {
        name: String,
        age_hours: u64,
        due: Option<LocalTime>,
    },
    /// The file is still being written.
    FileGrowing {
        name: String,
        from_bytes: u64,
        to_bytes: u64,
    },
    /// The file is there, and the other file that says it is complete is not.
    FileUnmarked { name: String, marker: String },
    /// A file is due, and the run that should import it has not finished.
    RunStillGoing {
        run_id: String,
        since: LocalTime,
        due: LocalTime,
    },
    /// The file has no bytes.
    FileEmpty { name: String },
    /// The file was rejected as a whole.
    FileRejected { name: String, why: String },
    /// The file has another format than the source says.
    WrongProfile {
        name: String,
        configured: String,
        looks_like: String,
    },
    /// The file could not be decompressed or decrypted.
    FileUnopenable { name: String, why: String },
    /// The connection broke in the middle of a file.
    DownloadCut {
        name: String,
        at_bytes: u64,
        of_bytes: u64,
    },
    /// The download was too slow.
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
    /// There is little room left on the disk of the spool.
    DiskLow { path: String, room: String },
    /// The spool cannot be used.
    SpoolFailed { path: String, why: String },
    /// The bucket's server does not know our access key id.
    BucketKeyIdUnknown { bucket: String },
    /// The bucket's server knows the key id, but the secret is wrong.
    BucketSecretWrong { bucket: String },
    /// The session token has expired.
    BucketTokenExpired { bucket: String },
    /// There is no such bucket.
    BucketMissing { bucket: String },
    /// The keys are valid, but may not do this.
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
    /// The returns service cannot start.
    NotStarted { why: String },
    /// The process before this one ended without a shutdown.
    ServiceCrashed { how: String },
    /// An adapter does not answer.
    AdapterUnreachable {
        database: String,
        /// Whether it is the system of record, without which nothing is decided.
        leads: bool,
        why: String,
    },
    /// A target accepts no writes.
    TargetReadOnly { database: String, leads: bool },
    /// A target is not the one that was fed before.
    TargetForeign {
        database: String,
        leads: bool,
        /// Which database it is, without its password.
        target: String,
        why: String,
    },
    /// A target, or its adapter, refuses what it is fed.
    TargetFailed {
        database: String,
        leads: bool,
        why: String,
    },
    /// A target took other rows, and refused these for good.
    RowsRefused {
        database: String,
        count: u64,
        why: String,
    },
    /// The import cannot continue, because the gateway does not answer or for another reason.
    ImportStuck { why: String },
    /// The import ended the process twice, and is not tried again by itself.
    ImportParked { import_id: String },
    /// Much of a file is held.
    EntriesHeld {
        name: String,
        held: u64,
        of: u64,
        amount: String,
        /// The most common reason.
        reason: String,
        with_reason: u64,
    },
    /// Holds of all files wait too long, or for too much money.
    HoldsWaiting {
        count: u64,
        amount: String,
        oldest: DateTime<Utc>,
        /// The most common reason.
        reason: String,
        with_reason: u64,
    },
    /// The entries that were read are not all applied, duplicate, held or rejected.
    DoesNotTieOut { what: String },
    /// A channel does not accept alerts.
    ChannelFailed { channel: String, why: String },
    /// Messages to a platform are undeliverable: the last try has failed.
    WebhookUndeliverable {
        endpoint: String,
        host: String,
        why: String,
        count: u64,
    },
    /// A platform's endpoint accepted nothing for too long, or answered that it is gone.
    WebhookDisabled {
        endpoint: String,
        host: String,
        why: String,
        /// Whether its owner was notified, in a sentence.
        owner: String,
    },
    /// Messages to a platform cannot be sent, for a reason on our side.
    WebhookStuck { endpoint: String, why: String },
    /// No server of the stream's cluster can be used.
    StreamUnreachable { servers: String, why: String },
    /// The stream does not take the journal.
    StreamFailed { stream: String, why: String },
    /// The stream has something else than this journal.
    StreamForeign { stream: String, why: String },
    /// The clock of this machine differs from others'.
    ClockWrong {
        whose: WrongClock,
        /// By how much ours is ahead.
        by_seconds: i64,
        against: String,
    },
    /// The returns database is not what was written to it.
    JournalNotSound { what: String, count: u64 },
    /// Returns that a database had applied no longer show there.
    ReturnsNotShown {
        database: String,
        what: String,
        count: u64,
    },
}

impl Cause {
    /// The names of all kinds of causes.
    pub const fn kinds() -> &'static [&'static str] {
        <Self as strum::VariantNames>::VARIANTS
    }

    /// The cause's name for machines: its variant's, in capitals. It never changes.
    pub const fn kind(&self) -> &'static str {
        self.into_str()
    }

    /// What the cause takes away from the job.
    pub fn area(&self) -> Area {
        self.describe().area
    }

    /// Whether it is the same for everybody who uses the acquirer's server. Host keys, algorithms and
    /// users are each source's own.
    pub fn is_of_host(&self) -> bool {
        matches!(
            self,
            Self::HostNotFound { .. }
                | Self::NameServerFailed { .. }
                | Self::PortClosed { .. }
                | Self::HostSilent { .. }
                | Self::HostUnreachable { .. }
                | Self::HandshakeSilent { .. }
                | Self::LogInSilent { .. }
        )
    }

    /// The first line of an alert.
    pub fn headline(&self) -> String {
        self.describe().headline
    }

    /// What people read about it. A line per cause, where rustfmt would make six of some.
    #[rustfmt::skip]
    pub fn describe(&self) -> Description {
        match self {
            Self::HostNotFound { host } => connection::host_not_found(host),
            Self::NameServerFailed { host, why } => connection::name_server_failed(host, why),
            Self::PortClosed { host, port } => connection::port_closed(host, *port),
            Self::HostSilent { host, port, after_ms } => connection::host_silent(host, *port, *after_ms),
            Self::ServerSilent { host, what, after_ms } => connection::server_silent(host, what, *after_ms),
            Self::LogInSilent { host, after_ms } => connection::log_in_silent(host, *after_ms),
            Self::HandshakeFailed { host, why } => connection::handshake_failed(host, why),
            Self::HostUnreachable { host, port, why } => connection::host_unreachable(host, *port, why),
            Self::HandshakeSilent { host, after_ms } => connection::handshake_silent(host, *after_ms),
            Self::HostKeyChanged { host, expected, seen } => connection::host_key_changed(host, expected, seen),
            Self::KeyRefused { user, host } => log_in::key_refused(user, host),
            Self::PasswordRefused { user, host } => log_in::password_refused(user, host),
            Self::PasswordExpired { user, host } => log_in::password_expired(user, host),
            Self::NoFileService { user, host, why } => log_in::no_file_service(user, host, why),
            Self::CredentialUnusable { key, why } => log_in::credential_unusable(key, why),
            Self::DirectoryMissing { directory } => remote::directory_missing(directory),
            Self::DirectoryUnreadable { directory, why } => remote::directory_unreadable(directory, why),
            Self::DownloadCut { name, at_bytes, of_bytes } => remote::download_cut(name, *at_bytes, *of_bytes),
            Self::DownloadSlow { name, bytes_per_second, least } => remote::download_slow(name, *bytes_per_second, *least),
            Self::NotArchivedRemotely { name, why } => remote::not_archived_remotely(name, why),
            Self::SourceFailed { what, why } => remote::source_failed(what, why),
            Self::FileMissing { directory, pattern, due, others } => file::missing(directory, pattern, due.as_ref(), *others),
            Self::FileStale { name, age_hours, due } => file::stale(name, *age_hours, due.as_ref()),
            Self::FileGrowing { name, from_bytes, to_bytes } => file::growing(name, *from_bytes, *to_bytes),
            Self::FileUnmarked { name, marker } => file::unmarked(name, marker),
            Self::RunStillGoing { run_id, since, due } => file::run_still_going(run_id, since, due),
            Self::FileEmpty { name } => file::empty(name),
            Self::FileRejected { name, why } => file::rejected(name, why),
            Self::WrongProfile { name, configured, looks_like } => file::wrong_profile(name, configured, looks_like),
            Self::FileUnopenable { name, why } => file::unopenable(name, why),
            Self::DiskFull { path } => service::disk_full(path),
            Self::DiskLow { path, room } => service::disk_low(path, room),
            Self::SpoolFailed { path, why } => service::spool_failed(path, why),
            Self::BucketKeyIdUnknown { bucket } => reports::key_id_unknown(bucket),
            Self::BucketSecretWrong { bucket } => reports::secret_wrong(bucket),
            Self::BucketTokenExpired { bucket } => reports::token_expired(bucket),
            Self::BucketMissing { bucket } => reports::missing(bucket),
            Self::BucketForbidden { bucket, action } => reports::forbidden(bucket, action),
            Self::BucketUnreachable { endpoint, why } => reports::unreachable(endpoint, why),
            Self::BucketFailed { bucket, action, why } => reports::failed(bucket, action, why),
            Self::ReportWrong { key, what } => reports::report_wrong(key, what),
            Self::StoreUnreachable { why } => service::store_unreachable(why),
            Self::NotStarted { why } => service::not_started(why),
            Self::ServiceCrashed { how } => service::crashed(how),
            Self::AdapterUnreachable { database, leads, why } => target::adapter_unreachable(database, *leads, why),
            Self::TargetReadOnly { database, leads } => target::read_only(database, *leads),
            Self::TargetForeign { database, leads, target, why } => target::foreign(database, *leads, target, why),
            Self::TargetFailed { database, leads, why } => target::failed(database, *leads, why),
            Self::RowsRefused { database, count, why } => target::rows_refused(database, *count, why),
            Self::ImportStuck { why } => service::import_stuck(why),
            Self::ImportParked { import_id } => service::import_parked(import_id),
            Self::EntriesHeld { name, held, of, amount, reason, with_reason } => held::entries(name, (*held, *of), amount, (reason, *with_reason)),
            Self::HoldsWaiting { count, amount, oldest, reason, with_reason } => held::waiting((*count, amount), oldest, (reason, *with_reason)),
            Self::DoesNotTieOut { what } => service::does_not_tie_out(what),
            Self::ChannelFailed { channel, why } => service::channel_failed(channel, why),
            Self::WebhookUndeliverable { endpoint, host, why, count } => platform::undeliverable(endpoint, host, why, *count),
            Self::WebhookDisabled { endpoint, host, why, owner } => platform::disabled(endpoint, host, why, owner),
            Self::WebhookStuck { endpoint, why } => platform::stuck(endpoint, why),
            Self::StreamUnreachable { servers, why } => stream::unreachable(servers, why),
            Self::StreamFailed { stream, why } => stream::failed(stream, why),
            Self::StreamForeign { stream, why } => stream::foreign(stream, why),
            Self::ClockWrong { whose, by_seconds, against } => service::clock_wrong(*whose, *by_seconds, against),
            Self::JournalNotSound { what, count } => integrity::journal_not_sound(what, *count),
            Self::ReturnsNotShown { database, what, count } => integrity::returns_not_shown(database, what, *count),
        }
    }
}
