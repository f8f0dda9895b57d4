//! What survives nothing: messages on their way, adapter copies, and replicas of the returns
//! service.

use std::collections::BTreeSet;

use crate::databases::{ChainHash, Cursor, Database, Effect, Entry, Position};

pub(crate) type ReplicaId = usize;

/// An adapter copy: the database it stands in front of, and which one it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CopyId {
    pub(crate) database: Database,
    pub(crate) number: usize,
}

/// One journal row as an adapter gets it; without a change only the cursor moves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Step {
    pub(crate) position: Position,
    pub(crate) hash: ChainHash,
    pub(crate) change: Option<(Entry, Effect)>,
}

/// An `ApplyUpdates` on its way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Message {
    pub(crate) database: Database,
    /// Who still waits for the answer. Nobody does for a message that was given up, whose
    /// sender crashed, or that the network doubled.
    pub(crate) asker: Option<ReplicaId>,
    pub(crate) previous: ChainHash,
    pub(crate) first: Step,
    pub(crate) rest: Vec<Step>,
}

impl Message {
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    pub(crate) fn end(&self) -> Cursor {
        let last = self.rest.last().unwrap_or(&self.first);
        Cursor {
            position: last.position,
            hash: last.hash,
        }
    }
}

/// What an adapter copy is doing. It may pause here for as long as it likes.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum AdapterCopy {
    #[default]
    Free,
    /// It has read the cursor, found that the request fits, and has not committed.
    Applying(Message),
    /// Only where the cursor moves in a second transaction: the effects are committed.
    CursorToMove(Message),
    /// Only where a commit is repeated blindly: its answer was lost.
    ToRepeat(Message),
}

impl AdapterCopy {
    pub(crate) fn message_mut(&mut self) -> Option<&mut Message> {
        match self {
            Self::Free => None,
            Self::Applying(message) | Self::CursorToMove(message) | Self::ToRepeat(message) => {
                Some(message)
            }
        }
    }
}

/// What a replica of the returns service remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Replica {
    pub(crate) importer: Importer,
    pub(crate) gateway: Feed,
    pub(crate) mirror: Feed,
}

impl Replica {
    pub(crate) fn feed(&self, database: Database) -> &Feed {
        match database {
            Database::Gateway => &self.gateway,
            Database::Mirror => &self.mirror,
        }
    }

    pub(crate) fn feed_mut(&mut self, database: Database) -> &mut Feed {
        match database {
            Database::Gateway => &mut self.gateway,
            Database::Mirror => &mut self.mirror,
        }
    }
}

/// An import worker.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Importer {
    #[default]
    Idle,
    /// It has looked the transfers of a batch up and has not appended.
    Decided {
        batch: usize,
        /// The decision about the transfer that may be funded.
        effect: Effect,
        drawn: Option<Position>,
    },
}

/// The feed of one database.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Feed {
    /// It does not know where the target is.
    #[default]
    Starting,
    /// It was told where the target is and has not recorded it. The exceptions are those
    /// since `from`, which was the recorded position.
    Notified {
        from: Position,
        cursor: Cursor,
        exceptions: BTreeSet<Position>,
    },
    /// It has recorded where the target was.
    Ready(Cursor),
    /// It waits for the answer to a request that began after this cursor.
    Waiting(Cursor),
    /// It has decided about an exception again and has not appended.
    DecidedAgain {
        cursor: Cursor,
        exception: Position,
        effect: Effect,
        drawn: Option<Position>,
    },
}
