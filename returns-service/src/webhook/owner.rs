//! Telling the owner of an endpoint.

use futures_util::future::BoxFuture;

use super::Endpoint;

/// Writes to people outside.
pub(crate) trait OwnerMail: Send + Sync + 'static {
    /// Writes to an address. False when there is no channel for e-mail.
    fn write(
        &self,
        to: String,
        subject: String,
        text: String,
    ) -> BoxFuture<'_, Result<bool, String>>;
}

/// Whether the owner was told, in a sentence for staff.
pub(super) async fn tell_disabled(
    owners: &dyn OwnerMail,
    endpoint: &Endpoint,
    why: &str,
) -> String {
    let owner = endpoint.settings.owner_email.clone();
    if owner.is_empty() {
        return "Nobody is named as its owner, so nobody was told.".to_owned();
    }
    let host = endpoint.host();
    let subject = format!("Your webhook endpoint at {host} was disabled");
    let text = format!(
        "Your webhook endpoint {id} at {host} {why}. It was disabled: no message is sent to it \
         any more.\n\nMessages that wait are kept. Once it answers with a status from 200 to \
         299 again, ask us to enable it, and to send again what it has missed.\n",
        id = endpoint.endpoint_id,
    );
    match owners.write(owner.clone(), subject, text).await {
        Ok(true) => format!("Its owner {owner} was told by e-mail."),
        Ok(false) => format!("No channel for e-mail is configured: write to its owner, {owner}."),
        Err(why) => format!("The e-mail to its owner {owner} was not sent ({why}): write to them."),
    }
}
