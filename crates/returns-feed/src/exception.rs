//! Rows that did not take effect. In the system of record the transfer has moved on: it is
//! looked up and decided again, and the new row supersedes the old one. A later stage of a return
//! is decided again when what it undoes did not take effect; else deciding would say the same for
//! ever. In a mirror, or where the database refuses, a person must look: the row goes to the
//! holds.

use ach::decision::HoldReason;
use ach::money::Money;
use chrono::{DateTime, Utc};
use returns_import::decide::{EntryOutcome, EntryToDecide, PendingDecisions};
use returns_import::hold::next_attempt;
use returns_model::dishonor::Marks;
use returns_model::follower::{ExceptionKind, RowException};
use returns_model::hold::NewHold;
use returns_model::ids;
use returns_model::import::{Moved, Outcome};
use returns_model::journal::{JournalRow, RowEffect};
use returns_store::{Append, AppendCause, Appended, StoreError, Writes, failpoint};

use super::{Feed, FeedError, Role};

impl Feed {
    /// Whether deciding again would give another result now that the transfer has moved on.
    async fn would_differ(&self, row: &JournalRow) -> Result<bool, StoreError> {
        match &row.row.effect {
            RowEffect::Fail { .. }
            | RowEffect::Return { .. }
            | RowEffect::Reverse { .. }
            | RowEffect::Correct {} => Ok(true),
            // These rest on the journal.
            RowEffect::Restore { .. } | RowEffect::Reapply { .. } => {
                Ok(!self.base_stands(row).await?)
            }
            RowEffect::ReleaseToSettlement { .. } => Ok(false),
        }
    }

    /// Handles every exception of this database that is not handled yet. Gives whether there were
    /// any.
    pub(super) async fn handle_exceptions(&self) -> Result<bool, FeedError> {
        let mut handled = false;
        loop {
            let open = self.store.open_exceptions(self.database(), 500).await?;
            if open.is_empty() {
                return Ok(handled);
            }
            handled = true;
            for exception in open {
                let row = self
                    .store
                    .row(exception.position)
                    .await?
                    .ok_or(FeedError::NoRow(exception.position))?;
                self.handle(&exception, &row).await?;
            }
            self.notifier.journal_appended();
            self.notifier.hold_changed();
        }
    }

    async fn handle(&self, exception: &RowException, row: &JournalRow) -> Result<(), FeedError> {
        tracing::warn!(
            database = self.database(),
            position = exception.position,
            transfer_id = row.row.transfer.id,
            import_id = row.row.import_id,
            kind = exception.kind.as_str(),
            why = exception.message,
            "a journal row did not take effect"
        );
        loop {
            failpoint("exception::before_decide").await?;
            let now = self.clock.now();
            let (seen_position, writes) = match (self.role, exception.kind) {
                // A row that was fed although it is superseded would be a fault of ours; the
                // row that replaced it stands.
                _ if row.superseded_by.is_some() => (row.position, Writes::default()),
                _ if row.row.effect.is_release() && self.is_settled(exception.kind) => {
                    (row.position, Writes::default())
                }
                // It had no effect before its database was restored from a backup either. Its
                // entry counts as held since then, and is decided again with the hold.
                _ if self.is_held(row.position).await? => (row.position, Writes::default()),
                (Role::SystemOfRecord, ExceptionKind::MovedOn | ExceptionKind::NotFound)
                    if self.would_differ(row).await? =>
                {
                    self.decide_again(exception, row).await?
                }
                (Role::SystemOfRecord, _) | (Role::Mirror, _) => {
                    let mut writes = Writes::default();
                    let reason = HoldReason::DatabaseRefused;
                    writes
                        .holds
                        .push(self.hold(exception, row, (reason, None), now));
                    writes.moved.extend(self.moved(row, Outcome::Held));
                    (self.store.head().await?.position, writes)
                }
            };
            failpoint("exception::before_append").await?;
            let append = Append {
                cause: AppendCause::Exception {
                    database: self.database().to_owned(),
                    position: exception.position,
                },
                seen_position,
                writes,
                at: now,
            };
            match self.store.append(append).await? {
                Appended::Done(_) | Appended::Lost => return Ok(()),
                Appended::Stale => {}
            }
        }
    }

    async fn is_held(&self, position: u64) -> Result<bool, StoreError> {
        let id = ids::exception_hold_id(self.database(), position);
        Ok(self.store.hold(&id).await?.is_some())
    }

    /// Whether nothing is left to do about a transfer that could not be released to settlement.
    /// Its owner may have released it meanwhile; one in a state that can never be settled is
    /// refused instead. A mirror that lacks it did not take the return before: that has a hold,
    /// and when the hold is retried, the release is repeated with it.
    const fn is_settled(&self, kind: ExceptionKind) -> bool {
        match (self.role, kind) {
            (_, ExceptionKind::MovedOn) | (Role::Mirror, ExceptionKind::NotFound) => true,
            (Role::SystemOfRecord, ExceptionKind::NotFound) | (_, ExceptionKind::Refused) => false,
        }
    }

    async fn decide_again(
        &self,
        exception: &RowException,
        row: &JournalRow,
    ) -> Result<(u64, Writes), FeedError> {
        let sources = &self.decider.sources;
        let source = sources
            .get(&row.row.source)
            .ok_or_else(|| FeedError::NoSource(row.row.source.clone()))?;
        let entry = EntryToDecide::superseding(row, source);
        let now = self.clock.now();
        let mut pending = PendingDecisions::default();
        let decided = self.decider.decide(&[entry], &mut pending, now).await?;
        let mut mark = decided.marks.into_iter().next();
        if let Some(mark) = mark.as_mut().filter(|mark| mark.return_id.is_none()) {
            mark.hold_id = Some(ids::exception_hold_id(self.database(), row.position));
        }
        let mut writes = Writes {
            dishonor: Marks::again(mark, &row.row.import_id, row.row.ordinal),
            ..Writes::default()
        };
        for outcome in decided.outcomes {
            let counts_as = match outcome {
                EntryOutcome::Act { row, effect } => {
                    writes.rows.push(*row);
                    Outcome::Effect(effect)
                }
                // The same return stands by another row already: there is nothing to add.
                EntryOutcome::Duplicate { .. } => Outcome::Duplicate,
                // A row is about a payment; its entry has an amount.
                EntryOutcome::Prenote => continue,
                EntryOutcome::Hold { hold, .. } => {
                    let why = (hold.reason, Some(hold.detail));
                    writes.holds.push(self.hold(exception, row, why, now));
                    Outcome::Held
                }
            };
            writes.moved.extend(self.moved(row, counts_as));
        }
        Ok((decided.seen_position, writes))
    }

    /// What the entry of a row without effect counts as in the totals of its import, which are of
    /// the system of record.
    fn moved(&self, row: &JournalRow, to: Outcome) -> Option<Moved> {
        let from = Outcome::Effect(row.row.effect.decided()?);
        (self.role == Role::SystemOfRecord).then(|| Moved {
            import_id: row.row.import_id.clone(),
            from,
            to,
            amount_minor: row.row.entry.amount.map_or(0, Money::minor),
        })
    }

    fn hold(
        &self,
        exception: &RowException,
        row: &JournalRow,
        (reason, detail): (HoldReason, Option<String>),
        now: DateTime<Utc>,
    ) -> NewHold {
        let said = format!(
            "{} did not take journal row {}: {}",
            self.database(),
            row.position,
            exception.message
        );
        let transfer_ids = std::iter::once(row.row.transfer.id.clone());
        let transfer_ids = transfer_ids.filter(|id| !id.is_empty());
        NewHold {
            hold_id: ids::exception_hold_id(self.database(), row.position),
            source: row.row.source.clone(),
            import_id: row.row.import_id.clone(),
            ordinal: row.row.ordinal,
            reason,
            detail: match detail {
                Some(detail) => format!("{said}; decided again: {detail}"),
                None => said,
            },
            entry: row.row.entry.clone(),
            transfer_ids: transfer_ids.collect(),
            failed: Some((self.database().to_owned(), row.position)),
            next_attempt_at: next_attempt(&self.decider.retry, reason, 0, now),
        }
    }
}
