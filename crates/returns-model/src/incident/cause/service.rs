//! Causes on our own side: this machine, the returns database, an import, the alerts.

use super::{Area, Description, WrongClock};

const NO_FILE_RECEIVED: &str = "No file can be received. Files received before are safe.";

pub(super) fn disk_full(path: &str) -> Description {
    Description::new(
        Area::Disk,
        format!("The disk is full: nothing more fits into {path}."),
        NO_FILE_RECEIVED,
        &[
            "Free space on that disk, or enlarge it.",
            "Do not delete files of this service by hand.",
        ],
    )
}

pub(super) fn disk_low(path: &str, room: &str) -> Description {
    Description::new(
        Area::Disk,
        format!("The disk of {path} is nearly full: {room}."),
        "Files are still received, but the next one may not fit.",
        &[
            "Free space on that disk, or enlarge it. A disk can also run out of entries for files \
             (`df -i`).",
            "Do not delete files of this service by hand.",
        ],
    )
}

pub(super) fn spool_failed(path: &str, why: &str) -> Description {
    Description::new(
        Area::Disk,
        format!("The spool {path} cannot be used: {why}."),
        NO_FILE_RECEIVED,
        &["Check whether the folder is mounted and belongs to the service's user."],
    )
    .explained_by(&[Area::Disk])
}

pub(super) fn store_unreachable(why: &str) -> Description {
    Description::new(
        Area::Store,
        format!("The returns database is unavailable: {why}."),
        "Nothing can be received, decided or recorded. Nothing is lost: work continues where it \
         stopped.",
        &["Check whether the database server runs, has disk space, and accepts connections."],
    )
    .explained_by(&[Area::Disk])
}

pub(super) fn not_started(why: &str) -> Description {
    Description::new(
        Area::Store,
        format!("The returns service cannot start: {why}."),
        "Nothing runs: no file is fetched, nothing is decided or applied, and no other alert can \
         come. Nothing is lost: work continues where it stopped.",
        &[
            "Read the reason. What runs the service may be starting it again and again.",
            "`echeck diagnose` works as soon as the service has started.",
        ],
    )
}

pub(super) fn crashed(how: &str) -> Description {
    Description::new(
        Area::Process,
        format!("The returns service started again after it had ended without a shutdown: {how}."),
        "Work continues where it stopped; nothing is lost or done twice. If it ends again and again, \
         files wait longer.",
        &[
            "Read the end of the log of the process that ended, and the machine's log: was it out of \
             memory, killed, or restarted?",
            "If it panicked, report the message to the developers of this service.",
        ],
    )
}

pub(super) fn import_stuck(why: &str) -> Description {
    Description::new(
        Area::Import,
        format!("The import cannot continue: {why}."),
        "The rest of its file is not decided. What was decided is applied. The import continues \
         automatically where it stopped.",
        &["Read the reason. `echeck imports` shows how far the import is."],
    )
    .explained_by(&[Area::Disk, Area::Store, Area::Target])
}

pub(super) fn import_parked(import_id: &str) -> Description {
    Description::new(
        Area::Import,
        format!("The import {import_id} is parked: the process ended twice while it worked on it."),
        "The rest of its file is not decided. What was decided is applied. Other imports continue. \
         This one is not tried again automatically, so that it cannot stop the service.",
        &[
            "Find out why the process ended: read its log, and check whether it ran out of memory \
             or was killed.",
            "If the file is not to blame, try it again: `echeck imports retry IMPORT`.",
            "If it is, keep a copy of the file (docs/report.md says how to open it) and report it \
             to the developers of this service.",
        ],
    )
}

pub(super) fn does_not_tie_out(what: &str) -> Description {
    Description::new(
        Area::Import,
        format!("The import does not tie out: {what}."),
        "Part of the file is not accounted for. Do not trust the totals until it is found.",
        &[
            "Compare the report with the file.",
            "Run `echeck journal verify`.",
        ],
    )
}

pub(super) fn clock_wrong(whose: WrongClock, by_seconds: i64, against: &str) -> Description {
    let seconds = by_seconds.unsigned_abs();
    let ahead = if by_seconds > 0 { "ahead of" } else { "behind" };
    let headline = match whose {
        WrongClock::Ours => {
            format!("The clock of this machine is wrong: it is {seconds} s {ahead} {against}.")
        }
        WrongClock::Theirs => format!(
            "The clock of {against} is wrong: ours is {seconds} s {ahead} it, and agrees with the \
             others."
        ),
        WrongClock::Unknown => format!(
            "Two clocks differ, and either may be wrong: this machine's is {seconds} s {ahead} that \
             of {against}."
        ),
    };
    Description::new(
        Area::Clock,
        headline,
        "Due times and deadlines may be judged wrongly, and servers refuse what is signed with a \
         wrong time.",
        &["Check whether time synchronization runs on the machine whose clock is wrong."],
    )
}

pub(super) fn channel_failed(channel: &str, why: &str) -> Description {
    Description::new(
        Area::Alerting,
        format!("Alerts cannot be delivered by {channel}: {why}."),
        "People who read only that channel are not notified. Delivery to it is retried.",
        &["Check the channel's address and credentials in the configuration."],
    )
}
