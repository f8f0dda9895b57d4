//! The feeds: each database's adapter is given the journal from where its own cursor stands.
//! The system of record goes first; a mirror is fed only up to what the system of record has
//! passed, and what did not take effect there reaches it as an empty step.

mod exception;
mod step;

pub(crate) use step::timestamp;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_proto::adapter::v1 as proto;
use echeck_service::clock::SharedClock;
use tokio_util::sync::CancellationToken;

use crate::adapter::{Adapter, AdapterError};
use crate::chain::Chain;
use crate::changes::Changes;
use crate::journal::{Hash, Head};
use crate::store::{ExceptionKind, JournalRow, RowException, Store, StoreError};

/// What a database is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It knows the truth about transfers and goes first.
    SystemOfRecord,
    /// It repeats what the system of record has.
    Mirror,
}

/// Why a feed does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    #[error(transparent)]
    Decide(#[from] crate::decide::DecideError),
    #[error(
        "{database} follows another journal: its cursor names {theirs}, ours is {ours}. Point the \
         adapter at the right database, or the service at the right journal"
    )]
    OtherJournal {
        database: String,
        theirs: String,
        ours: String,
    },
    #[error(
        "{database} is ahead of the journal: its cursor is at {theirs}, the journal ends at {ours}. \
         The returns database was restored to an older state; nothing is fed until a person decides"
    )]
    Ahead {
        database: String,
        theirs: u64,
        ours: u64,
    },
    #[error(
        "{database} and the journal have different pasts at position {position}: its cursor has \
         hash {theirs}, the journal {ours}. The returns database was restored or changed; nothing \
         is fed until a person decides"
    )]
    Diverged {
        database: String,
        position: u64,
        theirs: String,
        ours: String,
    },
    #[error("the journal has no row {0}")]
    NoRow(u64),
    #[error("the adapter of {database} sent what the contract does not allow: {what}")]
    Contract { database: String, what: String },
    #[error("source {0:?} of a journal row is not configured any more; add [sources.{0}] again")]
    NoSource(String),
}

/// Why a feed stands still, and since when.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) what: String,
    pub(crate) since: DateTime<Utc>,
}

/// The feed of one database.
pub(crate) struct Feed {
    pub(crate) adapter: Adapter,
    pub(crate) role: Role,
    pub(crate) store: Arc<dyn Store>,
    /// The name of the system of record, for a mirror.
    pub(crate) system_of_record: String,
    /// The names of all databases; an import is applied once all have passed it.
    pub(crate) databases: Vec<String>,
    pub(crate) batch_size: u32,
    pub(crate) clock: SharedClock,
    pub(crate) changes: Changes,
    pub(crate) importer: Arc<crate::import::Importer>,
    pub(crate) fault: Mutex<Option<Fault>>,
}

/// Where a feed stands: what the target's cursor says.
struct Cursor {
    position: u64,
    hash: Hash,
}

impl Feed {
    pub(crate) fn database(&self) -> &str {
        &self.adapter.database
    }

    /// Why the feed stands still just now.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_fault(&self, what: Option<String>) {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let since = fault
            .as_ref()
            .map_or_else(|| self.clock.now(), |old| old.since);
        *fault = what.map(|what| Fault { what, since });
    }

    /// Checks that the target's cursor stands on a row of our journal. Changes nothing.
    pub(crate) async fn check_cursor(&self) -> Result<(), FeedError> {
        let mut answer = self.adapter.progress(u64::MAX).await?;
        let head = self.store.head().await?;
        self.checked_cursor(answer.cursor.take(), &head)
            .await
            .map(drop)
    }

    /// Feeds until `shutdown`. After any error the target's own cursor is read again; nothing
    /// is ever retried blindly.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut pause = Duration::from_millis(200);
        while !shutdown.is_cancelled() {
            let fed = self.feed(&shutdown, &mut pause).await;
            let Err(error) = fed else { return };
            let what = Chain(&error).to_string();
            tracing::error!(
                database = self.database(),
                error = what,
                "the feed stands still; it is tried again"
            );
            self.set_fault(Some(what));
            self.changes.bump();
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Reads the cursor once, then feeds batch after batch.
    async fn feed(
        &self,
        shutdown: &CancellationToken,
        pause: &mut Duration,
    ) -> Result<(), FeedError> {
        let mut cursor = self.catch_up_with_target().await?;
        while !shutdown.is_cancelled() {
            let seen = self.changes.version();
            self.handle_exceptions().await?;
            let moved = self.feed_batch(&mut cursor).await?;
            if self.fault().is_some() {
                tracing::info!(
                    database = self.database(),
                    position = cursor.position,
                    "the feed goes on"
                );
                self.set_fault(None);
            }
            *pause = Duration::from_millis(200);
            self.finish_imports().await?;
            if moved {
                self.changes.bump();
            } else {
                self.changes
                    .wait(seen, Duration::from_secs(1), shutdown)
                    .await;
            }
        }
        Ok(())
    }

    /// Reads the target's cursor, checks that it is of our journal, and records what we had
    /// not heard: the answer to a lost reply, or that the target was restored to an older
    /// state and is to be fed again from there.
    async fn catch_up_with_target(&self) -> Result<Cursor, FeedError> {
        let head = self.store.head().await?;
        let recorded = self.store.progress(self.database()).await?.position;
        let mut answer = self.adapter.progress(recorded).await?;
        let cursor = self.checked_cursor(answer.cursor.take(), &head).await?;
        if cursor.position < recorded {
            tracing::warn!(
                database = self.database(),
                recorded,
                position = cursor.position,
                "the database is behind what it once had: it was restored, and is fed again from there"
            );
        }
        let mut exceptions = self.row_exceptions(&answer.exceptions)?;
        while answer.has_more {
            let last = exceptions
                .last()
                .map_or(recorded, |exception| exception.position);
            answer = self.adapter.progress(last).await?;
            exceptions.extend(self.row_exceptions(&answer.exceptions)?);
        }
        let from = recorded.min(cursor.position);
        self.store
            .record_progress(
                self.database(),
                from,
                cursor.position,
                &exceptions,
                self.clock.now(),
            )
            .await?;
        Ok(cursor)
    }

    async fn checked_cursor(
        &self,
        cursor: Option<proto::Cursor>,
        head: &Head,
    ) -> Result<Cursor, FeedError> {
        let Some(cursor) = cursor else {
            return Ok(Cursor {
                position: 0,
                hash: Hash::default(),
            });
        };
        let database = self.database().to_owned();
        let ours = head.journal_id.to_string();
        if cursor.journal_id != ours {
            return Err(FeedError::OtherJournal {
                database,
                theirs: cursor.journal_id,
                ours,
            });
        }
        if cursor.position > head.position {
            return Err(FeedError::Ahead {
                database,
                theirs: cursor.position,
                ours: head.position,
            });
        }
        let hash = Hash::from_bytes(cursor.hash);
        let ours = match cursor.position {
            0 => Hash::default(),
            position => {
                self.store
                    .row(position)
                    .await?
                    .ok_or(FeedError::NoRow(position))?
                    .hash
            }
        };
        if hash != ours {
            return Err(FeedError::Diverged {
                database,
                position: cursor.position,
                theirs: hash.to_string(),
                ours: ours.to_string(),
            });
        }
        Ok(Cursor {
            position: cursor.position,
            hash,
        })
    }

    /// Feeds the next rows; false when there are none to feed.
    async fn feed_batch(&self, cursor: &mut Cursor) -> Result<bool, FeedError> {
        let rows = self.rows_to_feed(cursor.position).await?;
        let Some(last) = rows.last() else {
            return Ok(false);
        };
        let (first_position, last_position) = (cursor.position + 1, last.position);
        let dead = self.without_effect(cursor.position, last_position).await?;
        let steps = rows
            .iter()
            .map(|row| step::step(row, self.database(), &dead))
            .collect();
        let head = self.store.head().await?;
        let answer = self
            .adapter
            .apply(proto::ApplyUpdatesRequest {
                journal_id: head.journal_id.to_string(),
                previous_hash: cursor.hash.as_bytes().to_vec(),
                steps,
            })
            .await?;
        let moved = answer.cursor.as_ref().is_some_and(|moved| {
            moved.position == last_position && moved.hash == last.hash.as_bytes()
        });
        if !moved {
            return Err(FeedError::Contract {
                database: self.database().to_owned(),
                what: format!("its cursor is not at {last_position} after a batch up to there"),
            });
        }
        let exceptions = self.row_exceptions(&answer.exceptions)?;
        let before = cursor.position;
        self.store
            .record_progress(
                self.database(),
                before,
                last_position,
                &exceptions,
                self.clock.now(),
            )
            .await?;
        *cursor = Cursor {
            position: last_position,
            hash: last.hash.clone(),
        };
        tracing::info!(
            database = self.database(),
            first_position,
            last_position,
            exceptions = exceptions.len(),
            "journal rows applied"
        );
        Ok(true)
    }

    async fn rows_to_feed(&self, after: u64) -> Result<Vec<JournalRow>, StoreError> {
        let mut rows = self.store.rows_after(after, self.batch_size).await?;
        if self.role == Role::Mirror {
            let limit = self.store.progress(&self.system_of_record).await?.position;
            rows.retain(|row| row.position <= limit);
        }
        Ok(rows)
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

    fn row_exceptions(
        &self,
        sent: &[proto::StepException],
    ) -> Result<Vec<RowException>, FeedError> {
        sent.iter()
            .map(|exception| {
                let kind = match exception.kind() {
                    proto::StepExceptionKind::MovedOn => ExceptionKind::MovedOn,
                    proto::StepExceptionKind::NotFound => ExceptionKind::NotFound,
                    proto::StepExceptionKind::Refused => ExceptionKind::Refused,
                    proto::StepExceptionKind::Unspecified => {
                        return Err(FeedError::Contract {
                            database: self.database().to_owned(),
                            what: format!("an exception of no kind at {}", exception.position),
                        });
                    }
                };
                Ok(RowException {
                    position: exception.position,
                    kind,
                    message: exception.message.clone(),
                })
            })
            .collect()
    }

    async fn finish_imports(&self) -> Result<(), StoreError> {
        let finished = self
            .store
            .finish_imports(&self.databases, self.clock.now())
            .await?;
        for import_id in &finished {
            tracing::info!(import_id, "every database has what was decided");
        }
        if !finished.is_empty() {
            self.changes.bump();
        }
        Ok(())
    }
}
