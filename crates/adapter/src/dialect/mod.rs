//! The one place where databases differ, beside [`crate::set`]: how a transaction begins,
//! how a schema is read, how errors are told apart, in which form values come back.

pub mod mysql;
pub mod postgres;
mod public_message;
mod session;
pub mod sqlite;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use echeck_service::failpoint::Tripped;
use sea_query::{Expr, InsertStatement, Query, SelectStatement, UpdateStatement};

pub use public_message::public_message;

use crate::identifier::Identifier;
use crate::row::Row;
use crate::schema::TableSchema;
use crate::set::SetSql;

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
    #[must_use]
    pub fn same_name(self, one: &str, other: &str) -> bool {
        match self {
            Self::Sqlite | Self::Mysql => one.eq_ignore_ascii_case(other),
            Self::Postgres => one == other,
        }
    }

    /// The statements that make the adapter's own tables, for an operator to run where the
    /// adapter itself may not.
    #[must_use]
    pub const fn owned_tables_sql(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::OWNED_TABLES_SQL,
            Self::Postgres => postgres::OWNED_TABLES_SQL,
            Self::Mysql => mysql::OWNED_TABLES_SQL,
        }
    }
}

/// Why the target did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// The database is busy, gone or full. Later it may work; nothing that was not committed
    /// has happened.
    #[error("the target database is not available: {0}")]
    Unavailable(String),
    /// The database takes no writes: a standby, or an operator has set it so. Otherwise as
    /// [`DbError::Unavailable`].
    #[error("the target database is read-only: {0}")]
    ReadOnly(String),
    /// Another transaction was in the way, and nothing of this one has happened: it can be
    /// begun again at once.
    #[error("the target database is busy: {0}")]
    Conflict(String),
    /// The database will not have this statement with this data, now or later. The message
    /// is fit to be shown.
    #[error("the target database refused: {0}")]
    Refused(String),
}

impl From<Tripped> for DbError {
    fn from(tripped: Tripped) -> Self {
        Self::Unavailable(tripped.to_string())
    }
}

impl DbError {
    /// What the database said.
    #[must_use]
    pub fn what(&self) -> &str {
        match self {
            Self::Unavailable(what)
            | Self::ReadOnly(what)
            | Self::Conflict(what)
            | Self::Refused(what) => what,
        }
    }
}

/// A statement that changes rows.
#[derive(Debug, Clone)]
pub enum Statement {
    /// An INSERT.
    Insert(InsertStatement),
    /// An UPDATE.
    Update(UpdateStatement),
}

impl From<InsertStatement> for Statement {
    fn from(statement: InsertStatement) -> Self {
        Self::Insert(statement)
    }
}

impl From<UpdateStatement> for Statement {
    fn from(statement: UpdateStatement) -> Self {
        Self::Update(statement)
    }
}

/// An INSERT of one row, from pairs of column and value.
#[must_use]
pub fn insert_row(
    table: &'static str,
    row: impl IntoIterator<Item = (&'static str, Expr)>,
) -> InsertStatement {
    let (columns, values): (Vec<&str>, Vec<Expr>) = row.into_iter().unzip();
    // The builder only panics on unequal counts, and pairs have none.
    Query::insert()
        .into_table(table)
        .columns(columns)
        .values_panic(values)
        .to_owned()
}

/// Whether a transaction will write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// One consistent view, no locks that hinder others.
    Read,
    /// Takes the right to write at once, so that what is read first still holds at commit.
    Write,
}

/// What a database says about itself.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Its version.
    pub version: String,
    /// Its own clock.
    pub now: Option<DateTime<Utc>>,
}

/// A target database.
#[async_trait]
pub trait Database: Send + Sync + 'static {
    /// Its dialect.
    fn dialect(&self) -> Dialect;
    /// The target as it may be shown: kind, host, name; never a password.
    fn shown(&self) -> &str;
    /// Begins a transaction.
    async fn begin(&self, access: Access) -> Result<Box<dyn Session>, DbError>;
    /// Makes the adapter's own tables where they are missing.
    async fn create_owned_tables(&self) -> Result<(), DbError>;
    /// Asks for version and time.
    async fn facts(&self) -> Result<Facts, DbError>;
    /// Asks for a sign of life.
    async fn probe(&self) -> Result<(), DbError>;
}

/// One open transaction. Dropping it without [`Session::commit`] undoes everything.
#[async_trait]
pub trait Session: Send {
    /// Runs a statement and says how many rows it hit.
    async fn execute(&mut self, statement: Statement) -> Result<u64, DbError>;
    /// Runs a statement over a set of rows and says how many rows it hit.
    async fn execute_set(&mut self, set: SetSql) -> Result<u64, DbError>;
    /// Reads the rows that belong to a set.
    async fn fetch_set(&mut self, set: SetSql) -> Result<Vec<Row>, DbError>;
    /// Reads rows.
    async fn fetch(&mut self, select: SelectStatement) -> Result<Vec<Row>, DbError>;
    /// Describes a table; `None` when there is no table of that name.
    async fn describe(&mut self, table: &Identifier) -> Result<Option<TableSchema>, DbError>;
    /// The names of all tables, for a message about a missing one.
    async fn table_names(&mut self) -> Result<Vec<String>, DbError>;
    /// Marks the point that [`Session::roll_back_step`] goes back to.
    async fn begin_step(&mut self) -> Result<(), DbError>;
    /// Keeps what was done since [`Session::begin_step`].
    async fn keep_step(&mut self) -> Result<(), DbError>;
    /// Undoes what was done since [`Session::begin_step`]. It is refused when the database
    /// has thrown the whole transaction away.
    async fn roll_back_step(&mut self) -> Result<(), DbError>;
    /// Makes everything lasting. After an error it is unknown whether it is.
    async fn commit(self: Box<Self>) -> Result<(), DbError>;
    /// Undoes everything.
    async fn roll_back(self: Box<Self>);
}
