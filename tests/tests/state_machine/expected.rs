//! What the reference says a database must hold, written as the database shows it.

use echeck_adapter::batch::RowHash;

use crate::batches::{JOURNAL, hash_at};
use crate::database::{Contents, amount_minor, id};
use crate::reference::Reference;
use crate::transfers::{Effect, Side, State, Transfer};

impl Reference {
    /// What a database must hold.
    pub(crate) fn contents(&self, side: Side) -> Contents {
        let follower = self.follower(side);
        let mut rows: Vec<String> = (follower.transfers.iter().enumerate())
            .filter(|(_, transfer)| transfer.is_in(side))
            .flat_map(|(number, transfer)| match side {
                Side::Gateway => in_gateway(number, transfer),
                Side::Mirror => vec![in_mirror(number, transfer)],
            })
            .collect();
        rows.sort();
        let hash = RowHash::from_bytes(&hash_at(follower.cursor)).map(RowHash::to_hex);
        let cursor = hash.map(|hash| format!("machine|{JOURNAL}|{}|{hash}", follower.cursor));
        let exceptions = follower.exceptions.iter().map(|(position, kind)| {
            let transfer = id(self.journal[position - 1].transfer);
            format!("{position}|{}|{transfer}", kind.as_str())
        });
        Contents {
            rows,
            cursors: cursor.into_iter().collect(),
            exceptions: exceptions.collect(),
        }
    }
}

/// The transfer, and each reversal that it has.
fn in_gateway(number: usize, transfer: &Transfer) -> Vec<String> {
    let (id, amount) = (id(number), amount_minor(number));
    let state = match transfer.state {
        State::Pending => "PROCESSING",
        State::Succeeded => "SUCCEEDED",
        State::Failed => "FAILED",
        State::Returned => "RETURNED",
    };
    let code = match transfer.state {
        State::Pending | State::Succeeded => "-",
        State::Failed | State::Returned => "R01",
    };
    let deposit = if transfer.in_deposit { "DEP" } else { "-" };
    let changes = transfer.effects.len();
    let mut rows = vec![format!(
        "{id}|{state}|{amount}|-|{deposit}|{code}|{changes}"
    )];
    let reversals = transfer.effects.iter();
    rows.extend(
        reversals
            .filter(|effect| **effect == Effect::Reverse)
            .map(|_| format!("RV_{id}|SUCCEEDED|{amount}|{id}|-|-|0")),
    );
    rows
}

fn in_mirror(number: usize, transfer: &Transfer) -> String {
    let (id, amount) = (id(number), amount_minor(number));
    let status = match transfer.state {
        State::Pending => "pending",
        State::Succeeded => "succeeded",
        State::Failed => "failed",
        State::Returned => "returned",
    };
    let code = if transfer.effects.is_empty() {
        "-"
    } else {
        "R01"
    };
    let changes = transfer.effects.len();
    format!("{id}|{status}|{amount}|{code}|{changes}")
}
