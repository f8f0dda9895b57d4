//! What each kind of database does in its own way, and its schema as all of them report it.

use sea_query::{QueryBuilder, Value, Values};
use sea_query_sqlx::{SqlxBinder as _, SqlxValues};
use sqlx::error::DatabaseError;

use super::{Access, DbError, Dialect, SqlStatement};
use crate::public_message::public_message;
use crate::row::{Cell, TargetRow};
use crate::schema::{ColumnKind, ColumnRights, LiveColumn, NativeType, TableSchema};

/// The statements that read a schema. All but the first have the table's name as parameter.
pub(super) struct CatalogSql {
    /// `name` of every table.
    pub(super) table_names: &'static str,
    /// One row when there is such a table: `engine` is the name of a storage engine without
    /// transactions, or empty; `row_security` is 1 when policies decide which rows the account
    /// sees and writes.
    pub(super) table: &'static str,
    /// What has this name and is no such table: a row with `what` for each.
    pub(super) namesakes: &'static str,
    /// A row for each column, in their order: `name`, `declared`, `nullable`, `has_default`,
    /// `is_generated`, `may_select`, `may_insert`, `may_update`, and what
    /// [`SqlBackend::column_type`] needs.
    pub(super) columns: &'static str,
    /// A row for each column of each index, in their order: `is_unique`, `is_first`,
    /// `column_name`. An index that does not cover every row is left out.
    pub(super) indexes: &'static str,
}

/// A kind of database.
pub(super) trait SqlBackend: sqlx::Database {
    /// The query builder of its SQL.
    type Builder: QueryBuilder + Default;
    const DIALECT: Dialect;
    const CREATE_OWNED_TABLES: &'static str = Self::DIALECT.owned_tables_sql();
    /// Reads version and time, both as text.
    const FACTS: &'static str;
    const CATALOG: CatalogSql;
    /// The statement that begins a transaction; `None` where there is none.
    fn begin(access: Access) -> Option<&'static str>;
    /// Classifies an error of the server, whose message may be shown. An unknown error is an
    /// outage: a batch that waits for a person is better than a return that is lost.
    fn classify(error: &dyn DatabaseError, message: String) -> DbError;
    /// Whether the account lacks the right to a table or a column.
    fn lacks_right(error: &dyn DatabaseError) -> bool;
    /// Whether the connection must not be used again: what it has prepared does not fit the schema
    /// any more.
    fn is_stale(error: &dyn DatabaseError) -> bool;
    /// The number of rows that a statement hit.
    fn affected(result: &Self::QueryResult) -> u64;
    /// One value of a row, which is not NULL.
    fn cell(row: &Self::Row, at: usize, type_name: &str) -> Cell;
    /// The type of a column, from its row of the catalog.
    fn column_type(row: &TargetRow) -> (ColumnKind, NativeType);

    /// Classifies an error. One of the connection is an outage.
    fn error(error: &sqlx::Error) -> DbError {
        match error.as_database_error() {
            Some(database) => Self::classify(database, public_message(database.message())),
            None => DbError::Unavailable(public_message(&error.to_string())),
        }
    }
}

/// A statement as SQL, with the values to bind.
pub(super) fn sql<B: SqlBackend>(statement: SqlStatement) -> (String, SqlxValues) {
    let builder = B::Builder::default();
    match statement {
        SqlStatement::Insert(insert) => insert.build_sqlx(builder),
        SqlStatement::Update(update) => update.build_sqlx(builder),
        SqlStatement::Select(select) => select.build_sqlx(builder),
        SqlStatement::Text { sql, parameter } => {
            let values = parameter.into_iter().map(Value::from).collect();
            (sql, SqlxValues(Values(values)))
        }
    }
}

/// The schema of a table, from the rows of the catalog.
pub(super) fn schema<B: SqlBackend>(columns: &[TargetRow], indexes: &[TargetRow]) -> TableSchema {
    let is = |row: &TargetRow, name| row.cell(name).integer() == Some(1);
    let columns = columns.iter().map(|row| {
        let (kind, native) = B::column_type(row);
        LiveColumn {
            name: row.cell("name").text(),
            kind,
            native,
            declared: row.cell("declared").text(),
            rights: ColumnRights {
                select: is(row, "may_select"),
                insert: is(row, "may_insert"),
                update: is(row, "may_update"),
            },
            nullable: is(row, "nullable"),
            has_default: is(row, "has_default"),
            generated: is(row, "is_generated"),
        }
    });
    let mut schema = TableSchema {
        dialect: B::DIALECT,
        columns: columns.collect(),
        unique_keys: Vec::new(),
        indexed: Vec::new(),
        row_security: false,
        faults: Vec::new(),
    };
    for row in indexes {
        let column = row.cell("column_name").text();
        let is_unique = is(row, "is_unique");
        if is(row, "is_first") {
            schema.indexed.push(column.clone());
            if is_unique {
                schema.unique_keys.push(vec![column]);
            }
        } else if is_unique && let Some(key) = schema.unique_keys.last_mut() {
            key.push(column);
        }
    }
    schema
}
