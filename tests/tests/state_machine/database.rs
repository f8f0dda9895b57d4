//! A real SQLite file with the real adapter in front of it, and its owner beside.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use echeck_adapter::TargetIdentity;
use echeck_adapter::apply::Target;
use echeck_adapter::config::TargetConfig;
use echeck_adapter::dialect::{Dialect, PoolLimits};
use echeck_adapter::mapping::MappingConfig;
use echeck_adapter::progress;
use echeck_adapter::target_url::TargetUrl;
use echeck_service::config::Settings;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection, SqlitePool};
use tempfile::TempDir;

use crate::batches::JOURNAL;
use crate::transfers::{Follower, Kind, Side, State, Transfer};

/// The adapter's name in its own tables.
const ADAPTER: &str = "machine";
/// Longer than any connection that was given up takes to be closed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The owner's triggers: some transfers refuse the adapter's changes, and every change that
/// the adapter makes is counted. The owner's own changes leave `updated_at` as it is.
const TRIGGERS: &str = "
    CREATE TABLE changes (transfer_id TEXT NOT NULL);
    CREATE TRIGGER frozen BEFORE UPDATE ON transfers
        WHEN NEW.subtype = 'FROZEN' AND NEW.updated_at IS NOT OLD.updated_at
        BEGIN SELECT RAISE(ABORT, 'frozen'); END;
    CREATE TRIGGER cursed BEFORE UPDATE ON transfers
        WHEN NEW.subtype = 'CURSED' AND NEW.updated_at IS NOT OLD.updated_at
        BEGIN SELECT RAISE(ROLLBACK, 'cursed'); END;
    CREATE TRIGGER counted AFTER UPDATE ON transfers
        WHEN NEW.updated_at IS NOT OLD.updated_at
        BEGIN INSERT INTO changes VALUES (NEW.id); END;
    INSERT INTO deposits (id, created_at) VALUES ('DEP', '2026-02-20T00:00:00Z');";

const GATEWAY_ROWS: &str = "SELECT id || '|' || state || '|' || amount || '|' || \
     COALESCE(parent_id, '-') || '|' || COALESCE(deposit_id, '-') || '|' || \
     COALESCE(failure_code, '-') || '|' || \
     (SELECT COUNT(*) FROM changes WHERE transfer_id = transfers.id) FROM transfers ORDER BY id";
const MIRROR_ROWS: &str = "SELECT transfer_id || '|' || status || '|' || amount_cents || '|' || \
     COALESCE(failure_code, '-') || '|' || lock_version FROM transactions ORDER BY transfer_id";
const CURSORS: &str = "SELECT adapter || '|' || journal_id || '|' || position || '|' || hash \
     FROM echeck_cursor";
const EXCEPTIONS: &str = "SELECT position || '|' || kind || '|' || transfer_id \
     FROM echeck_exceptions ORDER BY position";

/// All that is in a database, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) rows: Vec<String>,
    pub(crate) cursors: Vec<String>,
    pub(crate) exceptions: Vec<String>,
}

/// One of the two databases.
pub(crate) struct Database {
    pub(crate) side: Side,
    pub(crate) target: Target,
    owner: SqlitePool,
    folder: TempDir,
    /// How many files were made; the last one is in use.
    files: usize,
    backup: Option<PathBuf>,
}

fn mapping(side: Side) -> Arc<dyn MappingConfig> {
    let toml = "profile = \"rainforest\"\n[target]\nurl = \"sqlite:unused.db\"\n";
    let toml = match side {
        Side::Gateway => toml,
        Side::Mirror => toml.trim_start_matches("profile = \"rainforest\"\n"),
    };
    let settings = Settings::from_toml(toml).expect("the configuration is TOML");
    let config = match side {
        Side::Gateway => gateway_adapter::read_config(&settings),
        Side::Mirror => rallypay_adapter::read_config(&settings),
    };
    settings.finish().expect("the configuration has no faults");
    config.mapping
}

async fn owner(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(path);
    SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options.create_if_missing(true).busy_timeout(PATIENCE))
        .await
        .expect("the owner opens the file")
}

async fn open(path: &Path, mapping: Arc<dyn MappingConfig>) -> Target {
    let target = TargetConfig {
        url: Some(TargetUrl::Sqlite(path.to_owned())),
        create_tables: false,
        limits: PoolLimits {
            max_connections: 3,
            busy_timeout: PATIENCE,
        },
    };
    let database = target.open().await.expect("the adapter opens the file");
    Target::new(database, mapping, ADAPTER.to_owned())
}

/// Whose databases they are.
fn identity() -> TargetIdentity {
    TargetIdentity {
        journal: JOURNAL.parse().expect("a UUID"),
        database: "target".to_owned(),
    }
}

impl Database {
    /// A database in which nothing of the journal was applied.
    pub(crate) async fn new(follower: &Follower) -> Self {
        let side = follower.side;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("0.db");
        let owner = owner(&path).await;
        let schema = match side {
            Side::Gateway => gateway_adapter::demo_schema(Dialect::Sqlite).to_owned() + TRIGGERS,
            Side::Mirror => rallypay_adapter::demo_schema(Dialect::Sqlite).to_owned(),
        };
        let rows: String = (follower.transfers.iter().enumerate())
            .filter(|(_, transfer)| transfer.is_in(side))
            .map(|(number, transfer)| insert(side, number, transfer))
            .collect();
        let target = open(&path, mapping(side)).await;
        let database = Self {
            side,
            target,
            owner,
            folder,
            files: 1,
            backup: None,
        };
        database
            .sql(format!("BEGIN; {schema} {rows} COMMIT;"))
            .await;
        let owned = database.target.database.create_owned_tables().await;
        owned.expect("the adapter makes its tables");
        let identity = identity();
        let claimed = database.target.claim(&identity, None, DateTime::UNIX_EPOCH);
        claimed.await.expect("nobody has claimed it");
        database
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(format!("{}.db", self.files - 1))
    }

    /// Runs SQL as the owner.
    pub(crate) async fn sql(&self, sql: String) {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&self.owner)
            .await
            .expect("the owner's statement runs");
    }

    /// Reads everything, once whoever is writing has ended.
    pub(crate) async fn contents(&self) -> Contents {
        let mut transaction = (self.owner.begin_with("BEGIN IMMEDIATE").await)
            .expect("the owner waits for whoever writes");
        let rows = match self.side {
            Side::Gateway => GATEWAY_ROWS,
            Side::Mirror => MIRROR_ROWS,
        };
        let contents = Contents {
            rows: texts(&mut transaction, rows).await,
            cursors: texts(&mut transaction, CURSORS).await,
            exceptions: texts(&mut transaction, EXCEPTIONS).await,
        };
        transaction.rollback().await.expect("nothing was written");
        contents
    }

    /// The position of the cursor, as the adapter tells it; 0 before the first row.
    pub(crate) async fn position(&self) -> usize {
        let told = progress::read(&*self.target.database, ADAPTER, 0, 0).await;
        let cursor = told.expect("the adapter tells its progress").cursor;
        cursor.map_or(0, |cursor| {
            usize::try_from(cursor.position).expect("a position")
        })
    }

    /// Puts the cursor somewhere, as nobody ever should.
    pub(crate) async fn put_cursor(&self, journal: &str, position: usize, hash: &str) {
        let mut sql = format!("BEGIN; DELETE FROM echeck_cursor WHERE adapter = '{ADAPTER}';");
        if position > 0 {
            sql += &format!(
                "INSERT INTO echeck_cursor (adapter, journal_id, position, hash, updated_at) \
                 VALUES ('{ADAPTER}', '{journal}', {position}, '{hash}', 'by hand');"
            );
        }
        self.sql(sql + "COMMIT;").await;
    }

    pub(crate) async fn back_up(&mut self) {
        let path = self.folder.path().join("backup.db");
        // An earlier one, which VACUUM would not overwrite.
        let _ = std::fs::remove_file(&path);
        self.sql(format!("VACUUM INTO '{}'", path.display())).await;
        self.backup = Some(path);
    }

    /// Restores the last backup into a new file, which the adapter opens.
    pub(crate) async fn restore(&mut self) {
        let backup = self.backup.clone().expect("there is a backup");
        self.files += 1;
        let path = self.path();
        std::fs::copy(backup, &path).expect("the backup is copied");
        self.owner = owner(&path).await;
        self.reopen().await;
    }

    /// Opens the file as an adapter does at its start.
    pub(crate) async fn reopen(&mut self) {
        let mapping = Arc::clone(&self.target.mapping);
        self.target = open(&self.path(), mapping).await;
    }
}

async fn texts(connection: &mut SqliteConnection, sql: &'static str) -> Vec<String> {
    let rows = sqlx::query(sql).fetch_all(connection).await;
    let rows = rows.expect("the owner can read");
    rows.iter().map(|row| row.get(0)).collect()
}

/// The id of a transfer.
pub(crate) fn id(number: usize) -> String {
    format!("TR{number:02}")
}

/// An amount of its own for each transfer, in minor units.
pub(crate) fn amount_minor(number: usize) -> i64 {
    1_000 + i64::try_from(number).expect("a small number")
}

fn insert(side: Side, number: usize, transfer: &Transfer) -> String {
    let (id, amount) = (id(number), amount_minor(number));
    let at = "2026-02-20T00:00:00Z";
    let pending = transfer.state == State::Pending;
    match side {
        Side::Gateway => {
            let state = if pending { "PROCESSING" } else { "SUCCEEDED" };
            let deposit = if transfer.in_deposit { "'DEP'" } else { "NULL" };
            let subtype = match transfer.kind {
                Kind::Frozen => "FROZEN",
                Kind::Cursed => "CURSED",
                Kind::Plain | Kind::Funded | Kind::Pending | Kind::Gone | Kind::OnlyInGateway => {
                    "API"
                }
            };
            format!(
                "INSERT INTO transfers (id, type, subtype, state, amount, application, \
                 merchant_identity, deposit_id, created_at, updated_at) VALUES ('{id}', 'DEBIT', \
                 '{subtype}', '{state}', {amount}, 'AP', 'ID', {deposit}, '{at}', '{at}');"
            )
        }
        Side::Mirror => {
            let status = if pending { "pending" } else { "succeeded" };
            format!(
                "INSERT INTO transactions (transfer_id, status, amount_cents, created_at, \
                 updated_at) VALUES ('{id}', '{status}', {amount}, '{at}', '{at}');"
            )
        }
    }
}
