//! What is known of the transfers of a batch: what the journal says, and what was decided in this
//! run and is not in the journal yet.

use std::collections::HashMap;

use ach::decision::{Effect, PriorDecision};
use ach::entry::Entry;
use returns_model::ids;
use returns_store::Known;

/// What earlier entries of the same run decided and the journal does not say yet.
#[derive(Debug, Default)]
pub struct PendingDecisions {
    decisions: HashMap<String, Vec<PriorDecision>>,
    ids_given: HashMap<String, usize>,
}

impl PendingDecisions {
    /// The decisions about a transfer that still stand, in order.
    pub(super) fn prior(&self, transfer_id: &str, known: &Known) -> Vec<PriorDecision> {
        let standing = known.standing.get(transfer_id).into_iter().flatten();
        let pending = self.decisions.get(transfer_id).into_iter().flatten();
        standing
            .filter_map(|row| {
                let effect = row.row.effect.decided()?;
                Some(PriorDecision::on(
                    &row.row.entry,
                    &row.row.return_id,
                    effect,
                ))
            })
            .chain(pending.cloned())
            .collect()
    }

    /// Remembers a decision until the journal says it.
    pub(super) fn add(&mut self, transfer_id: &str, id: &str, effect: Effect, entry: &Entry) {
        let decisions = self.decisions.entry(transfer_id.to_owned()).or_default();
        decisions.push(PriorDecision::on(entry, id, effect));
    }

    /// The id of the next return of a transfer. Ids count up, so that each has its own for good.
    pub(super) fn next_return_id(&mut self, transfer_id: &str, known: &Known) -> String {
        let pending = self.ids_given.entry(transfer_id.to_owned()).or_default();
        *pending += 1;
        let given = known.ids_given.get(transfer_id).copied();
        ids::return_id(transfer_id, given.unwrap_or_default() + *pending)
    }
}
