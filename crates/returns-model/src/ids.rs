//! Ids that this service makes. Each is derived from what it stands for, so that doing a
//! step twice, or again after a crash, gives the same id.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// Hashes `parts` so that no two lists of parts give the same bytes.
fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn id(prefix: &str, parts: &[&str]) -> String {
    format!("{prefix}{}", hex(&digest(parts)[..12]))
}

/// The id of the `attempt`-th import of a file for a source. Attempts after the first exist
/// only where the ones before were refused.
pub fn import_id(source: &str, sha256: &str, attempt: u64) -> String {
    id("imp_", &["import", source, sha256, &attempt.to_string()])
}

/// The id of the run of a source for a slot.
pub fn run_id(source: &str, slot: &str) -> String {
    id("run_", &["run", source, slot])
}

/// The id of the `ordinal`-th return (or correction) of a transfer, counted from 1.
pub fn return_id(transfer_id: &str, ordinal: usize) -> String {
    id("ret_", &["return", transfer_id, &ordinal.to_string()])
}

/// The id of the transfer that takes a return's money back.
pub fn reversal_id(return_id: &str) -> String {
    id("TR", &["reversal", return_id])
}

/// The id of the transfer that gives back what a return took; `dishonor_id` is the dishonor's.
pub fn restoration_id(dishonor_id: &str) -> String {
    id("TR", &["restoration", dishonor_id])
}

/// The trace id of that transfer.
pub fn restoration_trace_id(dishonor_id: &str) -> String {
    id("FNX", &["restoration trace", dishonor_id])
}

/// The trace id of the transfer that takes a return's money back.
pub fn reversal_trace_id(return_id: &str) -> String {
    id("FNX", &["reversal trace", return_id])
}

/// The id of the hold of one entry of an import.
pub fn hold_id(import_id: &str, ordinal: u64) -> String {
    id("hold_", &["entry", import_id, &ordinal.to_string()])
}

/// The id of the hold of a journal row that did not take effect in a database.
pub fn exception_hold_id(database: &str, position: u64) -> String {
    id("hold_", &["exception", database, &position.to_string()])
}

/// The id of the incident with this key that was opened then.
pub fn incident_id(key: &str, opened_at: &DateTime<Utc>) -> String {
    id("inc_", &["incident", key, &opened_at.to_rfc3339()])
}

/// The id of what happened to an incident.
pub fn incident_event_id(
    incident_id: &str,
    version: u64,
    what: &str,
    actor: &str,
    at: &DateTime<Utc>,
) -> String {
    let (version, at) = (version.to_string(), at.to_rfc3339());
    id(
        "evt_",
        &["incident event", incident_id, &version, what, actor, &at],
    )
}

/// The id of what a channel is sent about an incident's change.
pub fn alert_id(incident_id: &str, version: u64, kind: &str, channel: &str) -> String {
    let version = version.to_string();
    id("alr_", &["alert", incident_id, &version, kind, channel])
}

/// A key for others that stands for a longer one.
pub fn dedup_key(whole: &str) -> String {
    id("key_", &["dedup key", whole])
}

/// The id of the endpoint that was made under this key.
pub fn endpoint_id(key: &str) -> String {
    id("whe_", &["endpoint", key])
}

/// The id of the event of a journal row. The hash distinguishes it from the row of another journal.
pub fn row_event_id(position: u64, hash: &[u8]) -> String {
    id("evt_", &["row event", &position.to_string(), &hex(hash)])
}

/// The id of the event of a hold that came to a state.
pub fn hold_event_id(hold_id: &str, state: &str) -> String {
    id("evt_", &["hold event", hold_id, state])
}

/// The id of the message that reports an event in a payload version under an event type: its
/// `webhook-id`, the same at every try.
pub fn message_id(event_id: &str, payload_version: &str, event_type: &str) -> String {
    id("msg_", &["message", event_id, payload_version, event_type])
}

/// The id of a test alert.
pub fn test_alert_id(actor: &str, at: &DateTime<Utc>) -> String {
    id("tst_", &["test alert", actor, &at.to_rfc3339()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_for_the_same_thing_and_another_for_another() {
        assert_eq!(return_id("TR1", 1), return_id("TR1", 1));
        assert_ne!(return_id("TR1", 1), return_id("TR1", 2));
        assert_ne!(return_id("TR1", 11), return_id("TR11", 1));
        assert_ne!(import_id("ab", "c", 1), import_id("a", "bc", 1));
        assert_eq!(return_id("TR1", 1).len(), "ret_".len() + 24);
    }
}
