//! The channels by which people are told: each writes a notice in its own way and delivers it.
//! What goes wrong is told without the address, which is a credential with some of them.

mod email;
mod hook;
mod pagerduty;
mod scrub;
mod settings;
mod slack;
mod webhook;

use std::time::Duration;

use super::message::AlertMessage;

pub(crate) use email::EmailChannel;
pub(crate) use hook::Hook;
pub use hook::install_tls_provider;
pub use scrub::Scrub;
pub(super) use settings::{hook, read};

/// Why a channel did not take a notice. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotDelivered(pub String);

/// A channel.
pub struct Channel {
    pub name: String,
    pub kind: Kind,
    /// How long an attempt may take.
    pub timeout: Duration,
}

/// What kind of channel it is.
pub enum Kind {
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
            Kind::Slack(_) => "slack",
            Kind::PagerDuty(_) => "pagerduty",
            Kind::Webhook(_) => "webhook",
            Kind::Email(_) => "email",
        }
    }

    /// Where it leads, for people: a host, never a path or a password.
    pub fn target(&self) -> &str {
        match &self.kind {
            Kind::Slack(hook) | Kind::Webhook(hook) => hook.host(),
            Kind::PagerDuty(pagerduty) => pagerduty.hook.host(),
            Kind::Email(email) => email.host(),
        }
    }

    /// Delivers a notice, or says why not, in the time that an attempt may take.
    pub(super) async fn deliver(&self, notice: &AlertMessage) -> Result<(), NotDelivered> {
        let delivering = async {
            match &self.kind {
                Kind::Slack(hook) => hook.post(&slack::body(notice)).await,
                Kind::Webhook(hook) => hook.post(&webhook::body(notice)).await,
                Kind::PagerDuty(pagerduty) => pagerduty.deliver(notice).await,
                Kind::Email(email) => email.deliver(notice).await,
            }
        };
        tokio::time::timeout(self.timeout, delivering)
            .await
            .unwrap_or_else(|_| {
                Err(NotDelivered(format!(
                    "{} gave no answer within {} ms",
                    self.target(),
                    self.timeout.as_millis()
                )))
            })
    }
}
