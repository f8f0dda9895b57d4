//! The bugs that the self-test plants. Each is a patch, or two, in `tests/crash/bugs`, which
//! `scripts/crash self-test` applies to a copy of the sources: production code has none of them.
//! The variable `ECHECK_BUG` chooses one of those that are compiled in.

/// A bug to plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// An adapter moves its cursor in a transaction of its own, after the rows.
    CursorInSecondTransaction,
    /// Journal positions come from a sequence, not from the locked counter row.
    SequenceInsteadOfCounter,
    /// An import's progress moves without comparing it with the recorded progress.
    NoCompareAndSet,
    /// An adapter repeats a batch whose COMMIT got no answer, without reading its cursor.
    CommitRetriedBlindly,
    /// An import's progress moves in a transaction of its own, after the rows.
    ProgressInSecondTransaction,
    /// A feed continues after a batch that failed, and the adapter accepts it.
    GapSkipped,
    /// A change is written even if the transfer is in another state by now.
    StateGuardDropped,
    /// A file at the acquirer is archived before its import is committed.
    RemoteArchivedBeforeCommit,
    /// A dishonor is decided although one is recorded already.
    RestoredTwice,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::CursorInSecondTransaction,
        Self::SequenceInsteadOfCounter,
        Self::NoCompareAndSet,
        Self::CommitRetriedBlindly,
        Self::ProgressInSecondTransaction,
        Self::GapSkipped,
        Self::StateGuardDropped,
        Self::RemoteArchivedBeforeCommit,
        Self::RestoredTwice,
    ];

    /// The name in `ECHECK_BUG`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CursorInSecondTransaction => "cursor-in-second-transaction",
            Self::SequenceInsteadOfCounter => "sequence-instead-of-counter",
            Self::NoCompareAndSet => "no-compare-and-set",
            Self::CommitRetriedBlindly => "commit-retried-blindly",
            Self::ProgressInSecondTransaction => "progress-in-second-transaction",
            Self::GapSkipped => "gap-skipped",
            Self::StateGuardDropped => "state-guard-dropped",
            Self::RemoteArchivedBeforeCommit => "remote-archived-before-commit",
            Self::RestoredTwice => "restored-twice",
        }
    }
}
