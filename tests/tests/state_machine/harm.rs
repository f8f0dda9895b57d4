//! What can be broken on purpose, to see that the machine would notice.

/// A way to break the exactly-once effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Harm {
    None,
    /// Somebody takes the cursor back before an old batch is sent again.
    CursorRewound,
    /// The cursor moves without the rows.
    CursorWithoutRows,
    /// The exceptions are not kept.
    ExceptionsLost,
    /// The cursor does not go back with its data.
    CursorNotRestored,
}
