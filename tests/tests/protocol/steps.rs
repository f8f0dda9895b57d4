//! What the protocol itself can do next.

use crate::actions::{Action, Mutation, Protocol};
use crate::databases::Database;
use crate::processes::{AdapterCopy, Feed, Importer, ReplicaId};
use crate::world::World;

impl Protocol {
    /// Whether the protocol can go on by itself. Where it cannot, it has come to rest.
    pub(crate) fn has_steps(&self, world: &World) -> bool {
        let mut steps = Vec::new();
        self.steps(world, &mut steps);
        !steps.is_empty()
    }

    /// What the protocol itself can do next.
    pub(crate) fn steps(&self, world: &World, actions: &mut Vec<Action>) {
        for replica in 0..world.replicas.len() {
            match world.replicas[replica].importer {
                Importer::Idle if world.returns.import_done < self.scenario.batches.len() => {
                    actions.push(Action::DecideBatch(replica));
                }
                Importer::Idle => {}
                Importer::Decided { .. } => actions.push(Action::AppendBatch(replica)),
            }
            for &database in world.databases() {
                self.feed_steps(world, replica, database, actions);
            }
        }
        for copy in world.copy_ids() {
            match world.copies(copy.database)[copy.number] {
                AdapterCopy::Free => {
                    for (index, message) in world.network.iter().enumerate() {
                        let twin = index > 0 && world.network[index - 1] == *message;
                        if message.database == copy.database && !twin {
                            actions.push(Action::Receive(copy, index));
                        }
                    }
                }
                AdapterCopy::Applying(_) => actions.push(Action::Commit(copy)),
                AdapterCopy::CursorToMove(_) => actions.push(Action::MoveCursor(copy)),
                AdapterCopy::ToRepeat(_) => actions.push(Action::Repeat(copy)),
            }
        }
    }

    fn feed_steps(
        &self,
        world: &World,
        replica: ReplicaId,
        database: Database,
        actions: &mut Vec<Action>,
    ) {
        match world.replicas[replica].feed(database) {
            Feed::Starting => actions.push(Action::AskProgress(replica, database)),
            Feed::Notified { .. } => actions.push(Action::RecordProgress(replica, database)),
            Feed::Ready(cursor) => {
                if database == Database::Gateway && world.returns.open_exception().is_some() {
                    actions.push(Action::DecideAgain(replica));
                }
                if self.rows_to_feed(world, database, *cursor).next().is_some() {
                    actions.push(Action::SendRows(replica, database));
                } else if world.target(database).cursor != *cursor
                    && self.mutation != Mutation::NeverLooksAgain
                {
                    actions.push(Action::LookAgain(replica, database));
                }
            }
            Feed::Waiting(_) => {}
            Feed::DecidedAgain { .. } => actions.push(Action::AppendAgain(replica)),
        }
    }
}
