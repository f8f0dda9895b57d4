//! An import worker: it looks the transfers of a batch up, decides, and appends.

use crate::actions::{Mutation, Protocol};
use crate::databases::{Effect, FUNDABLE, Position};
use crate::processes::{Importer, ReplicaId};
use crate::world::World;

impl Protocol {
    pub(crate) fn decide_batch(&self, world: &mut World, replica: ReplicaId) {
        let batch = world.returns.import_done;
        world.replicas[replica].importer = Importer::Decided {
            batch,
            effect: Effect::decide(world.funded),
            drawn: self.draw(world, self.scenario.batches[batch].len()),
        };
    }

    pub(crate) fn append_batch(&self, world: &mut World, replica: ReplicaId) {
        let importer = std::mem::take(&mut world.replicas[replica].importer);
        let Importer::Decided {
            batch,
            effect,
            drawn,
        } = importer
        else {
            return;
        };
        let returns = &mut world.returns;
        if returns.import_done != batch && self.mutation != Mutation::NoCompareAndSetOnImport {
            return;
        }
        for (offset, entry) in (0..).zip(self.scenario.batches[batch]) {
            let effect = match *entry {
                FUNDABLE => effect,
                _ => Effect::Return,
            };
            returns.append(drawn.map(|first| first + offset), *entry, effect, None);
        }
        returns.import_done = batch + 1;
    }

    /// Takes numbers from the sequence, where that is what gives positions.
    pub(crate) fn draw(&self, world: &mut World, count: usize) -> Option<Position> {
        if self.mutation != Mutation::SequenceInsteadOfCounter {
            return None;
        }
        let first = world.returns.sequence + 1;
        for _ in 0..count {
            world.returns.sequence += 1;
        }
        Some(first)
    }
}
