//! The lines that the gateway's transfers carry about a return, in the form that platforms
//! know from Finix (see its support article on eCheck returns).

use super::Transfer;
use crate::entry::{Entry, EntryKind};

/// The reason in words: the file's own if it has any, else the code's title.
fn reason(entry: &Entry) -> String {
    let text = entry.description.as_deref().map(str::trim);
    let words = text.filter(|text| !text.is_empty());
    match (words.or_else(|| entry.kind.title()), entry.kind.code()) {
        (Some(words), _) => words.to_owned(),
        (None, Some((code, _))) => code,
        (None, None) => "refused before it entered the network".to_owned(),
    }
}

fn is_validation_failure(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::ValidationFailure { .. })
}

/// The `messages` of a transfer that failed. A validation failure has only its text and no
/// return code; a credit that came back has code, description and where it was seen.
pub fn failure_messages(entry: &Entry, transfer: &Transfer) -> Vec<String> {
    let mut lines = return_messages(entry);
    if !is_validation_failure(entry) {
        lines.push(format!(
            "Declined because there is a record in FAILED_FUNDS for '{}' transfer",
            transfer.trace_id
        ));
    }
    lines
}

/// The `messages` of a debit that was returned before funding.
pub fn return_messages(entry: &Entry) -> Vec<String> {
    if is_validation_failure(entry) {
        return vec![reason(entry)];
    }
    let code = entry.kind.code().map(|(code, _)| code).unwrap_or_default();
    vec![
        format!("ReasonCode: {code}"),
        format!("ReasonDescription: {}", reason(entry)),
    ]
}

/// The `tags` of a transfer that a later stage of return `return_id` makes; `stage` is its
/// name in the last line.
pub fn stage_tags(entry: &Entry, stage: &str, return_id: &str) -> Vec<(String, String)> {
    let mut lines = return_messages(entry);
    lines.push(format!("{stage} of return {return_id}"));
    numbered(lines)
}

/// The `tags` of the REVERSAL that takes the money of a return back.
pub fn reversal_tags(entry: &Entry, transfer: &Transfer) -> Vec<(String, String)> {
    let mut lines = return_messages(entry);
    lines.push(format!(
        "Rejected because there is 'ACH_eCheck_Returns' record in CHARGEBACK for '{}' ACH transfer",
        transfer.trace_id
    ));
    numbered(lines)
}

fn numbered(lines: Vec<String>) -> Vec<(String, String)> {
    lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| (format!("result_message_{index}"), line))
        .collect()
}
