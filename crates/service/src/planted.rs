//! Bugs that the self-test of the crash campaign plants to prove that the campaign finds them.
//! Without the feature `planted-bugs`, which no released binary has, none of them exists.

/// A bug to plant, by the variable `ECHECK_BUG`.
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

/// Whether this bug is planted in this process.
#[cfg(feature = "planted-bugs")]
#[must_use]
pub fn has(bug: Bug) -> bool {
    static PLANTED: std::sync::LazyLock<Option<String>> =
        std::sync::LazyLock::new(|| std::env::var("ECHECK_BUG").ok());
    PLANTED.as_deref() == Some(bug.name())
}

/// Whether this bug is planted: never, without the feature.
#[cfg(not(feature = "planted-bugs"))]
#[inline]
#[must_use]
pub const fn has(_bug: Bug) -> bool {
    false
}
