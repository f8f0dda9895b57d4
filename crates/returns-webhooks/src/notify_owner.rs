//! Notifies owners that their endpoints were disabled, beside the sending: a mail server that does
//! not answer delays no message.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use echeck_service::ErrorChain;
use futures_util::{StreamExt as _, stream};
use returns_model::endpoint::{Endpoint, NotificationState, OwnerNotification};
use returns_model::incident::{Cause, IncidentState, Problem, Subject};
use returns_store::{Job, Lease, Pass, StoreError, Topic, failpoint};
use tokio_util::sync::CancellationToken;

use super::owner::{after_attempt, mail, no_owner, pause, sentence};
use super::sender::Sender;

/// How often it polls.
const TICK: Duration = Duration::from_secs(10);
/// How many owners are read together.
const MOST: u32 = 100;
/// How many mails are sent at the same time.
const WIDTH: usize = 8;
/// How long mails on their way are waited for at a shutdown.
const DRAIN: Duration = Duration::from_secs(5);
/// What was disabled longer ago than this is in an incident, or has been seen since.
const RECENT: TimeDelta = TimeDelta::hours(1);

/// The worker that notifies owners.
pub struct OwnerJob(pub Arc<Sender>);

impl Job for OwnerJob {
    type Error = StoreError;

    fn lease(&self) -> String {
        "webhook-owners".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[Topic::Message]
    }

    async fn begin(&mut self) {
        if let Err(error) = self.0.report_recent().await {
            tracing::error!(error = %ErrorChain(&error), "disabled endpoints cannot be read");
        }
    }

    async fn pass(&mut self, _lease: &Lease, stop: &CancellationToken) -> Result<Pass, StoreError> {
        let too_late = async {
            stop.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        let wait = tokio::select! {
            wait = self.0.notify_due(stop) => wait?,
            () = too_late => {
                tracing::warn!("a mail to an owner is still on its way; the next start sends it again");
                TICK
            }
        };
        Ok(Pass::Idle(wait))
    }
}

impl Sender {
    /// Notifies the owners that are due by now. Gives how long nobody else is.
    async fn notify_due(&self, shutdown: &CancellationToken) -> Result<Duration, StoreError> {
        let now = self.parts.clock.now();
        let mut wait = TICK;
        let mut due = Vec::new();
        for endpoint in self.parts.store.owners_waiting(MOST).await? {
            let Some(notice) = endpoint.owner_notice.clone() else {
                continue;
            };
            match notice.notification {
                NotificationState::Waiting { next_at, .. } if next_at > now => {
                    wait = wait.min((next_at - now).to_std().unwrap_or_default());
                }
                NotificationState::Waiting { .. } => due.push((endpoint, notice)),
                NotificationState::Told { .. } | NotificationState::Untold { .. } => {}
            }
        }
        if due.is_empty() {
            return Ok(wait);
        }
        let notifications = stream::iter(due).map(|(endpoint, notice)| async move {
            if shutdown.is_cancelled() {
                return Ok(());
            }
            self.notify_owner(&endpoint, &notice).await
        });
        let ended: Vec<_> = notifications.buffer_unordered(WIDTH).collect().await;
        ended.into_iter().collect::<Result<(), StoreError>>()?;
        // Read again: others may have come meanwhile.
        Ok(Duration::ZERO)
    }

    /// Notifies one owner, and records it. After a crash between the two they are notified again.
    async fn notify_owner(
        &self,
        seen: &Endpoint,
        notice: &OwnerNotification,
    ) -> Result<(), StoreError> {
        failpoint("webhook::before_telling").await?;
        let next_at = self.parts.clock.now() + pause(notice.attempts, self.settings.schedule);
        if !self.parts.store.begin_notification(seen, next_at).await? {
            // It was enabled meanwhile, or another replica notifies them.
            return Ok(());
        }
        let begun = Endpoint {
            owner_notice: Some(OwnerNotification {
                attempts: notice.attempts + 1,
                ..notice.clone()
            }),
            ..seen.clone()
        };
        failpoint("webhook::before_mail").await?;
        let notification = match mail(seen, notice) {
            None => no_owner(),
            Some(mail) => {
                let sent = self.parts.owners.write(mail).await;
                after_attempt(seen, sent, self.parts.clock.now(), next_at)
            }
        };
        failpoint("webhook::after_mail").await?;
        if !self
            .parts
            .store
            .record_telling(&begun, &notification)
            .await?
        {
            // It was enabled while the mail was on its way.
            return Ok(());
        }
        let endpoint_id = seen.endpoint_id.as_str();
        let owner = sentence(seen, &notification);
        match &notification {
            NotificationState::Waiting { .. } => {
                tracing::warn!(endpoint_id, owner, "an owner was not notified");
            }
            NotificationState::Told { .. } | NotificationState::Untold { .. } => {
                tracing::info!(endpoint_id, owner, "an endpoint was disabled");
            }
        }
        let problem = self.problem(seen, owner);
        // The person who closed the incident knows enough. One that cannot be read is reported.
        let latest = self.parts.store.latest_incident(&problem.key()).await;
        let is_closed = latest.ok().flatten().is_some_and(|incident| {
            incident.state == IncidentState::Closed && incident.last_seen_at >= notice.since
        });
        if !is_closed {
            self.parts.incidents.report(problem);
        }
        Ok(())
    }

    /// Reports endpoints that were disabled a short time ago, whose owners should be notified, and
    /// which have no incident: a stop has swallowed it.
    async fn report_recent(&self) -> Result<(), StoreError> {
        let since = self.parts.clock.now() - RECENT;
        for endpoint in self.parts.store.disabled_after(since, MOST).await? {
            let Some(notice) = &endpoint.owner_notice else {
                continue;
            };
            let owner = sentence(&endpoint, &notice.notification);
            let problem = self.problem(&endpoint, owner);
            let latest = self.parts.store.latest_incident(&problem.key()).await?;
            let known = latest.is_some_and(|incident| incident.last_seen_at >= notice.since);
            if notice.attempts > 0 && !known {
                self.parts.incidents.report(problem);
            }
        }
        Ok(())
    }

    fn problem(&self, endpoint: &Endpoint, owner: String) -> Problem {
        let endpoint_id = &endpoint.endpoint_id;
        self.mark_failing(endpoint_id);
        let cause = Cause::WebhookDisabled {
            endpoint: endpoint_id.clone(),
            host: endpoint.host(),
            why: endpoint.disabled_why.clone().unwrap_or_default(),
            owner,
        };
        let subject = Subject::Endpoint(endpoint_id.clone());
        Problem::new(subject, cause, self.parts.clock.now())
    }
}
