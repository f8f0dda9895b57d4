//! Forgeries in the returns database, on each kind of it. Each is made by its owner, who can switch
//! the triggers off.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Arc;

use ach::decision::{Effect, HoldReason};
use echeck_service::clock::SystemClock;
use echeck_service::config::Settings;
use echeck_test_fixtures::{deciding_import, duplicate, entry, now, row, settings};
use returns_alerts::{IncidentReporter, Signal};
use returns_model::follower::{ExceptionKind, RowException};
use returns_model::hold::NewHold;
use returns_model::ids;
use returns_model::import::{Moved, Outcome, Tally, Totals};
use returns_model::journal::{Hash, chain};
use returns_reports::bucket::{Bucket, BucketSettings};
use returns_store::{Append, AppendCause, Appended, Job as _, Replica, Store, Writes, open};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use returns_verify::*;

const GATEWAY: &str = "gateway";

macro_rules! on_both {
    ($($test:ident,)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::World::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::World::postgres().await).await;
            })*
        }
    };
}

on_both! {
    what_nobody_touched_is_sound_and_proven,
    without_a_key_the_end_is_said_to_be_unproven,
    rows_cut_off_with_the_head_are_found_by_a_checkpoint,
    a_changed_row_is_found_though_the_chain_was_computed_again,
    nothing_is_signed_that_does_not_continue_the_last_checkpoint,
    a_journal_under_another_id_is_found_and_not_signed,
    each_edited_column_is_found,
    forged_exceptions_are_found,
    edited_imports_and_holds_are_found,
    a_checkpoint_that_another_key_signed_does_not_count,
}

/// A journal of three rows with an import, a hold, a duplicate and an exception.
struct World {
    store: Arc<dyn Store>,
    url: String,
    import_id: String,
    /// The bucket, and SQLite's file.
    folder: tempfile::TempDir,
}

fn tally(count: u64) -> Tally {
    Tally {
        count,
        amount_minor: 500 * i64::try_from(count).unwrap(),
    }
}

fn hold(import_id: &str, ordinal: u64) -> NewHold {
    NewHold {
        hold_id: ids::hold_id(import_id, ordinal),
        source: "worldpay".into(),
        import_id: import_id.into(),
        ordinal,
        reason: HoldReason::UnknownTransfer,
        detail: "unknown".into(),
        entry: entry(ordinal),
        transfer_ids: Vec::new(),
        failed: None,
        next_attempt_at: None,
    }
}

impl World {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/returns.db", folder.path().display());
        Self::fill(url, folder).await
    }

    async fn postgres() -> Self {
        let url = echeck_test_servers::postgres().await;
        Self::fill(url, tempfile::tempdir().unwrap()).await
    }

    async fn fill(url: String, folder: tempfile::TempDir) -> Self {
        let store = open(&settings(&url), Uuid::from_u128(7)).await.unwrap();
        let import_id = deciding_import(&store, "a", 5).await;
        let mut rows: Vec<_> = ["TR1", "TR2", "TR3"]
            .map(|id| row(&import_id, id))
            .into_iter()
            .zip(0..)
            .map(|(mut row, ordinal)| {
                row.ordinal = ordinal;
                row
            })
            .collect();
        rows[1].entry = entry(9);
        let writes = Writes {
            holds: vec![hold(&import_id, 3)],
            duplicates: vec![duplicate(4)],
            rows,
            ..Writes::default()
        };
        let cause = AppendCause::Import {
            import_id: import_id.clone(),
            done_before: 0,
            done_after: 5,
            totals: Totals {
                read: tally(5),
                returned: tally(3),
                held: tally(1),
                duplicate: tally(1),
                ..Totals::default()
            },
            last: true,
        };
        let world = Self {
            store,
            url,
            import_id,
            folder,
        };
        world.append(cause, writes).await;
        world.refuse(2).await;
        world
    }

    async fn append(&self, cause: AppendCause, writes: Writes) {
        let append = Append {
            cause,
            seen_position: self.store.head().await.unwrap().position,
            writes,
            at: now(),
        };
        let appended = self.store.append(append).await.unwrap();
        assert!(matches!(appended, Appended::Done(_)));
    }

    /// The gateway passes all rows but refuses one, which is held.
    async fn refuse(&self, position: u64) {
        let refused = RowException {
            position,
            kind: ExceptionKind::Refused,
            message: "no".into(),
        };
        let refused = [refused];
        let recorded = self.store.record_progress(GATEWAY, 0, 3, &refused, now());
        assert!(recorded.await.unwrap());
        let row = self.store.row(position).await.unwrap().unwrap().row;
        let hold = NewHold {
            hold_id: ids::exception_hold_id(GATEWAY, position),
            ordinal: row.ordinal,
            entry: row.entry,
            failed: Some((GATEWAY.into(), position)),
            ..hold(&self.import_id, 0)
        };
        let cause = AppendCause::Exception {
            database: GATEWAY.into(),
            position,
        };
        let writes = Writes {
            moved: vec![Moved {
                import_id: self.import_id.clone(),
                from: Outcome::Effect(Effect::Return),
                to: Outcome::Held,
                amount_minor: 500,
            }],
            holds: vec![hold],
            ..Writes::default()
        };
        self.append(cause, writes).await;
    }

    fn bucket(&self) -> Bucket {
        let folder = self.folder.path().join("bucket");
        let text = format!("[bucket]\nurl = \"file://{}\"", folder.display());
        let settings = Settings::from_toml(&text).unwrap();
        Bucket::open(&BucketSettings::read(&settings.root()).unwrap()).unwrap()
    }

    /// A checker, with what it reports.
    fn checker(
        &self,
        key: Option<&SecretString>,
    ) -> (
        Arc<JournalChecker>,
        tokio::sync::mpsc::UnboundedReceiver<Signal>,
    ) {
        let (incidents, signals) = IncidentReporter::new();
        let checkpoints = key.map(|key| {
            Arc::new(Checkpoints {
                bucket: self.bucket(),
                key: CheckpointKey::read(key, &[]).unwrap(),
                clock: Arc::new(SystemClock),
            })
        });
        let checker = JournalChecker {
            store: self.store.clone(),
            system_of_record: GATEWAY.into(),
            feeds: Vec::new(),
            checkpoints,
            incidents,
            clock: Arc::new(SystemClock),
        };
        (Arc::new(checker), signals)
    }

    async fn verify(&self, key: Option<&SecretString>) -> Verdict {
        let (checker, _signals) = self.checker(key);
        let mut check = checker.begin(false).await.unwrap();
        while check.step().await.unwrap() {}
        let mut verdict = check.verdict().clone();
        // Its feed asks for this, and there is none here.
        let more = check_exceptions(&*self.store, GATEWAY).await;
        verdict.faults.extend(more.unwrap_or_default());
        verdict
    }

    /// One pass of the signer; what it reports as a problem.
    async fn sign(&self, key: &SecretString) -> Option<String> {
        let (checker, mut signals) = self.checker(Some(key));
        let every = std::time::Duration::from_secs(60);
        let mut signer = SignerJob::new(&checker, every).unwrap();
        let replica = Replica {
            store: self.store.clone(),
            name: "one".into(),
            lease: every,
        };
        let stop = CancellationToken::new();
        let lease = replica.acquire("checkpoints", &stop).await.unwrap();
        signer.pass(&lease, &stop).await.unwrap();
        match signals.try_recv().ok()? {
            Signal::Problem(problem) => Some(problem.cause.headline()),
            Signal::Clear { .. } => None,
        }
    }

    /// Runs statements as the owner of the database, with the triggers switched off.
    async fn forge(&self, statements: &[&str]) {
        if self.url.starts_with("sqlite:") {
            let pool = SqlitePool::connect(&self.url).await.unwrap();
            for sql in [
                "DROP TRIGGER IF EXISTS journal_rows_are_never_changed",
                "DROP TRIGGER IF EXISTS journal_rows_are_never_deleted",
            ]
            .iter()
            .chain(statements)
            {
                sqlx::query(AssertSqlSafe(*sql))
                    .execute(&pool)
                    .await
                    .unwrap();
            }
            pool.close().await;
        } else {
            let pool = PgPool::connect(&self.url).await.unwrap();
            let off = "ALTER TABLE journal DISABLE TRIGGER USER";
            for sql in [off].iter().chain(statements) {
                sqlx::query(AssertSqlSafe(*sql))
                    .execute(&pool)
                    .await
                    .unwrap();
            }
            pool.close().await;
        }
    }

    fn literal(&self, hash: &Hash) -> String {
        if self.url.starts_with("sqlite:") {
            format!("X'{hash}'")
        } else {
            format!("'\\x{hash}'::bytea")
        }
    }

    /// Cuts the last row off, with everything that says it was there.
    async fn cut_off(&self) {
        let before = self.store.row(2).await.unwrap().unwrap().hash;
        let head = format!(
            "UPDATE journal_head SET position = 2, hash = {}",
            self.literal(&before)
        );
        self.forge(&[
            "DELETE FROM made_transfers WHERE position = 3",
            "DELETE FROM journal WHERE position = 3",
            &head,
            "UPDATE followers SET position = 2",
        ])
        .await;
    }

    /// Changes the money of row 1, and computes the chain again.
    async fn change_and_chain(&self) {
        let head = self.store.head().await.unwrap();
        self.change_and_chain_under(head.journal_id).await;
    }

    /// The same, under an id of the journal.
    async fn change_and_chain_under(&self, journal_id: Uuid) {
        let mut previous = Hash::default();
        for stored in self.store.stored_rows(0, 100).await.unwrap() {
            let mut payload = stored.payload.clone();
            if stored.position == 1 {
                payload = payload.replace("\"TR1\"", "\"TR7\"");
                assert_ne!(payload, stored.payload);
            }
            let at = stored.recorded_at;
            previous = chain(journal_id, stored.position, &previous, at, &payload);
            let hash = self.literal(&previous);
            let transfer_id = if stored.position == 1 {
                "TR7"
            } else {
                &stored.columns.transfer_id
            };
            self.forge(&[&format!(
                "UPDATE journal SET payload = '{payload}', hash = {hash}, \
                 transfer_id = '{transfer_id}' WHERE position = {}",
                stored.position
            )])
            .await;
        }
        let hash = self.literal(&previous);
        self.forge(&[&format!(
            "UPDATE journal_head SET hash = {hash}, journal_id = '{journal_id}'"
        )])
        .await;
    }
}

fn key() -> SecretString {
    new_signing_key().unwrap()
}

#[track_caller]
fn has(verdict: &Verdict, what: &str) {
    let found = verdict.faults.iter().any(|fault| fault.contains(what));
    assert!(found, "{what:?} in {:?}", verdict.faults);
    assert!(!verdict.is_sound());
}

async fn what_nobody_touched_is_sound_and_proven(world: World) {
    let key = key();
    assert_eq!(world.sign(&key).await, None);
    let verdict = world.verify(Some(&key)).await;
    assert_eq!(verdict.faults, [""; 0]);
    assert!(verdict.is_sound());
    assert_eq!((verdict.checked, verdict.proven_position), (3, 3));
    assert_eq!(verdict.end_unproven, None);
    // There is nothing new to sign.
    assert_eq!(world.sign(&key).await, None);
}

async fn without_a_key_the_end_is_said_to_be_unproven(world: World) {
    let verdict = world.verify(None).await;
    assert!(verdict.is_sound());
    let why = verdict.end_unproven.unwrap();
    assert!(why.contains("journal.signing_key"), "{why}");
    let verdict = world.verify(Some(&key())).await;
    let why = verdict.end_unproven.unwrap();
    assert!(why.contains("no checkpoint"), "{why}");
}

async fn rows_cut_off_with_the_head_are_found_by_a_checkpoint(world: World) {
    let key = key();
    world.sign(&key).await;
    world.cut_off().await;
    has(
        &world.verify(Some(&key)).await,
        "rows were removed from its end",
    );
}

async fn a_changed_row_is_found_though_the_chain_was_computed_again(world: World) {
    let key = key();
    world.sign(&key).await;
    world.change_and_chain().await;
    let verdict = world.verify(Some(&key)).await;
    has(&verdict, "but the checkpoint signed on");
    assert!(
        !verdict
            .faults
            .iter()
            .any(|fault| fault.contains("fit its hash"))
    );
}

async fn nothing_is_signed_that_does_not_continue_the_last_checkpoint(world: World) {
    let key = key();
    world.sign(&key).await;
    world.cut_off().await;
    let told = world.sign(&key).await.unwrap();
    assert!(told.contains("rows were removed from its end"), "{told}");
    let other = World::sqlite().await;
    other.sign(&key).await;
    other.change_and_chain().await;
    let told = other.sign(&key).await.unwrap();
    assert!(told.contains("was changed"), "{told}");
}

async fn a_journal_under_another_id_is_found_and_not_signed(world: World) {
    let key = key();
    world.sign(&key).await;
    world.change_and_chain_under(Uuid::from_u128(0xf0)).await;
    let why = "the database was replaced, or the journal's id was changed";
    has(&world.verify(Some(&key)).await, why);
    let told = world.sign(&key).await.unwrap();
    assert!(told.contains(why), "{told}");
    // Nobody has signed it meanwhile, and another key has nothing to say.
    has(&world.verify(Some(&key)).await, why);
    assert!(world.verify(Some(&self::key())).await.is_sound());
}

async fn each_edited_column_is_found(world: World) {
    let later = "'2030-01-01T00:00:00.000000Z'";
    for (column, value, what) in [
        ("transfer_id", "'TR7'", "column transfer_id"),
        ("return_id", "'ret_7'", "column return_id"),
        ("code", "'R02'", "column code"),
        ("code", "NULL", "column code"),
        ("supersedes", "1", "column supersedes"),
        ("repeats", "1", "column repeats"),
        ("import_id", "''", "column import_id"),
        ("recorded_at", later, "does not fit its hash"),
        ("payload", "'{}'", "does not fit its hash"),
    ] {
        // What was there is put back, as text, which both kinds of database take.
        let before = world.store.stored_rows(1, 1).await.unwrap().remove(0);
        let edit = format!("UPDATE journal SET {column} = {value} WHERE position = 2");
        world.forge(&[&edit]).await;
        let verdict = world.verify(None).await;
        has(&verdict, what);
        let quoted = |text: Option<String>| text.map_or("NULL".into(), |text| format!("'{text}'"));
        let columns = before.columns;
        let at = before
            .recorded_at
            .to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let restore = format!(
            "UPDATE journal SET transfer_id = '{}', return_id = '{}', code = {}, supersedes = NULL, \
             repeats = NULL, import_id = '{}', recorded_at = '{at}', payload = '{}' \
             WHERE position = 2",
            columns.transfer_id,
            columns.return_id,
            quoted(columns.code),
            columns.import_id,
            before.payload,
        );
        world.forge(&[&restore]).await;
        assert_eq!(world.verify(None).await.faults, [""; 0], "{column}");
    }
}

async fn forged_exceptions_are_found(world: World) {
    let at = "'2026-01-01T00:00:00.000000Z'";
    let forged = |position: u64| {
        format!(
            "INSERT INTO follower_exceptions (name, position, kind, message, handled, recorded_at) \
             VALUES ('gateway', {position}, 'refused', 'no', TRUE, {at})"
        )
    };
    world.forge(&[&forged(1), &forged(4)]).await;
    let verdict = world.verify(None).await;
    has(
        &verdict,
        "position 1 is marked as dealt with, but nothing was done",
    );
    has(&verdict, "position 4 is beyond position 3");
    world
        .forge(&["DELETE FROM follower_exceptions WHERE position <> 2"])
        .await;
    assert_eq!(world.verify(None).await.faults, [""; 0]);
}

async fn edited_imports_and_holds_are_found(world: World) {
    let id = &world.import_id;
    for (edit, undo, what) in [
        (
            "UPDATE imports SET row_count = 2",
            "UPDATE imports SET row_count = 3",
            "the journal has 3 rows",
        ),
        (
            "UPDATE import_stretches SET last_position = 2",
            "UPDATE import_stretches SET last_position = 3",
            "its stretches",
        ),
        (
            "UPDATE imports SET source = 'nacha'",
            "UPDATE imports SET source = 'worldpay'",
            "its id is not",
        ),
        (
            "UPDATE imports SET totals = REPLACE(totals, '1500', '1499')",
            "UPDATE imports SET totals = REPLACE(totals, '1499', '1500')",
            "its total returned",
        ),
        (
            "UPDATE imports SET done = 4",
            "UPDATE imports SET done = 5",
            "are recorded as done",
        ),
        (
            "UPDATE holds SET ordinal = 9 WHERE failed_position IS NULL",
            "UPDATE holds SET ordinal = 3 WHERE failed_position IS NULL",
            "are not among its 5 lines",
        ),
        (
            "UPDATE holds SET failed_position = 3 WHERE failed_position = 2",
            "UPDATE holds SET failed_position = 2 WHERE failed_position = 3",
            "has an id that is not",
        ),
        (
            "UPDATE holds SET state = 'resolved' WHERE failed_position = 2",
            "UPDATE holds SET state = 'open' WHERE failed_position = 2",
            "resolved without a row",
        ),
        (
            "UPDATE imports SET moves = REPLACE(moves, '500', '400')",
            "UPDATE imports SET moves = REPLACE(moves, '400', '500')",
            "2 lines with 900 minor units are said to be held, its holds have 2 with 1000",
        ),
        (
            "UPDATE holds SET code = 'R99' WHERE failed_position = 2",
            "UPDATE holds SET code = 'R01' WHERE failed_position = 2",
            "a code or an amount that is not that of its entry",
        ),
        (
            "UPDATE holds SET amount_minor = 400 WHERE failed_position IS NULL",
            "UPDATE holds SET amount_minor = 500 WHERE failed_position IS NULL",
            "a code or an amount that is not that of its entry",
        ),
        (
            "UPDATE holds SET entry = REPLACE(entry, '\"line\":9', '\"line\":8')",
            "UPDATE holds SET entry = REPLACE(entry, '\"line\":8', '\"line\":9')",
            "is not about the row that it names",
        ),
    ] {
        world.forge(&[edit]).await;
        has(&world.verify(None).await, what);
        world.forge(&[undo]).await;
        assert_eq!(world.verify(None).await.faults, [""; 0], "{edit} of {id}");
    }
}

async fn a_checkpoint_that_another_key_signed_does_not_count(world: World) {
    world.sign(&key()).await;
    let verdict = world.verify(Some(&key())).await;
    has(
        &verdict,
        "not a checkpoint that a configured key has signed",
    );
    assert_eq!(verdict.proven_position, 0);
    let told = world.sign(&key()).await.unwrap();
    assert!(told.contains("not a checkpoint"), "{told}");
}
