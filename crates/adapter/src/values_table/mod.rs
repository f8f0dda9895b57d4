//! Many rows in one statement. The values are bound as one JSON document, which the database
//! unfolds into a table `v` and joins with the target's table `o`: one round trip however many
//! rows, and one prepared statement whatever their number. The query builder cannot express
//! this, so the SQL is written here: names are quoted by the dialect, and values are never part
//! of the text.

mod sql;
mod syntax;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use crate::dialect::{Dialect, SqlStatement};
use crate::identifier::Identifier;
use crate::row_filter::RowFilter;
use crate::schema::MappedColumn;

/// A name in the quotes of a dialect.
pub(crate) fn quoted(dialect: Dialect, name: &Identifier) -> String {
    syntax::syntax(dialect).quote(name.as_str())
}

/// A field of the rows of a [`ValuesTable`], in the form of a column.
#[derive(Clone, Copy)]
pub struct ValuesField<'a> {
    column: &'a MappedColumn,
    at: usize,
}

/// A field of whole numbers, which are not those of a column.
#[derive(Clone, Copy)]
pub struct NumberField(usize);

/// A field of texts, which are not those of a column.
#[derive(Clone, Copy)]
pub struct TextField(usize);

/// The form of a field's values.
#[derive(Clone, Copy)]
enum FieldForm<'a> {
    Column(&'a MappedColumn),
    Number,
    Text,
}

/// The value of one field of one row.
pub struct FieldValue {
    at: usize,
    value: Value,
}

impl ValuesField<'_> {
    /// Gives the field a value, which must be in the form that its column takes.
    pub fn value(self, value: impl Into<Value>) -> FieldValue {
        let value = value.into();
        FieldValue { at: self.at, value }
    }

    /// Gives the field a text, unless that is empty.
    pub fn text(self, text: &str) -> Option<FieldValue> {
        (!text.is_empty()).then(|| self.value(text))
    }

    /// Gives the field an instant.
    pub fn instant(self, at: DateTime<Utc>) -> FieldValue {
        self.value(self.column.instant(at))
    }

    /// Gives the field an instant, or the day that it is in a zone.
    pub fn instant_in(self, at: DateTime<Utc>, zone: Tz) -> FieldValue {
        self.value(self.column.instant_in(at, zone))
    }
}

impl NumberField {
    /// Gives the field a number.
    pub fn value(self, number: i64) -> FieldValue {
        let value = number.into();
        FieldValue { at: self.0, value }
    }
}

impl TextField {
    /// Gives the field a text.
    pub fn value(self, text: &str) -> FieldValue {
        let value = text.into();
        FieldValue { at: self.0, value }
    }
}

/// A condition on a row besides having the key.
pub enum RowGuard<'a> {
    /// The column is exactly the field.
    Is(ValuesField<'a>),
    /// The column is exactly one of the fields.
    IsOneOf(&'a MappedColumn, Vec<ValuesField<'a>>),
    /// The column has a value where the number is 1, and none where it is 0. Where the number is
    /// NULL it does not matter.
    IsPresent {
        /// The column.
        column: &'a MappedColumn,
        /// The number.
        number: NumberField,
        /// What counts as no value, beside NULL.
        none: Vec<TextField>,
    },
    /// The column is NULL.
    IsNull(&'a MappedColumn),
}

/// Where the value of a column of an inserted row comes from.
pub enum InsertSource<'a> {
    /// A field.
    Field(ValuesField<'a>),
    /// A column of the row with the key.
    Original(&'a MappedColumn),
    /// NULL.
    Null,
}

/// A column of an inserted row.
pub struct InsertColumn<'a> {
    /// The column.
    pub column: &'a MappedColumn,
    /// Where its value comes from.
    pub source: InsertSource<'a>,
}

/// What an UPDATE writes into a column.
enum Assignment<'a> {
    /// The field's value, also NULL.
    Value(ValuesField<'a>),
    /// The field's value; a row whose field is NULL keeps its value.
    ValueIfAny(ValuesField<'a>),
    /// The field's value, which is an instant, unless a later one is there already.
    Latest(ValuesField<'a>),
    Null(&'a MappedColumn),
    Unchanged(&'a MappedColumn),
    /// One more than the present value, where NULL counts as 0.
    Increment(&'a MappedColumn),
}

/// Rows of values for one table, each with a key of its own.
pub struct ValuesTable<'a> {
    table: &'a Identifier,
    key: ValuesField<'a>,
    fields: Vec<FieldForm<'a>>,
    rows: Vec<Vec<Value>>,
    assignments: Vec<Assignment<'a>>,
    /// Columns that must have a value.
    filter: Vec<(ValuesField<'a>, &'a Value)>,
    /// Columns that must be NULL.
    nulls: Vec<&'a MappedColumn>,
}

impl<'a> ValuesTable<'a> {
    /// Values for the rows of `table` that `key` names.
    pub fn new(table: &'a Identifier, key: &'a MappedColumn) -> Self {
        Self {
            table,
            key: ValuesField { column: key, at: 0 },
            fields: vec![FieldForm::Column(key)],
            rows: Vec::new(),
            assignments: Vec::new(),
            filter: Vec::new(),
            nulls: Vec::new(),
        }
    }

    /// The same for the rows that a filter lets pass.
    #[must_use]
    pub fn only(mut self, filter: &'a RowFilter) -> Self {
        for (column, value) in filter.conditions() {
            match value {
                Some(value) => {
                    let field = self.field(column);
                    self.filter.push((field, value));
                }
                None => self.nulls.push(column),
            }
        }
        self
    }

    /// Adds a field in the form of a column.
    pub fn field(&mut self, column: &'a MappedColumn) -> ValuesField<'a> {
        self.fields.push(FieldForm::Column(column));
        let at = self.fields.len() - 1;
        ValuesField { column, at }
    }

    /// Adds a field of whole numbers.
    pub fn number(&mut self) -> NumberField {
        self.fields.push(FieldForm::Number);
        NumberField(self.fields.len() - 1)
    }

    /// Adds a field of texts.
    pub fn text(&mut self) -> TextField {
        self.fields.push(FieldForm::Text);
        TextField(self.fields.len() - 1)
    }

    /// Adds a field that an UPDATE writes into its column, also when it is NULL.
    pub fn assign(&mut self, column: &'a MappedColumn) -> ValuesField<'a> {
        let field = self.field(column);
        self.assignments.push(Assignment::Value(field));
        field
    }

    /// Adds a field that an UPDATE writes into its column; a row whose field is NULL keeps its
    /// value. `None` for a column that the mapping does not have.
    pub fn assign_if_any(&mut self, column: Option<&'a MappedColumn>) -> Option<ValuesField<'a>> {
        let field = self.field(column?);
        self.assignments.push(Assignment::ValueIfAny(field));
        Some(field)
    }

    /// Adds a field of instants that an UPDATE writes into its column, unless a later one is there
    /// already. `None` for a column that the mapping does not have.
    pub fn assign_latest(&mut self, column: Option<&'a MappedColumn>) -> Option<ValuesField<'a>> {
        let field = self.field(column?);
        self.assignments.push(Assignment::Latest(field));
        Some(field)
    }

    /// Makes an UPDATE write NULL into a column.
    pub fn assign_null(&mut self, column: &'a MappedColumn) {
        self.assignments.push(Assignment::Null(column));
    }

    /// Makes an UPDATE write the present value of a column, so that it has something to write.
    pub fn assign_unchanged(&mut self, column: &'a MappedColumn) {
        self.assignments.push(Assignment::Unchanged(column));
    }

    /// Makes an UPDATE add one to a column, where NULL counts as 0.
    pub fn increment(&mut self, column: &'a MappedColumn) {
        self.assignments.push(Assignment::Increment(column));
    }

    /// Adds a row. A field without a value is NULL.
    pub fn add_row(&mut self, key: Value, values: impl IntoIterator<Item = FieldValue>) {
        let mut row = vec![Value::Null; self.fields.len()];
        row[self.key.at] = key;
        for (field, value) in &self.filter {
            row[field.at] = (*value).clone();
        }
        for FieldValue { at, value } in values {
            row[at] = value;
        }
        self.rows.push(row);
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// An UPDATE of the rows that the keys name and the guards allow.
    pub fn update(&self, guards: &[RowGuard<'_>]) -> SqlStatement {
        let sql = self.sql();
        self.statement(sql.update(&self.assignments, guards))
    }

    /// An INSERT of a row for each key, which takes values from the row that has the key.
    pub fn insert(&self, columns: &[InsertColumn<'_>]) -> SqlStatement {
        self.statement(self.sql().insert(columns))
    }

    /// A SELECT of the columns of the rows that the keys name, locked until the transaction ends
    /// where the database can lock rows.
    pub fn select_locked(&self, columns: &[&MappedColumn]) -> SqlStatement {
        self.statement(self.sql().select_locked(columns))
    }

    /// The same, without the rows that another session has locked.
    pub(crate) fn select_free(&self, columns: &[&MappedColumn]) -> SqlStatement {
        self.statement(self.sql().select_free(columns))
    }

    /// A SELECT of the columns of the rows that the keys name and the guards allow.
    pub fn select(&self, columns: &[&MappedColumn], guards: &[RowGuard<'_>]) -> SqlStatement {
        self.statement(self.sql().select(columns, "", guards))
    }

    /// A SELECT of at most `limit` rows for each key, the first by `order`.
    pub fn select_first(
        &self,
        columns: &[&MappedColumn],
        order: &MappedColumn,
        limit: u32,
    ) -> SqlStatement {
        self.statement(self.sql().select_first(columns, order, limit))
    }

    fn dialect(&self) -> Dialect {
        self.key.column.dialect()
    }

    fn statement(&self, sql: String) -> SqlStatement {
        let parameter = Some(self.json());
        SqlStatement::Text { sql, parameter }
    }
}
