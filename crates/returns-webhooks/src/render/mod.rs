//! The bodies of messages. A body is made again for each delivery from the event's facts, and is
//! the same bytes every time: keys stand in the order in which they are written here.
//!
//! Bodies only ever gain keys and event types. What would change or take away one is a new
//! schema version, with golden files of its own.

mod failure;
mod finix;
mod hold;
mod rainforest;

#[cfg(test)]
mod golden;

use chrono::{DateTime, SecondsFormat, Utc};
use returns_model::endpoint::PayloadVersion;
use returns_model::event::EventRecord;
use serde_json::{Number, Value, json};

use super::ach_return::AchReturn;
use super::event::{Correction, WebhookEvent};

/// The messages about an event: in each version one or more event types.
pub fn messages(event: &WebhookEvent) -> Vec<(PayloadVersion, String)> {
    PayloadVersion::ALL
        .into_iter()
        .flat_map(|payload_version| {
            let types = match payload_version {
                PayloadVersion::Finix => finix::types(&event.what),
                PayloadVersion::RainforestLegacy | PayloadVersion::Rainforest20241016 => {
                    rainforest::types(&event.what, payload_version)
                }
            };
            types.into_iter().map(move |one| (payload_version, one))
        })
        .collect()
}

/// Every event type that messages of a version may have.
pub fn event_types(payload_version: PayloadVersion) -> Vec<&'static str> {
    match payload_version {
        PayloadVersion::Finix => finix::TYPES.to_vec(),
        PayloadVersion::RainforestLegacy | PayloadVersion::Rainforest20241016 => {
            rainforest::all_types(payload_version)
        }
    }
}

/// An event that this program cannot read: a newer one has recorded it. Nothing is sent instead,
/// because a message that was accepted is not sent again.
#[derive(Debug, thiserror::Error)]
#[error(
    "event {event_id} cannot be read by this version ({source}); it is sent once every replica has \
     the version that recorded it"
)]
pub struct UnreadableEvent {
    event_id: String,
    source: serde_json::Error,
}

/// The body of the message about `event` in `payload_version` under `event_type`: JSON, the same
/// bytes every time.
///
/// # Errors
/// When this version cannot read what happened.
pub fn body(
    event: &EventRecord,
    payload_version: PayloadVersion,
    event_type: &str,
) -> Result<String, UnreadableEvent> {
    let happened = serde_json::from_str::<WebhookEvent>(&event.new.facts);
    let happened = happened.map_err(|source| UnreadableEvent {
        event_id: event.new.event_id.clone(),
        source,
    })?;
    let body = match payload_version {
        PayloadVersion::Finix => finix::body(event, &happened, event_type),
        PayloadVersion::RainforestLegacy | PayloadVersion::Rainforest20241016 => {
            rainforest::body(event, &happened, payload_version, event_type)
        }
    };
    Ok(body.to_string())
}

/// The keys that every body has besides those of its style.
fn add_common(body: &mut Value, event: &EventRecord, happened: &WebhookEvent) {
    body["schema_version"] = json!(happened.schema_version);
    body["event_id"] = json!(event.new.event_id);
    body["sequence"] = json!(event.sequence);
    body["version"] = json!(happened.version);
}

/// A return in a transfer's message.
fn short(one: &AchReturn) -> Value {
    json!({
        "ach_return_id": one.ach_return_id,
        "return_code": one.return_code,
        "stage": one.stage(),
        "questionable": one.questionable,
    })
}

/// The last days of a notification of change, as keys beside its own.
fn add_clock(body: &mut Value, correction: &Correction) {
    let clock = correction.clock.as_ref();
    body["told_by"] = json!(clock.map(|clock| clock.told_by));
    body["changed_by"] = json!(clock.map(|clock| clock.changed_by));
    body["refused_by"] = json!(clock.map(|clock| clock.refused_by));
}

/// A time as bodies have it.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Text, or null where there is none.
fn text(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        json!(text)
    }
}

/// The acquirer's row. What Finix shows as numbers are numbers.
pub fn raw(cells: &[(String, String)]) -> Value {
    const NUMBERS: [&str; 2] = ["Funds Transfer Amount", "litle_txn_id"];
    let cells = cells.iter().map(|(name, cell)| {
        let number = NUMBERS
            .contains(&name.as_str())
            .then(|| serde_json::from_str::<Number>(cell).ok())
            .flatten();
        (
            name.clone(),
            number.map_or_else(|| json!(cell), Value::Number),
        )
    });
    Value::Object(cells.collect())
}

/// Pairs as an object, in their order.
fn object(pairs: &[(String, String)]) -> Value {
    let pairs = pairs.iter();
    let pairs = pairs.map(|(name, value)| (name.clone(), json!(value)));
    Value::Object(pairs.collect())
}

/// Pieces of corrected data, in their order.
fn fields(pieces: &[(String, String)]) -> Value {
    pieces
        .iter()
        .map(|(field, value)| json!({"field": field, "value": value}))
        .collect()
}
