//! Why a change cannot be written, from the statuses that its transaction shows.

use echeck_adapter::batch::{TransferChange, UpdateEffect};
use echeck_adapter::mapping::Obstacle;
use echeck_adapter::public_message;
use echeck_adapter::row::Cell;

use crate::change::key;
use crate::mapping::RallyPayMapping;
use crate::status::AppStatus;

impl RallyPayMapping {
    /// What is in the way of a change; `statuses` are those of every row with its key.
    pub(crate) fn obstacle(&self, change: &TransferChange, statuses: &[&Cell]) -> Option<Obstacle> {
        let Some(allowed) = self.allowed(change) else {
            return Some(Obstacle::refused(
                "the app has no status for a payment whose return was dishonored; set \
                 transactions.statuses.restored",
            ));
        };
        // Without the column there is nothing to write.
        if matches!(change, TransferChange::Release(_)) && self.columns.reversal_ready_at.is_none()
        {
            return None;
        }
        let id = key(change);
        match statuses {
            [] => Some(Obstacle::not_found(format!(
                "the target has no transaction of transfer {id}"
            ))),
            [status] if allowed.iter().any(|allowed| allowed.is_shown(status)) => None,
            [status] => Some(Obstacle::moved_on(format!(
                "the transaction of transfer {id} has the status {}, {}",
                shown(status),
                forbidden(change)
            ))),
            several => Some(Obstacle::refused(format!(
                "{} rows have the {} {id}; it must name one",
                several.len(),
                self.columns.transfer_id.name()
            ))),
        }
    }

    /// The statuses that a change may start from; `None` when the app lacks one for it.
    fn allowed(&self, change: &TransferChange) -> Option<Vec<&AppStatus>> {
        match change {
            TransferChange::Update(update) => {
                let before = self.statuses.before(&update.effect);
                let possible = !before.is_empty() && self.statuses.after(&update.effect).is_some();
                possible.then_some(before)
            }
            TransferChange::Release(_) => Some(self.statuses.awaiting()),
        }
    }
}

pub(crate) fn shown(status: &Cell) -> String {
    if status.is_null() {
        "NULL".to_owned()
    } else {
        public_message(&status.text())
    }
}

/// What a status does not allow.
fn forbidden(change: &TransferChange) -> &'static str {
    match change {
        TransferChange::Update(update) => match &update.effect {
            UpdateEffect::Fail { .. } | UpdateEffect::Return { .. } | UpdateEffect::Reverse(_) => {
                "from which no change may start"
            }
            UpdateEffect::Restore(_) => "in which no return can be undone",
            UpdateEffect::Reapply(_) => "in which no return can be applied again",
        },
        TransferChange::Release(_) => "in which nothing waits to be settled",
    }
}
