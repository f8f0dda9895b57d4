//! Whether a transfer is in a deposit: the one meaning that lookups, WHERE clauses and messages
//! share.

use echeck_adapter::row::{Cell, TargetRow};
use echeck_adapter::schema::{Fitting, MappedColumn};
use echeck_adapter::values_table::{FieldValue, NumberField, RowGuard, TextField, ValuesTable};

/// The column of the deposit.
pub(crate) struct DepositColumn {
    column: MappedColumn,
    /// The values that mean "in no deposit", beside NULL.
    none: Vec<String>,
}

impl DepositColumn {
    /// Checks that the column can say that a transfer is in no deposit.
    pub(crate) fn fit(column: &MappedColumn, none: &[String], fitting: &mut Fitting<'_>) -> Self {
        let live = fitting.schema().column(column.name());
        let can_say = live.is_none_or(|live| live.nullable)
            || none.iter().any(|value| column.id(value).is_some());
        if !can_say {
            fitting.fault(format!(
                "transfers.columns.deposit_id: column {:?} is never NULL, so nothing says that a \
                 transfer is in no deposit; set transfers.deposit_none_values to the values of the \
                 column that mean none, such as [\"0\"]",
                column.name().as_str()
            ));
        }
        Self {
            column: column.clone(),
            none: none.to_vec(),
        }
    }

    /// The column.
    pub(crate) fn column(&self) -> &MappedColumn {
        &self.column
    }

    /// Whether a row is in a deposit; `None` when its value cannot be read.
    pub(crate) fn is_in(&self, row: &TargetRow) -> Option<bool> {
        match self.column.of(row) {
            Cell::Null => Some(false),
            Cell::Unusable(_) => None,
            value @ (Cell::Integer(_) | Cell::Text(_)) => Some(!self.none.contains(&value.text())),
        }
    }

    /// Adds what a WHERE clause compares the column with.
    pub(crate) fn fields(&self, rows: &mut ValuesTable<'_>) -> DepositFields<'_> {
        let number = rows.number();
        let none = self.none.iter().map(|value| (rows.text(), &**value));
        DepositFields {
            column: &self.column,
            number,
            none: none.collect(),
        }
    }
}

/// The deposit that changes were decided on, as fields.
pub(crate) struct DepositFields<'a> {
    column: &'a MappedColumn,
    number: NumberField,
    none: Vec<(TextField, &'a str)>,
}

impl<'a> DepositFields<'a> {
    /// The values for a change that was decided on `in_deposit`.
    pub(crate) fn values(&self, in_deposit: bool) -> impl Iterator<Item = FieldValue> {
        let none = self.none.iter().map(|(field, value)| field.value(value));
        std::iter::once(self.number.value(i64::from(in_deposit))).chain(none)
    }

    /// The condition.
    pub(crate) fn guard(&self) -> RowGuard<'a> {
        RowGuard::IsPresent {
            column: self.column,
            number: self.number,
            none: self.none.iter().map(|(field, _)| *field).collect(),
        }
    }
}
