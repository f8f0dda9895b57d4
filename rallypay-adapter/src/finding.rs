//! Why a change could not be written, from the statuses that its transaction shows.

use echeck_adapter::batch::{Change, Effect};
use echeck_adapter::dialect::public_message;
use echeck_adapter::mapping::{ExceptionKind, Finding};
use echeck_adapter::row::Cell;

use crate::change::key;
use crate::plan::RallyPayMapping;
use crate::status::{RESTORED, Status};

impl RallyPayMapping {
    /// What is in the way of a change; `statuses` are those of every row with its key.
    pub(crate) fn finding(&self, change: &Change, statuses: &[&Cell]) -> Option<Finding> {
        let Some(allowed) = self.allowed(change) else {
            let message = format!(
                "the app has no status for a payment whose return was dishonored; set {RESTORED}"
            );
            return Some(Finding::new(ExceptionKind::Refused, message));
        };
        // Without the column there is nothing to write.
        if matches!(change, Change::Ready(_)) && self.columns.reversal_ready_at.is_none() {
            return None;
        }
        let id = key(change);
        match statuses {
            [] => {
                let message = format!("the target has no transaction of transfer {id}");
                Some(Finding::new(ExceptionKind::NotFound, message))
            }
            [status] if allowed.iter().any(|allowed| allowed.is(status)) => None,
            [status] => {
                let message = format!(
                    "the transaction of transfer {id} has the status {}, {}",
                    shown(status),
                    forbids(change)
                );
                Some(Finding::new(ExceptionKind::MovedOn, message))
            }
            several => {
                let message = format!(
                    "{} rows have the {} {id}; it must name one",
                    several.len(),
                    self.columns.transfer_id.name()
                );
                Some(Finding::new(ExceptionKind::Refused, message))
            }
        }
    }

    /// The statuses that a change may start from; `None` when the app lacks one for it.
    fn allowed(&self, change: &Change) -> Option<Vec<&Status>> {
        match change {
            Change::Update(update) => {
                let before = self.statuses.before(&update.effect);
                let possible = !before.is_empty() && self.statuses.after(&update.effect).is_some();
                possible.then_some(before)
            }
            Change::Ready(_) => Some(self.statuses.awaiting()),
        }
    }
}

fn shown(status: &Cell) -> String {
    if status.is_null() {
        "NULL".to_owned()
    } else {
        public_message(&status.text())
    }
}

/// What a status does not allow.
fn forbids(change: &Change) -> &'static str {
    match change {
        Change::Update(update) => match &update.effect {
            Effect::Fail { .. } | Effect::Return { .. } | Effect::Reverse(_) => {
                "from which no change may start"
            }
            Effect::Restore(_) => "in which no return can be undone",
            Effect::Reapply(_) => "in which no return can be applied again",
        },
        Change::Ready(_) => "in which nothing waits to be settled",
    }
}
