//! Some of what is due to one endpoint, sent as the endpoint is at that moment: a change by an
//! operator holds for the next message.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt as _, stream};
use returns_model::delivery::{Delivery, Touched};
use returns_model::endpoint::Endpoint;
use returns_model::event::EventRecord;
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::secret::SigningKey;
use super::sender::{Sender, WorkerError};

/// How many due messages are taken at once. Of an endpoint that fails it is fewer: they are sent one by
/// one, even if it recovers with the first.
const SIZE: u32 = 128;
const SIZE_OF_FAILING: u32 = 32;

/// How many messages may be accepted and not recorded yet, for each that is on its way: while one is
/// recorded, its place belongs to the next.
const BEING_RECORDED: usize = 8;

/// An endpoint with the events of what is due to it, as they were when they were read.
pub(super) struct EndpointBatch {
    pub(super) endpoint: Endpoint,
    pub(super) touched: Touched,
    pub(super) keys: Vec<SigningKey>,
    events: HashMap<u64, EventRecord>,
}

/// The place of a message on its way, until its endpoint has answered.
pub(super) struct Place<'a> {
    _own: Result<SemaphorePermit<'a>, AcquireError>,
    _shared: Result<SemaphorePermit<'a>, AcquireError>,
    /// Whether no more messages of the batch are sent.
    stop: &'a AtomicBool,
}

impl Place<'_> {
    /// Gives it to the next message, which is not sent after a failure: it may have to wait.
    pub(super) fn leave(self, was_accepted: bool) {
        if !was_accepted {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

impl Sender {
    /// Sends some of what is due to one endpoint. False when nothing is.
    pub(super) async fn batch(
        &self,
        endpoint_id: &str,
        shutdown: &CancellationToken,
    ) -> Result<bool, WorkerError> {
        let Some((batch, due)) = self.read_batch(endpoint_id).await? else {
            return Ok(false);
        };
        let fails = batch.endpoint.failing_since.is_some();
        let width = if batch.endpoint.settings.ordered || fails {
            1
        } else {
            self.settings.per_endpoint
        };
        let places = if fails { &self.failing } else { &self.working };
        let stop = AtomicBool::new(false);
        let own_places = Semaphore::new(width);
        let at_once = if width == 1 {
            1
        } else {
            width * BEING_RECORDED
        };
        let attempts = stream::iter(due).map(|delivery| {
            let (batch, stop, own_places) = (&batch, &stop, &own_places);
            async move {
                // The semaphores are never closed.
                let place = Place {
                    _own: own_places.acquire().await,
                    _shared: places.acquire().await,
                    stop,
                };
                if stop.load(Ordering::Relaxed) || shutdown.is_cancelled() {
                    return Ok(());
                }
                let taken = self.send(batch, &delivery, place).await;
                // After a failure everything is read again: it may have to wait. What cannot be read
                // blocks nothing else.
                if !matches!(
                    taken,
                    Ok(true) | Err(WorkerError::NoEvent(_) | WorkerError::Unreadable(_))
                ) {
                    stop.store(true, Ordering::Relaxed);
                }
                taken.map(drop)
            }
        });
        let ended: Vec<Result<(), WorkerError>> =
            attempts.buffer_unordered(at_once).collect().await;
        ended.into_iter().collect::<Result<(), WorkerError>>()?;
        if !stop.load(Ordering::Relaxed) && self.clear_stuck(endpoint_id) {
            self.clear_if_well(endpoint_id, self.parts.clock.now())
                .await?;
        }
        Ok(true)
    }

    /// Reads what is due to an endpoint that wants it. `None` when nothing is.
    async fn read_batch(
        &self,
        endpoint_id: &str,
    ) -> Result<Option<(EndpointBatch, Vec<Delivery>)>, WorkerError> {
        let now = self.parts.clock.now();
        // Read first, so that a change after it is noticed.
        let Some(touched) = self.together.touched(endpoint_id).await? else {
            return Ok(None);
        };
        if self.is_resting(endpoint_id, touched, now) {
            return Ok(None);
        }
        let Some(endpoint) = self.parts.store.endpoint(endpoint_id).await? else {
            return Ok(None);
        };
        let ordered = endpoint.settings.ordered;
        let size = match endpoint.failing_since {
            Some(_) => SIZE_OF_FAILING,
            None => SIZE,
        };
        let due = self
            .parts
            .store
            .due_deliveries(endpoint_id, ordered, now, size)
            .await?;
        if due.is_empty() {
            return Ok(None);
        }
        let sequences: Vec<u64> = due.iter().map(|delivery| delivery.sequence).collect();
        let events = self.parts.store.events_at(&sequences).await?;
        let events: HashMap<u64, EventRecord> = events
            .into_iter()
            .map(|event| (event.sequence, event))
            .collect();
        let (due, unwanted): (Vec<_>, Vec<_>) = due
            .into_iter()
            .partition(|one| is_wanted(&endpoint, one, events.get(&one.sequence)));
        if !unwanted.is_empty() {
            tracing::info!(
                endpoint_id,
                messages = unwanted.len(),
                "messages that an endpoint no longer wants are not sent"
            );
            self.parts.store.give_up_unwanted(&unwanted, now).await?;
        }
        let secrets = self.parts.store.active_secrets(endpoint_id, now).await?;
        let keys = self.parts.client.keys(&secrets)?;
        if keys.is_empty() {
            return Err(WorkerError::NoKey);
        }
        let batch = EndpointBatch {
            endpoint,
            touched,
            keys,
            events,
        };
        Ok(Some((batch, due)))
    }

    /// Sends one message, if nothing has changed since it was read. True when the endpoint has
    /// accepted it.
    async fn send(
        &self,
        batch: &EndpointBatch,
        delivery: &Delivery,
        place: Place<'_>,
    ) -> Result<bool, WorkerError> {
        let Some(event) = batch.events.get(&delivery.sequence) else {
            return Err(WorkerError::NoEvent(delivery.sequence));
        };
        if self.together.touched(&delivery.endpoint_id).await? != Some(batch.touched) {
            return Ok(false);
        }
        self.attempt(batch, delivery, event, place).await
    }
}

/// Whether an endpoint still wants what was made for it. What has no event is not given up.
fn is_wanted(endpoint: &Endpoint, delivery: &Delivery, event: Option<&EventRecord>) -> bool {
    let settings = &endpoint.settings;
    event.is_none_or(|event| {
        settings.wants(
            settings.payload_version,
            &delivery.event_type,
            &event.new.merchant,
        )
    })
}
