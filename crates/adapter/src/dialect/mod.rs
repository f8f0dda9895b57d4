//! The one place where databases differ, beside [`crate::values_table`]: how a transaction
//! begins, how a schema is read, how errors are classified, and in which form values come back.

mod backend;
mod error;
mod mysql;
mod postgres;
mod session;
mod sqlite;
mod target;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_query::{Expr, InsertStatement, Query, SelectStatement, UpdateStatement};

pub use error::DbError;
pub(crate) use error::failpoint;
pub(crate) use mysql::{is_away as mysql_is_away, open as open_mysql};
pub(crate) use postgres::{is_away as postgres_is_away, open as open_postgres};
pub(crate) use sqlite::open as open_sqlite;
pub use target::PoolLimits;
pub(crate) use target::{PROBE, no_answer};

use crate::identifier::Identifier;
use crate::row::TargetRow;
use crate::schema::TableSchema;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}

impl Dialect {
    /// Whether two names mean the same column.
    pub fn same_name(self, one: &str, other: &str) -> bool {
        match self {
            Self::Sqlite | Self::Mysql => one.eq_ignore_ascii_case(other),
            Self::Postgres => one == other,
        }
    }

    /// The statements that create the adapter's own tables, for an operator to run where the
    /// adapter has no right to.
    pub const fn owned_tables_sql(self) -> &'static str {
        match self {
            Self::Sqlite => include_str!("sqlite/owned_tables.sql"),
            Self::Postgres => include_str!("postgres/owned_tables.sql"),
            Self::Mysql => include_str!("mysql/owned_tables.sql"),
        }
    }
}

/// A statement for a target.
#[derive(Debug, Clone)]
pub enum SqlStatement {
    /// An INSERT, in the query builder's form.
    Insert(InsertStatement),
    /// An UPDATE, in the query builder's form.
    Update(UpdateStatement),
    /// A SELECT, in the query builder's form.
    Select(SelectStatement),
    /// A statement in the dialect's own SQL.
    Text {
        /// The SQL.
        sql: String,
        /// The text bound to its only parameter, if it has one.
        parameter: Option<String>,
    },
}

/// An INSERT of one row, from pairs of column and value.
pub(crate) fn insert_row(
    table: &'static str,
    row: impl IntoIterator<Item = (&'static str, Expr)>,
) -> SqlStatement {
    let (columns, values): (Vec<&str>, Vec<Expr>) = row.into_iter().unzip();
    let mut insert = Query::insert();
    // The builder only panics on unequal counts, and pairs have none.
    insert
        .into_table(table)
        .columns(columns)
        .values_panic(values);
    SqlStatement::Insert(insert)
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A few rows for somebody who waits. There is no transaction, so each statement sees the moment
    /// when it runs, and beginning and ending cost no round trip.
    Look,
    /// One consistent view, without locks that hinder others.
    Read,
    /// Takes the right to write at once, so that what is read first still holds at commit.
    Write,
}

/// What a database reports about itself.
#[derive(Debug, Clone)]
pub struct DatabaseFacts {
    /// Its kind and version.
    pub version: String,
    /// The time of its own clock; `None` when it could not be read.
    pub now: Option<DateTime<Utc>>,
}

/// A target database.
#[async_trait]
pub trait TargetDatabase: Send + Sync + 'static {
    /// Its dialect.
    fn dialect(&self) -> Dialect;
    /// The target as it may be shown: kind, host, name; never a password.
    fn shown(&self) -> &str;
    /// Begins a transaction, or takes a connection for [`Access::Look`].
    async fn begin(&self, access: Access) -> Result<Box<dyn TargetSession>, DbError>;
    /// Creates the adapter's own tables where they are missing.
    async fn create_owned_tables(&self) -> Result<(), DbError>;
    /// Reads version and time.
    async fn facts(&self) -> Result<DatabaseFacts, DbError>;
    /// Checks that the database answers.
    async fn probe(&self) -> Result<(), DbError>;
}

/// One open transaction. Dropping it without [`TargetSession::commit`] undoes everything.
#[async_trait]
pub trait TargetSession: Send {
    /// Runs a statement; returns the number of rows that it hit.
    async fn execute(&mut self, statement: SqlStatement) -> Result<u64, DbError>;
    /// Reads rows.
    async fn fetch(&mut self, statement: SqlStatement) -> Result<Vec<TargetRow>, DbError>;
    /// The bytes of text that one statement may bind.
    fn statement_bytes(&self) -> usize;
    /// Describes a table; `None` when there is no table of that name.
    async fn describe(&mut self, table: &Identifier) -> Result<Option<TableSchema>, DbError>;
    /// The names of all tables, for a message about a missing one.
    async fn table_names(&mut self) -> Result<Vec<String>, DbError>;
    /// What has the name of a table and is none: such as "a view; …".
    async fn namesake(&mut self, table: &Identifier) -> Result<Option<String>, DbError>;
    /// Sets the savepoint that [`TargetSession::roll_back_to_savepoint`] goes back to.
    async fn set_savepoint(&mut self) -> Result<(), DbError>;
    /// Keeps what was done since the savepoint.
    async fn release_savepoint(&mut self) -> Result<(), DbError>;
    /// Undoes what was done since the savepoint. Refused when the database has rolled back the
    /// whole transaction.
    async fn roll_back_to_savepoint(&mut self) -> Result<(), DbError>;
    /// Commits the transaction. After an error it is unknown whether it was committed.
    async fn commit(self: Box<Self>) -> Result<(), DbError>;
    /// Rolls the transaction back.
    async fn roll_back(self: Box<Self>);
}
