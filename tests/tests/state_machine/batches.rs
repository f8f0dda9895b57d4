//! Batches as the feed sends them, and as it never should.

use echeck_adapter::batch::{StepBatch, parse_batch};
use echeck_adapter::testing::{Journal, fail, give_back, reverse};
use echeck_proto::adapter::v1::TransferState;
use echeck_proto::adapter::v1::step::Change;

use crate::database::{amount_minor, id};
use crate::reference::Reference;
use crate::transfers::{Effect, Side};

/// The journal's identity.
pub(crate) const JOURNAL: &str = "018f3f1e-0000-7000-8000-000000000001";
const OTHER_JOURNAL: &str = "018f3f1e-0000-7000-8000-000000000002";

fn journal() -> Journal {
    Journal::new(JOURNAL, 0)
}

/// The hash at a position; empty before the first.
pub(crate) fn hash_at(position: usize) -> Vec<u8> {
    let here = position.try_into().expect("a position");
    journal().at(here).batch(vec![None]).previous_hash
}

fn change((transfer, effect): (usize, Effect)) -> Change {
    let id = id(transfer);
    match effect {
        Effect::Fail => fail(&id, TransferState::Pending),
        Effect::Return => give_back(&id, TransferState::Succeeded, Some(false)),
        Effect::Reverse => reverse(&id, amount_minor(transfer), Some(true)),
    }
}

fn batch(mut journal: Journal, after: usize, changes: Vec<Option<(usize, Effect)>>) -> StepBatch {
    journal = journal.at(after.try_into().expect("a position"));
    let changes = changes.into_iter().map(|step| step.map(change)).collect();
    parse_batch(journal.batch(changes)).expect("the batch has no violations")
}

impl Reference {
    /// The rows with positions `after + 1 ..= to`.
    pub(crate) fn batch(&self, side: Side, after: usize, to: usize) -> StepBatch {
        let changes = (after + 1..=to).map(|position| self.change(side, position));
        batch(journal(), after, changes.collect())
    }

    /// A batch that leaves out the row after the cursor.
    pub(crate) fn batch_with_gap(&self, side: Side) -> StepBatch {
        let after = self.follower(side).cursor + 1;
        batch(journal(), after, vec![self.tempting(side)])
    }

    /// The next batch, of another journal.
    pub(crate) fn batch_of_other_journal(&self, side: Side) -> StepBatch {
        let after = self.follower(side).cursor;
        let other = Journal::new(OTHER_JOURNAL, 0);
        batch(other, after, vec![self.tempting(side)])
    }

    /// The next batch, of the same journal with another past.
    pub(crate) fn batch_of_other_past(&self, side: Side) -> StepBatch {
        let after = self.follower(side).cursor;
        let restored = Journal::new(JOURNAL, 1);
        batch(restored, after, vec![self.tempting(side)])
    }
}
