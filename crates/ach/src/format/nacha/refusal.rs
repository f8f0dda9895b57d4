//! The words in which a file is refused.

use crate::entry::FilePosition;
use crate::format::FileRejected;

/// What to do about a file that came in damaged.
pub(super) const SEND_AGAIN: &str = "fetch the file again or ask its sender for a whole one";

/// A file that is refused at a place.
pub(super) fn refuse(
    at: FilePosition,
    field: Option<String>,
    why: impl Into<String>,
) -> FileRejected {
    FileRejected {
        at: Some(at),
        field,
        why: why.into(),
        looks_like: None,
    }
}

/// A file that is not a NACHA file at all; `seen` says what it looks like.
pub(super) fn not_nacha(at: FilePosition, seen: &str) -> FileRejected {
    refuse(at, None, format!("this is not a NACHA file: {seen}"))
}

/// A record that has not 94 characters, and is not merely short of trailing blanks.
pub(super) fn wrong_length(
    at: FilePosition,
    record_type: char,
    width: usize,
    ended: bool,
) -> FileRejected {
    let field = Some(format!("record type {record_type}"));
    if !ended && width < super::record::WIDTH {
        let why = format!(
            "the last record ends after {width} of 94 characters, so the file is cut off; \
             {SEND_AGAIN}"
        );
        return refuse(at, field, why);
    }
    refuse(
        at,
        field,
        format!("the record has {width} characters instead of 94; {SEND_AGAIN}"),
    )
}
