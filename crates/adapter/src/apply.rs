//! Applies a batch: rows, exceptions and cursor in one transaction of the target.
//!
//! The cursor moves first, by compare-and-set: its row is the lock that keeps the adapter's other
//! copy from applying the same steps at the same time. Then the changes follow in groups of a few
//! statements each (see `batch_group.rs`).
//!
//! Two kinds of refusal cannot be undone alone: a trigger that rolls back the whole transaction
//! (`RAISE(ROLLBACK)`), and a constraint that is only checked at commit. Then nothing of the batch
//! has happened. It is applied in halves, each a transaction with its own move of the cursor,
//! until the step that causes it is found.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tracing::warn;
use uuid::Uuid;

use crate::batch::{RowHash, Step, StepBatch};
use crate::batch_group::{self, GroupError};
use crate::check::FitError;
use crate::cursor::{self, Cursor, CursorMismatch};
use crate::dialect::{Access, DbError, TargetDatabase, TargetSession, failpoint};
use crate::mapping::{Mapping, MappingConfig, Obstacle};
use crate::progress::{self, StepException};

/// How long to wait after each conflict.
const CONFLICT_PAUSES: [Duration; 4] = [
    Duration::from_millis(20),
    Duration::from_millis(60),
    Duration::from_millis(180),
    Duration::from_millis(540),
];

/// A target database with the mapping that is configured for it.
#[derive(Clone)]
pub struct Target {
    /// The database.
    pub database: Arc<dyn TargetDatabase>,
    /// The mapping.
    pub mapping: Arc<dyn MappingConfig>,
    /// The adapter's name: its row in `echeck_cursor`.
    pub adapter: String,
}

/// What a batch did.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The cursor after it.
    pub cursor: Cursor,
    /// The steps that changed nothing.
    pub exceptions: Vec<StepException>,
}

/// Why a batch was not applied. Nothing of it has happened, except after a failed commit.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It does not continue where the target is.
    #[error(transparent)]
    Mismatch(#[from] CursorMismatch),
    /// The mapping does not fit the live schema.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The database did not answer. After a failed commit it is unknown what has happened; the
    /// cursor says.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Steps of a batch that share a transaction.
#[derive(Clone, Copy)]
struct BatchPart<'a> {
    journal: Uuid,
    previous: Option<RowHash>,
    steps: &'a [Step],
    /// Set for a lone step that aborts its transaction: why. It becomes an exception.
    given_up: Option<&'a str>,
}

impl BatchPart<'_> {
    /// The two halves; `None` for a lone step.
    fn halves(self) -> Option<(Self, Self)> {
        let (first, second) = self.steps.split_at(self.steps.len() / 2);
        let previous = Some(first.last()?.hash);
        let part = |steps, previous| Self {
            steps,
            previous,
            ..self
        };
        Some((part(first, self.previous), part(second, previous)))
    }
}

/// Why a part was not applied.
enum PartError {
    /// One of its steps aborted the transaction, which cannot be undone alone.
    TransactionAborted(String),
    Failed(ApplyError),
}

impl<E: Into<ApplyError>> From<E> for PartError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Target {
    /// Applies a batch.
    pub async fn apply(
        &self,
        batch: &StepBatch,
        now: DateTime<Utc>,
    ) -> Result<Applied, ApplyError> {
        let whole = BatchPart {
            journal: batch.journal,
            previous: batch.previous,
            steps: &batch.steps,
            given_up: None,
        };
        self.apply_part(whole, now).await
    }

    /// Applies a part; if one of its steps aborts the transaction, each half by itself.
    async fn apply_part(
        &self,
        part: BatchPart<'_>,
        now: DateTime<Utc>,
    ) -> Result<Applied, ApplyError> {
        let why = match self.apply_despite_conflicts(part, now).await {
            Ok(applied) => return Ok(applied),
            Err(PartError::Failed(error)) => return Err(error),
            Err(PartError::TransactionAborted(why)) => why,
        };
        match part.halves() {
            Some((first, second)) => {
                let mut applied = Box::pin(self.apply_part(first, now)).await?;
                let second = Box::pin(self.apply_part(second, now)).await?;
                applied.cursor = second.cursor;
                applied.exceptions.extend(second.exceptions);
                Ok(applied)
            }
            None if part.given_up.is_none() => {
                let given_up = Some(why.as_str());
                Box::pin(self.apply_part(BatchPart { given_up, ..part }, now)).await
            }
            None => Err(DbError::Refused(why).into()),
        }
    }

    /// Applies a part, again from the cursor after each conflict with somebody else's
    /// transaction. Of a transaction in conflict nothing has happened.
    async fn apply_despite_conflicts(
        &self,
        part: BatchPart<'_>,
        now: DateTime<Utc>,
    ) -> Result<Applied, PartError> {
        for pause in CONFLICT_PAUSES {
            let applied = self.apply_once(part, now).await;
            let Err(PartError::Failed(ApplyError::Db(DbError::Conflict(message)))) = &applied
            else {
                return applied;
            };
            warn!(
                message,
                "another transaction was in the way; the batch begins again"
            );
            tokio::time::sleep(pause).await;
        }
        self.apply_once(part, now).await
    }

    async fn apply_once(
        &self,
        part: BatchPart<'_>,
        now: DateTime<Utc>,
    ) -> Result<Applied, PartError> {
        failpoint("apply::before_begin").await?;
        let mut session = self.database.begin(Access::Write).await?;
        let applied = match self.apply_in(&mut *session, part, now).await {
            Ok(applied) => applied,
            // After an outage the connection is not used again: it may be broken, or keep a
            // setting (such as read-only) that an operator has corrected meanwhile.
            Err(
                error @ PartError::Failed(ApplyError::Db(
                    DbError::Unavailable(_) | DbError::ReadOnly(_),
                )),
            ) => return Err(error),
            Err(error) => {
                session.roll_back().await;
                return Err(error);
            }
        };
        match session.commit().await {
            Ok(()) => failpoint("apply::after_commit").await?,
            Err(DbError::Refused(why)) => return Err(PartError::TransactionAborted(why)),
            Err(
                error @ (DbError::Unavailable(_) | DbError::ReadOnly(_) | DbError::Conflict(_)),
            ) => return Err(error.into()),
        }
        Ok(applied)
    }

    /// Everything of a part but the commit.
    async fn apply_in(
        &self,
        session: &mut dyn TargetSession,
        part: BatchPart<'_>,
        now: DateTime<Utc>,
    ) -> Result<Applied, PartError> {
        let (Some(first), Some(last)) = (part.steps.first(), part.steps.last()) else {
            return Err(DbError::Refused("the batch has no steps".to_owned()).into());
        };
        let before = cursor::read(session, &self.adapter).await?;
        failpoint("apply::after_cursor_read").await?;
        cursor::check(before, part.journal, part.previous, first.position)?;
        let fitted = self.fit(session).await?;
        let cursor = Cursor {
            journal: part.journal,
            position: last.position,
            hash: last.hash,
        };
        cursor::advance(session, &self.adapter, before, cursor, now).await?;
        failpoint("apply::after_cursor_moved").await?;
        let exceptions = match part.given_up {
            Some(why) => exceptions(part.steps, |_| Some(Obstacle::refused(why))).collect(),
            None => write_steps(session, &*fitted.mapping, part.steps, now).await?,
        };
        failpoint("apply::after_rows").await?;
        progress::record(session, &self.adapter, part.journal, &exceptions, now).await?;
        failpoint("apply::before_commit").await?;
        Ok(Applied { cursor, exceptions })
    }
}

/// Writes the steps; returns those that changed nothing.
async fn write_steps(
    session: &mut dyn TargetSession,
    mapping: &dyn Mapping,
    steps: &[Step],
    now: DateTime<Utc>,
) -> Result<Vec<StepException>, PartError> {
    let blocked = |step: &Step| step.blocked.clone().map(Obstacle::moved_on);
    let mut exceptions: Vec<StepException> = exceptions(steps, blocked).collect();
    for group in batch_group::groups(steps) {
        match batch_group::write(session, mapping, group, now).await {
            Ok(found) => exceptions.extend(found),
            Err(GroupError::TransactionAborted(why)) => {
                return Err(PartError::TransactionAborted(why));
            }
            Err(GroupError::Db(error)) => return Err(error.into()),
        }
    }
    exceptions.sort_by_key(|exception| exception.position);
    Ok(exceptions)
}

/// The exceptions of the steps that have an obstacle to their change.
fn exceptions(
    steps: &[Step],
    obstacle: impl Fn(&Step) -> Option<Obstacle>,
) -> impl Iterator<Item = StepException> {
    steps.iter().filter_map(move |step| {
        let (change, obstacle) = (step.change.as_ref()?, obstacle(step)?);
        Some(StepException::new(step.position, change, obstacle))
    })
}
