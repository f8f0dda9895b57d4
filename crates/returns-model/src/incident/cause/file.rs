//! Causes for which the expected file is missing, or is there and cannot be used.

use super::{Area, Description};
use crate::incident::LocalTime;

const NOT_PUBLISHED: &str = "The acquirer has not published the file that is due. Its returns are \
     in neither database yet.";

const CHASE_FILE: &[&str] = &[
    "Ask the acquirer whether today's file was published, and when it will be.",
    "Check whether a subscription of the report has ended, for instance with an employee who left.",
    "When the file comes, the next run takes it. `echeck run SOURCE` takes it at once.",
    "A file that comes after its day counts for the day on which it comes, so it never closes this \
     incident. Check whose file it is. When this day's returns are in, close the incident \
     (`echeck incidents close`).",
];

const NOTHING_APPLIED: &str = "Nothing of the file was applied to either database. The file was \
     left where it is.";

fn due_text(due: Option<&LocalTime>) -> String {
    due.map_or_else(String::new, |due| format!(" It was due at {due}."))
}

pub(super) fn missing(
    directory: &str,
    pattern: &str,
    due: Option<&LocalTime>,
    others: Option<u64>,
) -> Description {
    let what = match others {
        Some(1) => {
            format!("No new file matching {pattern:?} in {directory:?} (1 other entry).")
        }
        Some(others) => {
            format!("No new file matching {pattern:?} in {directory:?} ({others} other entries).")
        }
        None => format!("No new file matching {pattern:?} came to {directory:?} on its day."),
    };
    let headline = what + &due_text(due);
    Description::new(Area::Presence, headline, NOT_PUBLISHED, CHASE_FILE)
        .explained_by(&[Area::Clock])
}

pub(super) fn stale(name: &str, age_hours: u64, due: Option<&LocalTime>) -> Description {
    let hours = if age_hours == 1 { "hour" } else { "hours" };
    let headline = format!(
        "There is only an old file: the newest, {name:?}, is {age_hours} {hours} old and was \
         imported before.{}",
        due_text(due)
    );
    Description::new(Area::Presence, headline, NOT_PUBLISHED, CHASE_FILE)
        .explained_by(&[Area::Clock])
}

pub(super) fn growing(name: &str, from_bytes: u64, to_bytes: u64) -> Description {
    Description::new(
        Area::Presence,
        format!(
            "The file {name:?} is still being written: it grew from {from_bytes} to {to_bytes} \
             bytes while we looked."
        ),
        "The file is not imported until it is complete: half a file would be half the returns.",
        &[
            "Wait for the next check. If the file keeps growing, ask the acquirer about their upload.",
        ],
    )
}

pub(super) fn unmarked(name: &str, marker: &str) -> Description {
    Description::new(
        Area::Presence,
        format!(
            "The file {name:?} is there, but its marker {marker:?} is not: it is not complete."
        ),
        "The acquirer writes the marker when a file is complete. The file is not imported without \
         it: half a file would be half the returns.",
        &[
            "Ask the acquirer whether the file is complete, and to write its marker.",
            "If they no longer write markers, change `complete` of the source.",
        ],
    )
}

pub(super) fn run_still_going(run_id: &str, since: &LocalTime, due: &LocalTime) -> Description {
    Description::new(
        Area::Presence,
        format!(
            "The file due at {due} is not imported yet: the run {run_id} started at {since} and has \
             not finished."
        ),
        "Two runs of a source never overlap, so no other run fetches the file. Its returns are in \
         neither database yet.",
        &[
            "Check how large the file is, and how fast the acquirer's server sends it \
             (`echeck diagnose`).",
            "A download slower than least_bytes_per_second or longer than longest_download_ms is \
             aborted and reported. Change these settings of the source if they do not fit.",
        ],
    )
}

pub(super) fn empty(name: &str) -> Description {
    Description::new(
        Area::Content,
        format!("The file {name:?} is there, but has no bytes."),
        "The file was left where it is. Either the acquirer is about to write it, or their upload \
         failed.",
        &[
            "Ask the acquirer to publish the file again.",
            "If an empty file means that there are no returns, add \"no_bytes\" to the source's \
             allow_empty.",
        ],
    )
}

pub(super) fn rejected(name: &str, why: &str) -> Description {
    Description::new(
        Area::Content,
        format!("The file {name:?} was rejected as a whole: {why}."),
        NOTHING_APPLIED,
        &[
            "Read the reason. `echeck import FILE --dry-run` shows every fault of a copy.",
            "Ask the acquirer for a corrected file. It may have the same name: different bytes are \
             a new import.",
        ],
    )
}

pub(super) fn wrong_profile(name: &str, configured: &str, looks_like: &str) -> Description {
    Description::new(
        Area::Content,
        format!(
            "The file {name:?} does not fit the source's format {configured}: it looks like \
             {looks_like}."
        ),
        NOTHING_APPLIED,
        &[
            "Compare the source's format in the configuration with what the acquirer sends now.",
            "Check whether the file belongs to another source and this source's pattern is too \
             wide.",
        ],
    )
}

pub(super) fn unopenable(name: &str, why: &str) -> Description {
    Description::new(
        Area::Content,
        format!("The file {name:?} could not be unpacked: {why}."),
        NOTHING_APPLIED,
        &["Ask the acquirer how the file was packed, and with which key it was encrypted."],
    )
}
