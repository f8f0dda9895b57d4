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

/// The tables that the account may read, quoted.
const TABLES: &str = "SELECT quote_ident(c.relname) FROM pg_class c \
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') \
     AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1";

/// The connection to PostgreSQL, once there is one.
#[derive(Debug, Default)]
pub(crate) struct WatchConnection(Mutex<Option<Watching>>);

/// A connection, and what is done on it again and again.
#[derive(Debug)]
struct Watching {
    connection: PgConnection,
    sql: String,
}

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
        let mut watching = match kept.take() {
            Some(watching) => watching,
            None => Watching::begin(pool, &sql).await.map_err(explained)?,
        };
        let written = watching
            .connection
            .execute(sqlx::AssertSqlSafe(watching.sql.clone()));
        written.await.map_err(explained)?;
        *kept = Some(watching);
        Ok(())
    }
}

impl Watching {
    /// Connects, and puts the statement together: beside `write`, it takes the weakest lock on each
    /// table, which waits while somebody has locked the table for himself.
    async fn begin(pool: &PgPool, write: &str) -> Result<Self, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        connection.execute(SETTINGS).await?;
        let tables: Vec<String> = sqlx::query_scalar(TABLES)
            .fetch_all(&mut connection)
            .await?;
        let sql = match tables.is_empty() {
            true => write.to_owned(),
            false => format!(
                "BEGIN; LOCK TABLE {} IN ACCESS SHARE MODE; {write}; COMMIT",
                tables.join(", ")
            ),
        };
        Ok(Self { connection, sql })
    }
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
