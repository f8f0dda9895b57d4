//! What the tests of adapters share: a target in a file of its own, and a journal to feed
//! it with.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod changes;
mod shell;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use echeck_proto::adapter::CONTRACT_VERSION;
use echeck_proto::adapter::v1::adapter_service_server::AdapterService as _;
use echeck_proto::adapter::v1::step::Change;
use echeck_proto::adapter::v1::{
    self as proto, ApplyUpdatesRequest, ApplyUpdatesResponse, StepException, StepExceptionKind,
};
use echeck_service::clock::{Clocks, ManualClock};
use tempfile::TempDir;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

pub use self::changes::{expected, fail, give_back, reapply, reason, release, restore, reverse};
use self::shell::Shell;
use crate::api::AdapterApi;
use crate::apply::Target;
use crate::config::TargetConfig;
use crate::dialect::{Dialect, PoolLimits};
use crate::identity::TargetIdentity;
use crate::mapping::MappingConfig;
use crate::target_url::TargetUrl;

/// Turns each test, a function of a [`Dialect`], into one test for every kind of database.
#[macro_export]
macro_rules! on_every_database {
    ($($test:ident),+ $(,)?) => {
        $crate::on_every_database!(@on sqlite Sqlite $($test)+);
        $crate::on_every_database!(@on postgres Postgres $($test)+);
        $crate::on_every_database!(@on mysql Mysql $($test)+);
    };
    (@on $name:ident $dialect:ident $($test:ident)+) => {
        mod $name {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::dialect::Dialect::$dialect).await;
            })+
        }
    };
}

/// When everything in the tests is decided and written: 2026-03-02 14:05:06 UTC.
pub const DECIDED_AT_SECONDS: i64 = 1_772_460_306;

/// A target in a database of its own, with the adapter in front of it.
pub struct AdapterRig {
    directory: TempDir,
    shell: Shell,
    /// The target with its mapping.
    pub target: Target,
    /// The RPCs, called without a network.
    pub adapter: AdapterApi,
}

impl AdapterRig {
    /// An SQLite file with `schema` and the adapter's own tables, and the adapter in front of it.
    pub async fn new(schema: &str, mapping: Arc<dyn MappingConfig>) -> Self {
        Self::on(Dialect::Sqlite, schema, mapping).await
    }

    /// The same with a new database of any kind.
    pub async fn on(dialect: Dialect, schema: &str, mapping: Arc<dyn MappingConfig>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let shell = Shell::fresh(dialect, directory.path()).await;
        shell.run(schema).await;
        let target = open(&shell, mapping).await;
        target.database.create_owned_tables().await.unwrap();
        let identity = TargetIdentity {
            journal: Journal::default().id.parse().unwrap(),
            database: "target".to_owned(),
        };
        let now = chrono::DateTime::from_timestamp(DECIDED_AT_SECONDS, 0).unwrap();
        target.claim(&identity, None, now).await.unwrap();
        Self {
            adapter: adapter(&target),
            directory,
            shell,
            target,
        }
    }

    /// Claims the database for an adapter of another name, as a process of its own has.
    pub async fn claim_for(&self, adapter: &str) {
        self.sql(&format!(
            "INSERT INTO echeck_identity (adapter, journal_id, database_name, recorded_at) \
             SELECT '{adapter}', journal_id, database_name, recorded_at FROM echeck_identity"
        ))
        .await;
    }

    /// The same database behind another mapping.
    pub async fn mapped(mut self, mapping: Arc<dyn MappingConfig>) -> Self {
        self.target = open(&self.shell, mapping).await;
        self.adapter = adapter(&self.target);
        self
    }

    /// A second copy of the adapter, with connections of its own.
    pub async fn copy(&self) -> AdapterApi {
        adapter(&open(&self.shell, Arc::clone(&self.target.mapping)).await)
    }

    /// The URL of the database.
    pub fn url(&self) -> String {
        self.shell.url()
    }

    /// The SQLite file.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("target.db")
    }

    /// Another file beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs SQL as the owner of the database, on a new connection.
    pub async fn sql(&self, sql: &str) {
        self.shell.run(sql).await;
    }

    /// The rows of a query, values joined by `|`, NULL as `-`.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        self.shell.rows(sql).await
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

    /// Applies each change as a batch of its own, so that nothing else in the batch causes it to be
    /// examined.
    pub async fn apply_one_by_one(&self, changes: Vec<Change>) -> Vec<StepException> {
        let mut journal = Journal::default();
        let mut exceptions = Vec::new();
        for change in changes {
            let reply = self.apply(journal.changes([change])).await.unwrap();
            exceptions.extend(reply.exceptions);
        }
        exceptions
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

    /// What the target shows instead of the steps of a batch; none of them is followed by another.
    pub async fn missing(&self, batch: ApplyUpdatesRequest) -> Vec<String> {
        let steps = batch.steps.into_iter().map(|step| proto::AppliedStep {
            step: Some(step),
            followed: false,
        });
        let request = proto::VerifyUpdatesRequest {
            steps: steps.collect(),
        };
        let reply = self.adapter.verify_updates(Request::new(request)).await;
        let missing = reply.unwrap().into_inner().missing.into_iter();
        missing.map(|one| one.message).collect()
    }

    /// Copies the SQLite file as a backup would, without its write-ahead log.
    pub async fn back_up(&self, name: &str) {
        let to = self.beside(name);
        self.sql(&format!("VACUUM INTO '{}'", to.display())).await;
    }

    /// Replaces the SQLite file with a backup, and opens it again.
    pub async fn restore(mut self, name: &str) -> Self {
        let mapping = Arc::clone(&self.target.mapping);
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.path().display()));
        }
        std::fs::copy(self.beside(name), self.path()).unwrap();
        self.target = open(&self.shell, mapping).await;
        self.adapter = adapter(&self.target);
        self
    }
}

fn adapter(target: &Target) -> AdapterApi {
    let now = chrono::DateTime::from_timestamp(DECIDED_AT_SECONDS, 0).unwrap();
    AdapterApi::new(
        target.clone(),
        Clocks::both(Arc::new(ManualClock::new(now))),
        PoolLimits {
            max_connections: 4,
            busy_timeout: Duration::from_secs(2),
        },
    )
}

async fn open(shell: &Shell, mapping: Arc<dyn MappingConfig>) -> Target {
    let config = TargetConfig {
        url: Some(TargetUrl::parse(&shell.url().into()).unwrap()),
        create_tables: true,
        limits: PoolLimits {
            max_connections: 4,
            busy_timeout: Duration::from_millis(match shell {
                Shell::Sqlite(_) => 200,
                Shell::Postgres(_) | Shell::Mysql(_) => 2_000,
            }),
        },
    };
    Target::new(config.open().await.unwrap(), mapping, "test".to_owned())
}

/// The position, kind and message of each exception.
pub fn reported(exceptions: &[StepException]) -> Vec<(u64, StepExceptionKind, &str)> {
    exceptions
        .iter()
        .map(|e| (e.position, e.kind(), e.message.as_str()))
        .collect()
}

/// The reason code of an error, such as `CURSOR_MISMATCH`.
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
    pub fn new(id: &'static str, salt: u8) -> Self {
        Self {
            id,
            position: 0,
            salt,
        }
    }

    /// The same journal, standing at `position`.
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
                row_hash: self.hash(),
                change,
                blocked_reason: String::new(),
            }
        });
        let steps = steps.collect();
        ApplyUpdatesRequest {
            journal_id: self.id.to_owned(),
            previous_hash,
            steps,
            database: "target".to_owned(),
            contract_version: CONTRACT_VERSION,
        }
    }

    /// The next batch, in which every row is a change.
    pub fn changes(&mut self, changes: impl IntoIterator<Item = Change>) -> ApplyUpdatesRequest {
        self.batch(changes.into_iter().map(Some).collect())
    }

    /// The hash of the last row.
    pub fn last_hash(&self) -> Vec<u8> {
        self.hash()
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
