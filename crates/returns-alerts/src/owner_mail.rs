//! Mail to people outside, such as the owner of an endpoint.

use futures_util::future::BoxFuture;

use super::channel::{ChannelKind, within};
use super::manager::IncidentManager;

/// A mail to an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerMail {
    /// The same whenever the same is sent again.
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
}

/// Sends mails to people outside.
pub trait OwnerMailer: Send + Sync + 'static {
    /// Sends a mail. False when there is no channel for e-mail.
    fn write(&self, mail: OwnerMail) -> BoxFuture<'_, Result<bool, String>>;
}

impl OwnerMailer for IncidentManager {
    fn write(&self, mail: OwnerMail) -> BoxFuture<'_, Result<bool, String>> {
        Box::pin(async move {
            let channels = self.dispatcher.channels.iter();
            let mut emails = channels.filter_map(|channel| match &channel.kind {
                ChannelKind::Email(email) => Some((email, channel.timeout)),
                ChannelKind::Slack(_) | ChannelKind::PagerDuty(_) | ChannelKind::Webhook(_) => None,
            });
            let Some((email, timeout)) = emails.next() else {
                return Ok(false);
            };
            let sent = within(timeout, email.host(), email.write(mail)).await;
            sent.map(|()| true).map_err(|error| error.to_string())
        })
    }
}
