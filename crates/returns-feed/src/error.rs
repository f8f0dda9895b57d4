//! Why a feed is stalled.

use returns_import::adapter::AdapterError;
use returns_import::decide::DecideError;
use returns_store::StoreError;

/// Why a feed is stalled.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    #[error(transparent)]
    Decide(#[from] DecideError),
    #[error(
        "{database} ({target}) follows another journal: it is known as journal {theirs}'s, ours is {ours}. \
         Point the adapter at the right database, or the service at the right journal"
    )]
    OtherJournal {
        database: String,
        /// Which database it is, for people.
        target: String,
        theirs: String,
        ours: String,
    },
    /// Nothing shows that the target is the one that was fed before.
    #[error(
        "{target} is not the database {database:?} that was fed before: {why}. Nothing is written to \
         it until a person adopts it"
    )]
    Foreign {
        database: String,
        /// Which database it is, for people.
        target: String,
        why: String,
    },
    #[error(
        "the adapter of {database} speaks version {theirs} of the contract, this service speaks \
         {ours}: install the same version of both"
    )]
    OtherVersion {
        database: String,
        theirs: u32,
        ours: u32,
    },
    #[error(
        "{database} is ahead of the journal: its cursor is at {theirs}, the journal ends at {ours}. \
         The returns database was restored to an older state; nothing is fed until a person decides"
    )]
    Ahead {
        database: String,
        theirs: u64,
        ours: u64,
    },
    #[error(
        "{database} and the journal have different pasts at position {position}: its cursor has \
         hash {theirs}, the journal {ours}. The returns database was restored or changed; nothing \
         is fed until a person decides"
    )]
    Diverged {
        database: String,
        position: u64,
        theirs: String,
        ours: String,
    },
    #[error("the journal has no row {0}")]
    NoRow(u64),
    #[error(
        "the adapter of {database} cannot read journal row {position}: {why}. Nothing after it is \
         applied there. Correct the adapter, or skip the row: echeck journal skip --database \
         {database} --position {position}"
    )]
    Unreadable {
        database: String,
        position: u64,
        why: String,
    },
    #[error("the adapter of {database} sent what the contract does not allow: {what}")]
    Contract { database: String, what: String },
    #[error("source {0:?} of a journal row is not configured any more; add [sources.{0}] again")]
    NoSource(String),
}

impl FeedError {
    /// Whether another session has locked what the feed needs.
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Self::Adapter(error) | Self::Decide(DecideError::Adapter(error)) => error.is_busy(),
            Self::Store(_)
            | Self::Decide(_)
            | Self::OtherJournal { .. }
            | Self::Foreign { .. }
            | Self::OtherVersion { .. }
            | Self::Ahead { .. }
            | Self::Diverged { .. }
            | Self::NoRow(_)
            | Self::Unreadable { .. }
            | Self::Contract { .. }
            | Self::NoSource(_) => false,
        }
    }
}
