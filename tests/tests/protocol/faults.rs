//! What can go wrong.

use crate::actions::{Action, Mutation, Protocol};
use crate::adapter::{forget, no_answer};
use crate::databases::Target;
use crate::processes::{AdapterCopy, Feed, Replica};
use crate::world::World;

impl Protocol {
    pub(crate) fn fault(&self, world: &mut World, action: &Action) {
        match *action {
            Action::CrashReplica(replica) => {
                world.replicas[replica] = Replica::default();
                forget(world, |message| message.asker == Some(replica));
            }
            Action::CrashCopy(copy) => {
                if let Some(message) = std::mem::take(world.copy_mut(copy)).message_mut() {
                    no_answer(world, message);
                }
            }
            Action::CommitUnheard(copy) => {
                if let Some(message) = self.apply(world, copy) {
                    if self.mutation == Mutation::BlindRetryOfCommit {
                        *world.copy_mut(copy) = AdapterCopy::ToRepeat(message);
                    } else {
                        no_answer(world, &message);
                    }
                }
            }
            Action::GiveUp(replica, database) => {
                *world.replicas[replica].feed_mut(database) = Feed::Starting;
                forget(world, |message| {
                    message.asker == Some(replica) && message.database == database
                });
            }
            Action::Double(message) => {
                let mut twin = world.network[message].clone();
                twin.asker = None;
                world.network.push(twin);
            }
            Action::RestoreMirror => world.mirror = Target::default(),
            _ => {}
        }
    }
}

/// The faults that would change something.
pub(crate) fn faults(world: &World, actions: &mut Vec<Action>) {
    for replica in 0..world.replicas.len() {
        if world.replicas[replica] != Replica::default() {
            actions.push(Action::CrashReplica(replica));
        }
        for &database in world.databases() {
            if matches!(world.replicas[replica].feed(database), Feed::Waiting(_)) {
                actions.push(Action::GiveUp(replica, database));
            }
        }
    }
    for copy in world.copy_ids() {
        let doing = &world.copies(copy.database)[copy.number];
        if *doing != AdapterCopy::Free {
            actions.push(Action::CrashCopy(copy));
        }
        if matches!(doing, AdapterCopy::Applying(_)) {
            actions.push(Action::CommitUnheard(copy));
        }
    }
    actions.extend((0..world.network.len()).map(Action::Double));
    if world.mirror != Target::default() {
        actions.push(Action::RestoreMirror);
    }
}
