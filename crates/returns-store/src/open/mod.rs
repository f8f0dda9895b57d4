//! Opening the returns database: it must lose nothing, have its tables, and have the journal's
//! identity.

use std::sync::Arc;

use uuid::Uuid;

use crate::db::{Database, Pool, statement};
use crate::settings::{StoreAddress, StoreSettings};
use crate::sql::SqlStore;
use crate::watch::WatchConnection;
use crate::{Store, StoreError};

use postgres::Plans;
pub(crate) use postgres::check_server;

mod migrate;
mod postgres;
mod sqlite;

/// Opens the returns database twice: for the workers, and for those who call. However much the workers
/// do, a call finds a connection.
///
/// # Errors
/// As of [`open`].
pub async fn open_both(
    settings: &StoreSettings,
    new_journal_id: Uuid,
) -> Result<(Arc<dyn Store>, Arc<dyn Store>), StoreError> {
    let for_calls = (settings.max_connections / 3).max(2);
    let for_lookups = (for_calls / 2).min(2);
    let of_workers = StoreSettings {
        max_connections: settings.max_connections - for_calls,
        ..settings.clone()
    };
    let of_calls = StoreSettings {
        max_connections: for_calls - for_lookups,
        migrate: false,
        ..settings.clone()
    };
    let workers = open(&of_workers, new_journal_id).await?;
    let calls = open_with(&of_calls, for_lookups, new_journal_id).await?;
    Ok((workers, calls))
}

/// Opens the returns database, of whichever kind it is. `new_journal_id` is the journal's
/// identity if it has none yet.
///
/// # Errors
/// When it does not answer, may not be used, or its tables are not what this program needs.
pub async fn open(
    settings: &StoreSettings,
    new_journal_id: Uuid,
) -> Result<Arc<dyn Store>, StoreError> {
    // The workers look nothing up, and a connection is only made when it is needed.
    open_with(settings, 1, new_journal_id).await
}

/// The same with so many connections more for what is known of transfers. SQLite has no plans to keep,
/// and takes those that there are.
async fn open_with(
    settings: &StoreSettings,
    for_lookups: u32,
    new_journal_id: Uuid,
) -> Result<Arc<dyn Store>, StoreError> {
    let (db, lookups) = match &settings.address {
        StoreAddress::Sqlite(url) => {
            let db = Database::new(Pool::Sqlite(sqlite::open(url, settings).await?));
            (db.clone(), db)
        }
        StoreAddress::Postgres(address) => {
            let db = Database::new(Pool::Postgres(postgres::open(address, settings).await?));
            let pool = postgres::pool(address, for_lookups, Plans::Kept);
            let lookups = db.with(Pool::Postgres(pool));
            (db, lookups)
        }
    };
    statement(
        "draw the journal's identity",
        "INSERT INTO journal_head (one, journal_id, position, hash) VALUES (1, $1, 0, $2) \
         ON CONFLICT (one) DO NOTHING",
    )
    .bind(new_journal_id.to_string())
    .bind(Vec::<u8>::new())
    .execute(&db)
    .await?;
    Ok(Arc::new(SqlStore {
        db,
        lookups,
        watch: WatchConnection::default(),
    }))
}
