//! Delivering alerts that are due. Channels are served independently, so that a failing one does not
//! delay another. What a channel does not take is tried again for a day.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_service::clock::SharedClock;
use echeck_service::failpoint;
use returns_model::incident::{
    AlertKind, AlertRecord, Area, Attempt, Cause, IncidentRecord, Problem, Subject,
};
use returns_store::metrics::{ALERTS, outcome};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use super::IncidentReporter;
use super::change::to_micros;
use super::channel::{Channel, NotDelivered};
use super::log::IncidentLog;
use super::message::{AlertHeader, AlertMessage};
use super::rules::{AlertRules, after};
use crate::change::fallen_back;

/// The pauses after failed attempts; the last one repeats.
const PAUSES: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(6 * 60 * 60),
];

/// After this time an alert is undeliverable.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a claim lasts beyond the attempt itself, for the writes before and after it.
const CLAIM_MARGIN: Duration = Duration::from_secs(10);

/// The maximum of alerts on their way to one channel.
const AT_ONCE: usize = 8;

/// Delivers alerts.
pub(crate) struct AlertDispatcher {
    pub(super) log: Arc<IncidentLog>,
    pub(super) channels: Vec<Arc<Channel>>,
    pub(super) rules: AlertRules,
    pub(super) header: AlertHeader,
    pub(super) clock: SharedClock,
    pub(super) incidents: IncidentReporter,
    /// Notified when there may be something to deliver.
    pub(super) due: Notify,
    /// Channel and incident of what is on its way.
    pub(super) on_the_way: Mutex<HashSet<(String, String)>>,
    pub(super) tasks: TaskTracker,
}

/// A delivery on its way. Dropping it makes room for the next one.
struct DeliverySlot {
    dispatcher: Arc<AlertDispatcher>,
    place: (String, String),
}

impl Drop for DeliverySlot {
    fn drop(&mut self) {
        self.dispatcher.lock().remove(&self.place);
    }
}

impl AlertDispatcher {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<(String, String)>> {
        self.on_the_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn channel(&self, name: &str) -> Option<Arc<Channel>> {
        let channel = self.channels.iter().find(|channel| channel.name == name);
        channel.cloned()
    }

    /// Starts the delivery of everything that is due.
    pub(super) async fn send_due(self: &Arc<Self>) {
        let now = to_micros(self.clock.now());
        for alert in self.log.pending().await {
            let claimed = alert.claimed_until.is_some_and(|until| until > now);
            if alert.next_attempt_at > now || claimed {
                continue;
            }
            if let Some(place) = self.enter(&alert) {
                let dispatcher = self.clone();
                self.tasks.spawn(async move {
                    let attempted = dispatcher.attempt(&alert).await;
                    drop(place);
                    if attempted {
                        // What waited for this one may leave now.
                        dispatcher.due.notify_one();
                    }
                });
            }
        }
    }

    /// A slot, unless another alert of this incident is on its way to the channel, or the channel
    /// has no slot left.
    fn enter(self: &Arc<Self>, alert: &AlertRecord) -> Option<DeliverySlot> {
        let place = (alert.channel.clone(), alert.incident_id.clone());
        let mut on_the_way = self.lock();
        let busy = on_the_way
            .iter()
            .filter(|(channel, _)| *channel == alert.channel)
            .count();
        if busy >= AT_ONCE || !on_the_way.insert(place.clone()) {
            return None;
        }
        Some(DeliverySlot {
            dispatcher: self.clone(),
            place,
        })
    }

    /// One attempt at one alert. False when another replica has claimed it.
    async fn attempt(&self, alert: &AlertRecord) -> bool {
        let now = to_micros(self.clock.now());
        let Some(incident) = self.log.known_incident(&alert.incident_id).await else {
            return false;
        };
        let channel = self.channel(&alert.channel);
        let timeout = channel.as_ref().map_or(Duration::ZERO, |one| one.timeout);
        let until = after(now, timeout + CLAIM_MARGIN);
        if failpoint::hit("alert::before_claim").await.is_err()
            || !self.log.claim(alert, now, until).await
            || failpoint::hit("alert::after_claim").await.is_err()
        {
            return false;
        }
        let attempt = alert.attempts + 1;
        let delivered = match &channel {
            Some(channel) => {
                let header = &self.header;
                let message =
                    AlertMessage::about(&alert.alert_id, alert.kind, &incident, header, now);
                let delivered = channel.deliver(&message).await;
                ALERTS.add(1, &[&alert.channel, outcome(&delivered)]);
                delivered
            }
            None => Err(NotDelivered(
                "the channel is no longer configured".to_owned(),
            )),
        };
        if failpoint::hit("alert::after_delivery").await.is_err() {
            // It is delivered again once the claim has run out.
            return true;
        }
        let now = to_micros(self.clock.now());
        match delivered {
            Ok(()) => {
                let ended = Attempt::Sent { at: now };
                self.log.finish(&alert.alert_id, attempt, &ended).await;
                self.channel_works(&alert.channel, now);
            }
            Err(error) => {
                let next_at = channel
                    .is_some()
                    .then(|| next_attempt(alert, attempt, now))
                    .flatten();
                tracing::warn!(
                    channel = alert.channel,
                    incident_id = alert.incident_id,
                    kind = alert.kind.as_str(),
                    attempt,
                    %error,
                    "an alert was not delivered"
                );
                let ended = Attempt::Failed {
                    error: error.0.clone(),
                    next_at,
                };
                self.log.finish(&alert.alert_id, attempt, &ended).await;
                if channel.is_some() {
                    self.channel_failed(alert, &incident, error, next_at).await;
                }
            }
        }
        true
    }

    /// The channel took something: it has recovered.
    pub(super) fn channel_works(&self, channel: &str, at: DateTime<Utc>) {
        let subject = Subject::Channel(channel.to_owned());
        self.incidents.clear(subject, Area::Alerting, at);
    }

    /// The channel did not take an alert: that is an incident, and the fallback channels get the
    /// alert. An alert about a failing channel opens no incident, or two failing channels would report
    /// each other for ever.
    async fn channel_failed(
        &self,
        alert: &AlertRecord,
        incident: &IncidentRecord,
        error: NotDelivered,
        next_at: Option<DateTime<Utc>>,
    ) {
        if incident.area == Area::Alerting {
            return;
        }
        let cause = Cause::ChannelFailed {
            channel: alert.channel.clone(),
            why: error.0,
        };
        let subject = Subject::Channel(alert.channel.clone());
        self.incidents.report(Problem {
            next_try_at: next_at,
            ..Problem::new(subject, cause, self.clock.now())
        });
        let urgent = match alert.kind {
            AlertKind::Opened | AlertKind::Updated | AlertKind::Reopened | AlertKind::Escalated => {
                true
            }
            AlertKind::Acknowledged | AlertKind::Recovered | AlertKind::Closed => false,
        };
        // Also after a later attempt: a process that died in the first one has notified nobody. A
        // channel that got it already does not get it again.
        if urgent && alert.fallback_of.is_none() {
            self.fall_back(alert).await;
        }
    }

    async fn fall_back(&self, failed: &AlertRecord) {
        loop {
            let Some(incident) = self.log.incident(&failed.incident_id).await else {
                return;
            };
            let ids = [failed.incident_id.clone()];
            let alerts = self.log.alerts_of(&ids).await;
            let now = self.clock.now();
            let Some(write) = fallen_back(&incident, failed, &alerts, &self.rules, now) else {
                return;
            };
            if self.log.write(&write).await {
                self.due.notify_one();
                return;
            }
        }
    }
}

/// When an alert is tried again; `None` when its time is over.
fn next_attempt(alert: &AlertRecord, attempt: u32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let place = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let last = PAUSES.len() - 1;
    let pause = PAUSES.get(place.min(last)).copied().unwrap_or(LIFETIME);
    let next = after(now, pause);
    let end = after(alert.created_at, LIFETIME);
    if now >= end {
        None
    } else {
        Some(next.min(end))
    }
}
