//! The connection of what watches the returns database. It does not go through the pool, which tries
//! again until its time is over and then only says so: a server that refuses would look like one
//! that is silent, and a pool whose connections are all at work like a server that is down.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::StoreError;
use crate::columns::failed;
use crate::db::{Database, Pool, statement};
use crate::{grants, open};

const WHAT: &str = "write a sign of life";

/// How long a lock may be in the way. Shorter than what the watch waits for an answer.
const SETTINGS: &str = "SET lock_timeout = '600ms'";

/// How long a connection is used. The work needs new ones now and then, so the watch must see whether
/// it gets one: a password may have been changed, or the server replaced.
const RENEWED_AFTER: Duration = Duration::from_secs(4);

/// The tables that the account may read, quoted.
const TABLES: &str = "SELECT quote_ident(c.relname) FROM pg_class c \
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
     WHERE c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1";

/// The name of these connections, by which one finds another that was given up.
const NAME: &str = "echeck-returns-watch";

/// Whether a sign of life that was given up is still at work.
const EARLIER: &str = "SELECT EXISTS (SELECT FROM pg_stat_activity \
     WHERE datname = current_database() AND usename = current_user \
         AND application_name = current_setting('application_name') AND pid <> pg_backend_pid() \
         AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Lock' \
         AND query_start < clock_timestamp() - interval '500 ms')";

/// Who else holds a lock for which a statement of ours has waited for a while.
const BLOCKER: &str = "SELECT format('process %s of user %s%s', b.pid, quote_ident(b.usename), \
         ', ' || nullif(b.application_name, '')) \
     FROM pg_stat_activity w CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS p (pid) \
     JOIN pg_stat_activity b ON b.pid = p.pid \
     WHERE w.datname = current_database() AND w.usename = current_user \
         AND w.application_name || '-watch' = current_setting('application_name') \
         AND w.wait_event_type = 'Lock' \
         AND w.query_start < clock_timestamp() - interval '3 s' \
         AND (b.usename, b.application_name) IS DISTINCT FROM (w.usename, w.application_name) \
     ORDER BY w.query_start LIMIT 1";

/// The connection to PostgreSQL, once there is one.
#[derive(Debug, Default)]
pub(crate) struct WatchConnection(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    watching: Option<Watching>,
    /// Whether the last sign of life met an outage of everything.
    broken: bool,
}

/// A connection, and what is done on it again and again.
#[derive(Debug)]
struct Watching {
    connection: PgConnection,
    sql: String,
    since: Instant,
}

impl WatchConnection {
    /// Reads and writes what the service's work reads and writes first, and looks whether the account
    /// has its rights, whether somebody holds the work up, and whether its own statements fail again
    /// and again. A call that is given up closes the connection.
    pub(crate) async fn write(&self, db: &Database) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO liveness (one, written_at) \
             SELECT 1, {now} FROM journal_head WHERE one = 1 \
             ON CONFLICT (one) DO UPDATE SET written_at = {now}",
            now = db.syntax().now()
        );
        let mut state = self.0.lock().await;
        let well_since = db.failures.ask();
        if std::mem::take(&mut state.broken) {
            // What failed then had that reason.
            db.failures.forget();
        }
        let written = match &db.pool {
            Pool::Sqlite(_) => statement(WHAT, sql).execute(db).await.map(drop),
            Pool::Postgres(pool) => state.write(pool, &sql).await,
        };
        state.broken = written
            .as_ref()
            .is_err_and(|error| !error.is_of_a_statement());
        written?;
        match db.failures.answered(well_since) {
            Some(why) => Err(StoreError::Unusable(why)),
            None => Ok(()),
        }
    }
}

impl State {
    async fn write(&mut self, pool: &PgPool, sql: &str) -> Result<(), StoreError> {
        let kept = self.watching.take();
        let kept = kept.filter(|watching| watching.since.elapsed() < RENEWED_AFTER);
        let mut watching = match kept {
            Some(watching) => watching,
            None => Watching::begin(pool, sql).await?,
        };
        watching.write().await?;
        self.watching = Some(watching);
        Ok(())
    }
}

impl Watching {
    /// Connects, and puts the statement together: beside `write`, it takes the weakest lock on each
    /// table, which waits while somebody has locked the table for himself.
    async fn begin(pool: &PgPool, write: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::clone(&pool.connect_options()).application_name(NAME);
        let connected = PgConnection::connect_with(&options).await;
        let mut connection = connected.map_err(failed(WHAT))?;
        let checked = open::check_server(&mut connection).await;
        checked.map_err(StoreError::Unusable)?;
        connection.execute(SETTINGS).await.map_err(failed(WHAT))?;
        let tables: Vec<String> = sqlx::query_scalar(TABLES)
            .fetch_all(&mut connection)
            .await
            .map_err(failed(WHAT))?;
        let sql = match tables.is_empty() {
            true => write.to_owned(),
            false => format!(
                "BEGIN; LOCK TABLE {} IN ACCESS SHARE MODE; {write}; COMMIT",
                tables.join(", ")
            ),
        };
        Ok(Self {
            connection,
            sql,
            since: Instant::now(),
        })
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        let sql = sqlx::AssertSqlSafe(self.sql.clone());
        if let Err(error) = self.connection.execute(sql).await {
            return Err(self.why_not(error).await);
        }
        let lacking = grants::lacking(&mut self.connection).await;
        let lacking = lacking.map_err(failed(WHAT))?;
        if let Some(lacking) = named(&lacking) {
            let why = format!("its account lacks a right ({lacking})");
            return Err(StoreError::Unusable(why));
        }
        let blocker: Option<String> = sqlx::query_scalar(BLOCKER)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(failed(WHAT))?;
        match blocker {
            Some(blocker) => Err(StoreError::Unusable(format!(
                "another session holds a lock that our work waits for ({blocker})"
            ))),
            None => Ok(()),
        }
    }
}

impl Watching {
    /// Why the sign of life was not written: the lock may be that of one before it.
    async fn why_not(&mut self, error: sqlx::Error) -> StoreError {
        let error = failed(WHAT)(error);
        if !error.is_of_a_lock() {
            return error;
        }
        // What failed has ended its transaction.
        let _ = self.connection.execute("ROLLBACK").await;
        let earlier = sqlx::query_scalar(EARLIER).fetch_one(&mut self.connection);
        match earlier.await {
            Ok(true) => StoreError::Unusable(
                "it does not finish what was written: its disk is slow, or a standby that it waits \
                 for is away"
                    .to_owned(),
            ),
            Ok(false) | Err(_) => error,
        }
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
