//! Rows of endpoints, keys, events and deliveries to records.

use chrono::{DateTime, Utc};
use returns_model::delivery::{Delivery, Touched};
use returns_model::endpoint::{
    Endpoint, EndpointSettings, NotificationState, OwnerNotification, SecretRecord, payload_version,
};
use returns_model::event::{EventRecord, NewEvent, Origin};
use strum::{EnumString, IntoStaticStr};

use crate::StoreError;
use crate::columns::unreadable;
use crate::db::Record;

/// The columns of an endpoint.
pub(super) const ENDPOINTS: &str = "SELECT endpoint_id, url, description, owner_email, style, \
     api_version, event_types, merchant, ordered, disabled_why, failing_since, created_at, \
     updated_at, version, owner_state, owner_since, owner_attempts, owner_next_at, owner_notified_at, \
     owner_error FROM webhook_endpoints";

/// The columns of a key.
pub(super) const SECRETS: &str = "SELECT secret_id, endpoint_id, kind, sealed, public_key, \
     created_at, retires_at FROM webhook_secrets";

/// The columns of an event.
pub(super) const EVENTS: &str = "SELECT sequence, event_id, position, hold_id, hold_state, \
     transfer_id, merchant, facts, messages, occurred_at, recorded_at FROM webhook_events";

/// The columns of a delivery, with what its event adds.
pub(super) const DELIVERIES: &str = "SELECT d.endpoint_id, d.sequence, d.event_type, \
     d.message_id, v.event_id, v.transfer_id, d.state, d.attempts, d.tries_from, \
     d.generation, d.next_attempt_at, d.last_status, d.last_error, d.last_attempt_at, d.created_at, d.ended_at \
     FROM webhook_deliveries d JOIN webhook_events v ON v.sequence = d.sequence";

pub(super) fn endpoint(row: &Record) -> Result<Endpoint, StoreError> {
    let endpoint_id = row.text("endpoint_id")?;
    let place = format!("webhook_endpoints {endpoint_id}");
    let style = row.word("style")?;
    let api_version = row.text("api_version")?;
    Ok(Endpoint {
        settings: EndpointSettings {
            url: row.text("url")?,
            description: row.text("description")?,
            owner_email: row.text("owner_email")?,
            style,
            payload_version: payload_version(style, &api_version)
                .map_err(|error| unreadable(&place, error))?,
            api_version,
            event_types: row.json("event_types", &place)?,
            merchant: row.text("merchant")?,
            ordered: row.flag("ordered")?,
        },
        endpoint_id,
        disabled_why: row.optional_text("disabled_why")?,
        failing_since: row.optional_time("failing_since")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        version: row.count("version")?,
        owner_notice: owner_notice(row)?,
    })
}

fn owner_notice(row: &Record) -> Result<Option<OwnerNotification>, StoreError> {
    if row.optional_text("owner_state")?.is_none() {
        return Ok(None);
    }
    let error = row.optional_text("owner_error")?;
    let state = row.word("owner_state")?;
    Ok(Some(OwnerNotification {
        since: row.time("owner_since")?,
        attempts: row.count("owner_attempts")?,
        notification: match state {
            OwnerState::Waiting => NotificationState::Waiting {
                next_at: row.time("owner_next_at")?,
                error,
            },
            OwnerState::Notified => NotificationState::Notified {
                at: row.time("owner_notified_at")?,
            },
            OwnerState::NotNotified => NotificationState::NotNotified {
                why: error.unwrap_or_default(),
            },
        },
    }))
}

/// How an owner's notification stands, in a column.
#[derive(Clone, Copy, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
enum OwnerState {
    Waiting,
    Notified,
    NotNotified,
}

/// A notification as the columns that hold it.
pub(super) struct NotificationColumns<'a> {
    pub(super) state: &'static str,
    pub(super) next_at: Option<DateTime<Utc>>,
    pub(super) notified_at: Option<DateTime<Utc>>,
    pub(super) error: Option<&'a str>,
}

impl<'a> NotificationColumns<'a> {
    pub(super) fn of(notification: &'a NotificationState) -> Self {
        let (state, next_at, notified_at, error) = match notification {
            NotificationState::Waiting { next_at, error } => {
                (OwnerState::Waiting, Some(*next_at), None, error.as_deref())
            }
            NotificationState::Notified { at } => (OwnerState::Notified, None, Some(*at), None),
            NotificationState::NotNotified { why } => {
                (OwnerState::NotNotified, None, None, Some(why.as_str()))
            }
        };
        Self {
            state: state.into(),
            next_at,
            notified_at,
            error,
        }
    }
}

pub(super) fn touched(row: &Record) -> Result<Touched, StoreError> {
    Ok(Touched {
        version: row.count("version")?,
        wakes: row.count("wakes")?,
    })
}

pub(super) fn secret(row: &Record) -> Result<SecretRecord, StoreError> {
    Ok(SecretRecord {
        secret_id: row.text("secret_id")?,
        endpoint_id: row.text("endpoint_id")?,
        kind: row.word("kind")?,
        sealed: row.text("sealed")?,
        public_key: row.optional_text("public_key")?,
        created_at: row.time("created_at")?,
        retires_at: row.optional_time("retires_at")?,
    })
}

pub(super) fn event(row: &Record) -> Result<EventRecord, StoreError> {
    let sequence = row.count("sequence")?;
    let origin = match (
        row.optional_count("position")?,
        row.optional_text("hold_id")?,
    ) {
        (Some(position), _) => Origin::Row { position },
        (None, Some(hold_id)) => Origin::Hold {
            hold_id,
            state: row.word("hold_state")?,
        },
        (None, None) => {
            return Err(unreadable(
                &format!("webhook_events {sequence}"),
                "it has neither a position nor a hold",
            ));
        }
    };
    Ok(EventRecord {
        sequence,
        new: NewEvent {
            event_id: row.text("event_id")?,
            origin,
            transfer_id: row.text("transfer_id")?,
            merchant: row.text("merchant")?,
            occurred_at: row.time("occurred_at")?,
            facts: row.text("facts")?,
            messages: row.json("messages", &format!("webhook_events {sequence}"))?,
        },
        recorded_at: row.time("recorded_at")?,
    })
}

pub(super) fn delivery(row: &Record) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        endpoint_id: row.text("endpoint_id")?,
        sequence: row.count("sequence")?,
        event_type: row.text("event_type")?,
        message_id: row.text("message_id")?,
        event_id: row.text("event_id")?,
        transfer_id: row.text("transfer_id")?,
        state: row.word("state")?,
        attempts: row.count("attempts")?,
        tries_from: row.count("tries_from")?,
        generation: row.count("generation")?,
        next_attempt_at: row.optional_time("next_attempt_at")?,
        last_status: row.optional_count("last_status")?,
        last_error: row.optional_text("last_error")?,
        last_attempt_at: row.optional_time("last_attempt_at")?,
        created_at: row.time("created_at")?,
        ended_at: row.optional_time("ended_at")?,
    })
}
