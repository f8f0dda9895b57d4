//! Causes for which a database of another team is not corrected.

use super::{Area, Description};

fn not_corrected(headline: String, to_do: &'static [&'static str]) -> Description {
    Description::new(
        Area::Target,
        headline,
        "Decided returns are not reaching this database; returned payments still look good there. \
         They are applied in order, each once, as soon as it is available.",
        to_do,
    )
}

pub(super) fn adapter_unreachable(database: &str, why: &str) -> Description {
    not_corrected(
        format!("The adapter of the database {database:?} does not answer: {why}."),
        &["Check whether the adapter runs, and read the end of its log."],
    )
}

pub(super) fn read_only(database: &str) -> Description {
    not_corrected(
        format!("The database {database:?} is read-only: it accepts no writes."),
        &[
            "Check whether the adapter's URL names a standby.",
            "Ask whether somebody set the database read-only.",
        ],
    )
}

pub(super) fn failed(database: &str, why: &str) -> Description {
    not_corrected(
        format!("The database {database:?} is not being updated: {why}."),
        &["Read the reason. `echeck status` shows how far each database is."],
    )
    .explained_by(&[Area::Disk, Area::Store, Area::Target])
}
