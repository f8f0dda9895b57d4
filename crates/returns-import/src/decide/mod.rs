//! From entries to decisions, for a batch of entries at a time: the lookup in the system of record,
//! what the journal knows already, the pure decision of [`ach::decision`], and the row that the
//! journal keeps of it.

mod dishonor;
mod lookup;
mod pending;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ach::decision::{
    Act, Action, Decision, Effect, FundingPolicy, Hold, Resolution, decide, failure_messages,
    return_messages, reversal_tags, stage_tags, tie_out,
};
use ach::entry::{Entry, EntryKind};
use chrono::{DateTime, Utc};
use returns_model::dishonor::DishonorMark;
use returns_model::ids;
use returns_model::journal::{JournalRow, NewTransfer, Relation, Row, RowEffect, TransferFacts};
use returns_store::{Known, Store, StoreError};

pub(crate) use lookup::look_up;
pub use pending::PendingDecisions;

use crate::adapter::{Adapter, AdapterError, Lookup};
use crate::hold::RetryPolicy;
use crate::source::{Role, Source};

/// What can go wrong while deciding.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Decides entries. Every step that decides has it: imports, holds, and rows without effect.
pub struct Decider {
    pub store: Arc<dyn Store>,
    /// The adapter of the system of record.
    pub gateway: Adapter,
    /// The sources of the configuration, by name.
    pub sources: HashMap<String, Source>,
    /// When what is held is tried again.
    pub retry: RetryPolicy,
}

/// An entry and where it comes from.
#[derive(Debug, Clone)]
pub struct EntryToDecide<'a> {
    pub entry: &'a Entry,
    pub source: &'a Source,
    pub import_id: &'a str,
    pub ordinal: u64,
    /// A person's choice of the transfer, instead of the entry's ids.
    pub transfer_id: Option<&'a str>,
    pub relation: Option<Relation>,
    /// The return's id, when an earlier row that had no effect gave it one.
    pub return_id: Option<&'a str>,
    pub actor: Option<&'a str>,
}

impl<'a> EntryToDecide<'a> {
    /// An entry that is only looked up.
    pub fn of_entry(entry: &'a Entry, source: &'a Source) -> Self {
        Self {
            entry,
            source,
            import_id: "",
            ordinal: 0,
            transfer_id: None,
            relation: None,
            return_id: None,
            actor: None,
        }
    }

    /// The entry of a journal row, for a new row that supersedes it.
    pub fn superseding(failed: &'a JournalRow, source: &'a Source) -> Self {
        let row = &failed.row;
        Self {
            import_id: &row.import_id,
            ordinal: row.ordinal,
            // A row without one was never decided by an id that could find it again.
            transfer_id: Some(&*row.transfer.id).filter(|id| !id.is_empty()),
            relation: Some(Relation::Supersedes {
                position: failed.position,
            }),
            return_id: Some(&row.return_id),
            ..Self::of_entry(&row.entry, source)
        }
    }
}

/// What is to be done about an entry.
#[derive(Debug, Clone)]
pub enum EntryOutcome {
    /// Append this row.
    Act { effect: Effect, row: Box<Row> },
    /// It is known already.
    Duplicate {
        transfer_id: String,
        of_return_id: String,
    },
    /// A returned prenote: it is about no payment.
    Prenote,
    /// Hold it.
    Hold {
        hold: Hold,
        transfer_ids: Vec<String>,
    },
}

/// Outcomes, and the head of the journal that they were decided on.
#[derive(Debug, Clone)]
pub struct Decided {
    pub seen_position: u64,
    pub outcomes: Vec<EntryOutcome>,
    /// Those of the entries that may be dishonored.
    pub marks: Vec<DishonorMark>,
}

impl Decider {
    /// Looks entries up and decides them, in order. `pending` carries what the run has decided
    /// but not appended; give a new one for each batch that is appended.
    ///
    /// # Errors
    /// When the system of record or the returns database does not answer.
    pub async fn decide(
        &self,
        entries: &[EntryToDecide<'_>],
        pending: &mut PendingDecisions,
        now: DateTime<Utc>,
    ) -> Result<Decided, DecideError> {
        let lookup = look_up(&self.gateway, entries).await?;
        Ok(self.decide_found(entries, &lookup, pending, now).await?)
    }

    /// Decides entries whose transfers were looked up. It does no harm when that was a while ago:
    /// what the journal has decided since is read here, and what the owner of a transfer has done
    /// since is found by the adapter.
    pub(crate) async fn decide_found(
        &self,
        entries: &[EntryToDecide<'_>],
        lookup: &Lookup,
        pending: &mut PendingDecisions,
        now: DateTime<Utc>,
    ) -> Result<Decided, StoreError> {
        let resolutions: Vec<Resolution> = entries
            .iter()
            .map(|one| lookup::resolution(one, lookup))
            .collect();
        let known = self.known(&resolutions).await?;
        let mut decided = Decided {
            seen_position: known.head_position,
            outcomes: Vec::with_capacity(entries.len()),
            marks: Vec::new(),
        };
        for (one, resolution) in entries.iter().zip(&resolutions) {
            let outcome = decide_one(one, resolution, &known, pending, (lookup.policy, now));
            let mark = dishonor::mark(one, resolution, &outcome, |transfer_id| {
                pending.prior(transfer_id, &known)
            });
            decided.marks.extend(mark);
            decided.outcomes.push(outcome);
        }
        Ok(decided)
    }

    /// Finds which transfer each entry is about, and decides nothing.
    pub(crate) async fn resolve(
        &self,
        entries: &[EntryToDecide<'_>],
    ) -> Result<Vec<Resolution>, AdapterError> {
        let lookup = look_up(&self.gateway, entries).await?;
        let resolution = |one| lookup::resolution(one, &lookup);
        Ok(entries.iter().map(resolution).collect())
    }

    async fn known(&self, resolutions: &[Resolution]) -> Result<Known, StoreError> {
        let ids: BTreeSet<&str> = resolutions
            .iter()
            .filter_map(|resolution| match resolution {
                Resolution::One(transfer) | Resolution::Contradicted { transfer, .. } => {
                    Some(transfer.id.as_str())
                }
                Resolution::Unknown | Resolution::Ambiguous(_) | Resolution::Unreadable { .. } => {
                    None
                }
            })
            .collect();
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        self.store.known(&ids, &self.gateway.database).await
    }
}

fn decide_one(
    one: &EntryToDecide<'_>,
    resolution: &Resolution,
    known: &Known,
    pending: &mut PendingDecisions,
    (policy, now): (FundingPolicy, DateTime<Utc>),
) -> EntryOutcome {
    let prior = match resolution {
        Resolution::One(transfer) | Resolution::Contradicted { transfer, .. } => {
            pending.prior(&transfer.id, known)
        }
        Resolution::Unknown | Resolution::Ambiguous(_) | Resolution::Unreadable { .. } => {
            Vec::new()
        }
    };
    let decision = match one.source.role {
        Role::Decide => decide(one.entry, resolution, &prior, policy, now.date_naive()),
        Role::TieOut => tie_out(one.entry, resolution, &prior),
    };
    match decision {
        Decision::Hold(hold) => EntryOutcome::Hold {
            hold,
            transfer_ids: candidates(resolution),
        },
        Decision::Prenote => EntryOutcome::Prenote,
        Decision::Duplicate { transfer, of } => EntryOutcome::Duplicate {
            transfer_id: transfer.id.clone(),
            of_return_id: of,
        },
        Decision::Act(act) => {
            let (transfer_id, effect) = (&act.transfer.id, act.action.effect());
            let return_id = match one.return_id {
                Some(id) => id.to_owned(),
                None => pending.next_return_id(transfer_id, known),
            };
            pending.add(transfer_id, &return_id, effect, one.entry);
            EntryOutcome::Act {
                effect,
                row: Box::new(row(one, act, return_id, now)),
            }
        }
    }
}

fn candidates(resolution: &Resolution) -> Vec<String> {
    match resolution {
        Resolution::Unknown => Vec::new(),
        Resolution::One(transfer) | Resolution::Contradicted { transfer, .. } => {
            vec![transfer.id.clone()]
        }
        Resolution::Ambiguous(ids) | Resolution::Unreadable { ids, .. } => ids.clone(),
    }
}

/// The row of `act` on the entry. Its ids are derived from `return_id`.
fn row(one: &EntryToDecide<'_>, act: Act<'_>, return_id: String, now: DateTime<Utc>) -> Row {
    Row {
        schema: Row::SCHEMA,
        effect: effect(one.entry, &act, &return_id),
        return_id,
        transfer: TransferFacts::from(act.transfer),
        expected: act.expected,
        relation: one.relation.clone(),
        flags: act.flags,
        description: description(one.entry),
        entry: one.entry.clone(),
        source: one.source.name.clone(),
        import_id: one.import_id.to_owned(),
        ordinal: one.ordinal,
        actor: one.actor.map(str::to_owned),
        is_conforming: one.source.is_conforming,
        decided_at: now,
    }
}

fn effect(entry: &Entry, act: &Act<'_>, id: &str) -> RowEffect {
    match &act.action {
        Action::Fail => RowEffect::Fail {
            messages: failure_messages(entry, act.transfer),
        },
        Action::Return => RowEffect::Return {
            messages: return_messages(entry),
        },
        Action::Correct => RowEffect::Correct {},
        Action::Reverse => RowEffect::Reverse {
            reversal: reversal(id, reversal_tags(entry, act.transfer), None),
        },
        Action::Restore {
            return_id,
            was_reversed,
        } => RowEffect::Restore {
            of_return: return_id.clone(),
            restoration: NewTransfer {
                id: ids::restoration_id(id),
                trace_id: ids::restoration_trace_id(id),
                tags: stage_tags(entry, "Dishonor", return_id),
                // Without a reversal it is the returned transfer that is made good.
                parent_id: was_reversed.then(|| ids::reversal_id(return_id)),
            },
        },
        Action::Reapply {
            return_id,
            dishonor_id,
        } => RowEffect::Reapply {
            of_return: return_id.clone(),
            reversal: reversal(
                id,
                stage_tags(entry, "Contested dishonor", return_id),
                Some(ids::restoration_id(dishonor_id)),
            ),
        },
    }
}

fn reversal(id: &str, tags: Vec<(String, String)>, parent_id: Option<String>) -> NewTransfer {
    NewTransfer {
        id: ids::reversal_id(id),
        trace_id: ids::reversal_trace_id(id),
        tags,
        parent_id,
    }
}

/// What the reason means, in words that may be shown to a platform's users: the code's own
/// title where the table has it, since banks write anything into their text.
fn description(entry: &Entry) -> String {
    let title = match &entry.kind {
        EntryKind::Return { .. } | EntryKind::Dishonored { .. } | EntryKind::Contested { .. } => {
            entry.code_info().map(|info| info.title)
        }
        EntryKind::Correction { code, .. } | EntryKind::RefusedCorrection { code, .. } => {
            code.known().map(|code| code.info().title)
        }
        EntryKind::ValidationFailure { .. } => None,
    };
    title
        .map(str::to_owned)
        .or_else(|| entry.description.clone())
        .unwrap_or_else(|| "refused before it entered the network".to_owned())
}

#[cfg(test)]
mod tests;
