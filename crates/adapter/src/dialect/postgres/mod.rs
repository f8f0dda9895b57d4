//! PostgreSQL, 15 and newer.

mod backend;

use std::sync::Arc;
use std::time::Duration;

use sqlx::Postgres;
use sqlx::postgres::PgConnectOptions;

use crate::dialect::target::{self, PoolLimits, STATEMENT_BYTES, SqlTarget, first_answer};
use crate::dialect::{DbError, TargetDatabase};

const OLDEST_MAJOR: u32 = 15;

/// How long a statement waits for a lock while it keeps those of the rows before. The row's owner
/// may want them, so this is short; what is locked for longer is left for later.
const LOCK_WAIT: Duration = Duration::from_millis(100);

/// How long a transaction of ours may be idle. A process that is paused in one must not keep its
/// locks, or the adapter's other copy could not continue.
const IDLE_IN_TRANSACTION: &str = "10s";

/// Whether nobody answers at the database's address.
pub(crate) async fn is_away(options: &PgConnectOptions) -> bool {
    target::is_away::<Postgres>(options).await
}

/// Opens the database. [`DbError::Unavailable`] when it does not answer, refuses the account, or
/// is too old.
pub(crate) async fn open(
    options: &PgConnectOptions,
    shown: String,
    limits: PoolLimits,
) -> Result<Arc<dyn TargetDatabase>, DbError> {
    let lock_wait = limits.busy_timeout.min(LOCK_WAIT);
    let lock_timeout = format!("{}ms", lock_wait.as_millis().max(1));
    let options = options.clone().application_name("echeck-adapter").options([
        ("lock_timeout", lock_timeout.as_str()),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
        ("TimeZone", "UTC"),
        ("DateStyle", "ISO"),
    ]);
    let number = first_answer::<Postgres>(&options, &shown, "SHOW server_version_num").await?;
    let major = number.parse::<u32>().unwrap_or(0) / 10_000;
    if major < OLDEST_MAJOR {
        return Err(DbError::Unavailable(format!(
            "{shown} is PostgreSQL {major}; {OLDEST_MAJOR} or newer is needed"
        )));
    }
    let pool = limits.options().connect_lazy_with(options);
    Ok(Arc::new(SqlTarget::<Postgres> {
        pool,
        shown,
        statement_bytes: STATEMENT_BYTES,
    }))
}
