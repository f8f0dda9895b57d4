//! The bodies of messages.

use super::Dialect;
use crate::store::EventRecord;

/// The body of the message that tells of `event` in `dialect` under `event_type`: JSON, the same
/// bytes every time.
pub(crate) fn body(event: &EventRecord, _dialect: Dialect, _event_type: &str) -> String {
    event.new.facts.clone()
}
