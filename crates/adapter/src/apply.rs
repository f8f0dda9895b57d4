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
//!
//! A row that another session has locked is not waited for with locks of our own, which would make
//! the owner wait in turn. The steps before it are applied, and the rest is tried again after a
//! pause without a transaction. When the row stays locked, the caller is told, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};

use crate::batch::{RowHash, Step, StepBatch};
use crate::batch_group::{self, GroupError};
use crate::conflict::Patience;
use crate::cursor::{self, Cursor, CursorMismatch};
use crate::dialect::{Access, DbError, TargetDatabase, TargetSession, failpoint};
use crate::fit::{FitError, LastFit, SchemaAge};
use crate::identity::{self, IdentityMismatch, TargetIdentity};
use crate::locked;
use crate::mapping::{Mapping, MappingConfig, Obstacle};
use crate::progress::{self, StepException};

/// A target database with the mapping that is configured for it.
#[derive(Clone)]
pub struct Target {
    /// The database.
    pub database: Arc<dyn TargetDatabase>,
    /// The mapping.
    pub mapping: Arc<dyn MappingConfig>,
    /// The adapter's name: its row in `echeck_cursor`.
    pub adapter: String,
    /// Whether another session was in the way lately.
    contended: Arc<AtomicBool>,
    pub(crate) last_fit: Arc<LastFit>,
}

/// What a batch did.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The cursor after it.
    pub cursor: Cursor,
    /// The steps that changed nothing.
    pub exceptions: Vec<StepException>,
}

impl Applied {
    /// What two parts did, the second right after the first.
    fn joined(first: Option<Self>, mut second: Self) -> Self {
        if let Some(mut first) = first {
            first.exceptions.append(&mut second.exceptions);
            second.exceptions = first.exceptions;
        }
        second
    }
}

/// Why a batch was not applied to its end. The cursor says how far it was applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It does not continue where the target is.
    #[error(transparent)]
    Mismatch(#[from] CursorMismatch),
    /// It is for another database.
    #[error(transparent)]
    Identity(#[from] IdentityMismatch),
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
    identity: &'a TargetIdentity,
    previous: Option<RowHash>,
    steps: &'a [Step],
    /// Set for a lone step that aborts its transaction: why. It becomes an exception.
    given_up: Option<&'a str>,
}

impl BatchPart<'_> {
    /// The steps before `at`, and the rest; `None` when there are none before.
    fn cut(self, at: usize) -> Option<(Self, Self)> {
        let (first, second) = self.steps.split_at(at);
        let previous = Some(first.last()?.hash);
        let part = |steps, previous| Self {
            steps,
            previous,
            ..self
        };
        Some((part(first, self.previous), part(second, previous)))
    }

    /// The two halves, the second one first; `None` for a lone step.
    fn halves(self) -> Option<[Self; 2]> {
        let (first, second) = self.cut(self.steps.len() / 2)?;
        Some([second, first])
    }
}

/// The first row of a part is locked by another session: the sentence that says which.
struct LockedFirst(String);

/// Why a part was not applied.
enum PartError {
    /// One of its steps aborted the transaction, which cannot be undone alone.
    TransactionAborted(String),
    /// Not all of it was written, by a schema that may have changed since it was read.
    SchemaMayHaveChanged,
    Failed(ApplyError),
}

impl<E: Into<ApplyError>> From<E> for PartError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Target {
    /// A target in which nobody is known to be in the way.
    pub fn new(
        database: Arc<dyn TargetDatabase>,
        mapping: Arc<dyn MappingConfig>,
        adapter: String,
    ) -> Self {
        Self {
            database,
            mapping,
            adapter,
            contended: Arc::default(),
            last_fit: Arc::default(),
        }
    }

    /// Applies a batch. What cannot be applied whole is cut, and each piece is a transaction with
    /// its own move of the cursor.
    pub async fn apply(
        &self,
        batch: &StepBatch,
        now: DateTime<Utc>,
    ) -> Result<Applied, ApplyError> {
        let mut todo = vec![BatchPart {
            identity: &batch.identity,
            previous: batch.previous,
            steps: &batch.steps,
            given_up: None,
        }];
        let mut done: Option<Applied> = None;
        let mut patience = Patience::new();
        let mut conflicts = 0_u32;
        while let Some(part) = todo.pop() {
            let looked_first = self.contended.load(Ordering::Relaxed);
            let part = match self.free_part(part, looked_first, &mut todo).await? {
                Ok(part) => part,
                Err(LockedFirst(message)) => {
                    conflicts += 1;
                    todo.push(part);
                    patience.wait(message).await?;
                    continue;
                }
            };
            match self.apply_or_give_up(part, now).await {
                Ok(applied) => {
                    patience = Patience::new();
                    done = Some(Applied::joined(done, applied));
                }
                Err(PartError::TransactionAborted(why)) => {
                    todo.extend(part.halves().ok_or(DbError::Refused(why))?);
                }
                Err(PartError::SchemaMayHaveChanged) => todo.push(part),
                Err(PartError::Failed(ApplyError::Db(DbError::Conflict(message)))) => {
                    conflicts += 1;
                    self.contended.store(true, Ordering::Relaxed);
                    match part.halves() {
                        // Next time it looks for locked rows first.
                        Some(_) if !looked_first => todo.push(part),
                        // The lock is not on the rows that it looked at.
                        Some(halves) => todo.extend(halves),
                        None => {
                            todo.push(part);
                            patience.wait(message).await?;
                        }
                    }
                }
                Err(PartError::Failed(error)) => return Err(error),
            }
        }
        if conflicts == 0 {
            self.contended.store(false, Ordering::Relaxed);
        }
        done.ok_or_else(|| DbError::Refused("the batch has no steps".to_owned()).into())
    }

    /// The steps of a part before the first whose row is locked by another session; the rest goes
    /// to `todo`. It is only looked for after a conflict.
    async fn free_part<'a>(
        &self,
        part: BatchPart<'a>,
        look: bool,
        todo: &mut Vec<BatchPart<'a>>,
    ) -> Result<Result<BatchPart<'a>, LockedFirst>, ApplyError> {
        if !look {
            return Ok(Ok(part));
        }
        let mut session = self.database.begin(Access::Write).await?;
        let locked = match self.fit(&mut *session, SchemaAge::Recent).await {
            Ok((fitted, _)) => {
                let table = &self.mapping.settings().table;
                let mapping = &*fitted.mapping;
                locked::first(&mut *session, table, mapping, part.steps).await
            }
            Err(error) => return Err(error.into()),
        };
        session.roll_back().await;
        Ok(match locked? {
            None => Ok(part),
            Some((at, id)) => match part.cut(at) {
                Some((free, rest)) => {
                    todo.push(rest);
                    Ok(free)
                }
                None => Err(LockedFirst(format!(
                    "the row of transfer {id} is locked by another session"
                ))),
            },
        })
    }

    /// Applies a part. A lone step that aborts its transaction becomes an exception.
    async fn apply_or_give_up(
        &self,
        part: BatchPart<'_>,
        now: DateTime<Utc>,
    ) -> Result<Applied, PartError> {
        let why = match self.apply_once(part, now).await {
            Err(PartError::TransactionAborted(why)) if part.steps.len() == 1 => why,
            outcome => return outcome,
        };
        let given_up = Some(why.as_str());
        match self.apply_once(BatchPart { given_up, ..part }, now).await {
            Err(PartError::TransactionAborted(why)) => Err(DbError::Refused(why).into()),
            outcome => outcome,
        }
    }

    /// Applies a part in one transaction. What the database refuses by a remembered schema is
    /// tried by the live one.
    async fn apply_once(
        &self,
        part: BatchPart<'_>,
        now: DateTime<Utc>,
    ) -> Result<Applied, PartError> {
        match self.transact(part, SchemaAge::Recent, now).await {
            Err(PartError::SchemaMayHaveChanged) => self.transact(part, SchemaAge::Live, now).await,
            outcome => outcome,
        }
        .inspect_err(|_| self.forget_schema())
    }

    async fn transact(
        &self,
        part: BatchPart<'_>,
        schema_age: SchemaAge,
        now: DateTime<Utc>,
    ) -> Result<Applied, PartError> {
        failpoint("apply::before_begin").await?;
        let mut session = self.database.begin(Access::Write).await?;
        let applied = match self.apply_in(&mut *session, part, schema_age, now).await {
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
        schema_age: SchemaAge,
        now: DateTime<Utc>,
    ) -> Result<Applied, PartError> {
        let (Some(first), Some(last)) = (part.steps.first(), part.steps.last()) else {
            return Err(DbError::Refused("the batch has no steps".to_owned()).into());
        };
        let before = cursor::read(session, &self.adapter).await?;
        failpoint("apply::after_cursor_read").await?;
        let journal = part.identity.journal;
        cursor::check(before, journal, part.previous, first.position)?;
        identity::check(session, &self.adapter, part.identity).await??;
        let (fitted, schema_age) = self.fit(session, schema_age).await?;
        let cursor = Cursor {
            journal,
            position: last.position,
            hash: last.hash,
        };
        cursor::advance(session, &self.adapter, before, cursor, now).await?;
        failpoint("apply::after_cursor_moved").await?;
        let exceptions = match part.given_up {
            Some(why) => exceptions(part.steps, |_| Some(Obstacle::refused(why))).collect(),
            None => {
                let written = write_steps(session, &*fitted.mapping, part.steps, now).await;
                let is_whole = matches!(&written, Ok(exceptions) if exceptions.is_empty());
                if schema_age == SchemaAge::Recent && !is_whole {
                    return Err(written
                        .err()
                        .map_or(PartError::SchemaMayHaveChanged, doubted));
                }
                written?
            }
        };
        failpoint("apply::after_rows").await?;
        progress::record(session, &self.adapter, journal, &exceptions, now).await?;
        failpoint("apply::before_commit").await?;
        Ok(Applied { cursor, exceptions })
    }
}

/// An error of a write by a remembered schema.
fn doubted(error: PartError) -> PartError {
    match error {
        PartError::TransactionAborted(_)
        | PartError::SchemaMayHaveChanged
        | PartError::Failed(ApplyError::Db(DbError::Refused(_))) => PartError::SchemaMayHaveChanged,
        PartError::Failed(_) => error,
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
    for group in batch_group::groups(mapping.key(), steps, session.statement_bytes()) {
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
