//! E-mail. The subject is severity, installation, source, and the alert's first line. The mails of one incident are one thread, and
//! one that is sent twice has the same id.

use std::time::SystemTime;

use echeck_service::outbound::Mailer;
use lettre::message::Mailbox;
use returns_model::incident::clean;

use super::NotDelivered;
use crate::message::{AlertMessage, AlertTopic};
use crate::owner_mail::OwnerMail;

/// The longest subject; mail programs show far less.
const SUBJECT: usize = 250;

/// An e-mail channel.
pub struct EmailChannel {
    pub(super) mailer: Mailer,
    pub(super) to: Vec<Mailbox>,
}

impl EmailChannel {
    /// The mail server.
    pub fn host(&self) -> &str {
        self.mailer.server()
    }

    /// Sends the alert to all recipients in one mail.
    pub(super) async fn deliver(&self, alert: &AlertMessage) -> Result<(), NotDelivered> {
        let subject = clean::line(&alert.subject(), SUBJECT);
        let mut mail = self
            .mailer
            .compose(&alert.id, subject)
            .date(SystemTime::from(alert.at));
        for mailbox in &self.to {
            mail = mail.to(mailbox.clone());
        }
        if let AlertTopic::Incident { incident, .. } = &alert.topic {
            let thread = self.mailer.message_id(&incident.incident_id);
            mail = mail.in_reply_to(thread.clone()).references(thread);
        }
        let sent = self.mailer.send(mail, alert.text()).await;
        sent.map_err(NotDelivered::because)
    }

    /// Writes to the owner of an endpoint.
    pub async fn write(&self, mail: OwnerMail) -> Result<(), NotDelivered> {
        let to = mail.to.parse::<Mailbox>();
        let to = to.map_err(|_| NotDelivered("the owner's address is not valid".to_owned()))?;
        let subject = clean::line(&mail.subject, SUBJECT);
        let composed = self.mailer.compose(&mail.id, subject).to(to);
        let sent = self.mailer.send(composed, mail.text).await;
        sent.map_err(NotDelivered::because)
    }
}
