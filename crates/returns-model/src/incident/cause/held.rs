//! Causes for which a person is needed: entries that are held.

use chrono::{DateTime, Utc};

use super::{Area, Description};
use crate::check::counted;
use crate::incident::LocalTime;

const TO_DO: &[&str] = &[
    "`echeck holds` lists each hold with its reason; `--hold-reason` and `--import` filter.",
    "Correct what they have in common, such as the source's `match` or its unit of amounts.",
    "`echeck holds retry --hold-reason REASON` decides them again; `echeck holds retry HOLD` takes one.",
];

/// The most common reason of some holds, and how many have it.
type MostCommon<'a> = (&'a str, u64);

/// What a reason that most entries of a file share often means.
fn question(reason: &str) -> &'static str {
    match reason {
        "unknown transfer" => {
            " Is this file of another merchant, or are its payments not in the gateway yet?"
        }
        "amount differs" => " Is the source's unit of amounts right?",
        "ids contradict" => " Does the source's `match` name the right ids?",
        _ => "",
    }
}

pub(super) fn entries(
    name: &str,
    (held, of): (u64, u64),
    amount: &str,
    (reason, with_reason): MostCommon<'_>,
) -> Description {
    let entries = counted(of, "entry", "entries");
    let are = if held == 1 { "is" } else { "are" };
    Description::new(
        Area::Held,
        format!(
            "{held} of {entries} of {name:?} {are} held, {amount}. The most common reason is \
             {reason} ({with_reason}).{}",
            question(reason)
        ),
        "These returns are not applied: the payments still look good everywhere, until a person \
         decides.",
        TO_DO,
    )
}

pub(super) fn waiting(
    (count, amount): (u64, &str),
    oldest: &DateTime<Utc>,
    (reason, with_reason): MostCommon<'_>,
) -> Description {
    let holds = counted(count, "hold", "holds");
    let wait = if count == 1 { "waits" } else { "wait" };
    Description::new(
        Area::Waiting,
        format!(
            "{holds} {wait} for a person, {amount}, the oldest since {}. The most common reason is \
             {reason} ({with_reason}).",
            LocalTime::utc(*oldest)
        ),
        "A return that is held is not applied. The merchant is shown and paid its money meanwhile.",
        TO_DO,
    )
}
