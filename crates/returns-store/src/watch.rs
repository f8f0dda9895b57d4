//! The connection of what watches the returns database. It does not go through the pool, which tries
//! again until its time is over and then only says so: a server that refuses would look like one
//! that is silent, and a pool whose connections are all at work like a server that is down.

use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};
use tokio::sync::Mutex;

use crate::StoreError;
use crate::columns::failed;
use crate::db::{Database, Pool, statement};
use crate::grants;

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
    /// Reads and writes what the service's work reads and writes first, and looks whether the account
    /// has its rights and whether the work's own statements fail again and again. A call that is given
    /// up closes the connection.
    pub(crate) async fn write(&self, db: &Database) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO liveness (one, written_at) \
             SELECT 1, {now} FROM journal_head WHERE one = 1 \
             ON CONFLICT (one) DO UPDATE SET written_at = {now}",
            now = db.syntax().now()
        );
        match &db.pool {
            Pool::Sqlite(_) => statement(WHAT, sql).execute(db).await.map(drop)?,
            Pool::Postgres(pool) => {
                let mut kept = self.0.lock().await;
                let mut watching = match kept.take() {
                    Some(watching) => watching,
                    None => Watching::begin(pool, &sql).await.map_err(failed(WHAT))?,
                };
                let lacking = watching.write().await.map_err(failed(WHAT))?;
                *kept = Some(watching);
                if let Some(lacking) = named(&lacking) {
                    let why = format!("its account lacks a right ({lacking})");
                    return Err(StoreError::Unusable(why));
                }
            }
        }
        match db.failures.go_on() {
            Some(why) => Err(StoreError::Unusable(why)),
            None => Ok(()),
        }
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
    /// Gives the rights that the account lacks.
    async fn write(&mut self) -> Result<Vec<String>, sqlx::Error> {
        let sql = sqlx::AssertSqlSafe(self.sql.clone());
        self.connection.execute(sql).await?;
        grants::lacking(&mut self.connection).await
    }
}

/// A few of the rights that are missing, and how many there are beside.
fn named(lacking: &[String]) -> Option<String> {
    let shown = lacking.get(..3).unwrap_or(lacking);
    let more = lacking.len() - shown.len();
    let shown = shown.join(", ");
    match (lacking.len(), more) {
        (0, _) => None,
        (_, 0) => Some(shown),
        (_, more) => Some(format!("{shown}, and {more} more")),
    }
}
