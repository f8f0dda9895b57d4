//! Which messages about an event reach which endpoint.

use super::Endpoint;
use crate::delivery::Redelivery;
use crate::event::NewEvent;
use crate::ids;

/// The messages of the event with a sequence that an endpoint wants.
pub fn messages_for(endpoint: &Endpoint, new: &NewEvent, sequence: u64) -> Vec<Redelivery> {
    let wants = |(payload_version, event_type): &&(_, String)| {
        endpoint
            .settings
            .wants(*payload_version, event_type, &new.merchant)
    };
    let messages = new.messages.iter().filter(wants);
    messages
        .map(|(payload_version, event_type)| Redelivery {
            endpoint_id: endpoint.endpoint_id.clone(),
            sequence,
            event_type: event_type.clone(),
            message_id: ids::message_id(&new.event_id, payload_version.as_str(), event_type),
        })
        .collect()
}
