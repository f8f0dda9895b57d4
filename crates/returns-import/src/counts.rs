//! How many entries of each kind were decided in each way, for those who watch.

use std::collections::BTreeMap;

use ach::decision::Effect;
use ach::entry::{Coded, EntryKind};
use returns_store::metrics::ENTRIES;

use crate::decide::{Decided, EntryOutcome, EntryToDecide};

/// Decisions that are counted once they are appended.
pub(crate) struct DecisionCounts(BTreeMap<(&'static str, String, &'static str), u64>);

impl DecisionCounts {
    /// Counts the decisions about entries.
    pub(crate) fn of(entries: &[EntryToDecide<'_>], decided: &Decided) -> Self {
        let mut counts = BTreeMap::new();
        for (one, outcome) in entries.iter().zip(&decided.outcomes) {
            let kind = &one.entry.kind;
            let decision = match outcome {
                EntryOutcome::Act { effect, .. } => effect_word(*effect),
                EntryOutcome::Duplicate { .. } => "duplicate",
                EntryOutcome::Prenote => "prenote",
                EntryOutcome::Hold { .. } => "hold",
            };
            *counts
                .entry((kind.as_str(), code_word(kind), decision))
                .or_default() += 1;
        }
        Self(counts)
    }

    /// Adds them up.
    pub(crate) fn add(&self) {
        for ((kind, code, decision), number) in &self.0 {
            ENTRIES.add(*number, &[kind, code, decision]);
        }
    }
}

fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Fail => "fail",
        Effect::Return => "return",
        Effect::Reverse => "reverse",
        Effect::Correct => "correct",
        Effect::Restore => "restore",
        Effect::Reapply => "reapply",
    }
}

/// The code, if the table has it: what files make up is no label.
fn code_word(kind: &EntryKind) -> String {
    fn of<T: std::fmt::Display>(code: &Coded<T>) -> String {
        match code {
            Coded::Known(code) => code.to_string(),
            Coded::Unknown(_) => "other".to_owned(),
        }
    }
    match kind {
        EntryKind::Return { code, .. }
        | EntryKind::Dishonored { code, .. }
        | EntryKind::Contested { code, .. } => of(code),
        EntryKind::Correction { code, .. } | EntryKind::RefusedCorrection { code, .. } => of(code),
        EntryKind::ValidationFailure { .. } => "none".to_owned(),
    }
}
