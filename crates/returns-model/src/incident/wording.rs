//! The words of every cause: what the first line of an alert says, what follows from it, and
//! what to do. Names that others chose are quoted with their odd characters escaped.

use chrono::{DateTime, Utc};

use super::Subject;
use super::cause::Cause;

/// A time for people.
fn minute_utc(at: &DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn due_text(due: Option<&DateTime<Utc>>) -> String {
    due.map_or_else(String::new, |due| {
        format!(" It was due at {}.", minute_utc(due))
    })
}

/// The likely cause in one line.
pub(super) fn headline(cause: &Cause) -> String {
    match cause {
        Cause::HostNotFound { host } => {
            format!("The host name {host:?} does not exist: no name server knows it.")
        }
        Cause::PortClosed { host, port } => {
            format!("{host} is up, but nothing listens on port {port}: the SFTP server is down.")
        }
        Cause::HostSilent {
            host,
            port,
            after_ms,
        } => format!(
            "{host} port {port} does not answer at all (waited {after_ms} ms): a firewall drops \
             us, or the host is off the network."
        ),
        Cause::HandshakeFailed { host, why } => {
            format!("{host} answers, but the SSH handshake fails: {why}.")
        }
        Cause::HostKeyChanged {
            host,
            expected,
            seen,
        } => format!(
            "The host key of {host} is not the pinned one (expected {expected}, seen {seen}): \
             nothing was sent to it."
        ),
        Cause::KeyRefused { user, host } => {
            format!("{host} refuses our SSH key for user {user:?}.")
        }
        Cause::PasswordRefused { user, host } => {
            format!("{host} refuses our password for user {user:?}.")
        }
        Cause::PasswordExpired { user, host } => {
            format!("The password of user {user:?} on {host} has expired.")
        }
        Cause::CredentialUnusable { key, why } => {
            format!("Our own {key} cannot be used, so we did not log in: {why}.")
        }
        Cause::DirectoryMissing { directory } => {
            format!("The directory {directory:?} does not exist at the acquirer.")
        }
        Cause::DirectoryUnreadable { directory, why } => {
            format!("The directory {directory:?} may not be read: {why}.")
        }
        Cause::FileMissing {
            directory,
            pattern,
            due,
            others: Some(others),
        } => format!(
            "No file matching {pattern:?} is there to be taken in {directory:?} ({others} other \
             files are there).{}",
            due_text(due.as_ref())
        ),
        Cause::FileMissing {
            directory,
            pattern,
            due,
            others: None,
        } => format!(
            "No file matching {pattern:?} came to {directory:?} on its day.{}",
            due_text(due.as_ref())
        ),
        Cause::FileStale {
            name,
            age_hours,
            due,
        } => format!(
            "Only an old file is there: the newest, {name:?}, is {age_hours} hours old and was \
             taken before.{}",
            due_text(due.as_ref())
        ),
        Cause::FileGrowing {
            name,
            from_bytes,
            to_bytes,
        } => format!(
            "The file {name:?} is still being written (it went from {from_bytes} to {to_bytes} \
             bytes while we looked)."
        ),
        Cause::FileUnmarked { name, marker } => format!(
            "The file {name:?} is there, but its marker {marker:?} is not, so it is not complete."
        ),
        Cause::RunStillGoing { run_id, since, due } => format!(
            "The file that was due at {} has not come in: the run {run_id} has been at work since \
             {} and has not brought it.",
            minute_utc(due),
            minute_utc(since)
        ),
        Cause::FileEmpty { name } => format!("The file {name:?} is there, but has no bytes."),
        Cause::FileRejected { name, why } => {
            format!("The file {name:?} was refused whole, nothing of it was applied: {why}.")
        }
        Cause::WrongProfile {
            name,
            configured,
            looks_like,
        } => format!(
            "The file {name:?} does not fit the source's format {configured}: it looks like \
             {looks_like}."
        ),
        Cause::FileUnopenable { name, why } => {
            format!("The file {name:?} could not be unpacked: {why}.")
        }
        Cause::DownloadCut {
            name,
            at_bytes,
            of_bytes,
        } => format!(
            "The connection was cut while {name:?} was downloaded, at {at_bytes} of {of_bytes} \
             bytes."
        ),
        Cause::DownloadSlow {
            name,
            bytes_per_second,
            least,
        } => format!(
            "The SFTP server is too slow: {name:?} came at {bytes_per_second} bytes a second, \
             and {least} is the least."
        ),
        Cause::NotArchivedRemotely { name, why } => format!(
            "The file {name:?} was imported, but could not be put away at the acquirer: {why}."
        ),
        Cause::SourceFailed { what, why } => {
            format!("The acquirer's server refused {what}: {why}.")
        }
        Cause::DiskFull { path } => format!("The disk is full: nothing more fits into {path}."),
        Cause::SpoolFailed { path, why } => format!("The spool {path} cannot be used: {why}."),
        Cause::BucketKeyIdUnknown { bucket } => format!(
            "The access key id for the bucket {bucket:?} is wrong: its server does not know it."
        ),
        Cause::BucketSecretWrong { bucket } => format!(
            "The secret access key for the bucket {bucket:?} is wrong: the signature does not match."
        ),
        Cause::BucketTokenExpired { bucket } => {
            format!("The session token for the bucket {bucket:?} has expired.")
        }
        Cause::BucketMissing { bucket } => format!("There is no bucket named {bucket:?}."),
        Cause::BucketForbidden { bucket, action } => format!(
            "Our access key is valid, but may not {action} in the bucket {bucket:?} (forbidden)."
        ),
        Cause::BucketUnreachable { endpoint, why } => {
            format!("The bucket's server {endpoint} cannot be reached: {why}.")
        }
        Cause::BucketFailed {
            bucket,
            action,
            why,
        } => {
            format!("The bucket {bucket:?} did not {action}: {why}.")
        }
        Cause::ReportWrong { key, what } => format!(
            "The CSV report {key:?} reads back from the bucket differently than it was written: \
             {what}."
        ),
        Cause::StoreUnreachable { why } => {
            format!("The returns database does not work: {why}.")
        }
        Cause::AdapterUnreachable { database, why } => {
            format!("The adapter of the database {database:?} does not answer: {why}.")
        }
        Cause::TargetReadOnly { database } => {
            format!("The database {database:?} is read-only: it takes no writes.")
        }
        Cause::TargetFailed { database, why } => {
            format!("The database {database:?} is not being updated: {why}.")
        }
        Cause::ImportStuck { why } => format!("The import cannot go on: {why}."),
        Cause::DoesNotTieOut { what } => format!("The import does not tie out: {what}."),
        Cause::ChannelFailed { channel, why } => {
            format!("Alerts cannot be delivered by {channel}: {why}.")
        }
        Cause::WebhookDead {
            endpoint,
            host,
            why,
            count,
        } => format!(
            "Webhook messages to {host} ({endpoint}) were given up after their last try; {count} \
             are not delivered ({why})."
        ),
        Cause::WebhookDisabled {
            endpoint,
            host,
            why,
            owner,
        } => format!("The webhook endpoint at {host} ({endpoint}) {why}: it is disabled. {owner}"),
        Cause::WebhookStuck { endpoint, why } => {
            format!("Webhook messages to {endpoint} cannot be sent: {why}.")
        }
        Cause::ClockWrong {
            by_seconds,
            against,
        } => {
            format!("The clock here is {by_seconds} seconds off from that of {against}.")
        }
    }
}

/// What follows from it for whoever counts on the job.
pub(super) fn meaning(cause: &Cause, subject: &Subject) -> String {
    let text = match cause {
        Cause::HostNotFound { .. }
        | Cause::PortClosed { .. }
        | Cause::HostSilent { .. }
        | Cause::HandshakeFailed { .. }
        | Cause::HostKeyChanged { .. }
        | Cause::KeyRefused { .. }
        | Cause::PasswordRefused { .. }
        | Cause::PasswordExpired { .. }
        | Cause::CredentialUnusable { .. }
        | Cause::DirectoryMissing { .. }
        | Cause::DirectoryUnreadable { .. }
        | Cause::SourceFailed { .. } => {
            "Return files of this source cannot be fetched. Until they are, merchants are shown, \
             and may be paid, money that the customers' banks have taken back."
        }
        Cause::FileMissing { .. } | Cause::FileStale { .. } => {
            "The acquirer has not published the file that is due. The returns in it are not known \
             here yet, in neither database."
        }
        Cause::FileUnmarked { .. } => {
            "The acquirer puts the marker beside a file that is complete. Until it is there the \
             file is left alone; half a file would be half the returns."
        }
        Cause::RunStillGoing { .. } => {
            "Two runs of a source never overlap, so nothing else fetches the file meanwhile. The \
             returns in it are not known here yet, in neither database."
        }
        Cause::FileGrowing { .. } => {
            "The file is left alone until it is complete; half a file would be half the returns."
        }
        Cause::FileEmpty { .. } => {
            "The file was left where it is. Either the acquirer is about to write it, or an upload \
             of theirs failed."
        }
        Cause::FileRejected { .. } | Cause::WrongProfile { .. } | Cause::FileUnopenable { .. } => {
            "Nothing of the file was applied to either database, and the file was left where it is."
        }
        Cause::DownloadCut { .. } | Cause::DownloadSlow { .. } => {
            "What had come was thrown away, the file at the acquirer was not touched, and nothing \
             was applied."
        }
        Cause::NotArchivedRemotely { .. } => {
            "Its returns are imported, once; a later look knows the file again. It only takes up \
             room at the acquirer."
        }
        Cause::DiskFull { .. } | Cause::SpoolFailed { .. } => {
            "No file can be received. What was received before is safe."
        }
        Cause::BucketKeyIdUnknown { .. }
        | Cause::BucketSecretWrong { .. }
        | Cause::BucketTokenExpired { .. }
        | Cause::BucketMissing { .. }
        | Cause::BucketForbidden { .. }
        | Cause::BucketUnreachable { .. }
        | Cause::BucketFailed { .. }
        | Cause::ReportWrong { .. } => {
            "Returns are still applied to both databases. The archive of raw files and the CSV \
             reports wait until the bucket works; no file is deleted here before it is archived."
        }
        Cause::StoreUnreachable { .. } => {
            "Nothing can be received, decided or recorded. Nothing is lost: work goes on where it \
             stood."
        }
        Cause::AdapterUnreachable { .. }
        | Cause::TargetReadOnly { .. }
        | Cause::TargetFailed { .. } => {
            "Returns are decided, but do not reach this database, so it shows payments as good \
             that are not. They are applied in order, each once, as soon as it works."
        }
        Cause::ImportStuck { .. } => {
            "The rest of its file is not decided. What was decided is applied, and it goes on by \
             itself where it stands."
        }
        Cause::DoesNotTieOut { .. } => {
            "Something of the file is not accounted for. Do not trust the totals until it is found."
        }
        Cause::ChannelFailed { .. } => {
            "Whoever reads only that channel is not told. The alerts went out by the others, and \
             are tried again on this one."
        }
        Cause::WebhookDead { .. } => {
            "The platform does not know of these returns unless it asks. The messages are kept, \
             and can be sent again."
        }
        Cause::WebhookDisabled { .. } => {
            "The platform is told nothing until somebody enables its endpoint. Messages that \
             wait are kept; what happens meanwhile can be recovered."
        }
        Cause::WebhookStuck { .. } => {
            "The platform is told nothing until this is right. Its messages wait, and lose none \
             of their tries."
        }
        Cause::ClockWrong { .. } => "Due times and deadlines may be judged wrongly.",
    };
    format!("{text} ({subject})")
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// What to do, in order.
pub(super) fn to_do(cause: &Cause) -> Vec<String> {
    match cause {
        Cause::HostNotFound { .. } => lines(&[
            "Compare the host name with the acquirer's documents.",
            "Resolve it from this machine (getent hosts NAME); if no name resolves, the name server is the problem.",
        ]),
        Cause::PortClosed { .. } => {
            lines(&["Ask the acquirer whether their SFTP server is down, or has another port now."])
        }
        Cause::HostSilent { .. } => lines(&[
            "Ask the acquirer whether our address is still on their allow list.",
            "Look at our own firewall and route to the host.",
        ]),
        Cause::HandshakeFailed { .. } => lines(&[
            "Ask the acquirer whether their server has changed, or a proxy stands before it.",
        ]),
        Cause::HostKeyChanged { .. } => lines(&[
            "Do not change the pin yet: this is what an attack looks like.",
            "Ask the acquirer, by telephone, for their new fingerprint; if it is the one seen, pin it.",
        ]),
        Cause::KeyRefused { .. } => lines(&[
            "Ask the acquirer whether our public key is still entered for this user.",
            "Compare the fingerprint of our key with the one they have.",
        ]),
        Cause::PasswordRefused { .. } => lines(&[
            "Ask the acquirer whether the password was changed or the account locked.",
            "Put the right one where password_file points; no restart is needed for the next run.",
        ]),
        Cause::PasswordExpired { .. } => lines(&[
            "Set a new password with the acquirer, then put it where password_file points.",
        ]),
        Cause::CredentialUnusable { .. } => lines(&[
            "Look at the key, password or passphrase that the source's configuration names.",
            "When it is right, run the job again; no restart is needed for one in a file.",
        ]),
        Cause::DirectoryMissing { .. } | Cause::DirectoryUnreadable { .. } => {
            lines(&["Ask the acquirer whether the folder or our rights on it have changed."])
        }
        Cause::FileMissing { .. } | Cause::FileStale { .. } => lines(&[
            "Ask the acquirer whether today's file was published, and when it will be.",
            "A subscription of the report may have ended, for instance with an employee who left.",
            "When the file comes, the next run takes it; or run it at once.",
            "A file that comes after the day is over counts for the day on which it comes, and never ends this alarm: look whose it is, and close the incident (`echeck incidents close`) when this day's returns are in.",
        ]),
        Cause::FileUnmarked { .. } => lines(&[
            "Ask the acquirer whether the file is complete, and to put its marker there.",
            "If they write no markers any more, change `complete` of the source.",
        ]),
        Cause::RunStillGoing { .. } => lines(&[
            "Look how large the file is, and how fast the acquirer's server gives it to us (`echeck diagnose`).",
            "A download that is slower than least_bytes_per_second, or takes longer than longest_download_ms, is given up and told; raise or lower them in the source's place.",
        ]),
        Cause::FileGrowing { .. } => lines(&[
            "Wait for the next look. If it grows for long, ask the acquirer about their upload.",
        ]),
        Cause::FileEmpty { .. } => lines(&[
            "Ask the acquirer to publish the file again.",
            "If an empty file is how they say that there are no returns, add \"no_bytes\" to the source's allow_empty.",
        ]),
        Cause::FileRejected { .. } => lines(&[
            "Read the reason; `echeck import FILE --dry-run` shows every fault of a copy.",
            "Ask the acquirer for a corrected file; other bytes under the same name are a new import.",
        ]),
        Cause::WrongProfile { .. } => lines(&[
            "Compare the source's format in the configuration with what the acquirer sends now.",
            "Look whether the file belongs to another source, and its pattern is too wide.",
        ]),
        Cause::FileUnopenable { .. } => lines(&[
            "Ask the acquirer how the file was packed, and with which key it was encrypted.",
        ]),
        Cause::DownloadCut { .. } | Cause::DownloadSlow { .. } => lines(&[
            "Wait for the next try. If it stays so, ask the acquirer about their server and line.",
        ]),
        Cause::NotArchivedRemotely { .. } => lines(&[
            "Ask the acquirer for the right to move or delete files, or set after = \"leave\".",
        ]),
        Cause::SourceFailed { .. } => lines(&["Ask the acquirer what their server's log says."]),
        Cause::DiskFull { .. } => lines(&[
            "Make room on that disk, or make it larger; nothing of ours may be deleted by hand.",
        ]),
        Cause::SpoolFailed { .. } => {
            lines(&["Look whether the folder is mounted and belongs to the service's user."])
        }
        Cause::BucketKeyIdUnknown { .. } | Cause::BucketSecretWrong { .. } => lines(&[
            "Look whether the access key was rotated or deleted; put the new one into the configuration.",
        ]),
        Cause::BucketTokenExpired { .. } => {
            lines(&["Fetch a new session token, or use a key that needs none."])
        }
        Cause::BucketMissing { .. } => lines(&[
            "Compare bucket, region and endpoint with the configuration; make the bucket if it is gone.",
        ]),
        Cause::BucketForbidden { .. } => {
            lines(&["Give the key the rights to list, get, put and delete objects in this bucket."])
        }
        Cause::BucketUnreachable { .. } => {
            lines(&["Look at the endpoint's name, the network and the provider's status page."])
        }
        Cause::BucketFailed { .. } => lines(&["Look at the provider's status page and its log."]),
        Cause::ReportWrong { .. } => lines(&[
            "Do not use that report. It is written again under a new key by itself.",
            "Look who else writes to the bucket.",
        ]),
        Cause::StoreUnreachable { .. } => {
            lines(&["Look whether the database server runs, has room, and takes connections."])
        }
        Cause::AdapterUnreachable { .. } => {
            lines(&["Look whether the adapter runs, and what its log says last."])
        }
        Cause::TargetReadOnly { .. } => lines(&[
            "Look whether the adapter's URL leads to a standby, or somebody set the database read-only.",
        ]),
        Cause::TargetFailed { .. } => {
            lines(&["Read the reason; `echeck status` shows how far each database is."])
        }
        Cause::ImportStuck { .. } => {
            lines(&["Read the reason; `echeck imports` shows how far it is."])
        }
        Cause::DoesNotTieOut { .. } => {
            lines(&["Compare the report with the file, and run `echeck journal verify`."])
        }
        Cause::ChannelFailed { .. } => {
            lines(&["Look at the channel's address and credentials in the configuration."])
        }
        Cause::WebhookDead { .. } => lines(&[
            "Ask the platform whether its endpoint works: `echeck webhooks test ENDPOINT` shows what it answers.",
            "Then send again what it missed: `echeck webhooks recover ENDPOINT --since TIME`.",
        ]),
        Cause::WebhookDisabled { .. } => lines(&[
            "Agree with the platform's people on when its endpoint works again, or which one does instead.",
            "Then `echeck webhooks enable ENDPOINT`, and `echeck webhooks recover ENDPOINT --since TIME`.",
        ]),
        Cause::WebhookStuck { .. } => lines(&[
            "If the key cannot be opened, put the old spool.identity back, or `echeck webhooks rotate ENDPOINT` and give the platform its new key.",
        ]),
        Cause::ClockWrong { .. } => lines(&["Look whether time synchronization runs here."]),
    }
}
