//! The connection of what watches the returns database. It does not go through the pool, which tries
//! again until its time is over and then only says so: a server that refuses would look like one
//! that is silent, and a pool whose connections are all at work like a server that is down.

use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};
use tokio::sync::Mutex;

use super::{Database, statement};
use crate::StoreError;
use crate::columns::failed;

const WHAT: &str = "write a sign of life";

/// How long a lock may be in the way. Shorter than what the watch waits for an answer.
const SETTINGS: &str = "SET lock_timeout = '600ms'";

/// The connection to PostgreSQL, once there is one.
#[derive(Debug, Default)]
pub(crate) struct WatchConnection(Mutex<Option<PgConnection>>);

impl WatchConnection {
    /// Reads and writes what the service's work reads and writes first. A call that is given up closes
    /// the connection.
    pub(crate) async fn write(&self, db: &Database) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO liveness (one, written_at) \
             SELECT 1, {now} FROM journal_head WHERE one = 1 \
             ON CONFLICT (one) DO UPDATE SET written_at = {now}",
            now = db.syntax().now()
        );
        let Database::Postgres(pool) = db else {
            return statement(WHAT, sql).execute(db).await.map(drop);
        };
        let mut kept = self.0.lock().await;
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => connect(pool).await.map_err(explained)?,
        };
        connection
            .execute(sqlx::AssertSqlSafe(sql))
            .await
            .map_err(explained)?;
        *kept = Some(connection);
        Ok(())
    }
}

async fn connect(pool: &PgPool) -> Result<PgConnection, sqlx::Error> {
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    connection.execute(SETTINGS).await?;
    Ok(connection)
}

/// What the server's code means, where its own words leave that open.
fn explained(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code());
    let meaning = match code.as_deref() {
        Some("25006") => "it takes no writes: it is a standby, or set read-only",
        Some("53100") => "its disk is full",
        Some("53300") => "it has no connection slot free",
        Some("55P03") => "another session has locked its tables",
        Some("57014") => "it canceled the statement, by its statement_timeout or by hand",
        Some("57P03") => "it is starting up or shutting down",
        Some("42501") => "its account lacks a right",
        _ => return failed(WHAT)(error),
    };
    let said = error
        .as_database_error()
        .map_or_else(String::new, |error| error.message().to_owned());
    StoreError::Unusable(format!("{meaning} ({said})"))
}
