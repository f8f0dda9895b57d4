//! Applies a batch: rows, exceptions and cursor in one transaction of the target.
//!
//! The cursor moves first, by compare-and-set: its row is the lock that keeps the adapter's
//! other copy from applying the same steps at the same time. Then the changes follow in
//! waves of a few statements each (see [`crate::wave`]).
//!
//! There are two refusals that cannot be undone alone: a trigger that throws the whole transaction away
//! (`RAISE(ROLLBACK)`), and a constraint that is only checked at commit. Then nothing of the
//! batch has happened, and it is applied in halves, each a transaction with its own move of
//! the cursor, until the step is found that is to blame.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_service::failpoint;
use echeck_service::planted::{self, Bug};
use tracing::warn;
use uuid::Uuid;

use crate::batch::{Batch, Hash, Step};
use crate::check::OWN_TABLES;
use crate::cursor::{self, Cursor, Mismatch};
use crate::dialect::{Access, Database, DbError, Dialect, Session};
use crate::identifier::Identifier;
use crate::mapping::{ExceptionKind, Fitted, Mapping, Plan};
use crate::progress::{self, StepException};
use crate::wave::{WaveError, take, waves, withheld};

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
    pub database: Arc<dyn Database>,
    /// The mapping.
    pub plan: Arc<dyn Plan>,
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

/// Why a batch was not applied. Unless it says otherwise, nothing of it has happened.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It does not continue where the target is.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The mapping does not fit the live schema (any more).
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The database did not answer. After a failed commit it is unknown what has happened;
    /// the cursor tells.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Why a mapping could not be used on the target.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// It does not fit the live schema; every fault.
    #[error("the mapping does not fit the target: {}", .0.join("; "))]
    Misfit(Vec<String>),
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Steps of a batch that share a transaction.
#[derive(Clone, Copy)]
struct Part<'a> {
    journal: Uuid,
    previous: Option<Hash>,
    steps: &'a [Step],
    /// Set for a lone step that was found to spoil its transaction: why.
    given_up: Option<&'a str>,
    /// Only ever set by a planted bug: whether it continues where the target is is not asked.
    unchecked: bool,
}

impl Part<'_> {
    /// The cursor after a step.
    fn cursor(&self, step: &Step) -> Cursor {
        Cursor {
            journal: self.journal,
            position: step.position,
            hash: step.hash,
        }
    }
}

/// Why a part was not applied.
enum PartError {
    /// One of its steps spoiled the transaction in a way that cannot be undone alone.
    Spoiled(String),
    Failed(ApplyError),
}

impl<E: Into<ApplyError>> From<E> for PartError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Target {
    /// Compares the mapping with the live schema.
    ///
    /// # Errors
    /// See [`FitError`].
    pub async fn fit(&self, session: &mut dyn Session) -> Result<Fitted, FitError> {
        let table: &Identifier = self.plan.table();
        match session.describe(table).await? {
            Some(schema) => self.plan.fit(&schema).map_err(FitError::Misfit),
            None => {
                // Ours are of no help to whoever looks for the right one.
                let mut names = session.table_names().await?;
                names.retain(|name| !OWN_TABLES.contains(&name.as_str()));
                let names = names.join(", ");
                // There a table is hidden from an account that has no right to it.
                let seen = match self.database.dialect() {
                    Dialect::Mysql => " that this account has a right to",
                    Dialect::Postgres | Dialect::Sqlite => "",
                };
                Err(FitError::Misfit(vec![format!(
                    "the target has no table {:?}{seen}; it has: {names}",
                    table.as_str()
                )]))
            }
        }
    }

    /// Applies a batch.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub async fn apply(&self, batch: &Batch, now: DateTime<Utc>) -> Result<Applied, ApplyError> {
        let mut exceptions = Vec::new();
        let whole = Part {
            journal: batch.journal,
            previous: batch.previous,
            steps: &batch.steps,
            given_up: None,
            unchecked: planted::has(Bug::GapSkipped),
        };
        let mut cursor = None;
        let mut todo = vec![whole];
        while let Some(part) = todo.pop() {
            let spoiled = match self.apply_unhindered(part, now).await {
                Ok(applied) => {
                    cursor = Some(applied.cursor);
                    exceptions.extend(applied.exceptions);
                    continue;
                }
                Err(PartError::Failed(error)) => return Err(error),
                Err(PartError::Spoiled(why)) => why,
            };
            match halves(part) {
                Some((first, second)) => todo.extend([second, first]),
                None => {
                    let alone = Part {
                        given_up: Some(&spoiled),
                        ..part
                    };
                    match self.apply_unhindered(alone, now).await {
                        Ok(applied) => {
                            cursor = Some(applied.cursor);
                            exceptions.extend(applied.exceptions);
                        }
                        Err(PartError::Failed(error)) => return Err(error),
                        Err(PartError::Spoiled(why)) => {
                            return Err(DbError::Refused(why).into());
                        }
                    }
                }
            }
        }
        match cursor {
            Some(cursor) => Ok(Applied { cursor, exceptions }),
            // A batch is never empty, so there was a part.
            None => Err(DbError::Refused("the batch has no steps".to_owned()).into()),
        }
    }

    /// Applies a part, again from the cursor after each conflict with somebody else's
    /// transaction. Of a transaction in conflict nothing has happened.
    async fn apply_unhindered(
        &self,
        part: Part<'_>,
        now: DateTime<Utc>,
    ) -> Result<Applied, PartError> {
        let mut pauses = CONFLICT_PAUSES.iter();
        loop {
            let applied = self.apply_part(part, now).await;
            let Err(PartError::Failed(ApplyError::Db(DbError::Conflict(what)))) = &applied else {
                return applied;
            };
            let Some(pause) = pauses.next() else {
                return applied;
            };
            warn!(
                what,
                "another transaction was in the way; the batch begins again"
            );
            tokio::time::sleep(*pause).await;
        }
    }

    async fn apply_part(&self, part: Part<'_>, now: DateTime<Utc>) -> Result<Applied, PartError> {
        trip("apply::before_begin").await?;
        let mut session = self.database.begin(Access::Write).await?;
        match self.apply_in(&mut *session, part, now).await {
            Ok(applied) => match session.commit().await {
                Ok(()) => {
                    trip("apply::after_commit").await?;
                    if planted::has(Bug::CursorInSecondTransaction) {
                        self.move_cursor_alone(part, now).await?;
                    }
                    Ok(applied)
                }
                Err(DbError::Refused(why)) => Err(PartError::Spoiled(why)),
                Err(DbError::Unavailable(_)) if planted::has(Bug::CommitRetriedBlindly) => {
                    let again = Part {
                        unchecked: true,
                        ..part
                    };
                    let mut session = self.database.begin(Access::Write).await?;
                    let applied = self.apply_in(&mut *session, again, now).await?;
                    session.commit().await?;
                    Ok(applied)
                }
                Err(
                    error @ (DbError::Unavailable(_) | DbError::ReadOnly(_) | DbError::Conflict(_)),
                ) => Err(error.into()),
            },
            // After an outage the connection is of no more use: it may be broken, or keep a
            // setting (read-only, say) that an operator has mended meanwhile.
            Err(
                error @ PartError::Failed(ApplyError::Db(
                    DbError::Unavailable(_) | DbError::ReadOnly(_),
                )),
            ) => {
                drop(session);
                Err(error)
            }
            Err(error) => {
                session.roll_back().await;
                Err(error)
            }
        }
    }

    /// The planted bug: the cursor follows in a transaction of its own.
    async fn move_cursor_alone(&self, part: Part<'_>, now: DateTime<Utc>) -> Result<(), PartError> {
        let mut session = self.database.begin(Access::Write).await?;
        let before = cursor::read(&mut *session, &self.adapter).await?;
        if let Some(last) = part.steps.last() {
            cursor::advance(&mut *session, &self.adapter, before, part.cursor(last), now).await?;
        }
        Ok(session.commit().await?)
    }

    /// Everything of a part but the commit.
    async fn apply_in(
        &self,
        session: &mut dyn Session,
        part: Part<'_>,
        now: DateTime<Utc>,
    ) -> Result<Applied, PartError> {
        let (Some(first), Some(last)) = (part.steps.first(), part.steps.last()) else {
            return Err(DbError::Refused("the batch has no steps".to_owned()).into());
        };
        let before = cursor::read(session, &self.adapter).await?;
        trip("apply::after_cursor_read").await?;
        if !part.unchecked {
            cursor::check(before, part.journal, part.previous, first.position)?;
        }
        let fitted = self.fit(session).await?;
        let after = part.cursor(last);
        if !planted::has(Bug::CursorInSecondTransaction) {
            cursor::advance(session, &self.adapter, before, after, now).await?;
        }
        trip("apply::after_cursor_moved").await?;
        let exceptions = match part.given_up {
            Some(why) => given_up(part.steps, why),
            None => take_steps(session, &*fitted.mapping, part.steps).await?,
        };
        trip("apply::after_rows").await?;
        progress::record(session, &self.adapter, part.journal, &exceptions, now).await?;
        trip("apply::before_commit").await?;
        Ok(Applied {
            cursor: after,
            exceptions,
        })
    }
}

/// A point at which the crash campaign makes a batch fail.
async fn trip(point: &'static str) -> Result<(), DbError> {
    Ok(failpoint::hit(point).await?)
}

async fn take_steps(
    session: &mut dyn Session,
    mapping: &dyn Mapping,
    steps: &[Step],
) -> Result<Vec<StepException>, PartError> {
    let mut exceptions: Vec<_> = withheld(steps).collect();
    for wave in waves(steps) {
        match take(session, mapping, wave).await {
            Ok(found) => exceptions.extend(found),
            Err(WaveError::Spoiled(why)) => return Err(PartError::Spoiled(why)),
            Err(WaveError::Db(error)) => return Err(error.into()),
        }
    }
    exceptions.sort_by_key(|exception| exception.position);
    Ok(exceptions)
}

/// The exception of a lone step that nothing else can be done about.
fn given_up(steps: &[Step], why: &str) -> Vec<StepException> {
    let changes = steps
        .iter()
        .filter_map(|step| Some((step.position, step.change.as_ref()?)));
    changes
        .map(|(position, change)| StepException {
            position,
            kind: ExceptionKind::Refused,
            message: why.to_owned(),
            transfer_id: change.transfer_id().to_owned(),
        })
        .collect()
}

/// A part cut in two; `None` for a lone step.
fn halves(part: Part<'_>) -> Option<(Part<'_>, Part<'_>)> {
    let (first, second) = part.steps.split_at(part.steps.len() / 2);
    let previous = Some(first.last()?.hash);
    Some((
        Part {
            steps: first,
            ..part
        },
        Part {
            steps: second,
            previous,
            ..part
        },
    ))
}
