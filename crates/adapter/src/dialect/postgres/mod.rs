//! PostgreSQL, 15 and newer.

mod describe;
mod error;
mod session;

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, Row as _};

use self::error::db_error;
use crate::dialect::session::SqlSession;
use crate::dialect::{Access, Database, DbError, Dialect, Facts, Session};

/// The adapter's own tables, as an operator may run them.
pub const OWNED_TABLES_SQL: &str = include_str!("owned_tables.sql");

const OLDEST: u32 = 15;

/// How long a transaction of ours may do nothing. A process that is paused in the middle of
/// one must not keep its locks, or the adapter's other copy could not go on.
const IDLE_IN_TRANSACTION: &str = "10s";

/// A PostgreSQL database as the target.
pub struct PostgresTarget {
    pool: PgPool,
    shown: String,
}

impl PostgresTarget {
    /// Opens the database.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when it does not answer, refuses the account, or is too old.
    pub async fn open(
        options: &PgConnectOptions,
        shown: String,
        busy_timeout: Duration,
        max_connections: u32,
    ) -> Result<Self, DbError> {
        let lock_timeout = format!("{}ms", busy_timeout.as_millis().max(1));
        let options = options.clone().application_name("echeck-adapter").options([
            ("lock_timeout", lock_timeout.as_str()),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
            ("TimeZone", "UTC"),
            ("DateStyle", "ISO"),
        ]);
        let failed = |error: &sqlx::Error| {
            DbError::Unavailable(format!("{shown}: {}", db_error(error).what()))
        };
        // A pool would only say that it got no connection, not why.
        let mut first = PgConnection::connect_with(&options)
            .await
            .map_err(|error| failed(&error))?;
        refuse_old(&mut first, &shown).await?;
        // It has done what it was for; whether it closes cleanly says nothing.
        let _ = first.close().await;
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(busy_timeout.saturating_add(Duration::from_secs(1)))
            .connect_lazy_with(options);
        Ok(Self { pool, shown })
    }

    fn unavailable(&self, error: &sqlx::Error) -> DbError {
        DbError::Unavailable(format!("{}: {}", self.shown, db_error(error).what()))
    }
}

async fn refuse_old(connection: &mut PgConnection, shown: &str) -> Result<(), DbError> {
    let number: String = sqlx::query_scalar("SHOW server_version_num")
        .fetch_one(connection)
        .await
        .map_err(|error| db_error(&error))?;
    let major = number.parse::<u32>().unwrap_or(0) / 10_000;
    if major >= OLDEST {
        return Ok(());
    }
    Err(DbError::Unavailable(format!(
        "{shown} is PostgreSQL {major}; {OLDEST} or newer is needed"
    )))
}

#[async_trait]
impl Database for PostgresTarget {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn shown(&self) -> &str {
        &self.shown
    }

    async fn begin(&self, access: Access) -> Result<Box<dyn Session>, DbError> {
        let connection = self.pool.acquire().await;
        let connection = connection.map_err(|error| self.unavailable(&error))?;
        Ok(Box::new(SqlSession::begin(connection, access).await?))
    }

    async fn create_owned_tables(&self) -> Result<(), DbError> {
        // Two copies that start together must not both find the tables missing.
        let locked = format!(
            "BEGIN; SELECT pg_advisory_xact_lock(hashtext('echeck_cursor')); {OWNED_TABLES_SQL} COMMIT"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(locked))
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|error| db_error(&error))
    }

    async fn facts(&self) -> Result<Facts, DbError> {
        let row = sqlx::query("SELECT current_setting('server_version'), clock_timestamp()")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.unavailable(&error))?;
        let version: String = row.try_get(0).map_err(|error| db_error(&error))?;
        Ok(Facts {
            version: format!("PostgreSQL {version}"),
            now: row.try_get(1).ok(),
        })
    }

    async fn probe(&self) -> Result<(), DbError> {
        sqlx::query("SELECT 1")
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|error| self.unavailable(&error))
    }
}
