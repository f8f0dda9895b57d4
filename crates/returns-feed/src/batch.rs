//! Feeding one batch of the journal.

use echeck_proto::adapter::CONTRACT_VERSION;
use echeck_proto::adapter::v1 as proto;
use echeck_service::stopwatch::Stopwatch;
use echeck_service::turns;
use returns_import::adapter::AdapterError;
use returns_model::follower::{RowException, UnreadableRow};
use returns_model::journal::JournalRow;
use returns_store::metrics::{FEED_DURATION, outcome};
use returns_store::{Lease, StoreError, failpoint, spans_of};
use tracing::Instrument as _;

use super::blocked::BlockedRows;
use super::cursor::FeedCursor;
use super::{Feed, FeedError, Role, step};

/// The most bytes of rows in a batch, so that it is within what an adapter takes however much a bank wrote
/// into its rows. One row is far smaller.
const BATCH_BYTES: usize = 8 << 20;

/// How many of the rows of these sizes, and at least one, are together within [`BATCH_BYTES`].
fn fitting(sizes: impl Iterator<Item = usize>) -> usize {
    let mut bytes = 0;
    let within = sizes.take_while(|size| {
        bytes += size;
        bytes <= BATCH_BYTES
    });
    within.count().max(1)
}

/// The stages of a feed, each with the time spent in it since it was last idle.
#[derive(Debug, Default)]
pub(super) struct FeedTimes {
    /// Reading the journal.
    pub(super) read: Stopwatch,
    /// Waiting for the adapter.
    pub(super) apply: Stopwatch,
    /// Recording how far the database is.
    pub(super) record: Stopwatch,
}

impl FeedTimes {
    /// Logs what was fed since the feed was idle, and where the time went.
    pub(super) fn log(&self, database: &str, first_position: u64, last_position: u64) {
        tracing::info!(
            database,
            first_position,
            last_position,
            read_ms = self.read.take_ms(),
            apply_ms = self.apply.take_ms(),
            record_ms = self.record.take_ms(),
            "journal rows passed"
        );
    }
}

/// How feeding a batch ended.
pub(super) enum Fed {
    /// Rows were applied, and there may be more.
    Rows,
    /// There is nothing to feed.
    Nothing,
    /// Another replica has the feed's lease by now.
    LeaseLost,
    /// Another replica recorded another position meanwhile: read the target again.
    Overtaken,
    /// The target is not where it was read, or is another one by now: read it again.
    Mismatch(AdapterError),
}

/// The rows that are fed together.
struct FeedBatch {
    rows: Vec<JournalRow>,
    blocked: BlockedRows,
    /// Those that an operator has decided to skip.
    skipped: Vec<UnreadableRow>,
    /// Where the last of them is.
    end: FeedCursor,
}

impl Feed {
    /// Feeds the next rows.
    pub(super) async fn feed_batch(
        &self,
        cursor: &mut FeedCursor,
        lease: &Lease,
        times: &FeedTimes,
    ) -> Result<Fed, FeedError> {
        let turn = turns::take().await;
        let reading = self.next_batch(cursor.position);
        let Some(batch) = times.read.time(reading).await? else {
            return Ok(Fed::Nothing);
        };
        let (first_position, last_position) = (cursor.position + 1, batch.end.position);
        let steps = self.steps(&batch, cursor.position).await?;
        let head = self.store.head().await?;
        // A process that was paused wakes up here: another may be feeding by now.
        if !lease.still_held().await? {
            return Ok(Fed::LeaseLost);
        }
        failpoint("feed::before_apply").await?;
        let applying = self.adapter.apply(proto::ApplyUpdatesRequest {
            journal_id: head.journal_id.to_string(),
            previous_hash: cursor.hash.as_bytes().to_vec(),
            steps,
            database: self.database().to_owned(),
            contract_version: CONTRACT_VERSION,
        });
        let applying = self.traced(&batch, applying);
        let applied = times.apply.time(applying).await;
        let answer = match applied {
            Ok(answer) => answer,
            Err(error) if error.is_mismatch() => return Ok(Fed::Mismatch(error)),
            Err(error) => return Err(self.refused(&batch, error).await?),
        };
        failpoint("feed::after_apply").await?;
        let exceptions = self.checked_answer(&batch, &answer)?;
        let recording = self.store.record_progress(
            self.database(),
            cursor.position,
            last_position,
            &exceptions,
            self.clock.now(),
        );
        if !times.record.time(recording).await? {
            return Ok(Fed::Overtaken);
        }
        turn.end();
        *cursor = batch.end;
        tracing::debug!(
            database = self.database(),
            first_position,
            last_position,
            exceptions = exceptions.len(),
            "journal rows passed"
        );
        Ok(Fed::Rows)
    }

    /// Hands a batch to the adapter, within the traces of the imports that its rows are about.
    async fn traced<T>(
        &self,
        batch: &FeedBatch,
        applying: impl Future<Output = Result<T, AdapterError>>,
    ) -> Result<T, AdapterError> {
        let (database, rows) = (self.database(), batch.rows.len());
        let import_ids = batch.rows.iter().map(|row| &*row.row.import_id);
        let begin = || tracing::info_span!("feed", database, rows);
        let (span, _others) = spans_of(&*self.store, import_ids, begin).await;
        let began = tokio::time::Instant::now();
        let applied = applying.instrument(span).await;
        FEED_DURATION.record(began.elapsed(), &[database, outcome(&applied)]);
        applied
    }

    /// The next rows after a position; `None` when there are none.
    async fn next_batch(&self, after: u64) -> Result<Option<FeedBatch>, StoreError> {
        let mut rows = self.store.rows_after(after, self.batch_size).await?;
        rows.truncate(fitting(rows.iter().map(|row| row.payload.len())));
        if self.role == Role::Mirror {
            let limit = self.store.progress(&self.system_of_record).await?.position;
            rows.retain(|row| row.position <= limit);
        }
        let mut blocked = self.block(&mut rows, after).await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        let end = FeedCursor {
            position: last.position,
            hash: last.hash.clone(),
        };
        let skipped = self.skipped(after, end.position).await?;
        blocked.retain(|at, _| !skipped.iter().any(|row| row.position == *at));
        Ok(Some(FeedBatch {
            rows,
            blocked,
            skipped,
            end,
        }))
    }

    /// The rows in `after + 1 ..= to` that an operator has decided to skip.
    async fn skipped(&self, after: u64, to: u64) -> Result<Vec<UnreadableRow>, StoreError> {
        let database = self.database();
        let mut rows = self.store.unreadable_rows(database, after, to).await?;
        rows.retain(|row| row.skipped.is_some());
        Ok(rows)
    }

    /// The exceptions of the skipped rows in `after + 1 ..= to`. The target records none: to it a
    /// skipped row is an empty step.
    pub(super) async fn skipped_exceptions(
        &self,
        after: u64,
        to: u64,
    ) -> Result<Vec<RowException>, StoreError> {
        let skipped = self.skipped(after, to).await?;
        Ok(skipped
            .iter()
            .filter_map(UnreadableRow::exception)
            .collect())
    }

    /// Why the adapter did not apply a batch. The rows that it cannot read are recorded, so that
    /// an operator may skip them.
    async fn refused(
        &self,
        batch: &FeedBatch,
        error: AdapterError,
    ) -> Result<FeedError, StoreError> {
        let mut first = None;
        for (at, why) in error.unreadable_steps() {
            let Some(row) = batch.rows.get(at) else {
                continue;
            };
            let (position, now) = (row.position, self.clock.now());
            self.store
                .record_unreadable(self.database(), position, &why, now)
                .await?;
            first.get_or_insert((position, why));
        }
        Ok(match first {
            Some((position, why)) => FeedError::Unreadable {
                database: self.database().to_owned(),
                position,
                why,
            },
            None => error.into(),
        })
    }

    async fn steps(&self, batch: &FeedBatch, after: u64) -> Result<Vec<proto::Step>, StoreError> {
        let mut without_effect = self.without_effect(after, batch.end.position).await?;
        without_effect.extend(batch.skipped.iter().map(|row| row.position));
        let step = |row: &JournalRow| {
            let blocked = batch.blocked.get(&row.position);
            step::step(row, self.database(), &without_effect, blocked)
        };
        Ok(batch.rows.iter().map(step).collect())
    }

    /// The exceptions that the adapter answered, if its answer fits what it was sent.
    fn checked_answer(
        &self,
        batch: &FeedBatch,
        answer: &proto::ApplyUpdatesResponse,
    ) -> Result<Vec<RowException>, FeedError> {
        let end = &batch.end;
        let moved = answer.cursor.as_ref().is_some_and(|moved| {
            moved.position == end.position && moved.row_hash == end.hash.as_bytes()
        });
        if !moved {
            let last = end.position;
            let what = format!("its cursor is not at {last} after a batch up to there");
            return Err(self.contract(what));
        }
        let mut exceptions = self.row_exceptions(&answer.exceptions)?;
        exceptions.extend(batch.skipped.iter().filter_map(UnreadableRow::exception));
        let has_exception = |at: &&u64| exceptions.iter().any(|one| one.position == **at);
        match batch.blocked.keys().find(|at| !has_exception(at)) {
            Some(at) => {
                let what = format!("no exception for step {at}, whose change was blocked");
                Err(self.contract(what))
            }
            None => Ok(exceptions),
        }
    }

    /// Positions whose row did not take effect in the system of record; a mirror must not
    /// see them.
    async fn without_effect(&self, after: u64, to: u64) -> Result<Vec<u64>, StoreError> {
        if self.role == Role::SystemOfRecord {
            return Ok(Vec::new());
        }
        let leading = &self.system_of_record;
        let exceptions = self.store.exceptions(leading, after, to).await?;
        Ok(exceptions
            .iter()
            .map(|exception| exception.position)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_where_it_would_be_too_large_and_has_a_row_all_the_same() {
        let half = BATCH_BYTES / 2;
        assert_eq!(fitting([half, half, 1].into_iter()), 2);
        assert_eq!(fitting([half, half + 1, 1].into_iter()), 1);
        assert_eq!(fitting([BATCH_BYTES + 1, 1].into_iter()), 1);
        assert_eq!(fitting([1; 3].into_iter()), 3);
    }
}
