//! An adapter copy: it compares, applies, moves the cursor, and answers.

use crate::actions::{Mutation, Protocol};
use crate::databases::{Cursor, Database, Effect, FUNDABLE};
use crate::processes::{AdapterCopy, CopyId, Feed, Message};
use crate::world::World;

impl Protocol {
    /// Whether a batch continues where the target is.
    fn fits(&self, message: &Message, cursor: Cursor) -> bool {
        let (first, next) = (message.first.position, cursor.position + 1);
        let same_past = message.previous == cursor.hash;
        match self.mutation {
            Mutation::GapSkipped => first >= next,
            // A sequence has gaps of its own, so that only the hash is left to compare.
            Mutation::SequenceInsteadOfCounter => first >= next && same_past,
            _ => first == next && same_past,
        }
    }

    pub(crate) fn receive(&self, world: &mut World, copy: CopyId, message: usize) {
        let message = world.network.remove(message);
        if self.fits(&message, world.target(copy.database).cursor) {
            *world.copy_mut(copy) = AdapterCopy::Applying(message);
        } else {
            no_answer(world, &message);
        }
    }

    pub(crate) fn commit(&self, world: &mut World, copy: CopyId) {
        if let Some(message) = self.apply(world, copy) {
            if self.mutation == Mutation::CursorInASecondTransaction {
                *world.copy_mut(copy) = AdapterCopy::CursorToMove(message);
            } else {
                answer(world, &message);
            }
        }
    }

    /// The adapter's transaction. The cursor is compared again where it is moved, since the
    /// other copy may have moved it after this one has read it.
    pub(crate) fn apply(&self, world: &mut World, copy: CopyId) -> Option<Message> {
        let AdapterCopy::Applying(message) = std::mem::take(world.copy_mut(copy)) else {
            return None;
        };
        if !self.fits(&message, world.target(copy.database).cursor) {
            no_answer(world, &message);
            return None;
        }
        self.take_effect(world, &message);
        if self.mutation != Mutation::CursorInASecondTransaction {
            world.target_mut(copy.database).cursor = message.end();
        }
        Some(message)
    }

    /// Effects and exceptions of a batch. The guard names only whether the transfer is
    /// funded. In earnest it also names the state, and ids are derived, so that a second
    /// effect would become an exception; that is left out here, since the cursor alone must
    /// keep a second effect away.
    fn take_effect(&self, world: &mut World, message: &Message) {
        let funded = world.funded;
        let target = world.target_mut(message.database);
        for step in message.steps() {
            let Some((entry, effect)) = step.change else {
                continue;
            };
            let moved_on = message.database == Database::Gateway
                && entry == FUNDABLE
                && effect != Effect::decide(funded);
            if moved_on && self.mutation != Mutation::StateGuardDropped {
                target.exceptions.insert(step.position);
            } else {
                *target.effects.entry(step.position).or_default() += 1;
            }
        }
    }

    pub(crate) fn repeat(&self, world: &mut World, copy: CopyId) {
        if let AdapterCopy::ToRepeat(message) = std::mem::take(world.copy_mut(copy)) {
            self.take_effect(world, &message);
            world.target_mut(copy.database).cursor = message.end();
            answer(world, &message);
        }
    }
}

pub(crate) fn move_cursor(world: &mut World, copy: CopyId) {
    if let AdapterCopy::CursorToMove(message) = std::mem::take(world.copy_mut(copy)) {
        world.target_mut(copy.database).cursor = message.end();
        answer(world, &message);
    }
}

/// The answer after a commit reaches the feed, if it still waits.
fn answer(world: &mut World, message: &Message) {
    let Some(replica) = message.asker else { return };
    let target = world.target(message.database);
    let exceptions = (message.steps().map(|step| step.position))
        .filter(|position| target.exceptions.contains(position))
        .collect();
    let feed = world.replicas[replica].feed_mut(message.database);
    if let Feed::Waiting(before) = feed {
        *feed = Feed::Notified {
            from: before.position,
            cursor: message.end(),
            exceptions,
        };
    }
}

/// A refusal or a broken connection reaches the feed, if it still waits. Either way it asks
/// the target where it is; nothing is sent again blindly.
pub(crate) fn no_answer(world: &mut World, message: &Message) {
    if let Some(replica) = message.asker {
        *world.replicas[replica].feed_mut(message.database) = Feed::Starting;
    }
}

/// Nobody waits for the answer to these messages any more.
pub(crate) fn forget(world: &mut World, which: impl Fn(&Message) -> bool) {
    for message in world.messages_mut().filter(|message| which(message)) {
        message.asker = None;
    }
}
