//! Causes for which a database of another team is not corrected.

use super::{Area, Description};
use crate::check::counted;

const MIRROR: &str = "Decided returns are not reaching this database; returned payments still look \
     good there. They are applied in order, each once, as soon as it is available.";

/// Everything waits for the system of record. It is not only behind, as a mirror may be.
const LEADS: &str = "This is the system of record: without it no return is looked up, decided or \
     applied, and no mirror gets any. Returned payments still look good everywhere. Imports wait, \
     and continue where they stopped as soon as it is available.";

fn not_corrected(headline: String, leads: bool, to_do: &'static [&'static str]) -> Description {
    let meaning = if leads { LEADS } else { MIRROR };
    Description::new(Area::Target, headline, meaning, to_do)
}

pub(super) fn adapter_unreachable(database: &str, leads: bool, why: &str) -> Description {
    not_corrected(
        format!("The adapter of the database {database:?} does not answer: {why}."),
        leads,
        &["Check whether the adapter runs, and read the end of its log."],
    )
}

pub(super) fn read_only(database: &str, leads: bool) -> Description {
    not_corrected(
        format!("The database {database:?} is read-only: it accepts no writes."),
        leads,
        &[
            "Check whether the adapter's URL names a standby.",
            "Ask whether somebody set the database read-only.",
        ],
    )
}

pub(super) fn foreign(database: &str, leads: bool, target: &str, why: &str) -> Description {
    not_corrected(
        format!(
            "The adapter of the database {database:?} points at another database ({target}): {why}. \
             Nothing is written to it."
        ),
        leads,
        &[
            "Compare the target's URL in the adapter's configuration, and the adapter's address in \
             ours.",
            "If it is the right database, and was emptied or restored from a dump that is older than \
             this service, adopt it: `echeck journal adopt --database NAME --reason …`. Name with \
             `--position` the last row that it has, if its rows are there and its cursor is not.",
        ],
    )
}

pub(super) fn failed(database: &str, leads: bool, why: &str) -> Description {
    not_corrected(
        format!("The database {database:?} is not being updated: {why}."),
        leads,
        &["Read the reason. `echeck status` shows how far each database is."],
    )
    .explained_by(&[Area::Disk, Area::Store, Area::Target])
}

pub(super) fn rows_refused(database: &str, count: u64, why: &str) -> Description {
    let changes = counted(count, "change", "changes");
    Description::new(
        Area::Refusal,
        format!("The database {database:?} refused {changes}. The newest: {why}."),
        "These returns are decided, and this database does not show them. Each waits as a hold. All \
         other rows are applied.",
        &[
            "`echeck holds --hold-reason database_refused` lists each with what the database said.",
            "Correct the row, or the adapter's mapping: `--check` of the adapter compares it with the \
             database.",
            "`echeck holds retry --hold-reason database_refused` tries all of them again. The incident \
             closes when none is left.",
        ],
    )
}
