//! What survives everything: the returns database and the two databases that follow it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The entry whose transfer may be funded by its owner at any time before it is returned.
pub(crate) const FUNDABLE: Entry = Entry(0);

/// A line of the file, which is about one transfer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Entry(pub(crate) u8);

pub(crate) type Position = u8;
pub(crate) type ChainHash = u64;

/// The databases that follow the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Database {
    /// The system of record.
    Gateway,
    Mirror,
}

/// What a return does to its transfer, which also names the state it expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Effect {
    /// For a transfer that is not funded.
    Return,
    /// For a transfer that is.
    Reverse,
}

impl Effect {
    pub(crate) fn decide(funded: bool) -> Self {
        if funded { Self::Reverse } else { Self::Return }
    }
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub(crate) position: Position,
    pub(crate) entry: Entry,
    pub(crate) effect: Effect,
    pub(crate) supersedes: Option<Position>,
    pub(crate) hash: ChainHash,
}

impl Row {
    /// The hash which this row must have after a row with hash `previous`.
    pub(crate) fn chained_to(&self, previous: ChainHash) -> ChainHash {
        let mut hasher = DefaultHasher::new();
        let content = (self.position, self.entry, self.effect, self.supersedes);
        (previous, content).hash(&mut hasher);
        hasher.finish()
    }
}

/// A place in the journal: a target's cursor, or the journal's head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Cursor {
    pub(crate) position: Position,
    pub(crate) hash: ChainHash,
}

/// The returns database.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ReturnsDb {
    pub(crate) journal: Vec<Row>,
    /// How many batches of the import are appended.
    pub(crate) import_done: usize,
    /// How far the gateway is, as last recorded here. The truth is in the gateway.
    pub(crate) gateway: Recorded,
    /// The same of the mirror.
    pub(crate) mirror: Recorded,
    /// The last number that was drawn; used only where positions come from a sequence.
    pub(crate) sequence: Position,
}

/// What the returns database knows of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Recorded {
    pub(crate) position: Position,
    pub(crate) exceptions: BTreeMap<Position, Dealt>,
}

/// Whether an exception has been decided again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Dealt {
    Open,
    Superseded,
}

impl ReturnsDb {
    pub(crate) fn head(&self) -> Cursor {
        self.journal.last().map_or(Cursor::default(), |row| Cursor {
            position: row.position,
            hash: row.hash,
        })
    }

    pub(crate) fn recorded(&self, database: Database) -> &Recorded {
        match database {
            Database::Gateway => &self.gateway,
            Database::Mirror => &self.mirror,
        }
    }

    pub(crate) fn recorded_mut(&mut self, database: Database) -> &mut Recorded {
        match database {
            Database::Gateway => &mut self.gateway,
            Database::Mirror => &mut self.mirror,
        }
    }

    pub(crate) fn superseded(&self, position: Position) -> bool {
        self.journal
            .iter()
            .any(|row| row.supersedes == Some(position))
    }

    /// The first exception of the gateway that nobody has dealt with.
    pub(crate) fn open_exception(&self) -> Option<Position> {
        let exceptions = &self.gateway.exceptions;
        exceptions
            .iter()
            .find_map(|(position, dealt)| (*dealt == Dealt::Open).then_some(*position))
    }

    /// Appends a row within the caller's transaction: at the counter's next position, or at
    /// one that was drawn from a sequence earlier.
    pub(crate) fn append(
        &mut self,
        drawn: Option<Position>,
        entry: Entry,
        effect: Effect,
        supersedes: Option<Position>,
    ) {
        let head = self.head();
        let mut row = Row {
            position: drawn.unwrap_or(head.position + 1),
            entry,
            effect,
            supersedes,
            hash: 0,
        };
        row.hash = row.chained_to(head.hash);
        self.journal.push(row);
        // Readers ask in the order of positions, whatever the order of commits was.
        self.journal.sort_by_key(|row| row.position);
    }
}

/// A target database.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Target {
    pub(crate) cursor: Cursor,
    /// How many times each position had its effect.
    pub(crate) effects: BTreeMap<Position, u8>,
    /// Positions that changed nothing, since their transfer had moved on.
    pub(crate) exceptions: BTreeSet<Position>,
}

impl Target {
    pub(crate) fn effects_at(&self, position: Position) -> u8 {
        self.effects.get(&position).copied().unwrap_or(0)
    }
}
