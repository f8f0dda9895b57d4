//! From events to deliveries: who wants which message. Both kinds of database read their
//! endpoints and write the deliveries; which there are is decided here.

use super::columns::{Columns, from_json};
use super::{NewEvent, StoreError};
use crate::ids;

/// What an enabled endpoint wants.
pub(super) struct Wants {
    endpoint_id: String,
    dialect: String,
    event_types: Vec<String>,
    merchant: String,
}

impl Wants {
    /// The columns that it is read from.
    pub(super) const SQL: &str = "SELECT endpoint_id, dialect, event_types, merchant \
         FROM webhook_endpoints WHERE state = 'enabled' ORDER BY endpoint_id";

    pub(super) fn read(row: &impl Columns) -> Result<Self, StoreError> {
        let endpoint_id = row.text("endpoint_id")?;
        let place = format!("webhook_endpoints {endpoint_id}");
        Ok(Self {
            dialect: row.text("dialect")?,
            event_types: from_json(&row.text("event_types")?, &place)?,
            merchant: row.text("merchant")?,
            endpoint_id,
        })
    }

    /// An event without a merchant is only for those who want every merchant's.
    fn wants(&self, dialect: &str, event_type: &str, merchant: &str) -> bool {
        self.dialect == dialect
            && (self.merchant.is_empty() || self.merchant == merchant)
            && (self.event_types.is_empty()
                || self
                    .event_types
                    .iter()
                    .any(|pattern| matches(pattern, event_type)))
    }
}

/// `ach_return.*` means every type that begins so.
fn matches(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => event_type.starts_with(prefix),
        None => pattern == event_type,
    }
}

/// A delivery that is to be made.
pub(super) struct NewDelivery {
    pub(super) endpoint_id: String,
    pub(super) sequence: u64,
    pub(super) event_type: String,
    pub(super) message_id: String,
}

/// The deliveries of events, the first of which has the sequence `first`.
pub(super) fn fan_out(events: &[NewEvent], first: u64, endpoints: &[Wants]) -> Vec<NewDelivery> {
    let mut deliveries = Vec::new();
    for (event, sequence) in events.iter().zip(first..) {
        for (dialect, event_type) in &event.messages {
            let dialect = dialect.as_str();
            let mut wanting = endpoints
                .iter()
                .filter(|one| one.wants(dialect, event_type, &event.merchant))
                .peekable();
            if wanting.peek().is_none() {
                continue;
            }
            let message_id = ids::message_id(&event.event_id, dialect, event_type);
            deliveries.extend(wanting.map(|one| NewDelivery {
                endpoint_id: one.endpoint_id.clone(),
                sequence,
                event_type: event_type.clone(),
                message_id: message_id.clone(),
            }));
        }
    }
    deliveries
}

/// The columns of an event that its origin fills.
pub(super) struct OriginColumns<'a> {
    pub(super) position: Option<i64>,
    pub(super) hold_id: Option<&'a str>,
    pub(super) hold_state: Option<&'static str>,
}

impl<'a> OriginColumns<'a> {
    pub(super) fn of(event: &'a NewEvent) -> Result<Self, StoreError> {
        Ok(match &event.origin {
            super::Origin::Row { position } => Self {
                position: Some(super::columns::bound(*position)?),
                hold_id: None,
                hold_state: None,
            },
            super::Origin::Hold { hold_id, state } => Self {
                position: None,
                hold_id: Some(hold_id),
                hold_state: Some(state.as_str()),
            },
        })
    }
}
