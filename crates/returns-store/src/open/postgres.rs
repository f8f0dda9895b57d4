//! Opening the database: the server must be the primary, new enough, and keep what it
//! commits. Each connection is checked, because after a fail-over the next one may lead to
//! another server.

use std::time::Duration;

use echeck_service::ErrorChain;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool, Row as _};

use super::migrate::{TABLE, bring_up_to_date};
use crate::StoreError;
use crate::columns::failed;
use crate::grants;
use crate::outage;
use crate::settings::{PgAddress, StoreSettings};

/// How long a statement waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the first connection may take: people are notified of a start that fails.
const FIRST_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that was used within this time is taken to be alive. Asking each one before its use
/// would double the round trips of a short statement.
const SURELY_ALIVE: Duration = Duration::from_secs(1);

/// When the server plans a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plans {
    /// At each execution. A plan that was made while the tables were empty would be kept when they are
    /// full.
    Fresh,
    /// Once, and kept when the tables grow. Only for statements that can go by one index alone: planning
    /// those takes ten times as long as executing them.
    Kept,
}

impl Plans {
    /// Compiling a plan takes longer than our short statements do. Each of them goes by an index; a
    /// server without statistics yet would read a grown table whole instead.
    fn settings(self) -> &'static str {
        match self {
            Self::Fresh => {
                "SET plan_cache_mode = force_custom_plan; SET jit = off; SET enable_seqscan = off"
            }
            Self::Kept => {
                "SET plan_cache_mode = force_generic_plan; SET jit = off; SET enable_seqscan = off; \
                 SET enable_hashjoin = off; SET enable_mergejoin = off"
            }
        }
    }
}

/// Opens the database at `address` and makes or migrates its tables.
///
/// # Errors
/// When the server does not answer or may not be used, or when tables are missing and may
/// not be made.
pub(super) async fn open(
    address: &PgAddress,
    settings: &StoreSettings,
) -> Result<PgPool, StoreError> {
    // Directly and not by the pool, which would try again and then only say that it gave up.
    let mut connection = tokio::time::timeout(
        FIRST_TIMEOUT,
        PgConnection::connect_with(&address.options()),
    )
    .await
    .map_err(|_| cannot_open(address, "it does not answer"))?
    .map_err(|error| cannot_open(address, &explain(&error)))?;
    check_server(&mut connection)
        .await
        .map_err(|fault| cannot_open(address, &fault))?;
    migrate(&mut connection, settings.migrate).await?;
    grants::check(&mut connection, address).await?;
    // It has done its work; how it ends does not matter.
    let _ = connection.close().await;
    Ok(pool(address, settings.max_connections, Plans::Fresh))
}

/// Connections, each of which is made and checked when it is needed.
pub(super) fn pool(address: &PgAddress, max_connections: u32, plans: Plans) -> PgPool {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, before| {
            Box::pin(async move {
                if before.idle_for > SURELY_ALIVE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                check_server(connection)
                    .await
                    .map_err(|fault| sqlx::Error::Configuration(fault.into()))?;
                connection.execute(plans.settings()).await.map(drop)
            })
        })
        .connect_lazy_with(address.options())
}

fn cannot_open(address: &PgAddress, why: &str) -> StoreError {
    StoreError::Unusable(format!("{address} cannot be opened: {why}"))
}

/// Why a connection failed, and what to do. Neither the driver nor the server repeats a
/// password.
fn explain(error: &sqlx::Error) -> String {
    let said = ErrorChain(error);
    let code = error
        .as_database_error()
        .and_then(|error| error.code().map(|code| code.into_owned()));
    match code.as_deref() {
        // invalid_authorization_specification, invalid_password
        Some("28000" | "28P01") => {
            format!("{said}; check user and password in database.url, and pg_hba.conf")
        }
        // invalid_catalog_name
        Some("3D000") => format!("{said}; create it with ENCODING 'UTF8', or correct database.url"),
        Some(_) => said.to_string(),
        None => format!("{said}; check host and port in database.url, and that the server runs"),
    }
}

/// What a server says of itself.
#[derive(Debug, Clone)]
struct Server {
    standby: bool,
    version_number: i32,
    version: String,
    synchronous_commit: String,
    fsync: String,
    full_page_writes: String,
    encoding: String,
}

/// Why the server may not keep the journal.
pub(crate) async fn check_server(connection: &mut PgConnection) -> Result<(), String> {
    let read = async {
        let row = connection
            .fetch_one(
                "SELECT pg_is_in_recovery(), current_setting('server_version_num')::int, \
                 current_setting('server_version'), current_setting('synchronous_commit'), \
                 current_setting('fsync'), current_setting('full_page_writes'), \
                 current_setting('server_encoding')",
            )
            .await?;
        Ok::<_, sqlx::Error>(Server {
            standby: row.try_get(0)?,
            version_number: row.try_get(1)?,
            version: row.try_get(2)?,
            synchronous_commit: row.try_get(3)?,
            fsync: row.try_get(4)?,
            full_page_writes: row.try_get(5)?,
            encoding: row.try_get(6)?,
        })
    };
    let server = read.await.map_err(|error| {
        // An outage has the same words wherever it is met first.
        outage::told(&error)
            .unwrap_or_else(|| format!("its settings cannot be read: {}", ErrorChain(&error)))
    })?;
    match server.refusal() {
        Some(why) => Err(why),
        None => Ok(()),
    }
}

impl Server {
    /// Why this server may not keep the journal.
    fn refusal(&self) -> Option<String> {
        if self.version_number < 150_000 {
            return Some(format!(
                "its server_version is {}, and 15 or newer is needed; upgrade it",
                self.version
            ));
        }
        if self.standby {
            return Some(
                "it is a standby (pg_is_in_recovery() is true), which takes no writes; let \
                 database.url name the primary"
                    .to_owned(),
            );
        }
        let losing = [
            (
                "synchronous_commit",
                &self.synchronous_commit,
                "ALTER SYSTEM, ALTER DATABASE or ALTER ROLE",
            ),
            ("fsync", &self.fsync, "ALTER SYSTEM"),
            ("full_page_writes", &self.full_page_writes, "ALTER SYSTEM"),
        ];
        for (setting, value, how) in losing {
            if value == "off" {
                return Some(format!(
                    "its {setting} is off, so a power cut can take back what was committed, and a \
                     return would be forgotten; set it to on ({how} … SET {setting} = on)"
                ));
            }
        }
        if self.encoding != "UTF8" {
            return Some(format!(
                "its server_encoding is {}, which cannot keep every text byte for byte; create \
                 the database with ENCODING 'UTF8'",
                self.encoding
            ));
        }
        None
    }
}

async fn migrate(connection: &mut PgConnection, migrate: bool) -> Result<(), StoreError> {
    let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(TABLE)
        .fetch_one(&mut *connection)
        .await
        .map_err(failed("find its migrations"))?;
    let migrator = sqlx::migrate!("./migrations/postgres");
    bring_up_to_date(connection, migrator, there, migrate).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Server {
        Server {
            standby: false,
            version_number: 150_018,
            version: "15.18".into(),
            synchronous_commit: "on".into(),
            fsync: "on".into(),
            full_page_writes: "on".into(),
            encoding: "UTF8".into(),
        }
    }

    #[test]
    fn a_server_that_keeps_what_it_commits_is_taken() {
        assert_eq!(good().refusal(), None);
        for level in ["remote_apply", "remote_write", "local"] {
            let server = Server {
                synchronous_commit: level.into(),
                ..good()
            };
            assert_eq!(server.refusal(), None, "{level}");
        }
    }

    #[test]
    fn each_refusal_names_the_setting_and_its_value() {
        let off = || "off".to_owned();
        let bad = [
            (
                Server {
                    version_number: 140_011,
                    version: "14.11".into(),
                    ..good()
                },
                "server_version is 14.11",
            ),
            (
                Server {
                    standby: true,
                    ..good()
                },
                "pg_is_in_recovery() is true",
            ),
            (
                Server {
                    synchronous_commit: off(),
                    ..good()
                },
                "synchronous_commit is off",
            ),
            (
                Server {
                    fsync: off(),
                    ..good()
                },
                "fsync is off",
            ),
            (
                Server {
                    full_page_writes: off(),
                    ..good()
                },
                "full_page_writes is off",
            ),
            (
                Server {
                    encoding: "SQL_ASCII".into(),
                    ..good()
                },
                "server_encoding is SQL_ASCII",
            ),
        ];
        for (server, says) in bad {
            let why = server.refusal().unwrap();
            assert!(why.contains(says), "{why}");
        }
    }
}
