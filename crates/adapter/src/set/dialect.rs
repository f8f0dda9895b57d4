//! What each database calls it.

use crate::dialect::Dialect;
use crate::schema::{Column, Kind, Native};

/// A field of the unfolded table: its name, the column whose form it has (`None` for a plain
/// number), and the longest text in it, in characters.
type UnfoldedField<'a> = (String, Option<&'a Column>, usize);

/// The words of one dialect.
pub(super) trait Words {
    /// A name in quotes.
    fn quote(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
    /// A column at the left of an assignment.
    fn assigned(&self, name: &str) -> String {
        self.quote(name)
    }
    /// The JSON parameter as table `v`.
    fn unfold(&self, fields: &[UnfoldedField<'_>]) -> String;
    /// The condition by which an index finds the row; it may match more loosely.
    fn matches(&self, live: &str, given: &str, column: &Column) -> String;
    /// The condition that a value is exactly the given one, letter by letter.
    fn exactly(&self, live: &str, given: &str, column: &Column) -> String;
    /// A column's value in a form that every dialect gives alike: whole numbers, or text.
    fn shown(&self, live: &str, column: &Column) -> String;
    /// The join that begins with the given rows.
    fn join(&self) -> &'static str;
    /// What locks the rows that a SELECT finds.
    fn lock(&self) -> &'static str;
    /// An UPDATE of `table` as `o` from `v`.
    fn update(&self, table: &str, unfolded: &str, sets: &str, condition: &str) -> String {
        format!("UPDATE {table} AS o SET {sets} FROM {unfolded} WHERE {condition}")
    }
}

pub(super) fn words(dialect: Dialect) -> Box<dyn Words> {
    match dialect {
        Dialect::Sqlite => Box::new(Sqlite),
        Dialect::Postgres => Box::new(Postgres),
        Dialect::Mysql => Box::new(Mysql),
    }
}

struct Sqlite;

impl Words for Sqlite {
    fn unfold(&self, fields: &[UnfoldedField<'_>]) -> String {
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, _, _)| format!("r.value->>'$.{name}' AS {name}"))
            .collect();
        format!(
            "(SELECT {} FROM json_each(?1) AS r) AS v",
            fields.join(", ")
        )
    }

    fn matches(&self, live: &str, given: &str, _column: &Column) -> String {
        format!("{live} = {given}")
    }

    /// A column may be declared with a collation of its own, such as NOCASE.
    fn exactly(&self, live: &str, given: &str, column: &Column) -> String {
        match column.kind() {
            Kind::Text => format!("{live} = {given} COLLATE BINARY"),
            _ => format!("{live} = {given}"),
        }
    }

    fn shown(&self, live: &str, _column: &Column) -> String {
        live.to_owned()
    }

    fn join(&self) -> &'static str {
        "CROSS JOIN"
    }

    /// A transaction that writes has the whole file.
    fn lock(&self) -> &'static str {
        ""
    }
}

struct Postgres;

impl Words for Postgres {
    /// Text is cast to the column's type by name and without its length, since a cast to
    /// `varchar(10)` would cut what is longer, where an assignment refuses it.
    fn unfold(&self, fields: &[UnfoldedField<'_>]) -> String {
        let (mut casts, mut names) = (Vec::new(), Vec::new());
        for (name, column, _) in fields {
            let number = column.is_none_or(|column| column.kind() == Kind::Integer);
            let raw = if number { "bigint" } else { "text" };
            names.push(format!("{name} {raw}"));
            casts.push(match column.map(Column::native) {
                Some(Native::Postgres(type_name)) if !number => {
                    format!("CAST(r.{name} AS {type_name}) AS {name}")
                }
                // A number is compared as it is: one that is too large for its column is not
                // found there, where a cast would fail the whole statement.
                Some(Native::Plain | Native::Postgres(_) | Native::Mysql { .. }) | None => {
                    format!("r.{name}")
                }
            });
        }
        format!(
            "(SELECT {} FROM json_to_recordset($1::json) AS r({})) AS v",
            casts.join(", "),
            names.join(", ")
        )
    }

    fn matches(&self, live: &str, given: &str, _column: &Column) -> String {
        format!("{live} = {given}")
    }

    /// A type or a collation may take different letters for the same (`citext`).
    fn exactly(&self, live: &str, given: &str, column: &Column) -> String {
        match column.kind() {
            Kind::Text => {
                format!("CAST({live} AS text) COLLATE \"C\" = CAST({given} AS text) COLLATE \"C\"")
            }
            _ => format!("{live} = {given}"),
        }
    }

    fn shown(&self, live: &str, column: &Column) -> String {
        match column.kind() {
            Kind::Integer => live.to_owned(),
            _ => format!("CAST({live} AS text)"),
        }
    }

    fn join(&self) -> &'static str {
        "JOIN"
    }

    fn lock(&self) -> &'static str {
        " FOR UPDATE OF o"
    }
}

struct Mysql;

impl Words for Mysql {
    fn quote(&self, name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    fn assigned(&self, name: &str) -> String {
        format!("o.{}", self.quote(name))
    }

    /// Lengths are powers of two, so that there are few different statements. What is longer
    /// would move the table `v` to the disk, or be too long for a VARCHAR.
    fn unfold(&self, fields: &[UnfoldedField<'_>]) -> String {
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, column, longest)| {
                let number = column.is_none_or(|column| column.kind() == Kind::Integer);
                let declared = if number {
                    "BIGINT".to_owned()
                } else if *longest <= 4_096 {
                    format!("VARCHAR({})", longest.next_power_of_two().max(32))
                } else {
                    "LONGTEXT".to_owned()
                };
                format!("{name} {declared} PATH '$.{name}'")
            })
            .collect();
        format!("JSON_TABLE(?, '$[*]' COLUMNS ({})) AS v", fields.join(", "))
    }

    /// In the column's own collation, without which its index is of no use.
    fn matches(&self, live: &str, given: &str, column: &Column) -> String {
        match column.native() {
            Native::Mysql { charset, collation } => {
                format!("{live} = CONVERT({given} USING {charset}) COLLATE {collation}")
            }
            Native::Plain | Native::Postgres(_) => format!("{live} = {given}"),
        }
    }

    /// Most collations ignore case, accents and trailing spaces.
    fn exactly(&self, live: &str, given: &str, column: &Column) -> String {
        match column.native() {
            Native::Mysql { .. } => format!(
                "CAST(CONVERT({live} USING utf8mb4) AS BINARY) = \
                 CAST(CONVERT({given} USING utf8mb4) AS BINARY)"
            ),
            Native::Plain | Native::Postgres(_) => format!("{live} = {given}"),
        }
    }

    fn shown(&self, live: &str, column: &Column) -> String {
        match column.kind() {
            Kind::Integer => live.to_owned(),
            _ => format!("CAST({live} AS CHAR)"),
        }
    }

    fn join(&self) -> &'static str {
        "STRAIGHT_JOIN"
    }

    fn lock(&self) -> &'static str {
        " FOR UPDATE"
    }

    fn update(&self, table: &str, unfolded: &str, sets: &str, condition: &str) -> String {
        format!("UPDATE {unfolded} STRAIGHT_JOIN {table} AS o ON {condition} SET {sets}")
    }
}
