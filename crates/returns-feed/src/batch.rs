//! Feeding one batch of the journal.

use echeck_proto::adapter::v1 as proto;
use echeck_service::stopwatch::Stopwatch;
use returns_model::journal::JournalRow;
use returns_store::failpoint;
use returns_store::{Lease, StoreError};

use super::cursor::Cursor;
use super::rests_on::Withheld;
use super::{Feed, FeedError, Role, step};

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
            "journal rows applied"
        );
    }
}

/// What came of feeding a batch.
pub(super) enum Fed {
    /// Rows were applied, and there may be more.
    Rows,
    /// There is nothing to feed.
    Nothing,
    /// Another replica has the feed's lease by now.
    LeaseLost,
    /// Another replica has recorded another position meanwhile: read the target again.
    Overtaken,
}

impl Feed {
    /// Feeds the next rows.
    pub(super) async fn feed_batch(
        &self,
        cursor: &mut Cursor,
        lease: &Lease,
        times: &FeedTimes,
    ) -> Result<Fed, FeedError> {
        let reading = self.rows_to_feed(cursor.position);
        let (rows, withheld) = times.read.time(reading).await?;
        let Some(last) = rows.last() else {
            return Ok(Fed::Nothing);
        };
        let (first_position, last_position) = (cursor.position + 1, last.position);
        let dead = self.without_effect(cursor.position, last_position).await?;
        let steps = rows
            .iter()
            .map(|row| step::step(row, self.database(), &dead, withheld.get(&row.position)))
            .collect();
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
        });
        let answer = times.apply.time(applying).await?;
        failpoint("feed::after_apply").await?;
        let moved = answer.cursor.as_ref().is_some_and(|moved| {
            moved.position == last_position && moved.row_hash == last.hash.as_bytes()
        });
        if !moved {
            return Err(FeedError::Contract {
                database: self.database().to_owned(),
                what: format!("its cursor is not at {last_position} after a batch up to there"),
            });
        }
        let exceptions = self.row_exceptions(&answer.exceptions)?;
        if let Some(done) = withheld.keys().find(|at| {
            exceptions
                .iter()
                .all(|exception| exception.position != **at)
        }) {
            return Err(FeedError::Contract {
                database: self.database().to_owned(),
                what: format!("no exception for step {done}, whose change was withheld"),
            });
        }
        let recording = self.store.record_progress(
            self.database(),
            cursor.position,
            last_position,
            &exceptions,
            self.clock.now(),
        );
        let recorded = times.record.time(recording).await?;
        if !recorded {
            return Ok(Fed::Overtaken);
        }
        *cursor = Cursor {
            position: last_position,
            hash: last.hash.clone(),
        };
        tracing::debug!(
            database = self.database(),
            first_position,
            last_position,
            exceptions = exceptions.len(),
            "journal rows applied"
        );
        Ok(Fed::Rows)
    }

    async fn rows_to_feed(&self, after: u64) -> Result<(Vec<JournalRow>, Withheld), StoreError> {
        let mut rows = self.store.rows_after(after, self.batch_size).await?;
        if self.role == Role::Mirror {
            let limit = self.store.progress(&self.system_of_record).await?.position;
            rows.retain(|row| row.position <= limit);
        }
        let withheld = self.withhold(&mut rows, after).await?;
        Ok((rows, withheld))
    }

    /// Positions whose row did not take effect in the system of record; a mirror must not
    /// see them.
    async fn without_effect(&self, after: u64, to: u64) -> Result<Vec<u64>, StoreError> {
        match self.role {
            Role::SystemOfRecord => Ok(Vec::new()),
            Role::Mirror => Ok(self
                .store
                .exceptions(&self.system_of_record, after, to)
                .await?
                .into_iter()
                .map(|exception| exception.position)
                .collect()),
        }
    }
}
