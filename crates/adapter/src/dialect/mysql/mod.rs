//! MySQL 8 and newer, MariaDB 10.6 and newer.

mod backend;

use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, MySql};

use crate::dialect::target::{self, PoolLimits, STATEMENT_BYTES, SqlTarget, first_answer};
use crate::dialect::{DbError, TargetDatabase};

/// We close an idle connection well before the server does.
const IDLE_CONNECTION: Duration = Duration::from_secs(15);

/// How large a packet may be, and which version it is.
const FIRST_QUESTION: &str = "SELECT CONCAT(@@max_allowed_packet, ' ', VERSION())";

/// A server that takes less does not take what a look-up asks for.
const LEAST_PACKET_BYTES: usize = 1 << 20;

/// How the driver says that it does not know how an account is identified.
const UNKNOWN_PLUGIN: &str = "unknown authentication plugin: ";

/// Whether nobody answers at the database's address.
pub(crate) async fn is_away(options: &MySqlConnectOptions) -> bool {
    target::is_away::<MySql>(options).await
}

/// Opens the database. [`DbError::Unavailable`] when it does not answer, refuses the account, or
/// is too old.
pub(crate) async fn open(
    options: &MySqlConnectOptions,
    shown: String,
    limits: PoolLimits,
) -> Result<Arc<dyn TargetDatabase>, DbError> {
    let options = options.clone().charset("utf8mb4");
    let answer = first_answer::<MySql>(&options, &shown, FIRST_QUESTION).await;
    let answer = answer.map_err(|error| named(&shown, error))?;
    let (packet_bytes, version) = answer.split_once(' ').unwrap_or_default();
    let packet_bytes = packet_bytes.parse().unwrap_or(0);
    if packet_bytes < LEAST_PACKET_BYTES {
        return Err(DbError::Unavailable(format!(
            "{shown} has a max_allowed_packet of {packet_bytes}; {LEAST_PACKET_BYTES} or more is needed"
        )));
    }
    if is_too_old(version) {
        return Err(DbError::Unavailable(format!(
            "{shown} is {version}; MySQL 8 or MariaDB 10.6 or newer is needed"
        )));
    }
    let settings = session_settings(version);
    let pool = limits
        .options()
        .idle_timeout(IDLE_CONNECTION)
        .after_connect(move |connection, _| {
            let settings = sqlx::raw_sql(AssertSqlSafe(settings.clone()));
            Box::pin(async move { settings.execute(connection).await.map(|_| ()) })
        })
        .connect_lazy_with(options);
    // A letter may take several as JSON.
    let statement_bytes = STATEMENT_BYTES.min(packet_bytes / 8);
    Ok(Arc::new(SqlTarget::<MySql> {
        pool,
        shown,
        statement_bytes,
    }))
}

/// Names the way of identifying an account that the driver does not have.
fn named(shown: &str, error: DbError) -> DbError {
    let Some((_, plugin)) = error.message().split_once(UNKNOWN_PLUGIN) else {
        return error;
    };
    // A message hides long numbers, and this name has one.
    let plugin = match plugin.split_whitespace().next().unwrap_or_default() {
        hidden if hidden.starts_with("client_ed") => "client_ed25519",
        plugin => plugin,
    };
    DbError::Unavailable(format!(
        "{shown}: the account is identified by {plugin}, which is not supported; identify it by \
         caching_sha2_password or mysql_native_password, or let the adapter have an account of its own"
    ))
}

/// What our SQL relies on: a value that does not fit is refused, never cut; a statement sees what
/// others have committed; and a process that is paused in a transaction does not keep its locks
/// for long, or the adapter's other copy could not continue. A statement that waits for a lock keeps
/// those of the rows before, which the row's owner may want, so it waits for the shortest time.
fn session_settings(version: &str) -> String {
    let idle = if version.contains("MariaDB") {
        ", SESSION idle_transaction_timeout = 10"
    } else {
        ""
    };
    format!(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,\
         NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO', \
         SESSION time_zone = '+00:00', SESSION innodb_lock_wait_timeout = 1, \
         SESSION lock_wait_timeout = 1, SESSION wait_timeout = 30{idle}; \
         SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
    )
}

/// `10.11.6-MariaDB-…`, or `8.0.36`.
fn is_too_old(version: &str) -> bool {
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
            assert_eq!(is_too_old(version), old, "{version}");
        }
    }
}
