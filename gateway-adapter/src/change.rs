//! How changes are written. The WHERE clause is the lock: it names the state, and the
//! deposit, that a change was decided on.

use echeck_adapter::batch::{Change, Effect, State, Update};
use echeck_adapter::dialect::{DbError, Session};
use echeck_adapter::schema::Column;
use echeck_adapter::set::{Assign, Field, Guard, SetSql, Sheet};
use echeck_service::planted::{self, Bug};
use serde_json::Value;

use crate::layout::Role;
use crate::made::{Made, json};
use crate::plan::GatewayMapping;
use crate::ready::Readied;

/// A wave of changes, each kind by itself.
#[derive(Default)]
struct Sorted<'a> {
    ended: Vec<Ended<'a>>,
    made: Vec<Made<'a>>,
    readied: Vec<Readied<'a>>,
}

/// Writes a wave of changes: one UPDATE of the transfers that end, one of those that something
/// is made of, one INSERT of the reversals and one of the restorations, and one UPDATE of what
/// becomes ready to settle.
pub(crate) async fn write(
    mapping: &GatewayMapping,
    session: &mut dyn Session,
    changes: &[&Change],
) -> Result<bool, DbError> {
    let Some(wave) = mapping.sort(changes) else {
        return Ok(false);
    };
    if !wave.ended.is_empty() {
        let update = mapping.end(&wave.ended)?;
        if session.execute_set(update).await? != count(&wave.ended) {
            return Ok(false);
        }
    }
    if !wave.made.is_empty() && !make(mapping, session, &wave.made).await? {
        return Ok(false);
    }
    if !wave.readied.is_empty()
        && let Some(update) = mapping.make_ready(&wave.readied)
        && session.execute_set(update).await? != count(&wave.readied)
    {
        return Ok(false);
    }
    Ok(true)
}

async fn make(
    mapping: &GatewayMapping,
    session: &mut dyn Session,
    made: &[Made<'_>],
) -> Result<bool, DbError> {
    let touch = mapping.touch(made);
    if session.execute_set(touch).await? != count(made) {
        return Ok(false);
    }
    if !mapping.has_parents(session, made).await? {
        return Ok(false);
    }
    for role in Role::ALL {
        let made: Vec<&Made<'_>> = made.iter().filter(|one| one.role == role).collect();
        if made.is_empty() {
            continue;
        }
        let Some(insert) = mapping.insert(role, &made)? else {
            return Ok(false);
        };
        if session.execute_set(insert).await? != count(&made) {
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
type Ended<'a> = (Value, &'a Update, State, &'a [String], &'a str);

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

    fn values(&self, mapping: &GatewayMapping, change: &Update) -> Vec<(Field, Value)> {
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
    /// Sorts a wave by what is to be done; `None` when a transfer has no row to find, or none
    /// to trust.
    fn sort<'a>(&self, changes: &[&'a Change]) -> Option<Sorted<'a>> {
        let mut sorted = Sorted::default();
        for change in changes {
            let id = self.columns.id.id(change.transfer_id())?;
            let update = match change {
                Change::Update(update) => update,
                Change::Ready(ready) => {
                    sorted.readied.push((id, ready));
                    continue;
                }
            };
            if self.lacks_deposit(update) {
                return None;
            }
            match &update.effect {
                Effect::Fail { messages, raw_json } => {
                    let ended = (id, update, State::Failed, &**messages, raw_json.as_str());
                    sorted.ended.push(ended);
                }
                Effect::Return { messages } => {
                    sorted
                        .ended
                        .push((id, update, State::Returned, messages, ""));
                }
                Effect::Reverse(_) | Effect::Restore(_) | Effect::Reapply(_) => {
                    sorted.made.extend(Made::of(id, update));
                }
            }
        }
        Some(sorted)
    }

    /// Whether a change was decided on a deposit that the mapping cannot see.
    pub(crate) fn lacks_deposit(&self, change: &Update) -> bool {
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

    /// Touches transfers that something is made of, which stay as they are. Their amount is
    /// part of the condition, so that a reversal can only ever take back what was paid, and a
    /// restoration only give back what was taken.
    fn touch(&self, made: &[Made<'_>]) -> SetSql {
        let columns = &self.columns;
        let mut sheet = Sheet::new(&self.table, &columns.id);
        let expected = Expected::new(self, &mut sheet);
        let amount = sheet.field(&columns.amount);
        let updated_at = columns
            .updated_at
            .as_ref()
            .map(|column| (column, sheet.field(column)));
        for one in made {
            let mut values = expected.values(self, one.update);
            values.push((amount, Value::from(one.new.amount_minor)));
            if let Some((column, field)) = updated_at {
                values.push((field, column.instant(one.update.reason.decided_at)));
            }
            sheet.row(one.original.clone(), values);
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
