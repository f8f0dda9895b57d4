//! Many rows in one statement. The values of a batch are bound as one JSON document, which
//! the database unfolds into a table `v` and joins with the target's table `o`: one round
//! trip however many rows, and one prepared statement whatever their number. The query
//! builder has no words for this, so that the SQL is written here, names quoted by the
//! dialect and values never part of the text.

mod dialect;

use std::fmt::Write as _;

use serde_json::Value;

use self::dialect::{Words, words};
use crate::dialect::Dialect;
use crate::identifier::Identifier;
use crate::schema::Column;

/// A statement whose only parameter is a JSON document.
#[derive(Debug, Clone)]
pub struct SetSql {
    /// The statement.
    pub sql: String,
    /// The document: an array with an object for each row.
    pub json: String,
}

/// A field of a [`Sheet`]'s rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field(usize);

impl Field {
    /// The field that names the row.
    pub const KEY: Self = Self(0);
}

/// What a field holds.
enum Holds {
    /// A value in the form of this column.
    Of(Column),
    /// A whole number that is no column's.
    Number,
}

/// What an update writes into a column.
pub enum Assign<'a> {
    /// The field's value, also NULL.
    Each(&'a Column, Field),
    /// The field's value; a row whose field is NULL keeps what it has.
    IfAny(&'a Column, Field),
    /// NULL.
    Null(&'a Column),
    /// What is there.
    Same(&'a Column),
    /// One more than what is there, where NULL counts as 0.
    Bump(&'a Column),
}

/// What a row must be like besides having the key.
pub enum Guard<'a> {
    /// The column is exactly the field.
    Is(&'a Column, Field),
    /// The column is exactly one of the fields.
    IsOneOf(&'a Column, Vec<Field>),
    /// The column is not NULL where the field is 1, and NULL where it is 0; where the field
    /// is NULL it does not matter.
    IsThere(&'a Column, Field),
    /// The column is NULL.
    IsNull(&'a Column),
}

/// Where a column of an inserted row comes from.
pub enum Source<'a> {
    /// The field.
    Field(Field),
    /// A column of the row with the key.
    Original(&'a Column),
    /// NULL.
    Null,
}

/// Rows of values for one table, each with a key that is its own.
pub struct Sheet<'a> {
    table: &'a Identifier,
    dialect: Dialect,
    fields: Vec<Holds>,
    rows: Vec<Vec<Value>>,
}

impl<'a> Sheet<'a> {
    /// A sheet about the rows of `table` that `key` names.
    #[must_use]
    pub fn new(table: &'a Identifier, key: &Column) -> Self {
        Self {
            table,
            dialect: key.dialect(),
            fields: vec![Holds::Of(key.clone())],
            rows: Vec::new(),
        }
    }

    /// Adds a field in the form of a column.
    pub fn field(&mut self, column: &Column) -> Field {
        self.fields.push(Holds::Of(column.clone()));
        Field(self.fields.len() - 1)
    }

    /// Adds a field of whole numbers.
    pub fn number(&mut self) -> Field {
        self.fields.push(Holds::Number);
        Field(self.fields.len() - 1)
    }

    /// Adds a row; a field that is not given is NULL.
    pub fn row(&mut self, key: Value, values: impl IntoIterator<Item = (Field, Value)>) {
        let mut row = vec![Value::Null; self.fields.len()];
        row[Field::KEY.0] = key;
        for (field, value) in values {
            row[field.0] = value;
        }
        self.rows.push(row);
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// An UPDATE of the rows that the keys name and the guards allow.
    #[must_use]
    pub fn update(&self, assigns: &[Assign<'_>], guards: &[Guard<'_>]) -> SetSql {
        let words = words(self.dialect);
        let sets: Vec<String> = assigns.iter().map(|assign| set(&*words, assign)).collect();
        let update = words.update(
            &words.quote(self.table.as_str()),
            &self.unfolded(&*words),
            &sets.join(", "),
            &self.condition(&*words, guards),
        );
        self.with_json(update)
    }

    /// An INSERT of a row for each key, which takes values from the row that has the key.
    #[must_use]
    pub fn insert(&self, columns: &[(&Column, Source<'_>)]) -> SetSql {
        let words = words(self.dialect);
        let (mut names, mut values) = (String::new(), String::new());
        for (at, (column, source)) in columns.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let value = match source {
                Source::Field(field) => given(*field),
                Source::Original(original) => live(&*words, original),
                Source::Null => "NULL".to_owned(),
            };
            push(&mut names, comma, &words.quote(column.name().as_str()));
            push(&mut values, comma, &value);
        }
        let table = words.quote(self.table.as_str());
        let from = self.joined(&*words, &[]);
        self.with_json(format!(
            "INSERT INTO {table} ({names}) SELECT {values} {from}"
        ))
    }

    /// A SELECT of the columns of the rows that the keys name and the guards allow, locked
    /// until the transaction ends where the database can.
    #[must_use]
    pub fn select_locked(&self, columns: &[&Column]) -> SetSql {
        let words = words(self.dialect);
        let select = self.selected(&*words, columns, "", &[]);
        self.with_json(select + words.lock())
    }

    /// A SELECT of the columns of the rows that the keys name and the guards allow.
    #[must_use]
    pub fn select(&self, columns: &[&Column], guards: &[Guard<'_>]) -> SetSql {
        let words = words(self.dialect);
        let select = self.selected(&*words, columns, "", guards);
        self.with_json(select)
    }

    /// Like [`Self::select`], at most `limit` rows for each key, the first by `order`.
    #[must_use]
    pub fn select_some(&self, columns: &[&Column], order: &Column, limit: u32) -> SetSql {
        let words = words(self.dialect);
        let rank = format!(
            ", ROW_NUMBER() OVER (PARTITION BY {} ORDER BY {}) AS echeck_rank",
            given(Field::KEY),
            live(&*words, order)
        );
        let ranked = self.selected(&*words, columns, &rank, &[]);
        let mut names = String::new();
        for (at, column) in columns.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            push(&mut names, comma, &words.quote(column.name().as_str()));
        }
        self.with_json(format!(
            "SELECT {names} FROM ({ranked}) AS ranked WHERE echeck_rank <= {limit} \
             ORDER BY echeck_rank"
        ))
    }

    fn selected(
        &self,
        words: &dyn Words,
        columns: &[&Column],
        further: &str,
        guards: &[Guard<'_>],
    ) -> String {
        let mut shown = String::new();
        for (at, column) in columns.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let value = words.shown(&live(words, column), column);
            let name = words.quote(column.name().as_str());
            push(&mut shown, comma, &format!("{value} AS {name}"));
        }
        format!("SELECT {shown}{further} {}", self.joined(words, guards))
    }

    fn joined(&self, words: &dyn Words, guards: &[Guard<'_>]) -> String {
        format!(
            "FROM {} {} {} AS o ON {}",
            self.unfolded(words),
            words.join(),
            words.quote(self.table.as_str()),
            self.condition(words, guards)
        )
    }

    /// The JSON document as table `v`.
    fn unfolded(&self, words: &dyn Words) -> String {
        let longest = |at: usize| {
            let texts = self.rows.iter().filter_map(|row| row[at].as_str());
            texts.map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let fields: Vec<(String, Option<&Column>, usize)> = self
            .fields
            .iter()
            .enumerate()
            .map(|(at, holds)| match holds {
                Holds::Of(column) => (format!("c{at}"), Some(column), longest(at)),
                Holds::Number => (format!("c{at}"), None, 0),
            })
            .collect();
        words.unfold(&fields)
    }

    fn condition(&self, words: &dyn Words, guards: &[Guard<'_>]) -> String {
        let mut condition = match &self.fields[Field::KEY.0] {
            Holds::Of(key) => {
                let (key_live, key_given) = (live(words, key), given(Field::KEY));
                let found = words.matches(&key_live, &key_given, key);
                match words.exactly(&key_live, &key_given, key) {
                    exactly if exactly == found => found,
                    exactly => format!("{found} AND {exactly}"),
                }
            }
            Holds::Number => String::new(),
        };
        for guard in guards {
            push(&mut condition, " AND ", &allowed(words, guard));
        }
        condition
    }

    fn with_json(&self, sql: String) -> SetSql {
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
        SetSql { sql, json }
    }
}

fn push(text: &mut String, separator: &str, more: &str) {
    text.push_str(separator);
    text.push_str(more);
}

fn given(field: Field) -> String {
    format!("v.c{}", field.0)
}

fn live(words: &dyn Words, column: &Column) -> String {
    format!("o.{}", words.quote(column.name().as_str()))
}

fn set(words: &dyn Words, assign: &Assign<'_>) -> String {
    let (column, value) = match assign {
        Assign::Each(column, field) => (column, given(*field)),
        Assign::IfAny(column, field) => (
            column,
            format!("COALESCE({}, {})", given(*field), live(words, column)),
        ),
        Assign::Null(column) => (column, "NULL".to_owned()),
        Assign::Same(column) => (column, live(words, column)),
        Assign::Bump(column) => (column, format!("COALESCE({}, 0) + 1", live(words, column))),
    };
    format!("{} = {value}", words.assigned(column.name().as_str()))
}

fn allowed(words: &dyn Words, guard: &Guard<'_>) -> String {
    match guard {
        Guard::Is(column, field) => words.exactly(&live(words, column), &given(*field), column),
        Guard::IsOneOf(column, fields) => {
            let any: Vec<String> = fields
                .iter()
                .map(|field| words.exactly(&live(words, column), &given(*field), column))
                .collect();
            format!("({})", any.join(" OR "))
        }
        Guard::IsThere(column, field) => {
            let (column, field) = (live(words, column), given(*field));
            format!(
                "({field} IS NULL OR ({field} = 1 AND {column} IS NOT NULL) \
                 OR ({field} = 0 AND {column} IS NULL))"
            )
        }
        Guard::IsNull(column) => format!("{} IS NULL", live(words, column)),
    }
}
