//! Journal rows that took effect in the system of record, and holds, become events. The position
//! is in the returns database and moves with the events that are recorded, so that nothing is
//! published twice and nothing is left out, whatever stops the process.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use echeck_service::clock::SharedClock;
use echeck_service::turns;
use returns_model::event::{NewEvent, Origin};
use returns_model::hold::HoldRecord;
use returns_model::ids;
use returns_model::journal::{JournalRow, RowEffect};
use returns_store::{
    Job, Lease, Notifier, Pass, Store, StoreError, Topic, failpoint, sleep, spans_of,
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::event::WebhookEvent;
use super::render;

/// The most rows, or holds, of a step.
const BATCH: u32 = 1000;

/// While an import is still being applied, events are made in a fifth of the time: the databases
/// come first. At most this long a pause.
const REST_FACTOR: u32 = 4;
const LONGEST_REST: Duration = Duration::from_secs(5);

/// Makes events.
pub struct EventPublisher {
    pub store: Arc<dyn Store>,
    /// The database whose passing makes a row true.
    pub system_of_record: String,
    pub clock: SharedClock,
    pub notifier: Notifier,
}

impl Job for EventPublisher {
    type Error = StoreError;

    fn lease(&self) -> String {
        "webhook-events".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[Topic::Database, Topic::Hold]
    }

    async fn pass(&mut self, _lease: &Lease, stop: &CancellationToken) -> Result<Pass, StoreError> {
        let began = tokio::time::Instant::now();
        if !self.publish().await? {
            return Ok(Pass::Idle(Duration::from_secs(1)));
        }
        self.give_way(began.elapsed(), stop).await;
        Ok(Pass::More)
    }
}

impl EventPublisher {
    /// Rests after a step that took this long, if the system of record has not passed the end of
    /// the journal yet. When that cannot be read, the next step finds out why.
    async fn give_way(&self, took: Duration, shutdown: &CancellationToken) {
        let (head, progress) = tokio::join!(
            self.store.head(),
            self.store.progress(&self.system_of_record)
        );
        let behind = matches!(
            (head, progress),
            (Ok(head), Ok(progress)) if progress.position < head.position
        );
        if behind {
            let rest = (took * REST_FACTOR).min(LONGEST_REST);
            sleep(rest, shutdown).await;
        }
    }

    /// Makes the next events; false when there is nothing to publish.
    async fn publish(&self) -> Result<bool, StoreError> {
        let turn = turns::take().await;
        let rows = self.publish_rows().await?;
        turn.end();
        let holds = self.publish_holds().await?;
        if rows || holds {
            self.notifier.messages_due();
        }
        Ok(rows || holds)
    }

    /// Publishes the next rows that the system of record has passed. When that was restored to an
    /// older state its position is behind ours, and nothing is published again.
    async fn publish_rows(&self) -> Result<bool, StoreError> {
        let from = self.store.event_position().await?;
        let passed = self.store.progress(&self.system_of_record).await?.position;
        let mut rows = self.store.rows_after(from, BATCH).await?;
        rows.retain(|row| row.position <= passed);
        let Some(to) = rows.last().map(|row| row.position) else {
            return Ok(false);
        };
        let exceptions: BTreeSet<u64> = self
            .store
            .exceptions(&self.system_of_record, from, to)
            .await?
            .into_iter()
            .map(|exception| exception.position)
            .collect();
        rows.retain(|row| took_effect(row, &exceptions));
        // An event that continues another needs what came before it.
        let continuing = rows.iter().filter(|row| continues(&row.row.effect));
        let ids = continuing.map(|row| row.row.transfer.id.as_str());
        let standing = self.standing(ids.collect()).await?;
        let events = rows
            .iter()
            .filter_map(|row| event_of_row(row, &standing).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        failpoint("events::before_record").await?;
        let now = self.clock.now();
        let import_ids = rows.iter().map(|row| &*row.row.import_id);
        let begin = || tracing::info_span!("event", rows = rows.len());
        let (span, _others) = spans_of(&*self.store, import_ids, begin).await;
        let recording = self.store.record_events(from, to, &events, now);
        if !recording.instrument(span).await? {
            tracing::info!(from, "another replica has made these events");
            return Ok(true);
        }
        failpoint("events::after_record").await?;
        tracing::debug!(
            from,
            to,
            events = events.len(),
            "journal rows became events"
        );
        Ok(true)
    }

    /// What stands of transfers.
    async fn standing(
        &self,
        transfer_ids: BTreeSet<&str>,
    ) -> Result<HashMap<String, Vec<JournalRow>>, StoreError> {
        if transfer_ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<String> = transfer_ids.into_iter().map(str::to_owned).collect();
        let known = self.store.known(&ids, &self.system_of_record).await?;
        Ok(known.standing)
    }

    async fn publish_holds(&self) -> Result<bool, StoreError> {
        let holds = self.store.unpublished_holds(BATCH).await?;
        if holds.is_empty() {
            return Ok(false);
        }
        let alone = holds.iter().filter(|hold| hold.new.failed.is_none());
        let standing = self
            .standing(alone.filter_map(only_transfer).collect())
            .await?;
        let mut events = Vec::new();
        for hold in &holds {
            let merchant = self.merchant_of(hold, &standing).await?;
            events.push(event_of_hold(hold, merchant)?);
        }
        failpoint("events::before_record").await?;
        // One that has changed meanwhile is left out; it is published as it is then.
        self.store
            .record_hold_events(&events, self.clock.now())
            .await?;
        failpoint("events::after_record").await?;
        Ok(true)
    }

    /// The merchant of a held entry, as far as the journal knows its transfer; empty otherwise, and
    /// then only the endpoints that want every merchant are notified.
    async fn merchant_of(
        &self,
        hold: &HoldRecord,
        standing: &HashMap<String, Vec<JournalRow>>,
    ) -> Result<String, StoreError> {
        if let Some((_, position)) = &hold.new.failed {
            let row = self.store.row(*position).await?;
            return Ok(row.map_or_else(String::new, |row| row.row.transfer.parties.merchant));
        }
        let rows = only_transfer(hold).and_then(|id| standing.get(id));
        let last = rows.and_then(|rows| rows.last());
        Ok(last.map_or_else(String::new, |row| row.row.transfer.parties.merchant.clone()))
    }
}

/// Whether a row that the system of record has passed took effect there; `exceptions` are
/// those that it made an exception of.
pub(super) fn took_effect(row: &JournalRow, exceptions: &BTreeSet<u64>) -> bool {
    row.superseded_by.is_none() && !exceptions.contains(&row.position)
}

/// The transfer of a held entry, unless there are several.
fn only_transfer(hold: &HoldRecord) -> Option<&str> {
    match hold.new.transfer_ids.as_slice() {
        [one] => Some(one),
        [] | [_, ..] => None,
    }
}

/// Whether a row says more about what an earlier one did.
fn continues(effect: &RowEffect) -> bool {
    effect.is_later_stage() || effect.is_release()
}

/// The event of a row that took effect; `standing` has what stands of its transfer if it
/// continues something.
pub(super) fn event_of_row(
    found: &JournalRow,
    standing: &HashMap<String, Vec<JournalRow>>,
) -> Result<Option<NewEvent>, StoreError> {
    let row = &found.row;
    let before = standing
        .get(&row.transfer.id)
        .filter(|_| continues(&row.effect))
        .map(Vec::as_slice)
        .unwrap_or_default();
    let Some(event) = WebhookEvent::of_row(found, before) else {
        return Ok(None);
    };
    Ok(Some(NewEvent {
        event_id: ids::row_event_id(found.position, found.hash.as_bytes()),
        origin: Origin::Row {
            position: found.position,
        },
        transfer_id: row.transfer.id.clone(),
        merchant: row.transfer.parties.merchant.clone(),
        occurred_at: row.decided_at,
        facts: facts(&event)?,
        messages: render::messages(&event),
    }))
}

/// The event of a hold as it is.
pub(super) fn event_of_hold(hold: &HoldRecord, merchant: String) -> Result<NewEvent, StoreError> {
    let event = WebhookEvent::of_hold(hold);
    Ok(NewEvent {
        event_id: ids::hold_event_id(&hold.new.hold_id, hold.state.as_str()),
        origin: Origin::Hold {
            hold_id: hold.new.hold_id.clone(),
            state: hold.state,
        },
        transfer_id: only_transfer(hold).unwrap_or_default().to_owned(),
        merchant,
        occurred_at: hold.closed_at.unwrap_or(hold.held_at),
        facts: facts(&event)?,
        messages: render::messages(&event),
    })
}

fn facts(event: &WebhookEvent) -> Result<String, StoreError> {
    serde_json::to_string(event).map_err(|error| StoreError::Unreadable {
        place: "an event's facts".to_owned(),
        what: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
