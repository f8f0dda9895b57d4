//! How changes are written. The WHERE clause is the lock: it names the state, and the
//! deposit, that a change was decided on.

use echeck_adapter::batch::{Change, Effect, State};
use echeck_adapter::dialect::{DbError, Session};
use echeck_adapter::schema::Column;
use echeck_adapter::set::{Assign, Field, Guard, SetSql, Sheet};
use echeck_service::planted::{self, Bug};
use serde_json::Value;

use crate::plan::GatewayMapping;
use crate::reversal::json;

/// Writes a wave of changes: one UPDATE of the transfers that end, one of those that are
/// reversed, and one INSERT of the reversals.
pub(crate) async fn write(
    mapping: &GatewayMapping,
    session: &mut dyn Session,
    changes: &[&Change],
) -> Result<bool, DbError> {
    let (mut ended, mut reversed) = (Vec::new(), Vec::new());
    for change in changes {
        // These two have no row to find, or none to trust.
        let Some(id) = mapping.columns.id.id(&change.transfer_id) else {
            return Ok(false);
        };
        if mapping.lacks_deposit(change) {
            return Ok(false);
        }
        match &change.effect {
            Effect::Fail { messages, raw_json } => {
                ended.push((id, *change, State::Failed, messages, raw_json.as_str()));
            }
            Effect::Return { messages } => {
                ended.push((id, *change, State::Returned, messages, ""));
            }
            Effect::Reverse(reversal) => reversed.push((id, *change, reversal)),
        }
    }
    if !ended.is_empty() {
        let update = mapping.end(&ended)?;
        if session.execute_set(update).await? != count(&ended) {
            return Ok(false);
        }
    }
    if !reversed.is_empty() {
        let touch = mapping.touch_reversed(&reversed);
        if session.execute_set(touch).await? != count(&reversed) {
            return Ok(false);
        }
        let Some(insert) = mapping.insert_reversals(&reversed)? else {
            return Ok(false);
        };
        if session.execute_set(insert).await? != count(&reversed) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn count<T>(rows: &[T]) -> u64 {
    rows.len() as u64
}

/// A transfer that ends: its id, the change, the state it ends in, and what the change says
/// about it.
type Ended<'a> = (Value, &'a Change, State, &'a Vec<String>, &'a str);

/// What every change was decided on, as fields.
struct Expected {
    state: Field,
    in_deposit: Option<Field>,
}

impl Expected {
    fn new(mapping: &GatewayMapping, sheet: &mut Sheet<'_>) -> Self {
        Self {
            state: sheet.field(&mapping.columns.state),
            in_deposit: mapping.columns.deposit_id.is_some().then(|| sheet.number()),
        }
    }

    fn values(&self, mapping: &GatewayMapping, change: &Change) -> Vec<(Field, Value)> {
        let expected = &change.expected;
        let mut values = vec![(
            self.state,
            Value::from(mapping.states.write(expected.state)),
        )];
        if let (Some(field), Some(in_deposit)) = (self.in_deposit, expected.in_deposit) {
            values.push((field, Value::from(i64::from(in_deposit))));
        }
        values
    }

    fn guards<'a>(&self, mapping: &'a GatewayMapping) -> Vec<Guard<'a>> {
        if planted::has(Bug::StateGuardDropped) {
            return Vec::new();
        }
        let mut guards = vec![Guard::Is(&mapping.columns.state, self.state)];
        if let (Some(column), Some(field)) = (&mapping.columns.deposit_id, self.in_deposit) {
            guards.push(Guard::IsThere(column, field));
        }
        guards
    }
}

impl GatewayMapping {
    /// Whether a change was decided on a deposit that the mapping cannot see.
    pub(crate) fn lacks_deposit(&self, change: &Change) -> bool {
        change.expected.in_deposit.is_some() && self.columns.deposit_id.is_none()
    }

    /// Ends the life of transfers, with the reason. What a change does not tell is left as it
    /// is. A transfer that has ended must not join a settlement.
    fn end(&self, ended: &[Ended<'_>]) -> Result<SetSql, DbError> {
        let columns = &self.columns;
        let mut sheet = Sheet::new(&self.table, &columns.id);
        let expected = Expected::new(self, &mut sheet);
        let state = sheet.field(&columns.state);
        let optional = |sheet: &mut Sheet<'_>, column: &Option<Column>| {
            column.as_ref().map(|column| sheet.field(column))
        };
        let messages = optional(&mut sheet, &columns.messages);
        let code = optional(&mut sheet, &columns.failure_code);
        let message = optional(&mut sheet, &columns.failure_message);
        let raw = optional(&mut sheet, &columns.raw);
        let updated_at = optional(&mut sheet, &columns.updated_at);
        for (id, change, state_after, lines, raw_json) in ended {
            let mut values = expected.values(self, change);
            values.push((state, Value::from(self.states.write(*state_after))));
            if let Some(field) = messages.filter(|_| !lines.is_empty()) {
                values.push((field, Value::from(json(lines)?)));
            }
            for (field, text) in [
                (code, change.reason.code.as_str()),
                (message, change.reason.description.as_str()),
                (raw, raw_json),
            ] {
                if let Some(field) = field.filter(|_| !text.is_empty()) {
                    values.push((field, Value::from(text)));
                }
            }
            if let (Some(field), Some(column)) = (updated_at, &columns.updated_at) {
                values.push((field, column.instant(change.reason.decided_at)));
            }
            sheet.row(id.clone(), values);
        }
        let mut assigns = vec![Assign::Each(&columns.state, state)];
        for (column, field) in [
            (&columns.messages, messages),
            (&columns.failure_code, code),
            (&columns.failure_message, message),
            (&columns.raw, raw),
        ] {
            if let (Some(column), Some(field)) = (column, field) {
                assigns.push(Assign::IfAny(column, field));
            }
        }
        if let (Some(column), Some(field)) = (&columns.updated_at, updated_at) {
            assigns.push(Assign::Each(column, field));
        }
        if let Some(ready) = columns.ready_to_settle_at.as_ref().filter(|c| c.nullable()) {
            assigns.push(Assign::Null(ready));
        }
        Ok(sheet.update(&assigns, &expected.guards(self)))
    }

    /// Touches transfers that are reversed, which stay as they are. Their amount is part of
    /// the condition, so that a reversal can only ever take back what was paid.
    fn touch_reversed(&self, reversed: &[crate::reversal::Reversed<'_>]) -> SetSql {
        let columns = &self.columns;
        let mut sheet = Sheet::new(&self.table, &columns.id);
        let expected = Expected::new(self, &mut sheet);
        let amount = sheet.field(&columns.amount);
        let updated_at = columns
            .updated_at
            .as_ref()
            .map(|column| (column, sheet.field(column)));
        for (id, change, reversal) in reversed {
            let mut values = expected.values(self, change);
            values.push((amount, Value::from(reversal.amount_minor)));
            if let Some((column, field)) = updated_at {
                values.push((field, column.instant(change.reason.decided_at)));
            }
            sheet.row(id.clone(), values);
        }
        let touched = match updated_at {
            Some((column, field)) => Assign::Each(column, field),
            None => Assign::Same(&columns.state),
        };
        let mut guards = expected.guards(self);
        guards.push(Guard::Is(&columns.amount, amount));
        sheet.update(&[touched], &guards)
    }
}
