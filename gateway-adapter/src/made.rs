//! The transfers that changes make: each is inserted beside the one that was returned, from
//! which it takes what the layout of its row says.

use echeck_adapter::batch::{Effect, NewTransfer, State, Update};
use echeck_adapter::dialect::{DbError, Session};
use echeck_adapter::schema::Column;
use echeck_adapter::set::{Field, SetSql, Sheet, Source};
use serde_json::Value;

use crate::layout::{Fill, Role};
use crate::plan::GatewayMapping;

/// A transfer that is to be made.
pub(crate) struct Made<'a> {
    /// The id of the transfer that was returned, as its column takes it.
    pub(crate) original: Value,
    /// The change of that transfer.
    pub(crate) update: &'a Update,
    /// What the new one is.
    pub(crate) role: Role,
    /// The new one.
    pub(crate) new: &'a NewTransfer,
}

impl<'a> Made<'a> {
    /// What an update makes, if anything; `original` is its transfer's id.
    pub(crate) fn of(original: Value, update: &'a Update) -> Option<Self> {
        let (role, new) = made_by(&update.effect)?;
        Some(Self {
            original,
            update,
            role,
            new,
        })
    }

    /// The transfer that it undoes, when that is another than the one that was returned.
    pub(crate) fn other_parent(&self) -> Option<&'a str> {
        other_parent(self.update, self.new)
    }
}

/// The transfer that an effect makes, and what it is.
pub(crate) fn made_by(effect: &Effect) -> Option<(Role, &NewTransfer)> {
    match effect {
        Effect::Fail { .. } | Effect::Return { .. } => None,
        Effect::Reverse(new) | Effect::Reapply(new) => Some((Role::Reversal, new)),
        Effect::Restore(new) => Some((Role::Restoration, new)),
    }
}

/// The transfer that `new` undoes, when that is another than the one that was returned.
pub(crate) fn other_parent<'a>(update: &Update, new: &'a NewTransfer) -> Option<&'a str> {
    (new.parent_id != update.transfer_id).then_some(&new.parent_id)
}

impl GatewayMapping {
    /// Whether everything is there that is undone: not every table has a foreign key.
    pub(crate) async fn has_parents(
        &self,
        session: &mut dyn Session,
        made: &[Made<'_>],
    ) -> Result<bool, DbError> {
        let mut sheet = Sheet::new(&self.table, &self.columns.id);
        for parent in made.iter().filter_map(Made::other_parent) {
            let Some(id) = self.columns.id.id(parent) else {
                return Ok(false);
            };
            sheet.row(id, []);
        }
        if sheet.is_empty() {
            return Ok(true);
        }
        let select = sheet.select_locked(&[&self.columns.id]);
        Ok(session.fetch_set(select).await?.len() == sheet.len())
    }

    /// Inserts what is made in one role. Each row takes values from its original's. `None`
    /// when a column cannot hold one of the ids.
    pub(crate) fn insert(&self, role: Role, made: &[&Made<'_>]) -> Result<Option<SetSql>, DbError> {
        let mut sheet = Sheet::new(&self.table, &self.columns.id);
        let filled: Vec<(&Column, &Fill, Option<Field>)> = self
            .layouts
            .of(role)
            .columns()
            .iter()
            .map(|(column, fill)| {
                let field = match fill {
                    Fill::Copy(_) | Fill::Null => None,
                    _ => Some(sheet.field(column)),
                };
                (column, fill, field)
            })
            .collect();
        for one in made {
            let mut values = Vec::with_capacity(filled.len());
            for (column, fill, field) in &filled {
                let Some(field) = field else { continue };
                let Some(value) = self.value(column, fill, one)? else {
                    return Ok(None);
                };
                values.push((*field, value));
            }
            sheet.row(one.original.clone(), values);
        }
        let columns: Vec<(&Column, Source<'_>)> = filled
            .into_iter()
            .map(|(column, fill, field)| {
                let source = match (fill, field) {
                    (Fill::Copy(original), _) => Source::Original(original),
                    (_, Some(field)) => Source::Field(field),
                    (_, None) => Source::Null,
                };
                (column, source)
            })
            .collect();
        Ok(Some(sheet.insert(&columns)))
    }

    /// The value of a column of one new row; `None` when the column cannot hold it.
    fn value(
        &self,
        column: &Column,
        fill: &Fill,
        made: &Made<'_>,
    ) -> Result<Option<Value>, DbError> {
        let new = made.new;
        Ok(Some(match fill {
            Fill::Id => return Ok(column.id(&new.id)),
            Fill::ParentId => return Ok(column.id(&new.parent_id)),
            Fill::TraceId if !new.trace_id.is_empty() => return Ok(column.id(&new.trace_id)),
            Fill::Type => Value::from(self.types.reversal()),
            Fill::State => Value::from(self.states.write(State::Succeeded)),
            Fill::Amount => Value::from(new.amount_minor),
            Fill::Tags => Value::from(json(&new.tags)?),
            Fill::DecidedAt => column.instant(made.update.reason.decided_at),
            Fill::Zero => Value::from(0),
            Fill::Text(text) => Value::from(text.as_str()),
            Fill::TraceId | Fill::Null | Fill::Copy(_) => Value::Null,
        }))
    }
}

/// JSON as text.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Refused(error.to_string()))
}
