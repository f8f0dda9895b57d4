//! The channels by which people are notified. Each writes an alert in its own way and delivers it.
//! Errors never show an address, which is a credential with some of them.

mod email;
mod hook;
mod pagerduty;
mod settings;
mod slack;
mod webhook;

use std::time::Duration;

use returns_model::incident::clean;

use super::clock_watch::LastAnswer;
use super::message::AlertMessage;

pub(crate) use email::EmailChannel;
pub(crate) use hook::Hook;
pub(super) use settings::{hook, read};

/// The longest explanation of a server that is shown.
const LONGEST_WHY: usize = 300;

/// Why a channel did not take an alert. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotDelivered(pub String);

impl NotDelivered {
    /// A server's explanation, made fit to be shown.
    #[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands on")]
    fn because(why: String) -> Self {
        Self(clean::line(&why, LONGEST_WHY))
    }
}

/// A channel.
pub struct Channel {
    pub name: String,
    pub kind: ChannelKind,
    /// How long an attempt may take.
    pub timeout: Duration,
}

/// What kind of channel it is.
pub enum ChannelKind {
    /// Slack, or what understands its incoming webhooks.
    Slack(Hook),
    /// PagerDuty's Events API, version 2.
    PagerDuty(pagerduty::PagerDuty),
    /// Any web server that takes JSON.
    Webhook(Hook),
    /// E-mail over SMTP.
    Email(Box<EmailChannel>),
}

impl Channel {
    /// The kind's name in the configuration.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            ChannelKind::Slack(_) => "slack",
            ChannelKind::PagerDuty(_) => "pagerduty",
            ChannelKind::Webhook(_) => "webhook",
            ChannelKind::Email(_) => "email",
        }
    }

    /// The host that it leads to, for people.
    pub fn target(&self) -> &str {
        match &self.kind {
            ChannelKind::Slack(hook) | ChannelKind::Webhook(hook) => hook.host(),
            ChannelKind::PagerDuty(pagerduty) => pagerduty.hook.host(),
            ChannelKind::Email(email) => email.host(),
        }
    }

    /// The time of a web server, as its answers tell it.
    pub(super) fn told(&self) -> Option<LastAnswer> {
        let hook = match &self.kind {
            ChannelKind::Slack(hook) | ChannelKind::Webhook(hook) => hook,
            ChannelKind::PagerDuty(pagerduty) => &pagerduty.hook,
            ChannelKind::Email(_) => return None,
        };
        Some(LastAnswer {
            name: hook.host().to_owned(),
            told: hook.told(),
        })
    }

    /// Delivers an alert, or says why not, in the time that an attempt may take.
    pub(super) async fn deliver(&self, alert: &AlertMessage) -> Result<(), NotDelivered> {
        let delivering = async {
            match &self.kind {
                ChannelKind::Slack(hook) => hook.post(&slack::body(alert)).await,
                ChannelKind::Webhook(hook) => hook.post(&webhook::body(alert)).await,
                ChannelKind::PagerDuty(pagerduty) => pagerduty.deliver(alert).await,
                ChannelKind::Email(email) => email.deliver(alert).await,
            }
        };
        within(self.timeout, self.target(), delivering).await
    }
}

/// Calls a host, and gives the call up after the time-out.
pub(super) async fn within(
    timeout: Duration,
    host: &str,
    call: impl Future<Output = Result<(), NotDelivered>>,
) -> Result<(), NotDelivered> {
    tokio::time::timeout(timeout, call)
        .await
        .unwrap_or_else(|_| {
            Err(NotDelivered(format!(
                "{host} did not answer within {} ms",
                timeout.as_millis()
            )))
        })
}
