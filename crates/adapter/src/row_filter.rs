//! Which rows of a table are payments: `filter`, and `null_columns` beside it. The others are neither
//! found nor changed.

use echeck_service::config::Section;
use serde_json::Value;

use crate::identifier::Identifier;
use crate::mapping::ConfiguredWord;
use crate::schema::{ColumnContent, ColumnKind, ColumnSpec, Fitting, MappedColumn};

/// The filter as configured.
#[derive(Debug, Clone, Default)]
pub struct RowFilterConfig {
    /// What a column must be.
    equal: Vec<(Identifier, String)>,
    /// Columns that must be NULL.
    null: Vec<Identifier>,
}

/// The filter on a live table.
#[derive(Clone, Default)]
pub struct RowFilter(Vec<(MappedColumn, Option<Value>)>);

impl RowFilterConfig {
    /// Reads `filter` and `null_columns` of `section`.
    pub fn read(section: &Section<'_>) -> Self {
        let inner = section.section("filter");
        let equal = section.string_map("filter").into_iter();
        let null = section.strings_or("null_columns", &[]).into_iter();
        Self {
            equal: equal
                .map(|(name, value)| (Identifier::read(&inner, &name, &name), value))
                .collect(),
            null: null
                .map(|name| Identifier::read(section, "null_columns", &name))
                .collect(),
        }
    }

    /// The columns that are the same in every payment.
    pub fn fixed(&self) -> impl Iterator<Item = &Identifier> {
        self.equal.iter().map(|(name, _)| name)
    }

    /// Finds the columns in the live table. `section` is where the filter stands.
    pub fn fit(&self, fitting: &mut Fitting<'_>, section: &'static str) -> RowFilter {
        fitting.enter(section);
        let mut conditions = Vec::new();
        for (name, value) in &self.equal {
            let key = format!("filter.{name}");
            let column = fitting.column(ColumnSpec::read(&key, ColumnContent::Anything), name);
            let is_there = fitting.schema().column(name).is_some();
            if is_there && !is_comparable(&column) {
                fitting.fault(format!(
                    "{section}.{key}: column {:?} has no words, numbers or truth values to compare",
                    name.as_str()
                ));
                continue;
            }
            match column.word(value) {
                Some(word) => conditions.push((column, Some(word))),
                None => fitting.fault(format!(
                    "{section}.{key}: is {value:?}, but the column has numbers"
                )),
            }
        }
        for name in &self.null {
            let spec = ColumnSpec::read("null_columns", ColumnContent::Anything);
            let column = fitting.column(spec, name);
            if fitting.schema().column(name).is_some() && !column.is_nullable() {
                fitting.fault(format!(
                    "{section}.null_columns: column {:?} is never NULL, so no row would be found",
                    name.as_str()
                ));
            }
            conditions.push((column, None));
        }
        RowFilter(conditions)
    }
}

/// Whether each of its values equals its own text.
fn is_comparable(column: &MappedColumn) -> bool {
    match column.kind() {
        ColumnKind::Text
        | ColumnKind::Integer
        | ColumnKind::Decimal
        | ColumnKind::Boolean
        | ColumnKind::Uuid
        | ColumnKind::Untyped => true,
        ColumnKind::Real
        | ColumnKind::Timestamp
        | ColumnKind::Date
        | ColumnKind::Json
        | ColumnKind::Blob
        | ColumnKind::Other => false,
    }
}

impl RowFilter {
    /// Refuses a filter by a column that the adapter writes: after a change, the row would no longer
    /// be found.
    pub fn refuse(&self, fitting: &mut Fitting<'_>, written: &[&MappedColumn]) {
        for column in self.columns() {
            let mut written = written.iter();
            if let Some(other) = written.find(|other| other.name() == column.name()) {
                fitting.fault(format!(
                    "{}: column {:?} is also that of {}, and what the adapter writes there would \
                     change which rows it finds; name another one",
                    column.key(),
                    column.name().as_str(),
                    other.key()
                ));
            }
        }
    }

    /// What the columns must be able to hold.
    pub fn words(&self) -> impl Iterator<Item = ConfiguredWord<'_>> {
        self.0.iter().filter_map(|(column, value)| {
            Some(ConfiguredWord {
                key: column.key().to_owned(),
                column,
                value: value.clone()?,
                is_written: true,
            })
        })
    }

    /// The columns.
    pub fn columns(&self) -> impl Iterator<Item = &MappedColumn> {
        self.0.iter().map(|(column, _)| column)
    }

    /// The columns, and what each must be; `None` is NULL.
    pub fn conditions(&self) -> &[(MappedColumn, Option<Value>)] {
        &self.0
    }
}
