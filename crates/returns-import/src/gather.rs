//! From the items of a batch to what its append writes.

use ach::entry::Entry;
use ach::format::Item;
use returns_model::hold::NewHold;
use returns_model::ids;
use returns_model::import::{RejectedLine, Totals};
use returns_store::{DuplicateLine, PrenoteLine, Writes};

use super::decide::{Decided, EntryOutcome, EntryToDecide};
use super::hold::next_attempt;
use crate::source::Source;

/// The entries of a batch with their place in the file.
pub(super) fn entries<'a>(
    batch: &'a [Item],
    source: &'a Source,
    import_id: &'a str,
    first_ordinal: u64,
) -> Vec<EntryToDecide<'a>> {
    batch
        .iter()
        .zip(first_ordinal..)
        .filter_map(|(item, ordinal)| match item {
            Item::Entry(entry) => Some(EntryToDecide {
                import_id,
                ordinal,
                ..EntryToDecide::of_entry(entry, source)
            }),
            Item::Rejected(_) => None,
        })
        .collect()
}

/// Sorts outcomes into what an append writes, and counts them.
pub(super) fn gather(
    entries: &[EntryToDecide<'_>],
    decided: Decided,
    totals: &mut Totals,
    retry: &super::hold::RetryPolicy,
    now: chrono::DateTime<chrono::Utc>,
) -> Writes {
    let mut writes = Writes::default();
    writes.dishonor.set = decided.marks;
    for mark in &mut writes.dishonor.set {
        // What is marked was either acted on or held.
        if mark.return_id.is_none() {
            mark.hold_id = Some(ids::hold_id(&mark.import_id, mark.ordinal));
        }
    }
    for (one, outcome) in entries.iter().zip(decided.outcomes) {
        let amount = amount_minor(one.entry);
        totals.read.add(amount);
        match outcome {
            EntryOutcome::Act { effect, row } => {
                totals.of_effect(effect).add(amount);
                writes.rows.push(*row);
            }
            EntryOutcome::Duplicate {
                transfer_id,
                of_return_id,
            } => {
                totals.duplicate.add(amount);
                writes.duplicates.push(DuplicateLine {
                    ordinal: one.ordinal,
                    line: one.entry.at.line,
                    transfer_id,
                    of_return_id,
                    entry: Some(one.entry.clone()),
                });
            }
            EntryOutcome::Prenote => {
                totals.prenote.add(amount);
                writes.prenotes.push(PrenoteLine {
                    ordinal: one.ordinal,
                    entry: one.entry.clone(),
                });
            }
            EntryOutcome::Hold { hold, transfer_ids } => {
                totals.held.add(amount);
                writes.holds.push(NewHold {
                    hold_id: ids::hold_id(one.import_id, one.ordinal),
                    source: one.source.name.clone(),
                    import_id: one.import_id.to_owned(),
                    ordinal: one.ordinal,
                    reason: hold.reason,
                    detail: hold.detail,
                    entry: one.entry.clone(),
                    transfer_ids,
                    failed: None,
                    next_attempt_at: next_attempt(retry, hold.reason, 0, now),
                });
            }
        }
    }
    writes
}

/// The lines of a batch that could not be read, counted.
pub(super) fn rejected(
    batch: &[Item],
    first_ordinal: u64,
    totals: &mut Totals,
) -> Vec<RejectedLine> {
    batch
        .iter()
        .zip(first_ordinal..)
        .filter_map(|(item, ordinal)| match item {
            Item::Entry(_) => None,
            Item::Rejected(rejected) => {
                let amount = rejected.amount_minor.unwrap_or_default();
                totals.read.add(amount);
                totals.rejected.add(amount);
                Some(RejectedLine {
                    ordinal,
                    rejected: rejected.clone(),
                })
            }
        })
        .collect()
}

fn amount_minor(entry: &Entry) -> i64 {
    entry.amount.map_or(0, ach::money::Money::minor)
}
