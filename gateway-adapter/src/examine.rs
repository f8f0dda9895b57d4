//! Why changes could not be written: the rows as they are now, against what each change was
//! decided on.

use std::collections::HashMap;

use echeck_adapter::batch::{Change, Effect};
use echeck_adapter::dialect::{DbError, Session, public_message};
use echeck_adapter::mapping::{ExceptionKind, Finding};
use echeck_adapter::row::Row;
use echeck_adapter::schema::Column;
use echeck_adapter::set::Sheet;

use crate::plan::GatewayMapping;

/// Looks at the transfers of a wave.
pub(crate) async fn examine(
    mapping: &GatewayMapping,
    session: &mut dyn Session,
    changes: &[&Change],
) -> Result<Vec<Option<Finding>>, DbError> {
    let columns = &mapping.columns;
    let mut sheet = Sheet::new(&mapping.table, &columns.id);
    for change in changes {
        if let Some(id) = columns.id.id(&change.transfer_id) {
            sheet.row(id, []);
        }
    }
    let mut shown = vec![&columns.id, &columns.state, &columns.amount];
    shown.extend(&columns.deposit_id);
    let rows = session.fetch_set(sheet.select_locked(&shown)).await?;
    let by_id: HashMap<String, &Row> = rows
        .iter()
        .map(|row| (row.cell(columns.id.name().as_str()).text(), row))
        .collect();
    Ok(changes
        .iter()
        .map(|change| mapping.finding(change, by_id.get(&change.transfer_id).copied()))
        .collect())
}

impl GatewayMapping {
    fn finding(&self, change: &Change, row: Option<&Row>) -> Option<Finding> {
        let id = &change.transfer_id;
        let Some(row) = row else {
            let message = format!("the target has no transfer {id}");
            return Some(Finding::new(ExceptionKind::NotFound, message));
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
        self.impossible(change)
            .map(|why| Finding::new(ExceptionKind::Refused, why))
    }

    /// How the row differs from what the change was decided on.
    fn difference(&self, change: &Change, row: &Row) -> Option<String> {
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
        if let Effect::Reverse(reversal) = &change.effect
            && cell(&columns.amount).integer() != Some(reversal.amount_minor)
        {
            let (is, wanted) = (cell(&columns.amount).text(), reversal.amount_minor);
            return Some(format!(
                "transfer {id} ({state}) has the amount {is}, not {wanted} as the reversal"
            ));
        }
        None
    }

    /// What the table cannot hold of a reversal.
    fn impossible(&self, change: &Change) -> Option<String> {
        let Effect::Reverse(reversal) = &change.effect else {
            return None;
        };
        let columns = &self.columns;
        let holds = |column: &Column, id: &str| id.is_empty() || column.id(id).is_some();
        let lacking = [
            (Some(&columns.id), reversal.id.as_str()),
            (columns.trace_id.as_ref(), reversal.trace_id.as_str()),
            (Some(&columns.parent_id), change.transfer_id.as_str()),
        ]
        .into_iter()
        .filter_map(|(column, id)| column.map(|column| (column, id)))
        .find(|(column, id)| !holds(column, id));
        lacking.map(|(column, id)| {
            format!("column {:?} cannot hold id {id:?}", column.name().as_str())
        })
    }
}
