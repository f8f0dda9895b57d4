//! The transfers that changes create: each is inserted beside the one that was returned, from
//! which it takes what the layout of its row says.

use chrono::{DateTime, Utc};
use echeck_adapter::batch::{AddedTransfer, TransferState, Update, UpdateEffect};
use echeck_adapter::dialect::{DbError, SqlStatement, TargetSession};
use echeck_adapter::schema::MappedColumn;
use echeck_adapter::values_table::{InsertColumn, InsertSource};
use serde_json::Value;

use crate::layout::{Fill, NewTransferKind};
use crate::mapping::GatewayMapping;

/// A transfer to create.
pub(crate) struct TransferInsert<'a> {
    /// The id of the transfer that was returned, in the form its column takes.
    pub(crate) original: Value,
    /// The id of the transfer's row that the new one undoes, as that row shows it.
    pub(crate) parent: String,
    /// The change of that transfer.
    pub(crate) update: &'a Update,
    /// The kind of the new one.
    pub(crate) kind: NewTransferKind,
    /// The new one.
    pub(crate) new: &'a AddedTransfer,
}

/// The transfer that an effect creates, and its kind.
pub(crate) fn created_by(effect: &UpdateEffect) -> Option<(NewTransferKind, &AddedTransfer)> {
    match effect {
        UpdateEffect::Fail { .. } | UpdateEffect::Return { .. } => None,
        UpdateEffect::Reverse(new) | UpdateEffect::Reapply(new) => {
            Some((NewTransferKind::Reversal, new))
        }
        UpdateEffect::Restore(new) => Some((NewTransferKind::Restoration, new)),
    }
}

/// The transfer that an update undoes, when that is another than the one that was returned.
pub(crate) fn other_parent(update: &Update) -> Option<&str> {
    let new = update.effect.new_transfer()?;
    (new.parent_id != update.transfer_id).then_some(&new.parent_id)
}

impl GatewayMapping {
    /// Whether every transfer that is undone exists: not every table has a foreign key.
    pub(crate) async fn has_parents(
        &self,
        session: &mut dyn TargetSession,
        inserts: &[TransferInsert<'_>],
    ) -> Result<bool, DbError> {
        let id = &self.columns.id;
        let mut parents = self.rows(id);
        let others = inserts
            .iter()
            .filter(|one| other_parent(one.update).is_some());
        for insert in others {
            let Some(parent) = id.id(&insert.parent) else {
                return Ok(false);
            };
            parents.add_row(parent, []);
        }
        if parents.is_empty() {
            return Ok(true);
        }
        let found = session.fetch(parents.select_locked(&[id])).await?;
        Ok(found.len() == parents.len())
    }

    /// Inserts new transfers of one kind, each of which takes values from its original's row.
    /// `None` when a column cannot hold one of the ids.
    pub(crate) fn insert(
        &self,
        kind: NewTransferKind,
        inserts: &[&TransferInsert<'_>],
        now: DateTime<Utc>,
    ) -> Result<Option<SqlStatement>, DbError> {
        let mut rows = self.rows(&self.columns.id);
        let (mut columns, mut fields) = (Vec::new(), Vec::new());
        for filled in self.layouts.of(kind).columns() {
            let column = &filled.column;
            let source = match &filled.fill {
                Fill::Copy(original) => InsertSource::Original(original),
                Fill::Null => InsertSource::Null,
                fill => {
                    let field = rows.field(column);
                    fields.push((field, column, fill));
                    InsertSource::Field(field)
                }
            };
            columns.push(InsertColumn { column, source });
        }
        for insert in inserts {
            let mut values = Vec::with_capacity(fields.len());
            for (field, column, fill) in &fields {
                let Some(value) = self.value(column, fill, insert, now)? else {
                    return Ok(None);
                };
                values.push(field.value(value));
            }
            rows.add_row(insert.original.clone(), values);
        }
        Ok(Some(rows.insert(&columns)))
    }

    /// The value of a column of one new row; `None` when the column cannot hold it.
    fn value(
        &self,
        column: &MappedColumn,
        fill: &Fill,
        insert: &TransferInsert<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Value>, DbError> {
        let new = insert.new;
        Ok(Some(match fill {
            Fill::Id => return Ok(column.id(&new.id)),
            Fill::ParentId => return Ok(column.id(&insert.parent)),
            Fill::TraceId if !new.trace_id.is_empty() => return Ok(column.id(&new.trace_id)),
            Fill::Type => {
                return Ok(self
                    .types
                    .reversal()
                    .first()
                    .and_then(|word| column.word(word)));
            }
            Fill::State => return Ok(self.state(TransferState::Succeeded)),
            Fill::Amount => column.amount(new.amount_minor, self.amount_unit),
            Fill::Tags => Value::from(json(&new.tags)?),
            Fill::WrittenAt => column.instant(now),
            Fill::Zero => Value::from(0),
            Fill::Text(text) => {
                let word = column.word(text);
                word.unwrap_or_else(|| Value::from(text.as_str()))
            }
            Fill::TraceId | Fill::Null | Fill::Copy(_) => Value::Null,
        }))
    }
}

/// JSON as text.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Refused(error.to_string()))
}
