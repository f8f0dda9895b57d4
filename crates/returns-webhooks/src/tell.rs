//! Telling owners that their endpoints were disabled, beside the sending: a mail server that
//! does not answer delays no message.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use echeck_service::{ErrorChain, failpoint};
use futures_util::{StreamExt as _, stream};
use returns_model::endpoint::{Endpoint, OwnerNotice, Telling};
use returns_model::incident::{Cause, IncidentState, Subject, Trouble};
use returns_store::StoreError;
use tokio_util::sync::CancellationToken;

use super::owner::{letter, nobody, pause, sentence, told};
use super::sender::Sender;

/// How often it looks by the clock.
const TICK: Duration = Duration::from_secs(10);
/// How long it rests when the store does not answer.
const REST: Duration = Duration::from_secs(1);
/// How many owners are looked at together.
const MOST: u32 = 100;
/// How many mails are sent at the same time.
const WIDTH: usize = 8;
/// How long mails on their way are waited for at a shutdown.
const DRAIN: Duration = Duration::from_secs(5);
/// What was disabled longer ago than this is in an incident, or has been seen since.
const RECENT: TimeDelta = TimeDelta::hours(1);

impl Sender {
    /// Tells owners until `shutdown`. Dropped, it stops where it is, as by a crash.
    pub(super) async fn tell_owners(self: &Arc<Self>, shutdown: &CancellationToken) {
        let telling = async {
            if let Err(error) = self.report_recent().await {
                tracing::error!(error = %ErrorChain(&error), "disabled endpoints cannot be read");
            }
            while !shutdown.is_cancelled() {
                let wait = match self.tell_those_due(shutdown).await {
                    Ok(wait) => wait,
                    Err(error) => {
                        tracing::error!(
                            error = %ErrorChain(&error),
                            "owners of disabled endpoints cannot be told"
                        );
                        REST
                    }
                };
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = self.disabled.notified() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        };
        let too_late = async {
            shutdown.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            () = telling => {}
            () = too_late => {
                tracing::warn!("a mail to an owner is still on its way; the next start sends it again");
            }
        }
    }

    /// Tells whoever is to be told by now. Gives how long nobody else is.
    async fn tell_those_due(&self, shutdown: &CancellationToken) -> Result<Duration, StoreError> {
        let now = self.clock.now();
        let mut wait = TICK;
        let mut due = Vec::new();
        for endpoint in self.store.owners_waiting(MOST).await? {
            let Some(notice) = endpoint.owner_notice.clone() else {
                continue;
            };
            match notice.telling {
                Telling::Waiting { next_at, .. } if next_at > now => {
                    wait = wait.min((next_at - now).to_std().unwrap_or_default());
                }
                Telling::Waiting { .. } => due.push((endpoint, notice)),
                Telling::Told { .. } | Telling::Untold { .. } => {}
            }
        }
        if due.is_empty() {
            return Ok(wait);
        }
        let tellings = stream::iter(due).map(|(endpoint, notice)| async move {
            if shutdown.is_cancelled() {
                return Ok(());
            }
            self.tell_owner(&endpoint, &notice).await
        });
        let ended: Vec<_> = tellings.buffer_unordered(WIDTH).collect().await;
        ended.into_iter().collect::<Result<(), StoreError>>()?;
        // Looked at again: others may have come meanwhile.
        Ok(Duration::ZERO)
    }

    /// Tells one owner, and records it. A crash between the two tells them again.
    async fn tell_owner(&self, seen: &Endpoint, notice: &OwnerNotice) -> Result<(), StoreError> {
        failpoint::hit("webhook::before_telling").await?;
        let next_at = self.clock.now() + pause(notice.attempts, self.settings.schedule);
        if !self.store.begin_telling(seen, next_at).await? {
            // It was enabled meanwhile, or another replica tells them.
            return Ok(());
        }
        let begun = Endpoint {
            owner_notice: Some(OwnerNotice {
                attempts: notice.attempts + 1,
                ..notice.clone()
            }),
            ..seen.clone()
        };
        failpoint::hit("webhook::before_mail").await?;
        let telling = match letter(seen, notice) {
            None => nobody(),
            Some(letter) => {
                let sent = self.owners.write(letter).await;
                told(seen, sent, self.clock.now(), next_at)
            }
        };
        failpoint::hit("webhook::after_mail").await?;
        if !self.store.record_telling(&begun, &telling).await? {
            // It was enabled while the mail was on its way.
            return Ok(());
        }
        let endpoint_id = seen.endpoint_id.as_str();
        let owner = sentence(seen, &telling);
        match &telling {
            Telling::Waiting { .. } => tracing::warn!(endpoint_id, owner, "an owner was not told"),
            Telling::Told { .. } | Telling::Untold { .. } => {
                tracing::info!(endpoint_id, owner, "an endpoint was disabled");
            }
        }
        let trouble = self.trouble(seen, owner);
        // Whoever has closed the incident knows enough. One that cannot be read is reported.
        let latest = self.store.latest_incident(&trouble.key()).await;
        let is_closed = latest.ok().flatten().is_some_and(|incident| {
            incident.state == IncidentState::Closed && incident.last_seen_at >= notice.since
        });
        if !is_closed {
            self.desk.report(trouble);
        }
        Ok(())
    }

    /// Reports endpoints that were disabled a short time ago, whose owners were tried to be told,
    /// and of which no incident knows: a stop has swallowed it.
    async fn report_recent(&self) -> Result<(), StoreError> {
        let since = self.clock.now() - RECENT;
        for endpoint in self.store.disabled_after(since, MOST).await? {
            let Some(notice) = &endpoint.owner_notice else {
                continue;
            };
            let owner = sentence(&endpoint, &notice.telling);
            let trouble = self.trouble(&endpoint, owner);
            let latest = self.store.latest_incident(&trouble.key()).await?;
            let known = latest.is_some_and(|incident| incident.last_seen_at >= notice.since);
            if notice.attempts > 0 && !known {
                self.desk.report(trouble);
            }
        }
        Ok(())
    }

    fn trouble(&self, endpoint: &Endpoint, owner: String) -> Trouble {
        let endpoint_id = &endpoint.endpoint_id;
        self.is_ill(endpoint_id);
        let cause = Cause::WebhookDisabled {
            endpoint: endpoint_id.clone(),
            host: endpoint.host(),
            why: endpoint.disabled_why.clone().unwrap_or_default(),
            owner,
        };
        let subject = Subject::Endpoint(endpoint_id.clone());
        Trouble::new(subject, cause, self.clock.now())
    }
}
