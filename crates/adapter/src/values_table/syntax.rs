//! What each database calls it.

use super::FieldForm;
use crate::dialect::Dialect;
use crate::schema::{ColumnKind, MappedColumn, NativeType};

/// A field of the unfolded table.
pub(super) struct UnfoldedField<'a> {
    pub(super) name: String,
    pub(super) form: FieldForm<'a>,
    /// The length of its longest text, in characters.
    pub(super) longest_chars: usize,
}

impl UnfoldedField<'_> {
    fn is_decimal(&self) -> bool {
        matches!(self.form, FieldForm::Column(column) if column.kind() == ColumnKind::Decimal)
    }

    fn is_number(&self) -> bool {
        match self.form {
            FieldForm::Column(column) => column.kind() == ColumnKind::Integer,
            FieldForm::Number => true,
            FieldForm::Text => false,
        }
    }
}

/// The syntax of one dialect.
pub(super) trait SqlSyntax {
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
    fn matches(&self, live: &str, given: &str, _column: &MappedColumn) -> String {
        format!("{live} = {given}")
    }
    /// The condition that a value is exactly the given one, letter by letter.
    fn exactly(&self, live: &str, given: &str, column: &MappedColumn) -> String;
    /// The condition that a value of any type is exactly the given text when it is shown as text.
    fn is_text(&self, live: &str, given: &str) -> String;
    /// A field's value as its column takes it.
    fn written(&self, given: &str, _column: &MappedColumn) -> String {
        given.to_owned()
    }
    /// The condition that an instant is later than the given one.
    fn is_later(&self, live: &str, given: &str, column: &MappedColumn) -> String;
    /// A column's value in the form that every dialect returns: a whole number or text.
    fn shown(&self, live: &str, column: &MappedColumn) -> String;
    /// The join that begins with the given rows.
    fn join(&self) -> &'static str;
    /// What locks the rows that a SELECT finds.
    fn lock(&self) -> &'static str;
    /// What leaves out of such a SELECT the rows that another session has locked.
    fn skip_locked(&self) -> &'static str {
        " SKIP LOCKED"
    }
    /// An UPDATE of `table` as `o` from `v`.
    fn update(&self, table: &str, unfolded: &str, sets: &str, condition: &str) -> String {
        format!("UPDATE {table} AS o SET {sets} FROM {unfolded} WHERE {condition}")
    }
}

pub(super) fn syntax(dialect: Dialect) -> &'static dyn SqlSyntax {
    match dialect {
        Dialect::Sqlite => &SqliteSyntax,
        Dialect::Postgres => &PostgresSyntax,
        Dialect::Mysql => &MysqlSyntax,
    }
}

struct SqliteSyntax;

impl SqlSyntax for SqliteSyntax {
    fn unfold(&self, fields: &[UnfoldedField<'_>]) -> String {
        let fields: Vec<String> = fields
            .iter()
            .map(|UnfoldedField { name, .. }| format!("r.value->>'$.{name}' AS {name}"))
            .collect();
        format!(
            "(SELECT {} FROM json_each(?1) AS r) AS v",
            fields.join(", ")
        )
    }

    /// A column may be declared with a collation of its own, such as NOCASE. `unlikely` because the
    /// statistics of ANALYZE count NULLs as equal: in a column that is mostly NULL, such as the parent,
    /// each value would seem to be that of all rows, and the table would be scanned for each key.
    fn exactly(&self, live: &str, given: &str, column: &MappedColumn) -> String {
        match column.kind() {
            ColumnKind::Text => format!("unlikely({live} = {given} COLLATE BINARY)"),
            _ => format!("unlikely({live} = {given})"),
        }
    }

    fn is_text(&self, live: &str, given: &str) -> String {
        format!("CAST({live} AS TEXT) = {given} COLLATE BINARY")
    }

    /// Times are text in any spelling, which these functions read to the millisecond.
    fn is_later(&self, live: &str, given: &str, column: &MappedColumn) -> String {
        if column.has_instants_as_numbers() {
            return format!("{live} > {given}");
        }
        let (there, new) = (format!("julianday({live})"), format!("julianday({given})"));
        format!("({there} > {new} OR ({there} = {new} AND {live} > {given}))")
    }

    /// A decimal number is a floating one to it, which is shown with its decimals.
    fn shown(&self, live: &str, column: &MappedColumn) -> String {
        match column.kind() {
            ColumnKind::Decimal => format!("CAST({live} AS TEXT)"),
            _ => live.to_owned(),
        }
    }

    fn join(&self) -> &'static str {
        "CROSS JOIN"
    }

    /// A transaction that writes has locked the whole file.
    fn lock(&self) -> &'static str {
        ""
    }

    fn skip_locked(&self) -> &'static str {
        ""
    }
}

struct PostgresSyntax;

impl SqlSyntax for PostgresSyntax {
    /// Text is cast to the column's type by name and without its length: a cast to
    /// `varchar(10)` would cut a longer text, where an assignment refuses it.
    fn unfold(&self, fields: &[UnfoldedField<'_>]) -> String {
        let (mut casts, mut names) = (Vec::new(), Vec::new());
        for field in fields {
            let name = &field.name;
            let raw = if field.is_number() { "bigint" } else { "text" };
            names.push(format!("{name} {raw}"));
            // A number is compared as it is, and a word of an enum as text. One that is too large
            // for its column, or that the enum does not have, is not found; a cast would fail the
            // whole statement.
            casts.push(match field.form {
                FieldForm::Column(column) if !field.is_number() => match column.native() {
                    NativeType::Postgres {
                        name: type_name,
                        is_enum: false,
                    } => format!("CAST(r.{name} AS {type_name}) AS {name}"),
                    _ => format!("r.{name}"),
                },
                FieldForm::Column(_) | FieldForm::Number | FieldForm::Text => format!("r.{name}"),
            });
        }
        format!(
            "(SELECT {} FROM json_to_recordset($1::json) AS r({})) AS v",
            casts.join(", "),
            names.join(", ")
        )
    }

    /// An enum is compared as text.
    fn matches(&self, live: &str, given: &str, column: &MappedColumn) -> String {
        match column.native() {
            NativeType::Postgres { is_enum: true, .. } => self.exactly(live, given, column),
            _ => format!("{live} = {given}"),
        }
    }

    /// A type or a collation may treat different letters as the same (`citext`).
    fn exactly(&self, live: &str, given: &str, column: &MappedColumn) -> String {
        match column.kind() {
            ColumnKind::Text => self.is_text(live, given),
            _ => format!("{live} = {given}"),
        }
    }

    fn is_text(&self, live: &str, given: &str) -> String {
        format!("{} = {}", bytewise(live), bytewise(given))
    }

    /// A word that the enum does not have is refused here.
    fn written(&self, given: &str, column: &MappedColumn) -> String {
        match column.native() {
            NativeType::Postgres {
                name,
                is_enum: true,
            } => format!("CAST({given} AS {name})"),
            _ => given.to_owned(),
        }
    }

    /// In a column of texts the order of the texts is the order of time.
    fn is_later(&self, live: &str, given: &str, column: &MappedColumn) -> String {
        match column.kind() {
            ColumnKind::Text => format!("{} > {}", bytewise(live), bytewise(given)),
            _ => format!("{live} > {given}"),
        }
    }

    fn shown(&self, live: &str, column: &MappedColumn) -> String {
        match column.kind() {
            ColumnKind::Integer => live.to_owned(),
            _ => format!("CAST({live} AS text)"),
        }
    }

    fn join(&self) -> &'static str {
        "JOIN"
    }

    /// As an UPDATE locks: a row that refers to one of these may be inserted meanwhile.
    fn lock(&self) -> &'static str {
        " FOR NO KEY UPDATE OF o"
    }
}

/// A value as text that is compared byte by byte (PostgreSQL).
fn bytewise(value: &str) -> String {
    format!("CAST({value} AS text) COLLATE \"C\"")
}

struct MysqlSyntax;

impl SqlSyntax for MysqlSyntax {
    fn quote(&self, name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    fn assigned(&self, name: &str) -> String {
        format!("o.{}", self.quote(name))
    }

    /// Lengths are powers of two, so that there are few different statements. A longer text
    /// would move the table `v` to the disk, or be too long for a VARCHAR.
    fn unfold(&self, fields: &[UnfoldedField<'_>]) -> String {
        let fields: Vec<String> = fields
            .iter()
            .map(|field| {
                let declared = if field.is_number() {
                    "BIGINT".to_owned()
                } else if field.is_decimal() {
                    // Compared with a text, a decimal number is rounded.
                    "DECIMAL(38,6)".to_owned()
                } else if field.longest_chars <= 4_096 {
                    format!(
                        "VARCHAR({})",
                        field.longest_chars.next_power_of_two().max(32)
                    )
                } else {
                    "LONGTEXT".to_owned()
                };
                format!("{name} {declared} PATH '$.{name}'", name = field.name)
            })
            .collect();
        format!("JSON_TABLE(?, '$[*]' COLUMNS ({})) AS v", fields.join(", "))
    }

    /// In the column's own collation. Without it, the index is not used.
    fn matches(&self, live: &str, given: &str, column: &MappedColumn) -> String {
        match column.native() {
            NativeType::Mysql { charset, collation } => {
                format!("{live} = CONVERT({given} USING {charset}) COLLATE {collation}")
            }
            NativeType::MysqlUuidBytes => format!("{live} = {}", uuid_bytes(given)),
            NativeType::Plain | NativeType::Postgres { .. } => format!("{live} = {given}"),
        }
    }

    /// Most collations ignore case, accents and trailing spaces.
    fn exactly(&self, live: &str, given: &str, column: &MappedColumn) -> String {
        match column.native() {
            NativeType::Mysql { .. } => format!("{} = {}", binary(live), binary(given)),
            NativeType::MysqlUuidBytes => format!("{live} = {}", uuid_bytes(given)),
            NativeType::Plain | NativeType::Postgres { .. } => format!("{live} = {given}"),
        }
    }

    fn is_text(&self, live: &str, given: &str) -> String {
        format!(
            "{} = {}",
            binary(&format!("CAST({live} AS CHAR)")),
            binary(given)
        )
    }

    /// In a column of texts the order of the texts is the order of time.
    fn is_later(&self, live: &str, given: &str, column: &MappedColumn) -> String {
        match column.kind() {
            ColumnKind::Text => format!("{} > {}", binary(live), binary(given)),
            ColumnKind::Integer => format!("{live} > {given}"),
            _ => format!("{live} > CAST({given} AS DATETIME(6))"),
        }
    }

    fn written(&self, given: &str, column: &MappedColumn) -> String {
        match column.native() {
            NativeType::MysqlUuidBytes => uuid_bytes(given),
            NativeType::Mysql { .. } | NativeType::Plain | NativeType::Postgres { .. } => {
                given.to_owned()
            }
        }
    }

    fn shown(&self, live: &str, column: &MappedColumn) -> String {
        match column.kind() {
            ColumnKind::Integer => live.to_owned(),
            ColumnKind::Uuid if *column.native() == NativeType::MysqlUuidBytes => uuid_text(live),
            _ => format!("CAST({live} AS CHAR)"),
        }
    }

    fn join(&self) -> &'static str {
        "STRAIGHT_JOIN"
    }

    /// MySQL must not lock the JSON table, and says so only when it runs (error 3569). MariaDB has no
    /// such clause, and skips a comment of a version that it never had.
    fn lock(&self) -> &'static str {
        " FOR UPDATE /*!80001 OF o */"
    }

    fn update(&self, table: &str, unfolded: &str, sets: &str, condition: &str) -> String {
        format!("UPDATE {unfolded} STRAIGHT_JOIN {table} AS o ON {condition} SET {sets}")
    }
}

/// The bytes of a UUID. MariaDB has no UUID_TO_BIN.
fn uuid_bytes(text: &str) -> String {
    format!("UNHEX(REPLACE({text}, '-', ''))")
}

/// The text of a UUID's bytes.
fn uuid_text(bytes: &str) -> String {
    let hyphens = [9, 14, 19, 24].into_iter();
    let text = hyphens.fold(format!("HEX({bytes})"), |text, at| {
        format!("INSERT({text}, {at}, 0, '-')")
    });
    format!("LOWER({text})")
}

/// A text that is compared byte by byte (MySQL).
fn binary(text: &str) -> String {
    format!("CAST(CONVERT({text} USING utf8mb4) AS BINARY)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_one_quoted_identifier() {
        let name = "x\"`; DROP TABLE t; --";
        for (dialect, quoted) in [
            (Dialect::Sqlite, r#""x""`; DROP TABLE t; --""#),
            (Dialect::Postgres, r#""x""`; DROP TABLE t; --""#),
            (Dialect::Mysql, r#"`x"``; DROP TABLE t; --`"#),
        ] {
            assert_eq!(syntax(dialect).quote(name), quoted);
        }
    }
}
