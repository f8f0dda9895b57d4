//! Which rows of a table are payments: `filter`, and `null_columns` beside it. The others are neither
//! found nor changed.

use echeck_service::config::Section;
use serde_json::Value;

use crate::identifier::Identifier;
use crate::schema::{ColumnContent, ColumnSpec, Fitting, MappedColumn};

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

    /// Finds the columns in the live table. `section` is where the filter stands.
    pub fn fit(&self, fitting: &mut Fitting<'_>, section: &'static str) -> RowFilter {
        fitting.enter(section);
        let mut conditions = Vec::new();
        for (name, value) in &self.equal {
            let key = format!("filter.{name}");
            let column = fitting.column(ColumnSpec::read(&key, ColumnContent::Anything), name);
            match column.word(value) {
                Some(word) => conditions.push((column, Some(word))),
                None => fitting.fault(format!(
                    "{section}.{key}: is {value:?}, but the column has numbers"
                )),
            }
        }
        for name in &self.null {
            let spec = ColumnSpec::read("null_columns", ColumnContent::Anything);
            conditions.push((fitting.column(spec, name), None));
        }
        RowFilter(conditions)
    }
}

impl RowFilter {
    /// The columns.
    pub fn columns(&self) -> impl Iterator<Item = &MappedColumn> {
        self.0.iter().map(|(column, _)| column)
    }

    /// The columns, and what each must be; `None` is NULL.
    pub fn conditions(&self) -> &[(MappedColumn, Option<Value>)] {
        &self.0
    }
}
