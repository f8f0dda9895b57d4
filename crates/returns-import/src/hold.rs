//! Holds: when one is retried by the service, and how one is resolved.

mod again;
mod alarm;
mod due;

use std::sync::Arc;
use std::time::Duration;

use ach::decision::HoldReason;
use ach::money::Money;
use chrono::{DateTime, Utc};
use echeck_service::clock::SharedClock;
use returns_model::dishonor::{DishonorMark, Marks};
use returns_model::hold::{HoldChange, HoldChangeTo, HoldRecord, HoldState};
use returns_model::import::{Moved, Outcome};
use returns_store::{
    Append, AppendCause, Appended, Notifier, Store, StoreError, Writes, failpoint,
};

pub use alarm::{HoldAlarm, HoldLimits};
pub use due::DueHolds;

use crate::decide::{DecideError, Decider, EntryOutcome, EntryToDecide, PendingDecisions};

/// How often an entry without a transfer is looked up again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    pub first: Duration,
    pub longest: Duration,
}

/// When the service retries a hold; `None` when a person is needed. An unknown transfer
/// may still be loaded into the gateway, a return be confirmed by a later file, one that cannot be read be corrected, and the stage before a
/// dishonor or a contest may come in a later file; so these are tried again at growing intervals, for
/// good: a return forgotten is money lost.
pub fn next_attempt(
    policy: &RetryPolicy,
    reason: HoldReason,
    attempts: u32,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    match reason {
        HoldReason::UnknownTransfer
        | HoldReason::NotConfirmed
        | HoldReason::UnreadableTransfer
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
        | HoldReason::IdsContradict
        | HoldReason::AmountDiffers
        | HoldReason::CurrencyDiffers
        | HoldReason::StateConflict
        | HoldReason::WrongDirection
        | HoldReason::SecondReturn
        | HoldReason::RefusedCorrection
        | HoldReason::UnreadableCorrection
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

impl<'a> Retry<'a> {
    /// Who retries, unless it is the service itself.
    fn person(&self) -> Option<&'a str> {
        Some(self.by).filter(|by| *by != SERVICE)
    }
}

/// The name under which the service closes holds by itself.
const SERVICE: &str = "returns-service";

/// Retries, resolves and dismisses holds.
#[derive(Clone)]
pub struct Holds {
    pub decider: Arc<Decider>,
    pub clock: SharedClock,
    pub notifier: Notifier,
}

impl Holds {
    fn store(&self) -> &dyn Store {
        &*self.decider.store
    }

    /// Decides a hold's entry again. The result is in the returns database afterwards; when
    /// somebody else was faster, theirs is.
    ///
    /// # Errors
    /// When its source or its row is gone, or when nothing can be looked up.
    pub async fn retry(&self, hold: &HoldRecord, retry: &Retry<'_>) -> Result<(), HoldError> {
        let sources = &self.decider.sources;
        let source = sources
            .get(&hold.new.source)
            .ok_or_else(|| HoldError::NoSource(hold.new.source.clone()))?;
        let Some((database, position)) = &hold.new.failed else {
            let entry = EntryToDecide {
                import_id: &hold.new.import_id,
                ordinal: hold.new.ordinal,
                transfer_id: retry.transfer_id,
                actor: retry.person(),
                ..EntryToDecide::of_entry(&hold.new.entry, source)
            };
            return self.decide_again(hold, entry, retry).await;
        };
        let row = self.store().row(*position).await?;
        let row = row.ok_or(HoldError::NoRow(*position))?;
        if *database != self.decider.gateway.database {
            return self.repeat_row(hold, database, &row, retry).await;
        }
        if row.row.effect.is_release() {
            return self.release_again(hold, &row, retry).await;
        }
        let superseding = EntryToDecide {
            actor: retry.person(),
            ..EntryToDecide::superseding(&row, source)
        };
        self.decide_again(hold, superseding, retry).await
    }

    async fn decide_again(
        &self,
        hold: &HoldRecord,
        entry: EntryToDecide<'_>,
        retry: &Retry<'_>,
    ) -> Result<(), HoldError> {
        let entries = [entry];
        loop {
            let now = self.clock.now();
            let mut pending = PendingDecisions::default();
            let mut decided = self.decider.decide(&entries, &mut pending, now).await?;
            // One entry has one outcome.
            let Some(outcome) = decided.outcomes.pop() else {
                return Ok(());
            };
            let dishonor = marks(hold, decided.marks.pop());
            let (state, counts_as, rows) = match outcome {
                EntryOutcome::Act { row, effect } => {
                    (HoldState::Resolved, Outcome::Effect(effect), vec![*row])
                }
                EntryOutcome::Duplicate { .. } => {
                    (HoldState::Duplicate, Outcome::Duplicate, Vec::new())
                }
                // Its code is known by now, and it is about no payment.
                EntryOutcome::Prenote => {
                    let note = "a returned prenote: no payment is affected";
                    return self.dismiss(hold, retry.by, note).await;
                }
                EntryOutcome::Hold {
                    hold: why,
                    transfer_ids,
                } => {
                    if let (Some(id), HoldReason::UnknownTransfer) = (retry.transfer_id, why.reason)
                    {
                        return Err(HoldError::NoTransfer(id.to_owned()));
                    }
                    let policy = &self.decider.retry;
                    let to = HoldChangeTo::StillOpen {
                        next_attempt_at: next_attempt(policy, why.reason, hold.attempts + 1, now),
                        reason: why.reason,
                        detail: why.detail,
                        transfer_ids,
                        dishonor,
                        at: now,
                    };
                    return self.change(hold, to).await;
                }
            };
            let writes = Writes {
                rows,
                dishonor,
                moved: vec![Moved {
                    import_id: hold.new.import_id.clone(),
                    from: Outcome::Held,
                    to: counts_as,
                    amount_minor: hold.new.entry.amount.map_or(0, Money::minor),
                }],
                ..Writes::default()
            };
            failpoint("hold::before_append").await?;
            let closing = Closing { hold, state, retry };
            if self.append(&closing, writes, decided.seen_position).await? {
                return Ok(());
            }
        }
    }

    /// Appends what closes a hold. False when the journal says more about the transfer by now.
    async fn append(
        &self,
        closing: &Closing<'_>,
        writes: Writes,
        seen_position: u64,
    ) -> Result<bool, HoldError> {
        let Closing { hold, state, retry } = closing;
        let append = Append {
            cause: AppendCause::Hold {
                hold_id: hold.new.hold_id.clone(),
                state: *state,
                by: retry.by.to_owned(),
                note: retry.note.to_owned(),
            },
            seen_position,
            writes,
            at: self.clock.now(),
        };
        match self.store().append(append).await? {
            Appended::Stale => Ok(false),
            Appended::Done(_) | Appended::Lost => {
                let (hold_id, state) = (&hold.new.hold_id, state.as_str());
                tracing::info!(hold_id, by = retry.by, state, "hold closed");
                self.notifier.hold_changed();
                self.notifier.journal_appended();
                Ok(true)
            }
        }
    }

    /// Closes a hold without effect.
    ///
    /// # Errors
    /// When the returns database does not answer.
    pub async fn dismiss(&self, hold: &HoldRecord, by: &str, note: &str) -> Result<(), HoldError> {
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
        if self.store().change_hold(&change).await? {
            self.notifier.hold_changed();
        }
        Ok(())
    }
}

/// A hold that is about to be closed.
struct Closing<'a> {
    hold: &'a HoldRecord,
    state: HoldState,
    retry: &'a Retry<'a>,
}

/// What the new decision says of dishonoring the entry, in place of what was said before.
fn marks(hold: &HoldRecord, mut mark: Option<DishonorMark>) -> Marks {
    if let Some(mark) = mark.as_mut().filter(|mark| mark.return_id.is_none()) {
        mark.hold_id = Some(hold.new.hold_id.clone());
    }
    Marks::again(mark, &hold.new.import_id, hold.new.ordinal)
}
