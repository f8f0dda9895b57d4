//! MySQL 8 and newer, MariaDB 10.6 and newer.

mod describe;
mod error;
mod session;

use std::time::Duration;

use async_trait::async_trait;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, Row as _};

use self::error::db_error;
use crate::dialect::session::SqlSession;
use crate::dialect::{Access, Database, DbError, Dialect, Facts, Session};

/// The adapter's own tables, as an operator may run them.
pub const OWNED_TABLES_SQL: &str = include_str!("owned_tables.sql");

/// A connection that nobody uses is closed by us well before the server does it.
const IDLE_CONNECTION: Duration = Duration::from_secs(15);

/// A MySQL or MariaDB database as the target.
pub struct MysqlTarget {
    pool: MySqlPool,
    shown: String,
}

impl MysqlTarget {
    /// Opens the database.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when it does not answer, refuses the account, or is too old.
    pub async fn open(
        options: &MySqlConnectOptions,
        shown: String,
        busy_timeout: Duration,
        max_connections: u32,
    ) -> Result<Self, DbError> {
        let options = options.clone().charset("utf8mb4");
        let failed = |error: &sqlx::Error| {
            DbError::Unavailable(format!("{shown}: {}", db_error(error).what()))
        };
        // A pool would only say that it got no connection, not why.
        let mut first = MySqlConnection::connect_with(&options)
            .await
            .map_err(|error| failed(&error))?;
        let version: String = sqlx::query_scalar("SELECT VERSION()")
            .fetch_one(&mut first)
            .await
            .map_err(|error| failed(&error))?;
        if too_old(&version) {
            return Err(DbError::Unavailable(format!(
                "{shown} is {version}; MySQL 8 or MariaDB 10.6 or newer is needed"
            )));
        }
        // It has done what it was for; whether it closes cleanly says nothing.
        let _ = first.close().await;
        let session = session_settings(busy_timeout, &version);
        let pool = MySqlPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(busy_timeout.saturating_add(Duration::from_secs(1)))
            .idle_timeout(IDLE_CONNECTION)
            .after_connect(move |connection, _| {
                let session = session.clone();
                Box::pin(async move {
                    sqlx::raw_sql(AssertSqlSafe(session))
                        .execute(connection)
                        .await
                        .map(|_| ())
                })
            })
            .connect_lazy_with(options);
        Ok(Self { pool, shown })
    }

    fn unavailable(&self, error: &sqlx::Error) -> DbError {
        DbError::Unavailable(format!("{}: {}", self.shown, db_error(error).what()))
    }
}

/// What our SQL relies on: a value that does not fit is refused, never cut; a statement sees
/// what others have committed; and a process that is paused in a transaction does not keep
/// its locks for long, or the adapter's other copy could not go on.
fn session_settings(busy_timeout: Duration, version: &str) -> String {
    let lock_seconds = busy_timeout.as_secs().max(1);
    let idle = if version.contains("MariaDB") {
        ", SESSION idle_transaction_timeout = 10"
    } else {
        ""
    };
    format!(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,\
         NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO', \
         SESSION time_zone = '+00:00', SESSION innodb_lock_wait_timeout = {lock_seconds}, \
         SESSION wait_timeout = 30{idle}; \
         SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
    )
}

/// `10.11.6-MariaDB-…`, or `8.0.36`.
fn too_old(version: &str) -> bool {
    let mut numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse::<u32>().unwrap_or(0));
    let release = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version.contains("MariaDB") {
        release < (10, 6)
    } else {
        release < (8, 0)
    }
}

#[async_trait]
impl Database for MysqlTarget {
    fn dialect(&self) -> Dialect {
        Dialect::Mysql
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
        sqlx::raw_sql(OWNED_TABLES_SQL)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|error| db_error(&error))
    }

    async fn facts(&self) -> Result<Facts, DbError> {
        let row = sqlx::query("SELECT VERSION(), CAST(UTC_TIMESTAMP(6) AS CHAR)")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.unavailable(&error))?;
        let version: String = row.try_get(0).map_err(|error| db_error(&error))?;
        let now: String = row.try_get(1).map_err(|error| db_error(&error))?;
        let kind = if version.contains("MariaDB") {
            ""
        } else {
            "MySQL "
        };
        Ok(Facts {
            version: format!("{kind}{version}"),
            now: crate::timestamp::read(&now),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_json_table_are_too_old() {
        for (version, old) in [
            ("10.11.6-MariaDB-0+deb12u1", false),
            ("10.6.0-MariaDB", false),
            ("10.5.23-MariaDB", true),
            ("11.4.2-MariaDB", false),
            ("8.0.36", false),
            ("5.7.44-log", true),
        ] {
            assert_eq!(too_old(version), old, "{version}");
        }
    }
}
