//! Why changes could not be written: the rows as they are now, against what each change was
//! decided on.

use std::collections::{BTreeSet, HashMap};

use echeck_adapter::batch::{Change, NewTransfer, Ready, State, Update};
use echeck_adapter::dialect::{DbError, Session, public_message};
use echeck_adapter::mapping::{ExceptionKind, Finding};
use echeck_adapter::row::{Cell, Row};
use echeck_adapter::schema::Column;
use echeck_adapter::set::Sheet;
use echeck_adapter::timestamp::TimestampFormat;

use crate::made::{made_by, other_parent};
use crate::plan::GatewayMapping;

/// The transfers of a wave as they are now, by their ids.
type Seen<'a> = HashMap<String, &'a Row>;

/// Looks at the transfers of a wave.
pub(crate) async fn examine(
    mapping: &GatewayMapping,
    session: &mut dyn Session,
    changes: &[&Change],
) -> Result<Vec<Option<Finding>>, DbError> {
    let columns = &mapping.columns;
    let ids: BTreeSet<&str> = changes
        .iter()
        .flat_map(|change| [Some(change.transfer_id()), parent(change)])
        .flatten()
        .collect();
    let mut sheet = Sheet::new(&mapping.table, &columns.id);
    for id in ids.into_iter().filter_map(|id| columns.id.id(id)) {
        sheet.row(id, []);
    }
    let mut shown = vec![&columns.id, &columns.state, &columns.amount];
    shown.extend(&columns.deposit_id);
    shown.extend(&mapping.readiness);
    let rows = session.fetch_set(sheet.select_locked(&shown)).await?;
    let seen: Seen<'_> = rows
        .iter()
        .map(|row| (row.cell(columns.id.name().as_str()).text(), row))
        .collect();
    Ok(changes
        .iter()
        .map(|change| match change {
            Change::Update(update) => mapping.finding(update, &seen),
            Change::Ready(ready) => mapping.not_ready(ready, &seen),
        })
        .collect())
}

/// Another transfer than its own that must be there for a change.
fn parent(change: &Change) -> Option<&str> {
    match change {
        Change::Update(update) => other_parent(update, update.effect.made()?),
        Change::Ready(_) => None,
    }
}

fn not_found(id: &str) -> Finding {
    let message = format!("the target has no transfer {id}");
    Finding::new(ExceptionKind::NotFound, message)
}

impl GatewayMapping {
    fn finding(&self, change: &Update, seen: &Seen<'_>) -> Option<Finding> {
        let id = &change.transfer_id;
        let Some(row) = seen.get(id) else {
            return Some(not_found(id));
        };
        if self.lacks_deposit(change) {
            let message = format!(
                "transfer {id} was decided on by its deposit, but the mapping has no \
                 transfers.columns.deposit_id"
            );
            return Some(Finding::new(ExceptionKind::MovedOn, message));
        }
        if let Some(difference) = self.difference(change, row) {
            return Some(Finding::new(ExceptionKind::MovedOn, difference));
        }
        let (role, new) = made_by(&change.effect)?;
        if let Some(parent) = other_parent(change, new)
            && !seen.contains_key(parent)
        {
            let message = format!(
                "the target has no transfer {parent}, which the {} {} undoes",
                role.as_str(),
                new.id
            );
            return Some(Finding::new(ExceptionKind::NotFound, message));
        }
        self.impossible(new)
            .map(|why| Finding::new(ExceptionKind::Refused, why))
    }

    /// Why a transfer does not become ready to settle.
    fn not_ready(&self, ready: &Ready, seen: &Seen<'_>) -> Option<Finding> {
        // A gateway without the notion has nothing to write.
        let ready_at = self.readiness.as_ref()?;
        let id = &ready.transfer_id;
        let Some(row) = seen.get(id) else {
            return Some(not_found(id));
        };
        let state = row.cell(self.columns.state.name().as_str()).text();
        let succeeded = self.states.write(State::Succeeded);
        if state != succeeded {
            let state = public_message(&state);
            let message =
                format!("transfer {id} is {state}, not {succeeded} as what is settled must be");
            // Not the same as one that is ready already: a person must know that this never is.
            return Some(Finding::new(ExceptionKind::Refused, message));
        }
        let since = row.cell(ready_at.name().as_str());
        if since.is_null() {
            return None;
        }
        let message = format!(
            "transfer {id} ({state}) is ready to settle since {} already",
            instant(since)
        );
        Some(Finding::new(ExceptionKind::MovedOn, message))
    }

    /// How the row differs from what the change was decided on.
    fn difference(&self, change: &Update, row: &Row) -> Option<String> {
        let columns = &self.columns;
        let id = &change.transfer_id;
        let cell = |column: &Column| row.cell(column.name().as_str());
        let expected = self.states.write(change.expected.state);
        let state = cell(&columns.state).text();
        if state != expected {
            let state = public_message(&state);
            return Some(format!(
                "transfer {id} is {state}, not {expected} as it was decided on"
            ));
        }
        if let (Some(deposit), Some(expected)) = (&columns.deposit_id, change.expected.in_deposit)
            && cell(deposit).is_null() == expected
        {
            return Some(if expected {
                format!("transfer {id} ({state}) is in no deposit any more")
            } else {
                format!("transfer {id} ({state}) is in a deposit by now")
            });
        }
        let (role, new) = made_by(&change.effect)?;
        if cell(&columns.amount).integer() == Some(new.amount_minor) {
            return None;
        }
        let (is, wanted) = (cell(&columns.amount).text(), new.amount_minor);
        Some(format!(
            "transfer {id} ({state}) has the amount {is}, not {wanted} as the {}",
            role.as_str()
        ))
    }

    /// What the table cannot hold of a new transfer.
    fn impossible(&self, new: &NewTransfer) -> Option<String> {
        let columns = &self.columns;
        let holds = |column: &Column, id: &str| id.is_empty() || column.id(id).is_some();
        let lacking = [
            (Some(&columns.id), new.id.as_str()),
            (columns.trace_id.as_ref(), new.trace_id.as_str()),
            (Some(&columns.parent_id), new.parent_id.as_str()),
        ]
        .into_iter()
        .filter_map(|(column, id)| column.map(|column| (column, id)))
        .find(|(column, id)| !holds(column, id));
        lacking.map(|(column, id)| {
            format!("column {:?} cannot hold id {id:?}", column.name().as_str())
        })
    }
}

/// An instant in the one spelling of messages; it has no account number's digits to hide.
fn instant(cell: &Cell) -> String {
    match cell.instant() {
        Some(at) => TimestampFormat::Rfc3339.write(at),
        None => public_message(&cell.text()),
    }
}
