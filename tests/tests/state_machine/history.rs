//! What may happen, and how often.

use proptest::prelude::*;
use proptest::sample::select;

use crate::transfers::Side;

/// How many payments there are.
pub(crate) const PAYMENTS: usize = 24;

/// One thing that happens. `rows` is how many rows a batch has at most.
#[derive(Debug, Clone)]
pub(crate) enum Transition {
    /// Returns of payments that had none are decided and appended.
    Append {
        rows: usize,
    },
    /// What the gateway had moved on from is decided again.
    DecideAgain,
    /// The next batch.
    Feed {
        side: Side,
        rows: usize,
    },
    /// The next batch, given up after so many polls, then whatever the cursor asks for.
    Cancel {
        side: Side,
        rows: usize,
        polls: usize,
    },
    /// The next batch, by two copies of the adapter at once.
    Rivals {
        side: Side,
        rows: usize,
    },
    /// A batch that begins so many rows before the cursor.
    Replay {
        side: Side,
        back: usize,
    },
    /// A batch that leaves a row out.
    SkipAhead {
        side: Side,
    },
    /// A batch of another journal.
    OtherJournal {
        side: Side,
    },
    /// A batch of the same journal with another past.
    OtherPast {
        side: Side,
    },
    /// A transfer joins a deposit although its return is decided.
    Fund {
        which: usize,
    },
    /// A transfer arrives although its failure is decided.
    Arrive {
        which: usize,
    },
    /// Somebody ends a transaction in the mirror by hand whose return is on its way there.
    EndInMirror {
        which: usize,
    },
    BackUp {
        side: Side,
    },
    /// The database is restored from its last backup.
    Restore {
        side: Side,
    },
    /// The adapter starts anew.
    Reopen {
        side: Side,
    },
}

impl Transition {
    pub(crate) fn strategy() -> BoxedStrategy<Self> {
        let side = || select(vec![Side::Gateway, Side::Gateway, Side::Mirror]);
        let rows = || 1..6_usize;
        let which = || 0..PAYMENTS;
        // A batch is applied in some 10 to 30 polls.
        let polls = 0..30_usize;
        prop_oneof![
            5 => rows().prop_map(|rows| Self::Append { rows }),
            2 => Just(Self::DecideAgain),
            5 => (side(), rows()).prop_map(|(side, rows)| Self::Feed { side, rows }),
            3 => (side(), rows(), polls)
                .prop_map(|(side, rows, polls)| Self::Cancel { side, rows, polls }),
            1 => (side(), rows()).prop_map(|(side, rows)| Self::Rivals { side, rows }),
            1 => (side(), rows()).prop_map(|(side, back)| Self::Replay { side, back }),
            1 => side().prop_map(|side| Self::SkipAhead { side }),
            1 => side().prop_map(|side| Self::OtherJournal { side }),
            1 => side().prop_map(|side| Self::OtherPast { side }),
            3 => which().prop_map(|which| Self::Fund { which }),
            2 => which().prop_map(|which| Self::Arrive { which }),
            1 => which().prop_map(|which| Self::EndInMirror { which }),
            1 => side().prop_map(|side| Self::BackUp { side }),
            1 => side().prop_map(|side| Self::Restore { side }),
            1 => side().prop_map(|side| Self::Reopen { side }),
        ]
        .boxed()
    }
}
