//! What can happen: the steps of the protocol, what the owner of a transfer does, and faults.
//! Each action is one transaction of one database, or one message. A process that pauses is
//! one whose next action comes late.

use stateright::{Model, Property};

use crate::adapter::move_cursor;
use crate::databases::{Database, FUNDABLE};
use crate::faults::faults;
use crate::feed::{append_again, ask_progress};
use crate::processes::{CopyId, Feed, ReplicaId};
use crate::properties;
use crate::scenario::Scenario;
use crate::world::World;

/// A rule of the protocol that is broken on purpose, to see that the check would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutation {
    None,
    /// The adapter commits the effects, then moves the cursor.
    CursorInASecondTransaction,
    /// A batch is appended without asking whether somebody else has.
    NoCompareAndSetOnImport,
    /// Positions are drawn before the transaction that uses them commits.
    SequenceInsteadOfCounter,
    /// After a lost answer to a commit the adapter does everything again.
    BlindRetryOfCommit,
    /// The adapter takes any batch that is beyond its cursor.
    GapSkipped,
    /// The UPDATE does not name the state it expects.
    StateGuardDropped,
    /// The mirror is fed up to the end of the journal.
    MirrorNotHeldBack,
    /// Progress is recorded without asking whether somebody else has recorded more.
    ProgressRecordedBlindly,
    /// A feed with nothing to send never asks its target where it is.
    NeverLooksAgain,
}

/// The protocol, with bounds so that there is an end to it.
pub(crate) struct Protocol {
    pub(crate) mutation: Mutation,
    pub(crate) scenario: Scenario,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// An importer looks up the transfers of the next batch and decides.
    DecideBatch(ReplicaId),
    /// It appends what it decided, if the import is still where it was.
    AppendBatch(ReplicaId),
    /// A feed asks the target where it is (`GetProgress`).
    AskProgress(ReplicaId, Database),
    /// It records the answer, if nobody has recorded another since.
    RecordProgress(ReplicaId, Database),
    /// It sends the rows after the cursor that it knows (`ApplyUpdates`).
    SendRows(ReplicaId, Database),
    /// At rest, it finds that the target is not where it was.
    LookAgain(ReplicaId, Database),
    /// The gateway's feed looks a transfer up that had moved on, and decides again.
    DecideAgain(ReplicaId),
    /// It appends the superseding row, if the exception is still open.
    AppendAgain(ReplicaId),
    /// An adapter copy takes a message, and refuses it or begins to apply it.
    Receive(CopyId, usize),
    /// It commits effects, exceptions and cursor, and answers.
    Commit(CopyId),
    /// Only in a mutation: the second transaction.
    MoveCursor(CopyId),
    /// Only in a mutation: the same again.
    Repeat(CopyId),

    /// The owner of the transfer funds it.
    Fund,

    CrashReplica(ReplicaId),
    CrashCopy(CopyId),
    /// A commit that happens, and whose answer nobody hears.
    CommitUnheard(CopyId),
    /// A feed waits no longer. Its message is still on its way.
    GiveUp(ReplicaId, Database),
    /// The network delivers a message twice.
    Double(usize),
    /// The mirror is restored from a backup that was made before the import.
    RestoreMirror,
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.scenario)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.steps(world, actions);
        // Its owner cannot fund a transfer that has been returned.
        let returned = (world.returns.journal.iter())
            .any(|row| row.entry == FUNDABLE && world.gateway.effects_at(row.position) > 0);
        if self.scenario.fundable() && !world.funded && !returned {
            actions.push(Action::Fund);
        }
        if world.faults_left > 0 {
            faults(world, actions);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        match action {
            Action::DecideBatch(replica) => self.decide_batch(&mut next, replica),
            Action::AppendBatch(replica) => self.append_batch(&mut next, replica),
            Action::AskProgress(replica, database) => ask_progress(&mut next, replica, database),
            Action::RecordProgress(replica, database) => {
                self.record_progress(&mut next, replica, database);
            }
            Action::SendRows(replica, database) => self.send_rows(&mut next, replica, database),
            Action::LookAgain(replica, database) => {
                *next.replicas[replica].feed_mut(database) = Feed::Starting;
            }
            Action::DecideAgain(replica) => self.decide_again(&mut next, replica),
            Action::AppendAgain(replica) => append_again(&mut next, replica),
            Action::Receive(copy, message) => self.receive(&mut next, copy, message),
            Action::Commit(copy) => self.commit(&mut next, copy),
            Action::MoveCursor(copy) => move_cursor(&mut next, copy),
            Action::Repeat(copy) => self.repeat(&mut next, copy),
            Action::Fund => next.funded = true,
            Action::CrashReplica(_)
            | Action::CrashCopy(_)
            | Action::CommitUnheard(_)
            | Action::GiveUp(..)
            | Action::Double(_)
            | Action::RestoreMirror => {
                next.faults_left -= 1;
                self.fault(&mut next, &action);
            }
        }
        next.forget_hopeless();
        next.network.sort();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(&self.scenario)
    }
}
