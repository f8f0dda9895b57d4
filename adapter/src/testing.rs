//! What the tests of adapters share: a target in a file of its own, and a journal to feed
//! it with.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use echeck_proto::adapter::v1::adapter_service_server::AdapterService as _;
use echeck_proto::adapter::v1::step::Change;
use echeck_proto::adapter::v1::{
    self as proto, ApplyUpdatesRequest, ApplyUpdatesResponse, Expected, Reason, TransferState,
};
use echeck_service::clock::ManualClock;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};
use tempfile::TempDir;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use crate::apply::Target;

use crate::dialect::sqlite::SqliteTarget;
use crate::mapping::Plan;
use crate::service::Adapter;

/// When everything in the tests is decided: 2026-03-02 14:05:06 UTC.
pub const DECIDED_AT_SECONDS: i64 = 1_772_460_306;

/// A target in an SQLite file, with the adapter in front of it.
pub struct Rig {
    directory: TempDir,
    /// The target with its mapping.
    pub target: Target,
    /// The RPCs, called without a network.
    pub adapter: Adapter,
}

impl Rig {
    /// Makes a file with `schema`, the adapter's own tables, and the adapter over it.
    pub async fn new(schema: &str, plan: Arc<dyn Plan>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("target.db");
        std::fs::File::create(&path).unwrap();
        run_sql(&path, schema).await;
        let target = open(&path, plan).await;
        target.database.create_owned_tables().await.unwrap();
        Self {
            adapter: adapter(&target),
            directory,
            target,
        }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("target.db")
    }

    /// Another file beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs SQL as somebody else would, on a connection of its own.
    pub async fn sql(&self, sql: &str) {
        run_sql(&self.path(), sql).await;
    }

    /// The rows of a query, values joined by `|`, NULL as `-`.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        let mut connection = connect(&self.path()).await;
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let show = |row: &sqlx::sqlite::SqliteRow| {
            let cells: Vec<String> = (0..row.len())
                .map(|at| {
                    let text: Option<String> = row.try_get_unchecked(at).unwrap();
                    text.unwrap_or_else(|| "-".to_owned())
                })
                .collect();
            cells.join("|")
        };
        let shown = rows.iter().map(show).collect();
        connection.close().await.unwrap();
        shown
    }

    /// The one value of a query.
    pub async fn one(&self, sql: &str) -> String {
        let mut rows = self.rows(sql).await;
        assert_eq!(rows.len(), 1, "{sql}");
        rows.remove(0)
    }

    /// Applies a batch.
    ///
    /// # Errors
    /// The status.
    pub async fn apply(&self, batch: ApplyUpdatesRequest) -> Result<ApplyUpdatesResponse, Status> {
        self.adapter
            .apply_updates(Request::new(batch))
            .await
            .map(tonic::Response::into_inner)
    }

    /// Reads cursor and exceptions.
    pub async fn progress(&self, after: u64, limit: u32) -> proto::GetProgressResponse {
        let request = proto::GetProgressRequest {
            exceptions_after: after,
            limit,
        };
        self.adapter
            .get_progress(Request::new(request))
            .await
            .unwrap()
            .into_inner()
    }

    /// Copies the database as a backup would, without its write-ahead log.
    pub async fn back_up(&self, name: &str) {
        let to = self.beside(name);
        run_sql(&self.path(), &format!("VACUUM INTO '{}'", to.display())).await;
    }

    /// Puts a backup in the place of the database, and opens it anew.
    pub async fn restore(mut self, name: &str) -> Self {
        let plan = Arc::clone(&self.target.plan);
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.path().display()));
        }
        std::fs::copy(self.beside(name), self.path()).unwrap();
        self.target = open(&self.path(), plan).await;
        self.adapter = adapter(&self.target);
        self
    }
}

fn adapter(target: &Target) -> Adapter {
    let now = chrono::DateTime::from_timestamp(DECIDED_AT_SECONDS + 60, 0).unwrap();
    Adapter::new(target.clone(), Arc::new(ManualClock::new(now)))
}

async fn open(path: &Path, plan: Arc<dyn Plan>) -> Target {
    let database = SqliteTarget::open(path, Duration::from_millis(200), 4)
        .await
        .unwrap();
    Target {
        database: Arc::new(database),
        plan,
        adapter: "test".to_owned(),
    }
}

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn run_sql(path: &Path, sql: &str) {
    let mut connection = connect(path).await;
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// The reason code of an error, such as `CURSOR_MISMATCH`.
#[must_use]
pub fn reason_of(status: &Status) -> String {
    status
        .get_error_details()
        .error_info()
        .unwrap()
        .reason
        .clone()
}

/// A journal that remembers where it is. Its hashes are derived from positions.
#[derive(Clone)]
pub struct Journal {
    id: &'static str,
    position: u64,
    /// Another salt is another past.
    salt: u8,
}

impl Default for Journal {
    fn default() -> Self {
        Self::new("018f3f1e-0000-7000-8000-000000000001", 0)
    }
}

impl Journal {
    /// A journal of that identity; another `salt` is another past of the same journal.
    #[must_use]
    pub fn new(id: &'static str, salt: u8) -> Self {
        Self {
            id,
            position: 0,
            salt,
        }
    }

    /// The same journal, standing at `position`.
    #[must_use]
    pub fn at(&self, position: u64) -> Self {
        Self {
            position,
            ..self.clone()
        }
    }

    /// The next batch: a row for each change, empty rows for `None`.
    pub fn batch(&mut self, changes: Vec<Option<Change>>) -> ApplyUpdatesRequest {
        let previous_hash = self.hash();
        let steps = changes.into_iter().map(|change| {
            self.position += 1;
            proto::Step {
                position: self.position,
                hash: self.hash(),
                change,
            }
        });
        let steps = steps.collect();
        ApplyUpdatesRequest {
            journal_id: self.id.to_owned(),
            previous_hash,
            steps,
        }
    }

    /// The next batch, in which every row is a change.
    pub fn changes(&mut self, changes: impl IntoIterator<Item = Change>) -> ApplyUpdatesRequest {
        self.batch(changes.into_iter().map(Some).collect())
    }

    fn hash(&self) -> Vec<u8> {
        if self.position == 0 {
            return Vec::new();
        }
        let mut hash = vec![self.salt; 24];
        hash.extend(self.position.to_be_bytes());
        hash
    }
}

/// What a change was decided on.
#[must_use]
pub fn expected(state: TransferState, in_deposit: Option<bool>) -> Option<Expected> {
    Some(Expected {
        state: state.into(),
        in_deposit,
    })
}

/// R01, decided at [`DECIDED_AT_SECONDS`], with the bank's date where one is given.
#[must_use]
pub fn reason(returned_on: &str) -> Option<Reason> {
    Some(Reason {
        code: "R01".to_owned(),
        description: "Insufficient Funds".to_owned(),
        returned_on: returned_on.to_owned(),
        decided_at: Some(prost_types::Timestamp {
            seconds: DECIDED_AT_SECONDS,
            nanos: 0,
        }),
    })
}

/// A change that fails a transfer which is in `state`.
#[must_use]
pub fn fail(id: &str, state: TransferState) -> Change {
    Change::Fail(proto::FailTransfer {
        transfer_id: id.to_owned(),
        expected: expected(state, None),
        reason: reason(""),
        messages: vec!["ReasonCode: R01".to_owned()],
        raw_json: r#"{"Reason Code":"R01"}"#.to_owned(),
    })
}

/// A change that returns a transfer which is in `state`.
#[must_use]
pub fn give_back(id: &str, state: TransferState, in_deposit: Option<bool>) -> Change {
    Change::Return(proto::ReturnTransfer {
        transfer_id: id.to_owned(),
        expected: expected(state, in_deposit),
        reason: reason("2026-02-27"),
        messages: vec!["ReasonCode: R01".to_owned()],
        return_id: format!("RET_{id}"),
    })
}

/// A change that reverses a transfer which SUCCEEDED; the reversal is `RV_` and its id.
#[must_use]
pub fn reverse(id: &str, amount_minor: i64, in_deposit: Option<bool>) -> Change {
    Change::Reverse(proto::ReverseTransfer {
        transfer_id: id.to_owned(),
        expected: expected(TransferState::Succeeded, in_deposit),
        reason: reason(""),
        reversal: Some(proto::Reversal {
            id: format!("RV_{id}"),
            trace_id: format!("FNX_RV_{id}"),
            amount_minor,
            currency: "USD".to_owned(),
            tags: [("result_message_0".to_owned(), "ReasonCode: R01 ".to_owned())].into(),
        }),
        return_id: format!("RET_{id}"),
    })
}
