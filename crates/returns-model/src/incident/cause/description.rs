//! What people read about a cause.

use super::{Area, Severity};

/// What people read about a cause. The texts that others chose are quoted in it, with their odd
/// characters escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// What the cause takes away from the job; its severity follows from it.
    pub area: Area,
    /// The first line of an alert: the cause in plain English.
    pub headline: String,
    /// What follows from it.
    pub meaning: &'static str,
    /// What to do about it, in order.
    pub to_do: &'static [&'static str],
    /// The areas in which a failed check names a likelier cause, of a cause that may only be a
    /// consequence. The first area that has one wins.
    pub explained_by: &'static [Area],
}

impl Description {
    /// A cause that explains itself.
    pub(super) fn new(
        area: Area,
        headline: String,
        meaning: &'static str,
        to_do: &'static [&'static str],
    ) -> Self {
        Self {
            area,
            headline,
            meaning,
            to_do,
            explained_by: &[],
        }
    }

    /// The same cause, which a failed check of one of these areas may explain.
    pub(super) fn explained_by(self, areas: &'static [Area]) -> Self {
        Self {
            explained_by: areas,
            ..self
        }
    }

    /// How soon somebody must act.
    pub const fn severity(&self) -> Severity {
        self.area.severity()
    }
}
