//! Causes for which what is recorded can no longer be trusted.

use super::{Area, Description};
use crate::check::counted;

pub(super) fn journal_not_sound(what: &str, count: u64) -> Description {
    Description::new(
        Area::Integrity,
        format!(
            "The returns database was changed by somebody else ({}): {what}.",
            counted(count, "fault", "faults")
        ),
        "Its rows are not what this service wrote. Reports, webhooks and the databases may rest on \
         what somebody changed.",
        &[
            "Run `echeck journal verify`; it lists every fault.",
            "Find out who changed the returns database. Keep a copy of it as it is.",
            "Restore it from a backup if rows were changed or removed. See docs/guarantees.md.",
        ],
    )
}

pub(super) fn returns_not_shown(database: &str, what: &str, count: u64) -> Description {
    Description::new(
        Area::Integrity,
        format!(
            "{} no longer {} in {database}: {what}.",
            counted(count, "applied return", "applied returns"),
            if count == 1 { "shows" } else { "show" }
        ),
        "Somebody changed the payments back after their returns were applied. They look good there \
         again, although the money was returned.",
        &[
            "Run `echeck journal verify --targets`; it lists every transfer.",
            "Ask the owners of that database who changed these rows, and have them set right.",
        ],
    )
}
