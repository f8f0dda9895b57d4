//! Why changes could not be written: compares the rows as they are now with what each change was
//! decided on.

use std::collections::{BTreeSet, HashMap};

use echeck_adapter::batch::{
    AddedTransfer, ReleaseToSettlement, TransferChange, TransferState, Update,
};
use echeck_adapter::dialect::{DbError, TargetSession};
use echeck_adapter::mapping::Obstacle;
use echeck_adapter::public_message;
use echeck_adapter::row::TargetRow;
use echeck_adapter::schema::MappedColumn;
use echeck_adapter::timestamp::TimestampFormat;

use crate::mapping::GatewayMapping;
use crate::needs::NewId;
use crate::new_transfer::{created_by, other_parent};
use crate::row_keys::RowKeys;

/// The transfers of a group as they are now.
struct SeenRows<'a> {
    by_id: HashMap<String, Vec<&'a TargetRow>>,
    keys: RowKeys<'a>,
}

impl<'a> SeenRows<'a> {
    /// The one row of a transfer.
    fn of(&self, id: &str) -> Result<&'a TargetRow, Obstacle> {
        match self.by_id.get(&self.keys.shown(id)).map(Vec::as_slice) {
            None | Some([]) => Err(not_found(id)),
            Some([one]) => Ok(one),
            Some(several) => Err(Obstacle::refused(format!(
                "{} rows have the id of transfer {id}, but transfers.id_uniqueness says that only one \
                 has; correct the rows or name another column",
                several.len()
            ))),
        }
    }
}

/// Reads and locks the transfers of a group.
pub(crate) async fn examine(
    mapping: &GatewayMapping,
    session: &mut dyn TargetSession,
    changes: &[&TransferChange],
) -> Result<Vec<Option<Obstacle>>, DbError> {
    let columns = &mapping.columns;
    let ids: BTreeSet<&str> = changes
        .iter()
        .flat_map(|change| [Some(change.transfer_id()), parent(change)])
        .flatten()
        .collect();
    let keys = mapping.row_keys(session, ids.clone()).await?;
    let mut rows = mapping.rows(&columns.id);
    for id in ids.into_iter().filter_map(|id| keys.value(id)) {
        rows.add_row(id, []);
    }
    let mut shown = vec![&columns.id, &columns.state, &columns.amount];
    shown.extend(&columns.deposit_id);
    shown.extend(&mapping.release_column);
    let rows = session.fetch(rows.select_locked(&shown)).await?;
    let mut by_id: HashMap<String, Vec<&TargetRow>> = HashMap::new();
    for row in &rows {
        by_id
            .entry(columns.id.of(row).text())
            .or_default()
            .push(row);
    }
    let seen = SeenRows { by_id, keys };
    let obstacles = changes.iter().map(|change| match change {
        TransferChange::Update(update) => mapping.obstacle_to_update(update, &seen),
        TransferChange::Release(release) => mapping.obstacle_to_release(release, &seen),
    });
    Ok(obstacles.collect())
}

/// Another transfer than its own that a change needs.
pub(crate) fn parent(change: &TransferChange) -> Option<&str> {
    match change {
        TransferChange::Update(update) => other_parent(update),
        TransferChange::Release(_) => None,
    }
}

fn not_found(id: &str) -> Obstacle {
    Obstacle::not_found(format!("the target has no transfer {id}"))
}

impl GatewayMapping {
    fn obstacle_to_update(&self, update: &Update, seen: &SeenRows<'_>) -> Option<Obstacle> {
        let id = &update.transfer_id;
        let row = match seen.of(id) {
            Ok(row) => row,
            Err(obstacle) => return Some(obstacle),
        };
        if self.lacks_deposit(update) {
            return Some(Obstacle::moved_on(format!(
                "transfer {id} was decided on by its deposit, but the mapping has no \
                 transfers.columns.deposit_id"
            )));
        }
        if let Some(difference) = self.difference(update, row) {
            return Some(Obstacle::moved_on(difference));
        }
        let (kind, new) = created_by(&update.effect)?;
        if let Some(parent) = other_parent(update)
            && let Err(obstacle) = seen.of(parent)
        {
            let message = format!(
                "{}, which the {} {} undoes",
                obstacle.message,
                kind.as_str(),
                new.id
            );
            return Some(Obstacle {
                message,
                ..obstacle
            });
        }
        self.impossible_id(new, &seen.keys).map(Obstacle::refused)
    }

    fn obstacle_to_release(
        &self,
        release: &ReleaseToSettlement,
        seen: &SeenRows<'_>,
    ) -> Option<Obstacle> {
        // A gateway without the column has nothing to write.
        let ready_at = self.release_column.as_ref()?;
        let id = &release.transfer_id;
        let row = match seen.of(id) {
            Ok(row) => row,
            Err(obstacle) => return Some(obstacle),
        };
        let state = self.columns.state.of(row).text();
        let succeeded = self.states.of(TransferState::Succeeded);
        if !self.states.is(&state, TransferState::Succeeded) {
            let state = public_message(&state);
            // Not the same as one that is released already: a person must know that this never is.
            return Some(Obstacle::refused(format!(
                "transfer {id} is {state}, but only a {succeeded} transfer can be settled"
            )));
        }
        (!ready_at.of(row).is_null()).then(|| {
            Obstacle::moved_on(format!(
                "transfer {id} ({state}) has been ready to settle since {} already",
                instant(ready_at, row)
            ))
        })
    }

    /// How the row differs from what the change was decided on.
    fn difference(&self, update: &Update, row: &TargetRow) -> Option<String> {
        let columns = &self.columns;
        let id = &update.transfer_id;
        let expected = self.states.of(update.expected.state);
        let state = columns.state.of(row).text();
        if !self.states.is(&state, update.expected.state) {
            let state = public_message(&state);
            return Some(format!(
                "transfer {id} is {state}, not {expected} as it was decided on"
            ));
        }
        if let (Some(deposit), Some(expected)) = (&self.deposit, update.expected.in_deposit)
            && deposit.is_in(row) != Some(expected)
        {
            return Some(match deposit.is_in(row) {
                Some(true) => format!("transfer {id} ({state}) is in a deposit by now"),
                Some(false) => format!("transfer {id} ({state}) is not in a deposit any more"),
                None => format!("transfer {id} ({state}) has a deposit that cannot be read"),
            });
        }
        let (kind, new) = created_by(&update.effect)?;
        if self.minor(row) == Some(new.amount_minor) {
            return None;
        }
        let wanted = self.amount_unit.decimal(new.amount_minor);
        let is = columns.amount.of(row).text();
        Some(format!(
            "transfer {id} ({state}) has the amount {is}, not {wanted} as the {}",
            kind.as_str()
        ))
    }

    /// Which id of a new transfer the table cannot hold.
    fn impossible_id(&self, new: &AddedTransfer, keys: &RowKeys<'_>) -> Option<String> {
        let parent_id = keys.shown(&new.parent_id);
        self.filled_with_ids().find_map(|(column, fill)| {
            let id = match fill {
                NewId::Own => &new.id,
                NewId::Parent => &parent_id,
                NewId::Trace => &new.trace_id,
            };
            let name = column.name().as_str();
            let fits = id.is_empty() || column.id(id).is_some();
            (!fits).then(|| format!("column {name:?} cannot hold id {id:?}"))
        })
    }
}

/// An instant as messages show it. It has no digits of an account number to hide.
fn instant(column: &MappedColumn, row: &TargetRow) -> String {
    match column.instant_of(row) {
        Some(at) => TimestampFormat::Rfc3339.write(at),
        None => public_message(&column.of(row).text()),
    }
}
