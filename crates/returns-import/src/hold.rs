//! Holds: when one is tried again by itself, and how one is resolved.

use std::sync::Arc;
use std::time::Duration;

use ach::decision::{Effect, HoldReason};
use chrono::{DateTime, Utc};
use echeck_service::{ErrorChain, failpoint};
use returns_model::dishonor::Marks;
use returns_model::hold::{HoldChange, HoldChangeTo, HoldRecord, HoldState};
use returns_model::journal::Relation;
use returns_store::{Append, AppendCause, Appended, StoreError, Writes};
use tokio_util::sync::CancellationToken;

use super::decide::{DecideError, EntryOutcome, EntryToDecide, PendingDecisions, decide_batch};
use super::worker::Importer;
use crate::source::Source;

mod again;

/// How often an entry without a transfer is looked up again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    pub first: Duration,
    pub longest: Duration,
}

/// When a hold is tried again by itself; `None` when a person is needed. An unknown transfer
/// may still be loaded into the gateway, and the stage before a dishonor or a contest may come in
/// a later file; so these are tried again at growing intervals, for good: a return forgotten is
/// money lost.
pub fn next_attempt(
    policy: &RetryPolicy,
    reason: HoldReason,
    attempts: u32,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    match reason {
        HoldReason::UnknownTransfer
        | HoldReason::DishonoredReturn
        | HoldReason::ContestedReturn => {
            let pause = policy
                .first
                .saturating_mul(1 << attempts.min(20))
                .min(policy.longest);
            chrono::Duration::from_std(pause)
                .ok()
                .and_then(|pause| now.checked_add_signed(pause))
        }
        HoldReason::AmbiguousTransfer
        | HoldReason::AmountDiffers
        | HoldReason::CurrencyDiffers
        | HoldReason::StateConflict
        | HoldReason::WrongDirection
        | HoldReason::SecondReturn
        | HoldReason::RefusedCorrection
        | HoldReason::UnknownCode
        | HoldReason::UnsupportedType
        | HoldReason::DatabaseRefused
        | HoldReason::UnexpectedValidationFailure => None,
    }
}

/// What can go wrong while a hold is tried again.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Decide(#[from] DecideError),
    #[error("source {0:?} of this hold is not configured any more; add [sources.{0}] again")]
    NoSource(String),
    #[error("the journal has no row {0}, which this hold names")]
    NoRow(u64),
    #[error("the gateway has no transfer {0}")]
    NoTransfer(String),
}

/// Who tries a hold again, and how.
pub struct Retry<'a> {
    /// A person's choice of the transfer.
    pub transfer_id: Option<&'a str>,
    /// The person, or the service itself.
    pub by: &'a str,
    pub note: &'a str,
}

/// The name under which the service closes holds by itself.
const SERVICE: &str = "returns-service";

impl Importer {
    /// Tries due holds until `shutdown`, whenever this replica has the lease for it.
    pub async fn run_holds(self: Arc<Self>, shutdown: CancellationToken) {
        while let Some(lease) = self.replica.acquire("holds", &shutdown).await {
            lease.keep(self.try_holds_until(&shutdown)).await;
            lease.release().await;
        }
    }

    async fn try_holds_until(&self, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            let seen = self.changes.version();
            if let Err(error) = self.try_due_holds(shutdown).await {
                tracing::error!(error = %ErrorChain(&error), "due holds cannot be tried");
            }
            self.changes
                .wait(seen, Duration::from_secs(1), shutdown)
                .await;
        }
    }

    async fn try_due_holds(&self, shutdown: &CancellationToken) -> Result<(), HoldError> {
        for hold in self.store.due_holds(self.clock.now(), 500).await? {
            if shutdown.is_cancelled() {
                return Ok(());
            }
            failpoint::hit("hold::before_retry")
                .await
                .map_err(StoreError::from)?;
            let retry = Retry {
                transfer_id: None,
                by: SERVICE,
                note: "what it waited for is there",
            };
            self.retry_hold(&hold, &retry).await?;
        }
        Ok(())
    }

    /// Decides a hold's entry again. Whatever comes of it is in the store afterwards; when
    /// somebody else was faster, what they did is.
    pub async fn retry_hold(&self, hold: &HoldRecord, retry: &Retry<'_>) -> Result<(), HoldError> {
        let source = self
            .sources
            .get(&hold.new.source)
            .ok_or_else(|| HoldError::NoSource(hold.new.source.clone()))?;
        match &hold.new.failed {
            Some((database, position)) if *database != self.system_of_record.database => {
                self.repeat_row(hold, database, *position, retry).await
            }
            Some((_, position)) => {
                let row = self
                    .store
                    .row(*position)
                    .await?
                    .ok_or(HoldError::NoRow(*position))?;
                if row.row.effect == Effect::ReleaseToSettlement {
                    return self.ready_again(hold, &row.row, retry).await;
                }
                let case = EntryToDecide {
                    transfer_id: Some(&row.row.transfer.id),
                    relation: Some(Relation::Supersedes {
                        position: *position,
                    }),
                    return_id: Some(&row.row.return_id),
                    ..case_of(hold, source, retry)
                };
                self.decide_again(hold, case, retry).await
            }
            None => {
                self.decide_again(hold, case_of(hold, source, retry), retry)
                    .await
            }
        }
    }

    async fn decide_again(
        &self,
        hold: &HoldRecord,
        case: EntryToDecide<'_>,
        retry: &Retry<'_>,
    ) -> Result<(), HoldError> {
        let cases = [case];
        loop {
            let now = self.clock.now();
            let mut pending = PendingDecisions::default();
            let decided = decide_batch(
                &*self.store,
                &self.system_of_record,
                &cases,
                &mut pending,
                now,
            )
            .await?;
            let Some(outcome) = decided.outcomes.into_iter().next() else {
                return Ok(());
            };
            let mut mark = decided.marks.into_iter().next();
            if let Some(mark) = mark.as_mut().filter(|mark| mark.return_id.is_none()) {
                mark.hold_id = Some(hold.new.hold_id.clone());
            }
            let dishonor = Marks::again(mark, &hold.new.import_id, hold.new.ordinal);
            let (state, rows) = match outcome {
                EntryOutcome::Act(row) => (HoldState::Resolved, vec![*row]),
                EntryOutcome::Duplicate { .. } => (HoldState::Duplicate, Vec::new()),
                EntryOutcome::Hold {
                    hold: why,
                    transfer_ids,
                } => {
                    if let (Some(id), HoldReason::UnknownTransfer) = (retry.transfer_id, why.reason)
                    {
                        return Err(HoldError::NoTransfer(id.to_owned()));
                    }
                    let next_attempt_at =
                        next_attempt(&self.holds, why.reason, hold.attempts + 1, now);
                    let to = HoldChangeTo::StillOpen {
                        reason: why.reason,
                        detail: why.detail,
                        transfer_ids,
                        next_attempt_at,
                        dishonor,
                        at: now,
                    };
                    return self.change(hold, to).await;
                }
            };
            let append = Append {
                cause: AppendCause::Hold {
                    hold_id: hold.new.hold_id.clone(),
                    state,
                    by: retry.by.to_owned(),
                    note: retry.note.to_owned(),
                },
                seen_position: decided.seen_position,
                writes: Writes {
                    rows,
                    dishonor,
                    ..Writes::default()
                },
                at: now,
            };
            failpoint::hit("hold::before_append")
                .await
                .map_err(StoreError::from)?;
            match self.store.append(append).await? {
                Appended::Stale => {}
                Appended::Done(_) | Appended::Lost => {
                    tracing::info!(
                        hold_id = hold.new.hold_id,
                        by = retry.by,
                        state = state.as_str(),
                        "hold closed"
                    );
                    self.changes.bump();
                    return Ok(());
                }
            }
        }
    }

    /// Closes a hold without effect.
    pub async fn dismiss_hold(
        &self,
        hold: &HoldRecord,
        by: &str,
        note: &str,
    ) -> Result<(), HoldError> {
        let to = HoldChangeTo::Closed {
            state: HoldState::Dismissed,
            by: by.to_owned(),
            note: note.to_owned(),
            at: self.clock.now(),
        };
        self.change(hold, to).await
    }

    async fn change(&self, hold: &HoldRecord, to: HoldChangeTo) -> Result<(), HoldError> {
        let change = HoldChange {
            hold_id: hold.new.hold_id.clone(),
            attempts: hold.attempts,
            to,
        };
        // False means that somebody else was faster; what they did stands.
        if self.store.change_hold(&change).await? {
            self.changes.bump();
        }
        Ok(())
    }
}

fn case_of<'a>(hold: &'a HoldRecord, source: &'a Source, retry: &Retry<'a>) -> EntryToDecide<'a> {
    let by_person = retry.by != SERVICE;
    EntryToDecide {
        import_id: &hold.new.import_id,
        ordinal: hold.new.ordinal,
        transfer_id: retry.transfer_id,
        actor: by_person.then_some(retry.by),
        ..EntryToDecide::of_entry(&hold.new.entry, source)
    }
}
