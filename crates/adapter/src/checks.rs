//! The CHECK constraints of a table about one column, and the values that an enum has. The database
//! itself says whether a value breaks a constraint: the expression is evaluated over the value.

use crate::dialect::{DbError, Dialect, SqlStatement, TargetSession};
use crate::identifier::Identifier;
use crate::schema::{ColumnKind, MappedColumn, NativeType, TableSchema};
use crate::values_table::quoted;

/// A CHECK constraint that names one column only.
pub(crate) struct ColumnCheck {
    column: String,
    /// Its expression.
    pub(crate) clause: String,
}

impl ColumnCheck {
    /// Whether it is about this column.
    pub(crate) fn is_of(&self, column: &MappedColumn) -> bool {
        self.is_of_name(column.name().as_str())
    }

    /// Whether it is about the column of this name.
    pub(crate) fn is_of_name(&self, column: &str) -> bool {
        self.column == column
    }

    /// The texts that it names, as a list of words does.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        let quoted =
            tokens(&self.clause).filter(|token| token.len() > 1 && token.starts_with('\''));
        quoted.map(|token| token[1..token.len() - 1].to_owned())
    }

    /// A SELECT whose `broken` is 1 when a value breaks the constraint.
    pub(crate) fn evaluated(&self, column: &MappedColumn, text: &str) -> SqlStatement {
        let name = quoted(column.dialect(), column.name());
        SqlStatement::Text {
            sql: format!(
                "SELECT CASE WHEN NOT ({}) THEN 1 ELSE 0 END AS broken FROM (SELECT {} AS {name}) \
                 AS candidate",
                self.clause,
                typed(column)
            ),
            parameter: Some(text.to_owned()),
        }
    }
}

/// Reads the constraints that are about one column.
pub(crate) async fn read(
    session: &mut dyn TargetSession,
    table: &Identifier,
    schema: &TableSchema,
) -> Result<Vec<ColumnCheck>, DbError> {
    let (sql, parameter) = match schema.dialect {
        Dialect::Sqlite => (
            "SELECT sql FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)".into(),
            Some(table.as_str().to_owned()),
        ),
        Dialect::Postgres => (
            "SELECT 'CHECK (' || pg_get_expr(conbin, conrelid) || ')' AS sql FROM pg_constraint \
             WHERE contype = 'c' AND conrelid = to_regclass(quote_ident($1))"
                .into(),
            Some(table.as_str().to_owned()),
        ),
        Dialect::Mysql => (
            format!("SHOW CREATE TABLE {}", quoted(schema.dialect, table)),
            None,
        ),
    };
    let shown = match schema.dialect {
        Dialect::Sqlite | Dialect::Postgres => "sql",
        Dialect::Mysql => "Create Table",
    };
    let rows = session.fetch(SqlStatement::Text { sql, parameter }).await?;
    let texts = rows.iter().map(|row| row.cell(shown).text());
    let clauses: Vec<String> = texts.flat_map(|text| clauses(&text)).collect();
    let about_one = clauses.into_iter().filter_map(|clause| {
        let column = only_column(&clause, schema)?;
        Some(ColumnCheck { column, clause })
    });
    Ok(about_one.collect())
}

/// Whether the column is an enum of MySQL without this value.
pub(crate) fn enum_lacks(column: &MappedColumn, text: &str) -> bool {
    let Some(values) = column.declared().strip_prefix("enum(") else {
        return false;
    };
    if column.dialect() != Dialect::Mysql {
        return false;
    }
    let ignores_case = match column.native() {
        NativeType::Mysql { collation, .. } => collation.ends_with("_ci"),
        NativeType::Plain | NativeType::Postgres { .. } | NativeType::MysqlUuidBytes => false,
    };
    let values = values.trim_end_matches(')').split("','");
    let mut values = values.map(|value| value.trim_matches('\'').replace("''", "'"));
    !values.any(|value| value == text || (ignores_case && value.eq_ignore_ascii_case(text)))
}

/// A SELECT that PostgreSQL refuses when the column's type does not have the value.
pub(crate) fn cast(column: &MappedColumn, text: &str) -> SqlStatement {
    SqlStatement::Text {
        sql: format!("SELECT {}", typed(column)),
        parameter: Some(text.to_owned()),
    }
}

/// The parameter in the column's own type, as far as a comparison depends on it.
fn typed(column: &MappedColumn) -> String {
    match (column.dialect(), column.native()) {
        (Dialect::Postgres, NativeType::Postgres { name, .. }) => format!("CAST($1 AS {name})"),
        (Dialect::Postgres, _) => "$1".to_owned(),
        (Dialect::Mysql, NativeType::Mysql { charset, collation }) => {
            format!("CONVERT(? USING {charset}) COLLATE {collation}")
        }
        (Dialect::Mysql, _) if column.kind() == ColumnKind::Integer => "CAST(? AS SIGNED)".into(),
        (Dialect::Mysql, _) => "?".to_owned(),
        (Dialect::Sqlite, _) if column.kind() == ColumnKind::Integer => {
            "CAST(?1 AS INTEGER)".to_owned()
        }
        (Dialect::Sqlite, _) => "?1".to_owned(),
    }
}

/// The expressions after each CHECK of a table's SQL. A constraint that is not enforced is none.
fn clauses(sql: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), sql);
    while let Some(at) = next_check(rest) {
        let Some((clause, after)) = parenthesized(&rest[at..]) else {
            break;
        };
        let enforced = !after
            .trim_start()
            .to_ascii_uppercase()
            .starts_with("/*!80016 NOT ENFORCED");
        if enforced {
            found.push(clause.to_owned());
        }
        rest = after;
    }
    found
}

/// Where the parenthesis after the next word CHECK stands.
fn next_check(sql: &str) -> Option<usize> {
    let mut offset = 0;
    for token in tokens(sql) {
        let end = offset + token.len();
        if token.eq_ignore_ascii_case("check") {
            let blanks = sql[end..].len() - sql[end..].trim_start().len();
            if sql[end + blanks..].starts_with('(') {
                return Some(end + blanks);
            }
        }
        offset = end;
    }
    None
}

/// What stands in the parentheses that a text begins with, and what follows them.
fn parenthesized(sql: &str) -> Option<(&str, &str)> {
    let (mut depth, mut offset) = (0_usize, 0);
    for token in tokens(sql) {
        offset += token.len();
        match token {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&sql[1..offset - 1], &sql[offset..]));
        }
    }
    None
}

/// The one column that an expression names; `None` when it names several, or none.
fn only_column(clause: &str, schema: &TableSchema) -> Option<String> {
    let mut found: Option<&str> = None;
    for token in tokens(clause) {
        let name = token.trim_matches(['"', '`', '[', ']']);
        let columns = schema.columns.iter();
        let named = columns
            .map(|column| column.name.as_str())
            .find(|column| !token.starts_with('\'') && schema.dialect.same_name(column, name));
        match (found, named) {
            (Some(one), Some(other)) if one != other => return None,
            (None, Some(_)) => found = named,
            _ => {}
        }
    }
    found.map(str::to_owned)
}

/// Cuts SQL into words, quoted names and texts, and single other letters, which add up to it.
fn tokens(sql: &str) -> impl Iterator<Item = &str> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
        let end = match first {
            '\'' | '"' | '`' => {
                let after = rest[1..].find(first);
                after.map_or(rest.len(), |at| at + 2)
            }
            _ if is_word(first) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_found_in_the_sql_of_a_table() {
        let sql = "CREATE TABLE t (a TEXT CHECK (a IN ('x)', 'it''s')), \"check\" INT, \
                   CONSTRAINT c CHECK ((b > 0) OR (a = 'CHECK (b)')), \
                   CHECK(b < 9) /*!80016 NOT ENFORCED */)";
        assert_eq!(
            clauses(sql),
            ["a IN ('x)', 'it''s')", "(b > 0) OR (a = 'CHECK (b)')"]
        );
        assert!(clauses("CREATE TABLE t (a TEXT CHECK (a").is_empty());
    }
}
