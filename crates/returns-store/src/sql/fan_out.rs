//! From events to deliveries: who wants which message.

use returns_model::delivery::Redelivery;
use returns_model::endpoint::{Endpoint, messages_for};
use returns_model::event::{NewEvent, Origin};

use super::webhook_rows::ENDPOINTS;
use crate::StoreError;

/// Finds the endpoints that new events are sent to.
pub(super) fn enabled() -> String {
    format!("{ENDPOINTS} WHERE state = 'enabled' ORDER BY endpoint_id")
}

/// The deliveries of events, the first of which has the sequence `first`.
pub(super) fn fan_out(events: &[NewEvent], first: u64, endpoints: &[Endpoint]) -> Vec<Redelivery> {
    events
        .iter()
        .zip(first..)
        .flat_map(|(event, sequence)| {
            let wanted = move |endpoint| messages_for(endpoint, event, sequence);
            endpoints.iter().flat_map(wanted)
        })
        .collect()
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
            Origin::Row { position } => Self {
                position: Some(crate::columns::bound(*position)?),
                hold_id: None,
                hold_state: None,
            },
            Origin::Hold { hold_id, state } => Self {
                position: None,
                hold_id: Some(hold_id),
                hold_state: Some(state.as_str()),
            },
        })
    }
}
