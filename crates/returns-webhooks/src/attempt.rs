//! One attempt at one message, and what follows from how it went.

use chrono::{DateTime, Utc};
use echeck_service::telemetry;
use returns_model::audit::{AuditRecord, DONE};
use returns_model::delivery::{Delivery, DeliveryAttempt, DeliveryOutcome, Standing};
use returns_model::endpoint::{Endpoint, EndpointChange, OwnerChange};
use returns_model::event::{EventRecord, Origin};
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_store::StoreError;
use returns_store::failpoint;
use returns_store::metrics::DELIVERY_DURATION;
use tracing::Instrument as _;

use super::batch::{EndpointBatch, Place};
use super::client::Posted;
use super::render;
use super::schedule::Schedule;
use super::sender::{Sender, WorkerError};

/// The answer of an endpoint that wants no more messages.
const GONE: u16 = 410;
/// In the audit, who disables endpoints that fail.
const SERVICE: &str = "echeck-returns";

/// What a posted message comes to.
fn outcome(
    posted: &Posted,
    tries_before: u64,
    schedule: Schedule,
    now: DateTime<Utc>,
    jitter: u64,
) -> DeliveryOutcome {
    let Some(error) = posted.error.clone() else {
        return DeliveryOutcome::Delivered;
    };
    match schedule.next_attempt(tries_before + 1, posted.retry_after, now, jitter) {
        Some(at) => DeliveryOutcome::Retry { error, at },
        None => DeliveryOutcome::Undeliverable { error },
    }
}

impl Sender {
    /// Posts a message and records how it went. A crash between the two posts it again with
    /// the same id; it is never lost. True when the endpoint has accepted it.
    pub(super) async fn attempt(
        &self,
        batch: &EndpointBatch,
        delivery: &Delivery,
        event: &EventRecord,
        place: Place<'_>,
    ) -> Result<bool, WorkerError> {
        let endpoint = &batch.endpoint;
        let payload_version = endpoint.settings.payload_version;
        let body = render::body(event, payload_version, &delivery.event_type)?;
        failpoint("webhook::before_post").await?;
        let span = self.span_of(event).await;
        let posting = self
            .parts
            .client
            .post(endpoint, &batch.keys, &delivery.message_id, body);
        let posted = posting.instrument(span).await;
        place.leave(posted.error.is_none());
        let how = if posted.error.is_none() {
            "delivered"
        } else {
            "failed"
        };
        DELIVERY_DURATION.record(posted.took, &[how]);
        failpoint("webhook::after_post").await?;
        let now = self.parts.clock.now();
        let schedule = self.settings.schedule;
        let attempt = DeliveryAttempt {
            outcome: outcome(
                &posted,
                delivery.tries(),
                schedule,
                now,
                (self.parts.jitter)(),
            ),
            status: posted.status,
            at: now,
        };
        failpoint("webhook::before_record").await?;
        let Some(standing) = self.together.record(delivery, &attempt).await? else {
            // An operator has replayed it or changed its endpoint, or another replica sends it: what
            // is due is read again.
            return Ok(false);
        };
        self.log_attempt(endpoint, delivery, &posted);
        self.follow_up(batch, &posted, &attempt, standing).await?;
        Ok(posted.error.is_none())
    }

    /// The span of an attempt, in the trace of the import that its event is about.
    async fn span_of(&self, event: &EventRecord) -> tracing::Span {
        let span = tracing::info_span!(
            "deliver",
            otel.kind = "producer",
            messaging.system = "webhook"
        );
        if let (Origin::Row { position }, true) = (&event.new.origin, telemetry::has_traces()) {
            let trace = self.parts.store.trace_at(*position).await;
            telemetry::continue_trace(&span, trace.ok().flatten().as_deref());
        }
        span
    }

    fn log_attempt(&self, endpoint: &Endpoint, delivery: &Delivery, posted: &Posted) {
        let took_ms = u64::try_from(posted.took.as_millis()).unwrap_or(u64::MAX);
        let attempt = delivery.attempts + 1;
        let Delivery {
            endpoint_id,
            message_id,
            ..
        } = delivery;
        let host = endpoint.host();
        match &posted.error {
            None => {
                tracing::debug!(
                    endpoint_id,
                    message_id,
                    attempt,
                    took_ms,
                    "webhook delivered"
                );
            }
            Some(error) => {
                tracing::warn!(
                    endpoint_id,
                    host,
                    message_id,
                    attempt,
                    took_ms,
                    error,
                    "a webhook was not delivered"
                );
            }
        }
    }

    async fn follow_up(
        &self,
        batch: &EndpointBatch,
        posted: &Posted,
        attempt: &DeliveryAttempt,
        standing: Standing,
    ) -> Result<(), WorkerError> {
        let endpoint = &batch.endpoint;
        let endpoint_id = &endpoint.endpoint_id;
        let subject = Subject::Endpoint(endpoint_id.clone());
        match &attempt.outcome {
            DeliveryOutcome::Delivered => {
                if self.mark_healthy(endpoint_id) || standing.recovered {
                    self.clear_if_well(endpoint_id, attempt.at).await?;
                }
                return Ok(());
            }
            DeliveryOutcome::Retry { .. } => {
                self.mark_failing(endpoint_id);
                if let Some(at) = posted.retry_after {
                    let until = at.min(attempt.at + chrono::TimeDelta::hours(24));
                    self.rest(endpoint_id, until, Some(batch.touched));
                }
            }
            DeliveryOutcome::Undeliverable { error } => {
                self.mark_failing(endpoint_id);
                let cause = Cause::WebhookUndeliverable {
                    endpoint: endpoint_id.clone(),
                    host: endpoint.host(),
                    why: error.clone(),
                    count: self.parts.store.dead_letters(endpoint_id).await?,
                };
                self.parts
                    .incidents
                    .report(Problem::new(subject, cause, attempt.at));
            }
        }
        let failing = standing.failing_since.map(|since| attempt.at - since);
        if posted.status == Some(GONE) {
            let why = "answered 410 Gone: it wants no more messages";
            self.disable(endpoint, why).await?;
        } else if failing.is_some_and(|failing| failing >= self.settings.disable_after) {
            let hours = self.settings.disable_after.num_hours();
            let why = format!("has accepted no message for {hours} hours");
            self.disable(endpoint, &why).await?;
        }
        Ok(())
    }

    /// Clears the incidents of an endpoint that has recovered. One with undeliverable messages has
    /// not: they are still missing there, whatever it has accepted since.
    pub(super) async fn clear_if_well(
        &self,
        endpoint_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if self.is_stuck(endpoint_id) || self.parts.store.dead_letters(endpoint_id).await? > 0 {
            return Ok(());
        }
        let endpoint = self.parts.store.endpoint(endpoint_id).await?;
        if endpoint.as_ref().is_some_and(Endpoint::is_enabled) {
            let subject = Subject::Endpoint(endpoint_id.to_owned());
            self.parts.incidents.clear(subject, Area::Webhook, at);
        }
        Ok(())
    }

    /// Disables an endpoint, so that people are notified. One that an operator has changed since it
    /// was `used` stays as it is: its earlier settings failed.
    pub async fn disable(&self, used: &Endpoint, why: &str) -> Result<(), StoreError> {
        let endpoint_id = used.endpoint_id.as_str();
        let Some(seen) = self.parts.store.endpoint(endpoint_id).await? else {
            return Ok(());
        };
        if !seen.is_enabled() || seen.version != used.version {
            return Ok(());
        }
        let now = self.parts.clock.now();
        let change = EndpointChange {
            audit: AuditRecord {
                at: now,
                identity: SERVICE.to_owned(),
                address: String::new(),
                request_id: String::new(),
                action: "disable_endpoint".to_owned(),
                subject: format!("endpoint:{endpoint_id}"),
                before: "enabled".to_owned(),
                after: "disabled".to_owned(),
                reason: why.to_owned(),
                outcome: DONE.to_owned(),
            },
            endpoint: Endpoint {
                disabled_why: Some(why.to_owned()),
                updated_at: now,
                ..seen
            },
            forget_failures: false,
            owner: OwnerChange::Notify,
        };
        // False when an operator was faster.
        if self.parts.store.change_endpoint(&change).await? {
            // The owner's worker notifies its owner and staff.
            self.parts.notifier.messages_due();
        }
        Ok(())
    }
}
