//! The statements of a [`ValuesTable`] as SQL, and its rows as JSON.

use std::fmt::Write as _;

use super::syntax::{SqlSyntax, UnfoldedField, syntax};
use super::{
    Assignment, InsertColumn, InsertSource, NumberField, RowGuard, TextField, ValuesField,
    ValuesTable,
};
use crate::schema::MappedColumn;

/// A values table with the syntax of its dialect.
pub(super) struct Sql<'t, 'a> {
    values: &'t ValuesTable<'a>,
    syntax: &'static dyn SqlSyntax,
}

impl<'a> ValuesTable<'a> {
    pub(super) fn sql(&self) -> Sql<'_, 'a> {
        Sql {
            values: self,
            syntax: syntax(self.dialect()),
        }
    }

    /// An array with an object for each row, without its NULLs.
    pub(super) fn json(&self) -> String {
        let mut json = String::from("[");
        for (at, row) in self.rows.iter().enumerate() {
            json.push_str(if at == 0 { "{" } else { ",{" });
            let mut comma = "";
            for (field, value) in row.iter().enumerate().filter(|(_, value)| !value.is_null()) {
                // Writing to a string does not fail.
                let _ = write!(json, "{comma}\"c{field}\":{value}");
                comma = ",";
            }
            json.push('}');
        }
        json.push(']');
        json
    }
}

impl Sql<'_, '_> {
    pub(super) fn update(&self, assignments: &[Assignment<'_>], guards: &[RowGuard<'_>]) -> String {
        self.syntax.update(
            &self.table(),
            &self.unfolded(),
            &listed(assignments, |assignment| self.assigned(assignment)),
            &self.condition(guards),
        )
    }

    pub(super) fn insert(&self, columns: &[InsertColumn<'_>]) -> String {
        format!(
            "INSERT INTO {} ({}) SELECT {} {}",
            self.table(),
            listed(columns, |inserted| self.quoted(inserted.column)),
            listed(columns, |inserted| match &inserted.source {
                InsertSource::Field(field) => self.written(*field),
                InsertSource::Original(original) => self.live(original),
                InsertSource::Null => "NULL".to_owned(),
            }),
            self.joined(&[])
        )
    }

    pub(super) fn select_locked(&self, columns: &[&MappedColumn]) -> String {
        self.select(columns, "", &[]) + self.syntax.lock()
    }

    pub(super) fn select_free(&self, columns: &[&MappedColumn]) -> String {
        self.select_locked(columns) + self.syntax.skip_locked()
    }

    /// `further` are more columns, each after a comma.
    pub(super) fn select(
        &self,
        columns: &[&MappedColumn],
        further: &str,
        guards: &[RowGuard<'_>],
    ) -> String {
        let shown = listed(columns, |column| {
            let value = self.syntax.shown(&self.live(column), column);
            format!("{value} AS {}", self.quoted(column))
        });
        format!("SELECT {shown}{further} {}", self.joined(guards))
    }

    pub(super) fn select_first(
        &self,
        columns: &[&MappedColumn],
        order: &MappedColumn,
        limit: u32,
    ) -> String {
        let rank = format!(
            ", ROW_NUMBER() OVER (PARTITION BY {} ORDER BY {}) AS echeck_rank",
            given(self.values.key),
            self.live(order)
        );
        format!(
            "SELECT {} FROM ({}) AS ranked WHERE echeck_rank <= {limit} ORDER BY echeck_rank",
            listed(columns, |column| self.quoted(column)),
            self.select(columns, &rank, &[])
        )
    }

    fn joined(&self, guards: &[RowGuard<'_>]) -> String {
        format!(
            "FROM {} {} {} AS o ON {}",
            self.unfolded(),
            self.syntax.join(),
            self.table(),
            self.condition(guards)
        )
    }

    /// The JSON document as table `v`.
    fn unfolded(&self) -> String {
        let fields: Vec<UnfoldedField<'_>> = self
            .values
            .fields
            .iter()
            .enumerate()
            .map(|(at, form)| {
                let texts = self.values.rows.iter().filter_map(|row| row[at].as_str());
                UnfoldedField {
                    name: format!("c{at}"),
                    form: *form,
                    longest_chars: texts.map(|text| text.chars().count()).max().unwrap_or(0),
                }
            })
            .collect();
        self.syntax.unfold(&fields)
    }

    fn condition(&self, guards: &[RowGuard<'_>]) -> String {
        let key = self.values.key;
        let found = self
            .syntax
            .matches(&self.live(key.column), &given(key), key.column);
        let mut conditions = vec![self.exactly(key)];
        if conditions[0] != found {
            conditions.insert(0, found);
        }
        let filter = self.values.filter.iter();
        conditions.extend(filter.map(|(field, _)| self.exactly(*field)));
        let nulls = self.values.nulls.iter();
        conditions.extend(nulls.map(|column| format!("{} IS NULL", self.live(column))));
        conditions.extend(guards.iter().map(|guard| self.allowed(guard)));
        conditions.join(" AND ")
    }

    fn allowed(&self, guard: &RowGuard<'_>) -> String {
        match guard {
            RowGuard::Is(field) => self.exactly(*field),
            RowGuard::IsOneOf(column, fields) => {
                let any: Vec<String> = fields
                    .iter()
                    .map(|field| {
                        self.syntax
                            .exactly(&self.live(column), &given(*field), column)
                    })
                    .collect();
                format!("({})", any.join(" OR "))
            }
            RowGuard::IsPresent {
                column,
                number: NumberField(at),
                none,
            } => {
                let (column, number) = (self.live(column), format!("v.c{at}"));
                let mut absent = format!("{column} IS NULL");
                for TextField(none) in none {
                    let none = self.syntax.is_text(&column, &format!("v.c{none}"));
                    // Writing to a string does not fail.
                    let _ = write!(absent, " OR {none}");
                }
                format!("({number} IS NULL OR {number} = CASE WHEN {absent} THEN 0 ELSE 1 END)")
            }
            RowGuard::IsNull(column) => format!("{} IS NULL", self.live(column)),
        }
    }

    fn assigned(&self, assignment: &Assignment<'_>) -> String {
        let (column, value) = match assignment {
            Assignment::Value(field) => (field.column, self.written(*field)),
            Assignment::ValueIfAny(field) => {
                let (value, live) = (self.written(*field), self.live(field.column));
                (field.column, format!("COALESCE({value}, {live})"))
            }
            Assignment::Latest(field) => {
                let live = self.live(field.column);
                let is_later = self.syntax.is_later(&live, &given(*field), field.column);
                let value = self.written(*field);
                let value = format!("CASE WHEN {is_later} THEN {live} ELSE {value} END");
                (field.column, value)
            }
            Assignment::Null(column) => (*column, "NULL".to_owned()),
            Assignment::Unchanged(column) => (*column, self.live(column)),
            Assignment::Increment(column) => {
                (*column, format!("COALESCE({}, 0) + 1", self.live(column)))
            }
        };
        format!("{} = {value}", self.syntax.assigned(column.name().as_str()))
    }

    /// The condition that a field's column is exactly the field.
    fn exactly(&self, field: ValuesField<'_>) -> String {
        self.syntax
            .exactly(&self.live(field.column), &given(field), field.column)
    }

    fn written(&self, field: ValuesField<'_>) -> String {
        self.syntax.written(&given(field), field.column)
    }

    fn live(&self, column: &MappedColumn) -> String {
        format!("o.{}", self.quoted(column))
    }

    fn quoted(&self, column: &MappedColumn) -> String {
        self.syntax.quote(column.name().as_str())
    }

    fn table(&self) -> String {
        self.syntax.quote(self.values.table.as_str())
    }
}

fn given(field: ValuesField<'_>) -> String {
    format!("v.c{}", field.at)
}

fn listed<T>(items: &[T], sql: impl Fn(&T) -> String) -> String {
    items.iter().map(sql).collect::<Vec<_>>().join(", ")
}
