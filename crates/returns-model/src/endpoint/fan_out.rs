//! Which messages about an event reach which endpoint.

use super::Endpoint;
use crate::delivery::Redelivery;
use crate::event::NewEvent;
use crate::ids;

/// The messages of the event with a sequence that an endpoint wants.
pub fn messages_for(endpoint: &Endpoint, new: &NewEvent, sequence: u64) -> Vec<Redelivery> {
    let wants = |(dialect, event_type): &&(_, String)| {
        endpoint.settings.wants(*dialect, event_type, &new.merchant)
    };
    let messages = new.messages.iter().filter(wants);
    messages
        .map(|(dialect, event_type)| Redelivery {
            endpoint_id: endpoint.endpoint_id.clone(),
            sequence,
            event_type: event_type.clone(),
            message_id: ids::message_id(&new.event_id, dialect.as_str(), event_type),
        })
        .collect()
}
