//! The row that a reversal becomes.

use echeck_adapter::batch::{Change, Reversal, State};
use echeck_adapter::dialect::DbError;
use echeck_adapter::identifier::Identifier;
use echeck_adapter::schema::{Column, Fitting, Want};
use echeck_adapter::set::{Field, SetSql, Sheet, Source};
use serde_json::Value;

use crate::columns::Columns;
use crate::plan::GatewayMapping;

/// What `[transfers.reversal]` says.
#[derive(Debug, Clone)]
pub(crate) struct Overrides {
    /// The subtype of a reversal.
    pub(crate) subtype: String,
    /// Further columns that are taken over from the original.
    pub(crate) copy: Vec<Identifier>,
    /// Columns that get a fixed text.
    pub(crate) set: Vec<(Identifier, String)>,
}

/// Where the value of one column comes from.
enum Fill {
    Id,
    TraceId,
    ParentId,
    Type,
    State,
    Amount,
    Tags,
    DecidedAt,
    Zero,
    Null,
    Text(String),
    /// A column of the original.
    Copy(Column),
}

/// The columns of a reversal's row, each once.
pub(crate) struct ReversalRow(Vec<(Column, Fill)>);

impl ReversalRow {
    /// Lays the row out, and checks that it fills every column that the table demands.
    pub(crate) fn fit(columns: &Columns, overrides: &Overrides, fit: &mut Fitting<'_>) -> Self {
        fit.enter("transfers.reversal");
        let mut row = Self(Vec::new());
        for (name, text) in &overrides.set {
            let column = fit.write(&format!("set.{name}"), name, Want::Anything);
            row.add(&column, Fill::Text(text.clone()));
        }
        for name in &overrides.copy {
            let column = fit.write("copy", name, Want::Anything);
            row.add(&column, Fill::Copy(column.clone()));
        }
        row.add_mapped(columns, overrides);
        if !fit.any_missing() {
            row.check_demands(fit);
        }
        row
    }

    fn add_mapped(&mut self, columns: &Columns, overrides: &Overrides) {
        self.add(&columns.id, Fill::Id);
        self.add(&columns.kind, Fill::Type);
        self.add(&columns.state, Fill::State);
        self.add(&columns.amount, Fill::Amount);
        // The original's own spelling, which the batch may have in capitals.
        self.add(&columns.currency, Fill::Copy(columns.currency.clone()));
        self.add(&columns.parent_id, Fill::ParentId);
        let optional = [
            (&columns.subtype, Fill::Text(overrides.subtype.clone())),
            (&columns.fee, Fill::Zero),
            (&columns.trace_id, Fill::TraceId),
            (&columns.source, Fill::Null),
            (&columns.messages, Fill::Text("[]".to_owned())),
            (&columns.raw, Fill::Null),
            (&columns.tags, Fill::Tags),
            (&columns.statement_descriptor, Fill::Null),
            (&columns.idempotency_id, Fill::Null),
            (&columns.ready_to_settle_at, Fill::Null),
            (&columns.created_at, Fill::DecidedAt),
            (&columns.updated_at, Fill::DecidedAt),
        ];
        for (column, fill) in optional {
            if let Some(column) = column {
                self.add(column, fill);
            }
        }
        for copied in [&columns.application, &columns.merchant_identity]
            .into_iter()
            .flatten()
        {
            self.add(copied, Fill::Copy(copied.clone()));
        }
        // The money goes back where it came from.
        if let (Some(destination), Some(source)) = (&columns.destination, &columns.source) {
            self.add(destination, Fill::Copy(source.clone()));
        }
    }

    /// The first that fills a column wins, so that overrides do.
    fn add(&mut self, column: &Column, fill: Fill) {
        if !self
            .0
            .iter()
            .any(|(taken, _)| taken.name() == column.name())
        {
            self.0.push((column.clone(), fill));
        }
    }

    fn check_demands(&self, fit: &mut Fitting<'_>) {
        for live in &fit.schema().columns {
            let filled = self.0.iter().find(|(column, _)| {
                fit.schema()
                    .dialect
                    .same_name(column.name().as_str(), &live.name)
            });
            let problem = match filled {
                _ if live.nullable || live.generated => continue,
                Some((_, Fill::Null)) => "a reversal has none there",
                None if !live.has_default => "a reversal does not fill it",
                Some(_) | None => continue,
            };
            fit.fault(format!(
                "transfers.reversal: column {:?} must not be NULL, but {problem}; name it in \
                 transfers.reversal.copy or give it a text in [transfers.reversal.set]",
                live.name
            ));
        }
    }
}

/// A transfer that is reversed: its id, the change, and the reversal.
pub(crate) type Reversed<'a> = (Value, &'a Change, &'a Reversal);

impl GatewayMapping {
    /// Inserts reversals, each linked to its original, whose row it takes values from. `None`
    /// when a column cannot hold one of the ids.
    pub(crate) fn insert_reversals(
        &self,
        reversed: &[Reversed<'_>],
    ) -> Result<Option<SetSql>, DbError> {
        let mut sheet = Sheet::new(&self.table, &self.columns.id);
        let filled: Vec<(&Column, &Fill, Option<Field>)> = self
            .reversal
            .0
            .iter()
            .map(|(column, fill)| {
                let field = match fill {
                    Fill::Copy(_) | Fill::Null => None,
                    _ => Some(sheet.field(column)),
                };
                (column, fill, field)
            })
            .collect();
        for (id, change, reversal) in reversed {
            let mut values = Vec::with_capacity(filled.len());
            for (column, fill, field) in &filled {
                let Some(field) = field else { continue };
                let Some(value) = self.value(column, fill, change, reversal)? else {
                    return Ok(None);
                };
                values.push((*field, value));
            }
            sheet.row(id.clone(), values);
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

    /// The value of a column of one reversal; `None` when the column cannot hold it.
    fn value(
        &self,
        column: &Column,
        fill: &Fill,
        change: &Change,
        reversal: &Reversal,
    ) -> Result<Option<Value>, DbError> {
        Ok(Some(match fill {
            Fill::Id => return Ok(column.id(&reversal.id)),
            Fill::ParentId => return Ok(column.id(&change.transfer_id)),
            Fill::TraceId if !reversal.trace_id.is_empty() => {
                return Ok(column.id(&reversal.trace_id));
            }
            Fill::Type => Value::from(self.types.reversal()),
            Fill::State => Value::from(self.states.write(State::Succeeded)),
            Fill::Amount => Value::from(reversal.amount_minor),
            Fill::Tags => Value::from(json(&reversal.tags)?),
            Fill::DecidedAt => column.instant(change.reason.decided_at),
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
