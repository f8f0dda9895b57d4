//! The shared part against real SQLite files, with a mapping of the smallest kind: a table
//! of notes whose state a change sets.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use echeck_adapter::batch::{AppliedStep, TransferChange, UpdateEffect, parse_batch};
use echeck_adapter::config::TargetConfig;
use echeck_adapter::dialect::{Access, DbError, PoolLimits, TargetSession};
use echeck_adapter::identifier::Identifier;
use echeck_adapter::mapping::{Mapping, MappingConfig, MappingSettings, Obstacle};
use echeck_adapter::schema::{ColumnContent, ColumnSpec, Fitting, MappedColumn};
use echeck_adapter::target_url::TargetUrl;
use echeck_adapter::testing::{AdapterRig, Journal, fail, reason_of};
use echeck_adapter::timestamp::TimestampFormat;
use echeck_adapter::values_table::ValuesTable;
use echeck_adapter::{cursor, progress};
use echeck_proto::adapter::v1::adapter_service_server::AdapterService as _;
use echeck_proto::adapter::v1::{
    CheckTargetRequest, FundingPolicy, StepExceptionKind, TransferState,
};
use sqlx::{Connection as _, Executor as _};
use tonic::{Code, Request};

const SCHEMA: &str = "
    CREATE TABLE owners (id TEXT PRIMARY KEY);
    CREATE TABLE notes (
        id    TEXT PRIMARY KEY,
        state TEXT NOT NULL CHECK (state <> 'FAILED' OR id <> 'checked'),
        owner TEXT REFERENCES owners (id) DEFERRABLE INITIALLY DEFERRED
    );
    INSERT INTO notes (id, state) VALUES
        ('a', 'open'), ('b', 'open'), ('c', 'open'), ('d', 'open'), ('checked', 'open');
    CREATE TRIGGER aborting BEFORE UPDATE ON notes WHEN old.id = 'aborts'
        BEGIN SELECT RAISE(ABORT, 'account 123456789 is frozen'); END;
    CREATE TRIGGER ignoring BEFORE UPDATE ON notes WHEN old.id = 'ignores'
        BEGIN SELECT RAISE(IGNORE); END;
    CREATE TRIGGER undoing BEFORE UPDATE ON notes WHEN old.id = 'undoes'
        BEGIN SELECT RAISE(ROLLBACK, 'not on my watch'); END;
    CREATE TRIGGER dangling AFTER UPDATE ON notes WHEN old.id = 'dangles'
        BEGIN UPDATE notes SET owner = 'nobody' WHERE id = 'a'; END;
";

struct Notes(MappingSettings);

impl Notes {
    fn config() -> Arc<dyn MappingConfig> {
        Arc::new(Self(MappingSettings {
            profile: "notes",
            funding_policy: FundingPolicy::Unspecified,
            table: "notes".parse().unwrap(),
            columns_section: "notes.columns",
            timestamp_format: TimestampFormat::Rfc3339,
        }))
    }
}

struct FittedNotes {
    table: Identifier,
    id: MappedColumn,
    state: MappedColumn,
}

impl MappingConfig for Notes {
    fn settings(&self) -> &MappingSettings {
        &self.0
    }
    fn fit(&self, fitting: &mut Fitting<'_>) -> Box<dyn Mapping> {
        let id = ColumnSpec::read("id", ColumnContent::Id);
        let state = ColumnSpec::written("state", ColumnContent::Text);
        Box::new(FittedNotes {
            table: self.0.table.clone(),
            id: fitting.column(id, &"id".parse().unwrap()),
            state: fitting.column(state, &"state".parse().unwrap()),
        })
    }
}

#[async_trait]
impl Mapping for FittedNotes {
    async fn write(
        &self,
        session: &mut dyn TargetSession,
        changes: &[&TransferChange],
        _now: DateTime<Utc>,
    ) -> Result<bool, DbError> {
        let mut values = ValuesTable::new(&self.table, &self.id);
        let state = values.assign(&self.state);
        for change in changes {
            let after = match change {
                TransferChange::Release(_) => "READY",
                TransferChange::Update(update) => match &update.effect {
                    UpdateEffect::Fail { .. } => "FAILED",
                    UpdateEffect::Return { .. } => "RETURNED",
                    UpdateEffect::Reverse(_) => "REVERSED",
                    UpdateEffect::Restore(_) => "RESTORED",
                    UpdateEffect::Reapply(_) => "REAPPLIED",
                },
            };
            let id = self.id.id(change.transfer_id()).unwrap();
            values.add_row(id, [state.value(after)]);
        }
        Ok(session.execute(values.update(&[])).await? == changes.len() as u64)
    }

    async fn examine(
        &self,
        session: &mut dyn TargetSession,
        changes: &[&TransferChange],
    ) -> Result<Vec<Option<Obstacle>>, DbError> {
        let mut values = ValuesTable::new(&self.table, &self.id);
        for change in changes {
            values.add_row(self.id.id(change.transfer_id()).unwrap(), []);
        }
        let rows = session.fetch(values.select_locked(&[&self.id])).await?;
        let there = |id: &str| rows.iter().any(|row| self.id.of(row).text() == id);
        Ok(changes
            .iter()
            .map(|change| {
                (!there(change.transfer_id())).then(|| Obstacle::not_found("no such note"))
            })
            .collect())
    }

    async fn verify(
        &self,
        _: &mut dyn TargetSession,
        steps: &[AppliedStep],
    ) -> Result<Vec<Option<String>>, DbError> {
        Ok(vec![None; steps.len()])
    }
}

async fn rig() -> AdapterRig {
    AdapterRig::new(SCHEMA, Notes::config()).await
}

fn failing(id: &str) -> echeck_proto::adapter::v1::step::Change {
    fail(id, TransferState::Pending)
}

async fn states(rig: &AdapterRig) -> String {
    rig.rows("SELECT id || '=' || state FROM notes ORDER BY id")
        .await
        .join(" ")
}

const UNTOUCHED: &str = "a=open b=open c=open checked=open d=open";

#[tokio::test]
async fn rows_and_cursor_move_together() {
    let rig = rig().await;
    let mut journal = Journal::default();
    let reply = rig
        .apply(journal.changes([failing("a"), failing("b")]))
        .await
        .unwrap();
    assert_eq!(reply.cursor.clone().unwrap().position, 2);
    assert!(reply.exceptions.is_empty());
    assert_eq!(rig.progress(0, 0).await.cursor, reply.cursor);
    let reply = rig
        .apply(journal.batch(vec![None, Some(failing("c")), None]))
        .await
        .unwrap();
    assert_eq!(reply.cursor.unwrap().position, 5);
    assert_eq!(
        states(&rig).await,
        "a=FAILED b=FAILED c=FAILED checked=open d=open"
    );
    assert_eq!(
        rig.one("SELECT adapter, position, updated_at FROM echeck_cursor")
            .await,
        "test|5|2026-03-02T14:05:06.000000Z"
    );
}

#[tokio::test]
async fn before_the_first_batch_there_is_no_cursor() {
    let progress = rig().await.progress(0, 0).await;
    assert!(progress.cursor.is_none() && progress.exceptions.is_empty() && !progress.has_more);
}

#[tokio::test]
async fn a_crash_before_the_commit_leaves_neither_rows_nor_cursor() {
    let rig = rig().await;
    let mut journal = Journal::default();
    let request = journal.changes([failing("a"), failing("b")]);
    let batch = parse_batch(request.clone()).unwrap();

    let mut session = rig.target.database.begin(Access::Write).await.unwrap();
    let fitted = rig.target.fit_live(&mut *session).await.unwrap();
    let changes: Vec<&TransferChange> = batch
        .steps
        .iter()
        .filter_map(|s| s.change.as_ref())
        .collect();
    let now = DateTime::UNIX_EPOCH;
    let written = fitted.mapping.write(&mut *session, &changes, now).await;
    assert!(written.unwrap());
    let last = &batch.steps[1];
    let to = cursor::Cursor {
        journal: batch.identity.journal,
        position: 2,
        hash: last.hash,
    };
    let now = chrono::DateTime::from_timestamp(0, 0).unwrap();
    cursor::advance(&mut *session, "test", None, to, now)
        .await
        .unwrap();
    drop(session);

    assert_eq!(states(&rig).await, UNTOUCHED);
    assert!(rig.progress(0, 0).await.cursor.is_none());
    assert_eq!(
        rig.apply(request).await.unwrap().cursor.unwrap().position,
        2
    );
}

#[tokio::test]
async fn a_batch_that_is_sent_again_after_a_lost_reply_is_refused_and_the_cursor_says_why() {
    let rig = rig().await;
    let mut journal = Journal::default();
    let request = journal.changes([failing("a"), failing("missing")]);
    rig.apply(request.clone()).await.unwrap();
    rig.sql("UPDATE notes SET state = 'open again' WHERE id = 'a'")
        .await;

    let refused = rig.apply(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(reason_of(&refused), "CURSOR_MISMATCH");
    assert_eq!(
        rig.one("SELECT state FROM notes WHERE id = 'a'").await,
        "open again"
    );

    let progress = rig.progress(0, 0).await;
    assert_eq!(progress.cursor.unwrap().position, 2);
    assert_eq!(progress.exceptions[0].position, 2);
    assert_eq!(progress.exceptions[0].kind(), StepExceptionKind::NotFound);
}

#[tokio::test]
async fn a_schema_that_changes_between_two_batches_is_noticed_by_the_second() {
    let rig = rig().await;
    let mut journal = Journal::default();
    rig.apply(journal.changes([failing("a")])).await.unwrap();
    rig.sql("ALTER TABLE notes RENAME COLUMN state TO condition")
        .await;

    let next = journal.changes([failing("b")]);
    let refused = rig.apply(next.clone()).await.unwrap_err();
    assert_eq!(reason_of(&refused), "MAPPING_FAULT", "{refused}");
    rig.sql("ALTER TABLE notes RENAME COLUMN condition TO state")
        .await;

    let applied = rig.apply(next).await.unwrap();
    assert!(applied.exceptions.is_empty());
    assert_eq!(
        states(&rig).await,
        "a=FAILED b=FAILED c=open checked=open d=open"
    );
}

#[tokio::test]
async fn a_gap_another_journal_and_another_past_are_refused_by_name() {
    let rig = rig().await;
    let mut journal = Journal::default();
    let early = rig
        .apply(journal.at(4).changes([failing("a")]))
        .await
        .unwrap_err();
    assert_eq!(reason_of(&early), "CURSOR_MISMATCH");
    rig.apply(journal.changes([failing("a")])).await.unwrap();

    let gap = rig
        .apply(journal.at(2).changes([failing("b")]))
        .await
        .unwrap_err();
    assert_eq!(reason_of(&gap), "CURSOR_MISMATCH");
    assert!(
        gap.message()
            .contains("position 1, so the next is 2; this batch begins at 3")
    );

    let mut other = Journal::new("018f3f1e-0000-7000-8000-000000000002", 0).at(1);
    let stranger = rig.apply(other.changes([failing("b")])).await.unwrap_err();
    assert_eq!(reason_of(&stranger), "JOURNAL_MISMATCH");

    let mut restored = Journal::new("018f3f1e-0000-7000-8000-000000000001", 9).at(1);
    let past = rig
        .apply(restored.changes([failing("b")]))
        .await
        .unwrap_err();
    assert_eq!(reason_of(&past), "HASH_MISMATCH");
    assert_eq!(
        states(&rig).await,
        "a=FAILED b=open c=open checked=open d=open"
    );
    assert_eq!(rig.progress(0, 0).await.cursor.unwrap().position, 1);
}

#[tokio::test]
async fn a_row_that_a_constraint_or_a_trigger_refuses_is_isolated() {
    let rig = rig().await;
    rig.sql("INSERT INTO notes (id, state) VALUES ('aborts', 'open')")
        .await;
    let mut journal = Journal::default();
    let changes = ["a", "checked", "b", "aborts", "c"].map(failing);
    let reply = rig.apply(journal.changes(changes)).await.unwrap();
    assert_eq!(reply.cursor.unwrap().position, 5);
    let exceptions: Vec<(u64, StepExceptionKind, &str)> = reply
        .exceptions
        .iter()
        .map(|e| (e.position, e.kind(), e.message.as_str()))
        .collect();
    assert_eq!(exceptions[0].0, 2);
    assert_eq!(exceptions[0].1, StepExceptionKind::Refused);
    assert!(
        exceptions[0].2.contains("CHECK constraint failed"),
        "{}",
        exceptions[0].2
    );
    assert_eq!(
        exceptions[1],
        (4, StepExceptionKind::Refused, "account ***6789 is frozen")
    );
    assert_eq!(
        states(&rig).await,
        "a=FAILED aborts=open b=FAILED c=FAILED checked=open d=open"
    );
    assert_eq!(
        rig.rows("SELECT position, kind, transfer_id FROM echeck_exceptions")
            .await,
        ["2|REFUSED|checked", "4|REFUSED|aborts"]
    );
}

#[tokio::test]
async fn a_change_that_a_trigger_ignores_is_told_and_stops_no_other() {
    let rig = rig().await;
    rig.sql("INSERT INTO notes (id, state) VALUES ('ignores', 'open')")
        .await;
    let changes = ["a", "ignores", "b"].map(failing);
    let reply = rig.apply(Journal::default().changes(changes)).await;
    let exceptions = reply.unwrap().exceptions;
    assert_eq!(exceptions.len(), 1, "{exceptions:?}");
    assert_eq!(exceptions[0].position, 2);
    let told = &exceptions[0].message;
    assert!(
        told.contains("transfer ignores") && told.contains("look at its triggers"),
        "{told}"
    );
    assert_eq!(
        states(&rig).await,
        "a=FAILED b=FAILED c=open checked=open d=open ignores=open"
    );
}

#[tokio::test]
async fn a_target_whose_cursor_takes_no_write_does_not_pass_the_check() {
    let rig = rig().await;
    let applied = rig.apply(Journal::default().changes([failing("a")])).await;
    applied.unwrap();
    let check = async || {
        let ask = Request::new(CheckTargetRequest::default());
        rig.adapter.check_target(ask).await.unwrap().into_inner()
    };
    assert!(check().await.ok);
    rig.sql(
        "CREATE TRIGGER frozen BEFORE UPDATE ON echeck_cursor \
         BEGIN SELECT RAISE(ABORT, 'is frozen'); END",
    )
    .await;
    let found = check().await;
    let says = |fault: &String| fault.contains("is frozen");
    assert!(!found.ok && found.faults.iter().any(says), "{found:?}");
}

#[tokio::test]
async fn a_trigger_that_aborts_the_transaction_costs_only_its_own_row() {
    let rig = rig().await;
    rig.sql("INSERT INTO notes (id, state) VALUES ('undoes', 'open')")
        .await;
    let mut journal = Journal::default();
    let changes = ["a", "b", "undoes", "checked", "c", "d"].map(failing);
    let reply = rig.apply(journal.changes(changes)).await.unwrap();
    assert_eq!(reply.cursor.unwrap().position, 6);
    let exceptions: Vec<(u64, &str)> = reply
        .exceptions
        .iter()
        .map(|e| (e.position, e.message.as_str()))
        .collect();
    assert_eq!(exceptions[0], (3, "not on my watch"));
    assert_eq!(exceptions[1].0, 4);
    assert_eq!(exceptions.len(), 2);
    assert_eq!(
        states(&rig).await,
        "a=FAILED b=FAILED c=FAILED checked=open d=FAILED undoes=open"
    );
}

#[tokio::test]
async fn a_constraint_that_is_checked_at_commit_costs_only_its_own_row() {
    let rig = rig().await;
    rig.sql("INSERT INTO notes (id, state) VALUES ('dangles', 'open')")
        .await;
    let mut journal = Journal::default();
    let reply = rig
        .apply(journal.changes(["a", "b", "c", "dangles", "d"].map(failing)))
        .await
        .unwrap();
    assert_eq!(reply.cursor.unwrap().position, 5);
    assert_eq!(reply.exceptions.len(), 1);
    assert_eq!(reply.exceptions[0].position, 4);
    assert!(reply.exceptions[0].message.contains("FOREIGN KEY"));
    assert_eq!(
        states(&rig).await,
        "a=FAILED b=FAILED c=FAILED checked=open d=FAILED dangles=open"
    );
    assert_eq!(
        rig.rows("SELECT 1 FROM notes WHERE owner IS NOT NULL")
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn a_busy_target_is_named_and_nothing_changes() {
    let rig = rig().await;
    let mut journal = Journal::default();
    let request = journal.changes([failing("a")]);
    let path = format!("sqlite://{}", rig.path().display());
    let mut other = sqlx::SqliteConnection::connect(&path).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();

    let busy = rig.apply(request.clone()).await.unwrap_err();
    assert_eq!(busy.code(), Code::Aborted);
    assert_eq!(reason_of(&busy), "TARGET_BUSY");
    assert!(rig.progress(0, 0).await.cursor.is_none());

    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(
        rig.apply(request).await.unwrap().cursor.unwrap().position,
        1
    );
    assert_eq!(
        rig.one("SELECT state FROM notes WHERE id = 'a'").await,
        "FAILED"
    );
}

#[tokio::test]
async fn of_two_first_batches_at_once_one_wins() {
    let rig = rig().await;
    let mut journal = Journal::default();
    let request = journal.changes([failing("a"), failing("missing")]);
    let (one, two) = tokio::join!(rig.apply(request.clone()), rig.apply(request));
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    assert_eq!(won.unwrap().cursor.unwrap().position, 2);
    assert_eq!(reason_of(&lost.unwrap_err()), "CURSOR_MISMATCH");
    assert_eq!(rig.progress(0, 0).await.exceptions.len(), 1);
}

#[tokio::test]
async fn a_target_restored_from_a_backup_catches_up_from_its_own_cursor() {
    let rig = rig().await;
    let mut journal = Journal::default();
    rig.apply(journal.changes([failing("a"), failing("gone")]))
        .await
        .unwrap();
    rig.back_up("backup.db").await;
    let second = journal.changes([failing("b"), failing("lost")]);
    rig.apply(second.clone()).await.unwrap();
    let after = states(&rig).await;

    let rig = rig.restore("backup.db").await;
    let progress = rig.progress(0, 0).await;
    assert_eq!(progress.cursor.unwrap().position, 2);
    assert_eq!(progress.exceptions.len(), 1);
    assert_eq!(
        states(&rig).await,
        "a=FAILED b=open c=open checked=open d=open"
    );
    rig.apply(second).await.unwrap();
    assert_eq!(states(&rig).await, after);
    assert_eq!(rig.progress(0, 0).await.exceptions.len(), 2);
}

#[tokio::test]
async fn exceptions_are_paged_by_position() {
    let rig = rig().await;
    let mut journal = Journal::default();
    rig.apply(journal.changes((0..5).map(|n| failing(&format!("gone{n}")))))
        .await
        .unwrap();
    let page = rig.progress(1, 2).await;
    assert_eq!(
        page.exceptions
            .iter()
            .map(|e| e.position)
            .collect::<Vec<_>>(),
        [2, 3]
    );
    assert!(page.has_more);
    let page = rig.progress(3, 2).await;
    assert_eq!(
        page.exceptions
            .iter()
            .map(|e| e.position)
            .collect::<Vec<_>>(),
        [4, 5]
    );
    assert!(!page.has_more);
    assert!(rig.progress(u64::MAX, 0).await.exceptions.is_empty());
}

#[tokio::test]
async fn a_schema_that_changed_under_the_adapter_stops_the_batch_with_a_mapping_fault() {
    let rig = rig().await;
    let mut journal = Journal::default();
    rig.apply(journal.changes([failing("a")])).await.unwrap();
    rig.sql(
        "DROP TRIGGER aborting; DROP TRIGGER undoing; DROP TRIGGER dangling;
             ALTER TABLE notes RENAME TO memos",
    )
    .await;
    let fault = rig
        .apply(journal.changes([failing("b")]))
        .await
        .unwrap_err();
    assert_eq!(fault.code(), Code::FailedPrecondition);
    assert_eq!(reason_of(&fault), "MAPPING_FAULT");
    assert!(
        fault
            .message()
            .contains("no table \"notes\"; it has: memos, owners"),
        "{fault}"
    );
    assert_eq!(rig.progress(0, 0).await.cursor.unwrap().position, 1);
}

#[tokio::test]
async fn a_cursor_that_moved_meanwhile_is_not_moved_again() {
    let rig = rig().await;
    let mut journal = Journal::default();
    rig.apply(journal.changes([failing("a")])).await.unwrap();
    let mut session = rig.target.database.begin(Access::Write).await.unwrap();
    let seen = cursor::read(&mut *session, "test").await.unwrap().unwrap();
    let stale = cursor::Cursor {
        position: 0,
        ..seen
    };
    let to = cursor::Cursor {
        position: 9,
        ..seen
    };
    let now = chrono::DateTime::from_timestamp(0, 0).unwrap();
    let refused = cursor::advance(&mut *session, "test", Some(stale), to, now).await;
    assert!(matches!(refused, Err(DbError::Unavailable(_))));
    let second_first = cursor::advance(&mut *session, "test", None, to, now).await;
    assert!(matches!(second_first, Err(DbError::Unavailable(_))));
    session.roll_back().await;
    assert_eq!(rig.progress(0, 0).await.cursor.unwrap().position, 1);
}

#[tokio::test]
async fn two_adapters_in_one_target_have_a_cursor_each() {
    let rig = rig().await;
    let mut journal = Journal::default();
    let request = journal.changes([failing("a")]);
    rig.apply(request.clone()).await.unwrap();
    let mut other = rig.target.clone();
    other.adapter = "other".to_owned();
    let batch = parse_batch(request).unwrap();
    let now = chrono::DateTime::from_timestamp(0, 0).unwrap();
    other.claim(&batch.identity, None, now).await.unwrap();
    other.apply(&batch, now).await.unwrap();
    let count = "SELECT count(*) FROM echeck_cursor WHERE position = 1";
    assert_eq!(rig.one(count).await, "2");
    assert!(
        progress::read(&*other.database, "other", 0, 1)
            .await
            .unwrap()
            .cursor
            .is_some()
    );
}

async fn open(path: &std::path::Path) -> Result<(), DbError> {
    let target = TargetConfig {
        url: Some(TargetUrl::Sqlite(path.to_owned())),
        create_tables: false,
        limits: PoolLimits {
            max_connections: 2,
            busy_timeout: Duration::from_secs(1),
        },
    };
    target.open().await.map(|_| ())
}

#[tokio::test]
async fn the_file_is_opened_durable_and_a_missing_one_is_named() {
    let rig = rig().await;
    assert_eq!(rig.one("PRAGMA journal_mode").await, "wal");
    let missing = rig.beside("nowhere.db");
    let error = open(&missing).await.unwrap_err();
    assert!(error.to_string().contains("nowhere.db"), "{error}");
    assert!(!missing.exists());
    let text = "this is not a database, but it is long enough to be read as one";
    std::fs::write(&missing, text).unwrap();
    assert!(open(&missing).await.is_err());
}
