//! A row of the journal as a message, and the row that a message is of.

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use chrono::SecondsFormat;
use returns_model::journal::JournalRow;
use uuid::Uuid;

/// The headers beside `Nats-Msg-Id`, which is the position.
const JOURNAL: &str = "Echeck-Journal";
const POSITION: &str = "Echeck-Position";
const HASH: &str = "Echeck-Hash";
const RECORDED_AT: &str = "Echeck-Recorded-At";

/// What must be the end of the stream when a message comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    /// The sequence of the last message; 0 when there never was one.
    pub(crate) sequence: u64,
    /// The row that it is of; `None` when the stream has no message.
    pub(crate) position: Option<u64>,
}

/// A row as a message that may only come after `end`. The sequence alone is not enough: of several
/// messages that are on their way, the second one would follow what somebody else has put in
/// place of the first.
pub(crate) fn message(journal_id: Uuid, row: &JournalRow, end: End) -> PublishMessage {
    let recorded_at = row.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let message = PublishMessage::build()
        .payload(Bytes::from(row.payload.clone()))
        .message_id(row.position.to_string())
        .expected_last_sequence(end.sequence)
        .header(JOURNAL, journal_id.to_string())
        .header(POSITION, row.position.to_string())
        .header(HASH, row.hash.to_string())
        .header(RECORDED_AT, recorded_at);
    match end.position {
        Some(position) => message.expected_last_message_id(position.to_string()),
        None => message,
    }
}

/// The row that a message is of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) journal_id: String,
    pub(crate) position: u64,
    /// In hexadecimal.
    pub(crate) hash: String,
}

impl Published {
    /// Reads it off the headers; `None` when the message is not one of ours.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        Some(Self {
            journal_id: text(JOURNAL)?,
            position: text(POSITION)?.parse().ok()?,
            hash: text(HASH)?,
        })
    }
}
