//! Causes for which webhook messages do not reach a platform.

use super::{Area, Description};

pub(super) fn undeliverable(endpoint: &str, host: &str, why: &str, count: u64) -> Description {
    let messages = if count == 1 { "message" } else { "messages" };
    Description::new(
        Area::Webhook,
        format!(
            "{count} webhook {messages} to {host} ({endpoint}) could not be delivered; the last \
             try has failed ({why})."
        ),
        "The platform does not know of these returns unless it asks. The messages are recorded and \
         can be sent again.",
        &[
            "Ask the platform whether its endpoint is available. `echeck webhooks test ENDPOINT` \
             shows its answer.",
            "Then send what it missed: `echeck webhooks recover ENDPOINT --since TIME`.",
        ],
    )
}

pub(super) fn disabled(endpoint: &str, host: &str, why: &str, owner: &str) -> Description {
    Description::new(
        Area::Webhook,
        format!(
            "The webhook endpoint at {host} ({endpoint}) was disabled because it {why}. {owner}"
        ),
        "The platform gets no messages until somebody enables its endpoint. Waiting messages are \
         recorded, and later events can be recovered.",
        &[
            "Agree with the platform when its endpoint will be available, or on another address.",
            "Then run `echeck webhooks enable ENDPOINT` and \
             `echeck webhooks recover ENDPOINT --since TIME`.",
        ],
    )
}

pub(super) fn stuck(endpoint: &str, why: &str) -> Description {
    Description::new(
        Area::Webhook,
        format!("Webhook messages to {endpoint} cannot be sent: {why}."),
        "The platform gets no messages until this is corrected. Its messages wait without using \
         up their tries.",
        &[
            "If the signing key cannot be decrypted, restore the old spool.identity.",
            "If that is lost, run `echeck webhooks rotate ENDPOINT` and give the platform its new \
             key.",
        ],
    )
}
