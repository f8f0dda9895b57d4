//! The system under test: both databases behind their adapters, and what happens to them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use chrono::{DateTime, Utc};
use echeck_adapter::apply::{Applied, ApplyError};
use echeck_adapter::batch::{RowHash, StepBatch};
use echeck_adapter::cursor::CursorMismatch;
use echeck_adapter::testing::DECIDED_AT_SECONDS;

use crate::batches::{JOURNAL, hash_at};
use crate::database::{Database, id};
use crate::harm::Harm;
use crate::history::Transition;
use crate::reference::Reference;
use crate::transfers::{Side, State};

pub(crate) struct System {
    gateway: Database,
    mirror: Database,
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(DECIDED_AT_SECONDS + 60, 0).expect("a time")
}

impl System {
    pub(crate) async fn new(reference: &Reference) -> Self {
        Self {
            gateway: Database::new(&reference.gateway).await,
            mirror: Database::new(&reference.mirror).await,
        }
    }

    pub(crate) fn database(&self, side: Side) -> &Database {
        match side {
            Side::Gateway => &self.gateway,
            Side::Mirror => &self.mirror,
        }
    }

    fn database_mut(&mut self, side: Side) -> &mut Database {
        match side {
            Side::Gateway => &mut self.gateway,
            Side::Mirror => &mut self.mirror,
        }
    }

    /// Does what `transition` says. `reference` is already past it.
    pub(crate) async fn go(&mut self, reference: &Reference, transition: &Transition) {
        match *transition {
            Transition::Append { .. } | Transition::DecideAgain => {}
            Transition::Feed { side, .. } => self.feed(reference, side).await,
            Transition::Cancel { side, polls, .. } => self.cancel(reference, side, polls).await,
            Transition::Rivals { side, .. } => self.rivals(reference, side).await,
            Transition::Replay { side, back } => self.replay(reference, side, back).await,
            Transition::SkipAhead { side } => {
                let refusal = self.refusal(side, reference.batch_with_gap(side)).await;
                assert!(
                    matches!(refusal, CursorMismatch::Position { .. }),
                    "{refusal}"
                );
            }
            Transition::OtherJournal { side } => {
                let batch = reference.batch_of_other_journal(side);
                let refusal = self.refusal(side, batch).await;
                assert!(
                    matches!(refusal, CursorMismatch::Journal { .. }),
                    "{refusal}"
                );
            }
            Transition::OtherPast { side } => {
                let refusal = self
                    .refusal(side, reference.batch_of_other_past(side))
                    .await;
                assert!(matches!(refusal, CursorMismatch::Hash { .. }), "{refusal}");
            }
            Transition::Fund { .. } | Transition::Arrive { .. } => {
                self.gateway_changes(reference).await;
            }
            Transition::EndInMirror { .. } => self.mirror_changes(reference).await,
            Transition::BackUp { side } => self.database_mut(side).back_up().await,
            Transition::Restore { side } => {
                let before = self.database(side).position().await;
                self.database_mut(side).restore().await;
                if reference.harm == Harm::CursorNotRestored {
                    self.put_cursor(side, before).await;
                }
            }
            Transition::Reopen { side } => self.database_mut(side).reopen().await,
        }
    }

    async fn apply(&self, side: Side, batch: &StepBatch) -> Result<Applied, ApplyError> {
        self.database(side).target.apply(batch, now()).await
    }

    /// The batch after the cursor of the database itself, as the feed makes it; `None` when
    /// the database is where the reference is.
    async fn next_batch(&self, reference: &Reference, side: Side) -> Option<StepBatch> {
        let (from, to) = (
            self.database(side).position().await,
            reference.follower(side).cursor,
        );
        (from < to).then(|| reference.batch(side, from, to))
    }

    async fn feed(&self, reference: &Reference, side: Side) {
        let Some(batch) = self.next_batch(reference, side).await else {
            panic!("{side:?}: the cursor is ahead of what was fed");
        };
        if reference.harm == Harm::CursorWithoutRows {
            return self.put_cursor(side, reference.follower(side).cursor).await;
        }
        let applied = self.apply(side, &batch).await.expect("the batch fits");
        // The answer tells what a later question would.
        let told: Vec<i64> = applied.exceptions.iter().map(|e| e.position).collect();
        let first = batch.steps.first().map_or(0, |step| step.position);
        let kept = reference.follower(side).exceptions.keys();
        let kept = kept.map(|position| i64::try_from(*position).expect("a position"));
        let kept: Vec<i64> = kept.filter(|position| *position >= first).collect();
        assert_eq!(told, kept, "{side:?}: the answer's exceptions");
        if reference.harm == Harm::ExceptionsLost {
            let sql = "DELETE FROM echeck_exceptions".to_owned();
            self.database(side).sql(sql).await;
        }
    }

    /// Feeds on from the database's own cursor until it is where the reference is. Nothing
    /// is known of a batch that was given up, so one that does not fit is no surprise.
    async fn feed_on(&self, reference: &Reference, side: Side) {
        while let Some(batch) = self.next_batch(reference, side).await {
            match self.apply(side, &batch).await {
                Ok(_) | Err(ApplyError::Mismatch(_)) => {}
                Err(error) => panic!("{side:?}: {error}"),
            }
        }
    }

    async fn cancel(&self, reference: &Reference, side: Side, polls: usize) {
        let database = self.database(side);
        let before = database.contents().await;
        let Some(batch) = self.next_batch(reference, side).await else {
            panic!("{side:?}: the cursor is ahead of what was fed");
        };
        give_up_after(polls, self.apply(side, &batch)).await;
        let after = database.contents().await;
        if after.cursors == before.cursors {
            assert_eq!(after, before, "{side:?}: half of a batch was left behind");
        }
        self.feed_on(reference, side).await;
    }

    async fn rivals(&self, reference: &Reference, side: Side) {
        let Some(batch) = self.next_batch(reference, side).await else {
            panic!("{side:?}: the cursor is ahead of what was fed");
        };
        let (one, other) = tokio::join!(self.apply(side, &batch), self.apply(side, &batch));
        assert!(
            one.is_err() || other.is_err(),
            "{side:?}: both rivals say that they applied the batch"
        );
        self.feed_on(reference, side).await;
    }

    async fn replay(&self, reference: &Reference, side: Side, back: usize) {
        let cursor = reference.follower(side).cursor;
        let batch = reference.batch(side, cursor - back, cursor);
        if reference.harm == Harm::CursorRewound {
            self.put_cursor(side, cursor - back).await;
            // Whoever does this keeps quiet about it.
            return drop(self.apply(side, &batch).await);
        }
        let refusal = self.refusal(side, batch).await;
        assert!(
            matches!(refusal, CursorMismatch::Position { .. }),
            "{refusal}"
        );
    }

    /// Why a batch is refused, which must change nothing.
    async fn refusal(&self, side: Side, batch: StepBatch) -> CursorMismatch {
        let before = self.database(side).contents().await;
        let refusal = match self.apply(side, &batch).await {
            Err(ApplyError::Mismatch(mismatch)) => mismatch,
            other => panic!("{side:?}: a batch that does not fit was answered by {other:?}"),
        };
        let after = self.database(side).contents().await;
        assert_eq!(after, before, "{side:?}: a refused batch changed something");
        refusal
    }

    /// The gateway's owner funds what the reference has as funded by now, and lets arrive what
    /// has arrived there.
    async fn gateway_changes(&self, reference: &Reference) {
        let mut sql = "BEGIN;".to_owned();
        for (number, transfer) in reference.gateway.transfers.iter().enumerate() {
            let id = id(number);
            if transfer.in_deposit {
                sql += &format!(
                    "UPDATE transfers SET deposit_id = 'DEP' \
                     WHERE id = '{id}' AND deposit_id IS NULL;"
                );
            }
            if transfer.state == State::Succeeded {
                sql += &format!(
                    "UPDATE transfers SET state = 'SUCCEEDED' \
                     WHERE id = '{id}' AND state = 'PROCESSING';"
                );
            }
        }
        self.gateway.sql(sql + "COMMIT;").await;
    }

    /// The mirror's owner ends what the reference has as ended without an effect.
    async fn mirror_changes(&self, reference: &Reference) {
        let mut sql = "BEGIN;".to_owned();
        for (number, transfer) in reference.mirror.transfers.iter().enumerate() {
            if transfer.state == State::Failed && transfer.effects.is_empty() {
                sql += &format!(
                    "UPDATE transactions SET status = 'failed' \
                     WHERE transfer_id = '{}' AND status IN ('pending', 'succeeded');",
                    id(number)
                );
            }
        }
        self.mirror.sql(sql + "COMMIT;").await;
    }

    async fn put_cursor(&self, side: Side, position: usize) {
        let hash = RowHash::from_bytes(&hash_at(position)).map_or(String::new(), RowHash::to_hex);
        let database = self.database(side);
        database.put_cursor(JOURNAL, position, &hash).await;
    }
}

/// Polls a future so many times, then drops it.
async fn give_up_after<F: Future>(polls: usize, future: F) {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| ())
    })
    .await;
}
