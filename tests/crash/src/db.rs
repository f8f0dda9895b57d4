//! A database as its owner sees it: SQL in, text out. All three kinds answer alike, so that
//! the checks are written once. Every statement is made of our own generated ids.

use anyhow::{Context as _, Result};
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row as _, TypeInfo as _, ValueRef as _, raw_sql};
use std::time::Duration;

/// One row; NULL is `None`.
pub(crate) type Cells = Vec<Option<String>>;

/// How long a statement waits for a connection, or for another writer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database.
#[derive(Debug, Clone)]
pub enum Db {
    /// A file.
    Sqlite(SqlitePool),
    /// A database of a PostgreSQL server.
    Postgres(PgPool),
    /// A database of a MySQL or MariaDB server.
    MySql(MySqlPool),
}

impl Db {
    /// Opens lazily: the server may be down just now.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn open(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            let options: SqliteConnectOptions = url.parse()?;
            let pool = SqlitePoolOptions::new()
                .max_connections(4)
                .connect_lazy_with(options.busy_timeout(PATIENCE));
            return Ok(Self::Sqlite(pool));
        }
        if url.starts_with("postgres:") {
            let pool = PgPoolOptions::new()
                .max_connections(6)
                .acquire_timeout(PATIENCE)
                .connect_lazy(url)?;
            return Ok(Self::Postgres(pool));
        }
        let pool = MySqlPoolOptions::new()
            .max_connections(6)
            .acquire_timeout(PATIENCE)
            .connect_lazy(url)?;
        Ok(Self::MySql(pool))
    }

    /// The rows of a query, every value as text.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rows(&self, sql: &str) -> Result<Vec<Cells>> {
        self.read(sql)
            .await
            .with_context(|| format!("the query failed: {sql}"))
    }

    async fn read(&self, sql: &str) -> Result<Vec<Cells>> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(pool) => raw_sql(sql)
                .fetch_all(pool)
                .await?
                .iter()
                .map(|row| (0..row.len()).map(|at| sqlite_text(row, at)).collect())
                .collect(),
            // raw_sql asks for the text form of every value.
            Self::Postgres(pool) => raw_sql(sql)
                .fetch_all(pool)
                .await?
                .iter()
                .map(|row| (0..row.len()).map(|at| postgres_text(row, at)).collect())
                .collect(),
            Self::MySql(pool) => raw_sql(sql)
                .fetch_all(pool)
                .await?
                .iter()
                .map(|row| {
                    (0..row.len())
                        .map(|at| Ok(row.try_get_unchecked::<Option<String>, _>(at)?))
                        .collect()
                })
                .collect(),
        }
    }

    /// The one value of a query.
    ///
    /// # Errors
    /// When the database does not answer, or with no row.
    pub async fn value(&self, sql: &str) -> Result<Option<String>> {
        let rows = self.rows(sql).await?;
        let first = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next());
        first.with_context(|| format!("no row: {sql}"))
    }

    /// The one number of a query; 0 for NULL.
    ///
    /// # Errors
    /// When the database does not answer, or with no number.
    pub async fn number(&self, sql: &str) -> Result<u64> {
        let text = self.value(sql).await?.unwrap_or_else(|| "0".to_owned());
        text.parse()
            .with_context(|| format!("{text:?} is no number: {sql}"))
    }

    /// Runs a statement; gives how many rows it hit.
    ///
    /// # Errors
    /// When the database does not answer or refuses. What was not acknowledged may have
    /// happened all the same.
    pub async fn run(&self, sql: &str) -> Result<u64> {
        let statement = AssertSqlSafe(sql.to_owned());
        let done = match self {
            Self::Sqlite(pool) => raw_sql(statement)
                .execute(pool)
                .await
                .map(|done| done.rows_affected()),
            Self::Postgres(pool) => raw_sql(statement)
                .execute(pool)
                .await
                .map(|done| done.rows_affected()),
            Self::MySql(pool) => raw_sql(statement)
                .execute(pool)
                .await
                .map(|done| done.rows_affected()),
        };
        done.with_context(|| format!("the statement failed: {:.300}", sql))
    }

    /// How the returns database says yes.
    #[must_use]
    pub const fn yes(&self) -> &'static str {
        match self {
            Self::Sqlite(_) | Self::MySql(_) => "1",
            Self::Postgres(_) => "TRUE",
        }
    }

    /// Closes the connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
            Self::MySql(pool) => pool.close().await,
        }
    }

    /// `insert`, a statement that begins with INSERT, so that rows which are there already
    /// are passed over: an insert whose acknowledgment was lost can be said again.
    #[must_use]
    pub fn insert_new(&self, insert: &str) -> String {
        match self {
            Self::Sqlite(_) | Self::Postgres(_) => format!("{insert} ON CONFLICT DO NOTHING"),
            Self::MySql(_) => insert.replacen("INSERT", "INSERT IGNORE", 1),
        }
    }
}

fn sqlite_text(row: &sqlx::sqlite::SqliteRow, at: usize) -> Result<Option<String>> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(None);
    }
    let kind = value.type_info().name().to_owned();
    Ok(Some(match kind.as_str() {
        "INTEGER" => row.try_get_unchecked::<i64, _>(at)?.to_string(),
        "BLOB" => format!("\\x{}", hex(&row.try_get_unchecked::<Vec<u8>, _>(at)?)),
        _ => row.try_get_unchecked(at)?,
    }))
}

fn postgres_text(row: &sqlx::postgres::PgRow, at: usize) -> Result<Option<String>> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(None);
    }
    let text = value
        .as_str()
        .map_err(|error| anyhow::anyhow!("a value is no text: {error}"))?;
    Ok(Some(text.to_owned()))
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
