//! The bodies of messages. A body is made anew for each delivery from the event's facts, and is
//! the same bytes every time: keys stand in the order in which they are written here.
//!
//! Bodies only ever gain keys and event types. What would change or take away one is a new
//! schema version, with golden files of its own.

mod finix;
mod hold;
mod rainforest;

#[cfg(test)]
mod golden;

use chrono::{DateTime, SecondsFormat, Utc};
use returns_model::endpoint::Dialect;
use returns_model::event::EventRecord;
use serde_json::{Value, json};

use super::occurrence::Occurrence;

/// The messages that tell of an occurrence: in each dialect one or more event types.
pub fn messages(occurrence: &Occurrence) -> Vec<(Dialect, String)> {
    Dialect::ALL
        .into_iter()
        .flat_map(|dialect| {
            let types = match dialect {
                Dialect::Finix => finix::types(&occurrence.what),
                Dialect::RainforestLegacy | Dialect::Rainforest20241016 => {
                    rainforest::types(&occurrence.what, dialect)
                }
            };
            types.into_iter().map(move |one| (dialect, one.to_owned()))
        })
        .collect()
}

/// An event that this version cannot tell: a newer one has recorded it. Nothing is said instead,
/// because a message that was taken is not sent again.
#[derive(Debug, thiserror::Error)]
#[error(
    "event {event_id} cannot be read by this version ({source}); it is sent once every replica has \
     the version that recorded it"
)]
pub struct UnreadableEvent {
    event_id: String,
    source: serde_json::Error,
}

/// The body of the message that tells of `event` in `dialect` under `event_type`: JSON, the same
/// bytes every time.
///
/// # Errors
/// When this version cannot read what happened.
pub fn body(
    event: &EventRecord,
    dialect: Dialect,
    event_type: &str,
) -> Result<String, UnreadableEvent> {
    let told = serde_json::from_str::<Occurrence>(&event.new.facts);
    let told = told.map_err(|source| UnreadableEvent {
        event_id: event.new.event_id.clone(),
        source,
    })?;
    let body = match dialect {
        Dialect::Finix => finix::body(event, &told, event_type),
        Dialect::RainforestLegacy | Dialect::Rainforest20241016 => {
            rainforest::body(event, &told, dialect, event_type)
        }
    };
    Ok(body.to_string())
}

/// The keys that every body has besides those of its style.
fn add_common(body: &mut serde_json::Map<String, Value>, event: &EventRecord, told: &Occurrence) {
    body.insert("schema_version".to_owned(), json!(told.schema_version));
    body.insert("event_id".to_owned(), json!(event.new.event_id));
    body.insert("sequence".to_owned(), json!(event.sequence));
    body.insert("version".to_owned(), json!(told.version));
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

/// Pairs as an object, in their order.
pub fn object(pairs: &[(String, String)]) -> Value {
    let pairs = pairs.iter();
    Value::Object(
        pairs
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect(),
    )
}

/// Pieces of corrected data, in their order.
fn fields(pieces: &[(String, String)]) -> Value {
    pieces
        .iter()
        .map(|(field, value)| json!({"field": field, "value": value}))
        .collect()
}
