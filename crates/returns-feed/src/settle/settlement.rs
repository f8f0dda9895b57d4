//! Releases transfers to settlement: the worker, and the way for a person.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_service::clock::SharedClock;
use returns_model::follower::{ExceptionKind, RowException};
use returns_model::ids;
use returns_model::journal::{Row, RowEffect};
use returns_model::settlement::{MadeTransfer, release_row};
use returns_store::{
    Append, AppendCause, Appended, Job, Lease, Notifier, Pass, Store, StoreError, Topic, Writes,
    failpoint,
};
use tokio_util::sync::CancellationToken;

use super::policy::ReadyPolicy;

/// The maximum number of transfers that one append releases.
const BATCH: u32 = 500;

/// Why a person cannot release a transfer.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the journal made no transfer {0:?}")]
    NotMade(String),
    #[error(
        "transfer {transfer_id} is not in {database} yet: it is made by journal row {position}, \
         and {database} is at {at}"
    )]
    NotApplied {
        transfer_id: String,
        database: String,
        position: u64,
        at: u64,
    },
    #[error(
        "{database} did not take journal row {position}, which makes transfer {transfer_id} ({why})"
    )]
    WithoutEffect {
        transfer_id: String,
        database: String,
        position: u64,
        why: &'static str,
    },
    #[error(
        "transfer {transfer_id} is not ready: {database} did not take journal row {position} \
         ({why}). Mend it there, then retry hold {hold_id}"
    )]
    NotTaken {
        transfer_id: String,
        database: String,
        position: u64,
        why: String,
        hold_id: String,
    },
}

/// Releases transfers to settlement.
pub struct SettlementRelease {
    pub store: Arc<dyn Store>,
    /// Every database; each must have passed the row that made a transfer.
    pub databases: Vec<String>,
    pub system_of_record: String,
    pub policy: ReadyPolicy,
    pub clock: SharedClock,
    pub notifier: Notifier,
}

impl SettlementRelease {
    /// Releases a batch of ripe transfers; false when there was none.
    async fn settle_ripe(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let Some(before) = self.policy.ripe_before(now) else {
            return Ok(false);
        };
        // What is appended meanwhile does not matter: no transfer's state is decided on here.
        let seen_position = self.store.head().await?.position;
        let mut up_to = seen_position;
        for database in &self.databases {
            up_to = up_to.min(self.store.progress(database).await?.position);
        }
        let made = self
            .store
            .not_ready(&self.system_of_record, up_to, before, BATCH)
            .await?;
        if made.is_empty() {
            return Ok(false);
        }
        failpoint("settle::before_append").await?;
        self.append(&made, seen_position, now, None).await?;
        failpoint("settle::after_append").await?;
        Ok(true)
    }

    async fn append(
        &self,
        made: &[MadeTransfer],
        seen_position: u64,
        now: DateTime<Utc>,
        actor: Option<&str>,
    ) -> Result<Appended, StoreError> {
        let positions: Vec<u64> = made.iter().map(|one| one.position).collect();
        let rows: Vec<Row> = self
            .store
            .rows_at(&positions)
            .await?
            .iter()
            .filter_map(|row| release_row(row, now, now, actor))
            .collect();
        let append = Append {
            cause: AppendCause::Ready {
                transfer_ids: made.iter().map(|one| one.transfer_id.clone()).collect(),
            },
            seen_position,
            writes: Writes {
                rows,
                ..Writes::default()
            },
            at: now,
        };
        let appended = self.store.append(append).await?;
        if matches!(appended, Appended::Done(_)) {
            let transfers = made.len();
            tracing::info!(transfers, "transfers were released to settlement");
            self.notifier.journal_appended();
        }
        Ok(appended)
    }

    /// Releases a transfer because a person asks for it. One that is released already stays as it
    /// is. Returns since when it is released.
    pub async fn release(
        &self,
        transfer_id: &str,
        actor: &str,
    ) -> Result<DateTime<Utc>, ReleaseError> {
        loop {
            let made = self.store.made_transfer(transfer_id).await?;
            let made = made.ok_or_else(|| ReleaseError::NotMade(transfer_id.to_owned()))?;
            if let Some(ready_at) = made.ready_at {
                return self.ready_since(&made, ready_at).await;
            }
            self.check_effect(&made).await?;
            let seen_position = self.store.head().await?.position;
            let now = self.clock.now();
            // After a lost race the next look finds it ready.
            self.append(&[made], seen_position, now, Some(actor))
                .await?;
        }
    }

    /// Since when a transfer is released, unless the system of record did not take the release.
    async fn ready_since(
        &self,
        made: &MadeTransfer,
        ready_at: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, ReleaseError> {
        let Some(row) = self.store.last_ready_row(made.position).await? else {
            return Ok(ready_at);
        };
        let since = match row.row.effect {
            RowEffect::ReleaseToSettlement {
                ready_to_settle_at, ..
            } => ready_to_settle_at,
            RowEffect::Fail { .. }
            | RowEffect::Return { .. }
            | RowEffect::Reverse { .. }
            | RowEffect::Correct {}
            | RowEffect::Restore { .. }
            | RowEffect::Reapply { .. } => ready_at,
        };
        let database = &self.system_of_record;
        match self.exception_at(row.position).await? {
            None => Ok(since),
            Some(exception) => match exception.kind {
                // Its owner had made it ready before.
                ExceptionKind::MovedOn => Ok(since),
                ExceptionKind::NotFound | ExceptionKind::Refused => Err(ReleaseError::NotTaken {
                    transfer_id: made.transfer_id.clone(),
                    database: database.clone(),
                    position: row.position,
                    why: exception.message,
                    hold_id: ids::exception_hold_id(database, row.position),
                }),
            },
        }
    }

    /// Why a row did not take effect in the system of record, if it did not.
    async fn exception_at(&self, position: u64) -> Result<Option<RowException>, StoreError> {
        let (database, before) = (&self.system_of_record, position.saturating_sub(1));
        let exceptions = self.store.exceptions(database, before, position).await?;
        Ok(exceptions.into_iter().next())
    }

    /// Whether the system of record has the transfer.
    async fn check_effect(&self, made: &MadeTransfer) -> Result<(), ReleaseError> {
        let database = &self.system_of_record;
        let at = self.store.progress(database).await?.position;
        if at < made.position {
            return Err(ReleaseError::NotApplied {
                transfer_id: made.transfer_id.clone(),
                database: database.clone(),
                position: made.position,
                at,
            });
        }
        match self.exception_at(made.position).await? {
            None => Ok(()),
            Some(exception) => Err(ReleaseError::WithoutEffect {
                transfer_id: made.transfer_id.clone(),
                database: database.clone(),
                position: made.position,
                why: exception.kind.as_str(),
            }),
        }
    }
}

/// The worker that releases ripe transfers.
pub struct SettlementJob(pub Arc<SettlementRelease>);

impl Job for SettlementJob {
    type Error = StoreError;

    fn lease(&self) -> String {
        "settle".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[Topic::Database]
    }

    async fn pass(
        &mut self,
        _lease: &Lease,
        _stop: &CancellationToken,
    ) -> Result<Pass, StoreError> {
        Ok(match self.0.settle_ripe().await? {
            true => Pass::More,
            false => Pass::Idle(Duration::from_secs(1)),
        })
    }
}
