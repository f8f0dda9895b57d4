//! A store, a spool, a bucket and a reporter, and imports at any stage.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ach::decision::{Effect, HoldReason};
use ach::dishonor::DishonorGround;
use ach::entry::FilePosition;
use ach::format::Rejected;
use ach::money::Currency;
use echeck_service::clock::SystemClock;
use echeck_test_fixtures::{duplicate, empty_store, entry};
use returns_alerts::{IncidentReporter, Signal};
use returns_import::{Receiving, Source, Spool};
use returns_model::dishonor::DishonorMark;
use returns_model::follower::RowException;
use returns_model::hold::{HoldState, NewHold};
use returns_model::import::{Checked, Received, RejectedLine, Totals};
use returns_model::incident::Problem;
use returns_model::journal::{NewTransfer, Row, RowEffect};
use returns_model::report::{ArchivedFile, FilesRecord, WrittenReport};
use returns_store::{
    Append, AppendCause, Appended, DuplicateLine, Notifier, Replica, Store, Writes,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::*;
use crate::bucket::{Bucket, BucketPlace, BucketSettings};

const DATABASES: [&str; 2] = ["gateway", "rallypay"];

pub(super) struct World {
    pub(super) store: Arc<dyn Store>,
    pub(super) spool: Spool,
    folder: tempfile::TempDir,
    incidents: IncidentReporter,
    heard: mpsc::UnboundedReceiver<Signal>,
    stop: CancellationToken,
    notifier: Notifier,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What is in a file, in its order.
#[derive(Default)]
pub(super) struct Entries {
    file: u64,
    items: u64,
    writes: Writes,
    totals: Totals,
}

impl Entries {
    /// Those of a file that is told from others by its number.
    pub(super) fn numbered(file: u64) -> Self {
        Self {
            file,
            ..Self::default()
        }
    }

    fn next(&mut self, amount_minor: i64) -> u64 {
        self.totals.read.add(amount_minor);
        self.items += 1;
        self.items - 1
    }

    pub(super) fn row(&mut self, effect: Effect) -> &mut Row {
        let ordinal = self.next(500);
        self.totals.of_effect(effect).add(500);
        self.writes.rows.push(Row {
            effect: row_effect(effect),
            ordinal,
            entry: entry(ordinal + 1),
            ..row(
                "",
                &format!(
                    "TR{}{ordinal}",
                    if self.file > 0 {
                        self.file.to_string()
                    } else {
                        String::new()
                    }
                ),
            )
        });
        self.writes.rows.last_mut().unwrap()
    }

    /// Says that an entry may be dishonored.
    pub(super) fn mark(&mut self, ordinal: u64, code: ReturnCode, fields: &str) {
        self.writes.dishonor.set.push(DishonorMark {
            import_id: String::new(),
            ordinal,
            line: ordinal + 1,
            transfer_id: None,
            return_id: None,
            hold_id: None,
            ground: DishonorGround {
                code,
                fields: fields.into(),
                last_day: "2024-10-11".parse().unwrap(),
                why: "because".into(),
            },
            others: Vec::new(),
            amount: None,
            return_code: "R01".into(),
            settled_on: None,
        });
    }

    pub(super) fn duplicate(&mut self) {
        let ordinal = self.next(500);
        self.totals.duplicate.add(500);
        self.writes.duplicates.push(DuplicateLine {
            ..duplicate(ordinal)
        });
    }

    pub(super) fn hold(&mut self, reason: HoldReason) {
        let ordinal = self.next(500);
        self.totals.held.add(500);
        self.writes.holds.push(NewHold {
            hold_id: String::new(),
            source: "worldpay".into(),
            import_id: String::new(),
            ordinal,
            reason,
            detail: "it waits".into(),
            entry: entry(ordinal + 1),
            transfer_ids: Vec::new(),
            failed: None,
            next_attempt_at: None,
        });
    }

    pub(super) fn rejected(&mut self, field: &str, amount_minor: Option<i64>) {
        let ordinal = self.next(amount_minor.unwrap_or_default());
        self.totals.rejected.add(amount_minor.unwrap_or_default());
        self.writes
            .rejected
            .push(rejected_line(ordinal, field, amount_minor));
    }
}

fn rejected_line(ordinal: u64, field: &str, amount_minor: Option<i64>) -> RejectedLine {
    RejectedLine {
        ordinal,
        rejected: Rejected {
            at: FilePosition {
                line: ordinal + 1,
                byte: 0,
            },
            field: Some(field.into()),
            why: format!("\"x\" is no {field}"),
            amount_minor,
        },
    }
}

impl World {
    pub(super) async fn new(recipients: &[age::x25519::Recipient]) -> Self {
        let (folder, store) = empty_store().await;
        let spool = Spool::open(&folder.path().join("spool"), &Spool::new_identity()).unwrap();
        std::fs::create_dir_all(folder.path().join("bucket")).unwrap();
        let (incidents, heard) = IncidentReporter::new();
        Self {
            store,
            spool: spool.with_recipients(recipients),
            folder,
            incidents,
            heard,
            stop: CancellationToken::new(),
            notifier: Notifier::new(),
        }
    }

    pub(super) async fn start() -> Self {
        Self::start_for(&[]).await
    }

    pub(super) async fn start_for(recipients: &[age::x25519::Recipient]) -> Self {
        let world = Self::new(recipients).await;
        world.start_reporter();
        world
    }

    pub(super) fn bucket_folder(&self) -> PathBuf {
        self.folder.path().join("bucket")
    }

    fn bucket(&self) -> Bucket {
        Bucket::open(&BucketSettings {
            place: BucketPlace::Folder(self.bucket_folder()),
            timeout: Duration::from_secs(5),
        })
        .unwrap_or_else(|error| panic!("{error}"))
    }

    pub(super) fn start_reporter(&self) {
        // Opening makes the folder, which a test may have taken away.
        let gone = !self.bucket_folder().exists();
        let bucket = self.bucket();
        if gone {
            std::fs::remove_dir_all(self.bucket_folder()).unwrap();
        }
        self.run("a", bucket);
    }

    pub(super) fn start_reporter_named(&self, name: &str) {
        self.run(name, self.bucket());
    }

    pub(super) fn start_reporter_on(&self, bucket: Bucket) {
        self.run("a", bucket);
    }

    fn run(&self, name: &str, bucket: Bucket) {
        let reporter = Reporter {
            patience: Duration::from_secs(3),
            store: self.store.clone(),
            bucket,
            spool: self.spool.clone(),
            databases: DATABASES.map(str::to_owned).to_vec(),
            clock: Arc::new(SystemClock),
            notifier: self.notifier.clone(),
            incidents: self.incidents.clone(),
            pauses: RetryPauses {
                first: Duration::from_millis(50),
                longest: Duration::from_millis(200),
            },
        };
        let replica = Replica {
            store: self.store.clone(),
            name: name.into(),
            lease: Duration::from_secs(2),
        };
        let job = ReporterJob::new(Arc::new(reporter));
        let (notifier, stop) = (self.notifier.clone(), self.stop.clone());
        tokio::spawn(returns_store::run(job, replica, notifier, stop));
    }

    /// A file that was just received: the import, and its name in the spool.
    pub(super) async fn receive(&self, bytes: &[u8]) -> (String, String) {
        let nonce = Uuid::new_v4();
        let mut receiving = Receiving::begin(&self.spool, nonce, 1 << 20).unwrap();
        receiving.write(bytes).unwrap();
        let source = Source {
            name: "worldpay".into(),
            format: ach::format::Format::Nacha(ach::format::nacha::Tolerance::default()),
            rules: Vec::new(),
            ours: returns_import::source::Ours::default(),
            role: returns_import::source::Role::Decide,
            is_conforming: true,
            allow_empty: Vec::new(),
        };
        let kept = receiving
            .keep(&source, "returns.csv", now(), nonce)
            .unwrap();
        let spool_name = kept.spool_name.clone();
        let Received::New(import) = kept.record(&self.store).await.unwrap() else {
            panic!("the file is new")
        };
        self.notifier.import_changed();
        (import.import_id, spool_name)
    }

    /// An import whose entries are all decided.
    pub(super) async fn decide(&self, mut entries: Entries) -> (String, String) {
        let (import_id, spool_name) = self
            .receive(format!("file {}", entries.file).as_bytes())
            .await;
        let checked = Checked {
            left_out: 2,
            items: entries.items,
            debit_minor: 0,
            credit_minor: 0,
            currencies: vec![Currency::USD],
            findings: Vec::new(),
            emptiness: None,
        };
        assert!(
            self.store
                .accept_import(&import_id, &checked, now())
                .await
                .unwrap()
        );
        for row in &mut entries.writes.rows {
            row.import_id.clone_from(&import_id);
        }
        for hold in &mut entries.writes.holds {
            hold.import_id.clone_from(&import_id);
            hold.hold_id = returns_model::ids::hold_id(&import_id, hold.ordinal);
        }
        for mark in &mut entries.writes.dishonor.set {
            mark.import_id.clone_from(&import_id);
        }
        if entries.items > 0 {
            let cause = AppendCause::Import {
                import_id: import_id.clone(),
                done_before: 0,
                done_after: entries.items,
                totals: entries.totals,
                last: true,
            };
            self.append(cause, entries.writes).await;
        }
        (import_id, spool_name)
    }

    /// An import that every database has, with what did not take effect.
    pub(super) async fn apply(
        &self,
        entries: Entries,
        exceptions: &[(&str, u64, ExceptionKind)],
    ) -> (String, String) {
        let (import_id, spool_name) = self.decide(entries).await;
        let head = self.store.head().await.unwrap().position;
        self.pass(head, exceptions).await;
        self.finish(head).await;
        (import_id, spool_name)
    }

    async fn append(&self, cause: AppendCause, writes: Writes) {
        let append = Append {
            cause,
            seen_position: self.store.head().await.unwrap().position,
            writes,
            at: now(),
        };
        assert!(matches!(
            self.store.append(append).await.unwrap(),
            Appended::Done(_)
        ));
        self.notifier.import_changed();
    }

    /// Every database passes a position.
    pub(super) async fn pass(&self, to: u64, exceptions: &[(&str, u64, ExceptionKind)]) {
        for database in DATABASES {
            let exceptions: Vec<RowException> = exceptions
                .iter()
                .filter(|(name, ..)| *name == database)
                .map(|(_, position, kind)| RowException {
                    position: *position,
                    kind: *kind,
                    message: "it said no".into(),
                })
                .collect();
            let before = self.store.progress(database).await.unwrap().position;
            let moved = self
                .store
                .record_progress(database, before, to, &exceptions, now())
                .await;
            assert!(moved.unwrap());
        }
        self.notifier.import_changed();
    }

    /// What a feed does about an exception.
    pub(super) async fn handle(
        &self,
        database: &str,
        position: u64,
        rows: Vec<Row>,
        holds: Vec<NewHold>,
    ) {
        let cause = AppendCause::Exception {
            database: database.into(),
            position,
        };
        let writes = Writes {
            rows,
            holds,
            ..Writes::default()
        };
        self.append(cause, writes).await;
    }

    /// The hold of a row that a database refused.
    pub(super) fn row_hold(&self, import_id: &str, database: &str, position: u64) -> NewHold {
        NewHold {
            hold_id: returns_model::ids::exception_hold_id(database, position),
            source: "worldpay".into(),
            import_id: import_id.into(),
            ordinal: position - 1,
            reason: HoldReason::DatabaseRefused,
            detail: "it said no".into(),
            entry: entry(position),
            transfer_ids: Vec::new(),
            failed: Some((database.into(), position)),
            next_attempt_at: None,
        }
    }

    pub(super) async fn resolve(&self, hold_id: &str, rows: Vec<Row>) {
        let cause = AppendCause::Hold {
            hold_id: hold_id.into(),
            state: HoldState::Resolved,
            by: "ann".into(),
            note: "it was loaded late".into(),
        };
        let writes = Writes {
            rows,
            ..Writes::default()
        };
        self.append(cause, writes).await;
    }

    /// Every database passes a position, and what is over is marked so.
    pub(super) async fn finish(&self, to: u64) {
        let passed = self.store.progress(DATABASES[0]).await.unwrap().position;
        if passed < to {
            self.pass(to, &[]).await;
        }
        let databases = DATABASES.map(str::to_owned);
        let finished = self
            .store
            .finish_imports(&databases, now() + TimeDelta::minutes(1))
            .await;
        assert!(!finished.unwrap().is_empty());
        self.notifier.import_changed();
    }

    pub(super) async fn execute(&self, sql: &'static str) {
        let url = format!("sqlite://{}/returns.db", self.folder.path().display());
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        sqlx::query(sql).execute(&pool).await.unwrap();
    }

    pub(super) async fn archived(&self, import_id: &str) -> ArchivedFile {
        eventually("it is archived", async || {
            self.store
                .files_of(import_id)
                .await
                .unwrap()
                .archive
                .is_some()
        })
        .await;
        self.store
            .files_of(import_id)
            .await
            .unwrap()
            .archive
            .unwrap()
    }

    pub(super) async fn reported(&self, import_id: &str) -> WrittenReport {
        eventually("it is reported", async || {
            self.store
                .files_of(import_id)
                .await
                .unwrap()
                .report
                .is_some()
        })
        .await;
        self.store
            .files_of(import_id)
            .await
            .unwrap()
            .report
            .unwrap()
    }

    pub(super) async fn done(&self, import_id: &str) -> FilesRecord {
        eventually("nothing is left to do", async || {
            self.store.files_of(import_id).await.unwrap().done
        })
        .await;
        self.store.files_of(import_id).await.unwrap()
    }

    pub(super) fn in_bucket(&self, key: &str) -> Vec<u8> {
        std::fs::read(self.bucket_folder().join(key)).unwrap()
    }

    /// How many objects are in the bucket.
    pub(super) fn objects(&self) -> usize {
        fn count(folder: &std::path::Path) -> usize {
            std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        count(&self.bucket_folder())
    }

    /// Puts the archived file back into the spool, as it was before it was deleted.
    pub(super) async fn restore_spool_file(&self, import_id: &str, archive: &ArchivedFile) {
        let import = self.store.import(import_id).await.unwrap().unwrap();
        let path = self.spool.path(&import.new.spool_name);
        std::fs::write(path, self.in_bucket(&archive.key)).unwrap();
    }

    /// The lines of a report, the header first.
    pub(super) fn lines(&self, key: &str) -> Vec<Vec<String>> {
        let bytes = self.in_bucket(key);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(bytes.as_slice());
        reader
            .records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .collect()
    }

    pub(super) fn signals(&mut self) -> Vec<Signal> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }

    async fn hear(&mut self) -> Signal {
        tokio::time::timeout(Duration::from_secs(10), self.heard.recv())
            .await
            .expect("something is told in time")
            .unwrap()
    }

    /// The next problem that is told.
    pub(super) async fn problem(&mut self) -> Problem {
        match self.hear().await {
            Signal::Problem(problem) => *problem,
            Signal::Clear { subject, .. } => panic!("{subject} is cleared"),
        }
    }

    /// What is reported to have recovered, after a problem that may be reported again meanwhile.
    pub(super) async fn cleared(&mut self) -> (Subject, Area) {
        loop {
            if let Signal::Clear { subject, area, .. } = self.hear().await {
                return (subject, area);
            }
        }
    }
}

/// The cells of a column, without its header.
pub(super) fn column(lines: &[Vec<String>], name: &str) -> Vec<String> {
    let index = lines[0].iter().position(|header| header == name);
    let index = index.unwrap_or_else(|| panic!("there is no column {name}"));
    lines[1..].iter().map(|line| line[index].clone()).collect()
}

/// What a row with this effect does.
pub(super) fn row_effect(effect: Effect) -> RowEffect {
    let made = |id: &str| NewTransfer {
        id: id.to_owned(),
        trace_id: String::new(),
        tags: Vec::new(),
        parent_id: None,
    };
    let of_return = String::new();
    match effect {
        Effect::Fail => RowEffect::Fail {
            messages: Vec::new(),
        },
        Effect::Return => RowEffect::Return {
            messages: Vec::new(),
        },
        Effect::Reverse => RowEffect::Reverse {
            reversal: made("TRreversal"),
        },
        Effect::Correct => RowEffect::Correct {},
        Effect::Restore => RowEffect::Restore {
            of_return,
            restoration: made("TRrestoration"),
        },
        Effect::Reapply => RowEffect::Reapply {
            of_return,
            reversal: made("TRreversal"),
        },
    }
}
