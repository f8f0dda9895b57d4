//! The contract that every implementation of [`Store`] keeps. Each test runs on each.

use std::sync::Arc;

use ach::code::ReturnCode;
use ach::decision::{Effect, Expected, HoldReason, TransferState, TransferType};
use ach::entry::{Coded, Direction, Entry, EntryKind, Position};
use ach::format::FileRejected;
use ach::money::Money;
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::*;
use crate::ids;
use crate::journal::{Relation, TransferFacts, Verifier};

const GATEWAY: &str = "gateway";

struct Fixture {
    store: Arc<dyn Store>,
    folder: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Self::open(&folder, Uuid::from_u128(7)).await;
        Self { store, folder }
    }

    async fn open(folder: &tempfile::TempDir, id: Uuid) -> Arc<dyn Store> {
        let url = format!("sqlite://{}/returns.db", folder.path().display());
        Arc::new(SqliteStore::open(&url, id).await.unwrap())
    }

    async fn deciding_import(&self, bytes: &str, items: u64) -> String {
        let Received::New(import) = self.store.receive(file(bytes)).await.unwrap() else {
            panic!("the file is new");
        };
        let checked = Checked {
            items,
            debit_minor: 0,
            credit_minor: 0,
            findings: Vec::new(),
            emptiness: None,
        };
        assert!(
            self.store
                .accept_import(&import.import_id, &checked, now())
                .await
                .unwrap()
        );
        import.import_id
    }

    async fn append_rows(&self, import_id: &str, done: (u64, u64), rows: Vec<Row>) -> Appended {
        let seen = self.store.head().await.unwrap().position;
        let writes = Writes {
            rows,
            ..Writes::default()
        };
        self.store
            .append(append(import_id, done, seen, writes))
            .await
            .unwrap()
    }
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000)
}

fn file(bytes: &str) -> NewImport {
    NewImport {
        source: "worldpay".into(),
        file_name: "returns.csv".into(),
        sha256: bytes.into(),
        size_bytes: bytes.len() as u64,
        spool_name: format!("{bytes}.age"),
        received_at: now(),
    }
}

fn entry(line: u64) -> Entry {
    let kind = EntryKind::Return {
        code: Coded::Known(ReturnCode::R01),
        date_of_death: None,
    };
    Entry {
        amount: Some(Money::cents(500)),
        direction: Direction::Debit,
        ..Entry::new(Position { line, byte: 0 }, kind)
    }
}

fn row(import_id: &str, transfer_id: &str) -> Row {
    Row {
        schema: Row::SCHEMA,
        return_id: ids::return_id(transfer_id, 1),
        effect: Effect::Return,
        transfer: TransferFacts {
            id: transfer_id.into(),
            kind: TransferType::Debit,
            amount: Money::cents(500),
            trace_id: format!("FNX{transfer_id}"),
            settled_on: None,
        },
        expected: Expected {
            state: TransferState::Pending,
            in_deposit: None,
        },
        relation: None,
        flags: Vec::new(),
        reversal: None,
        messages: vec!["ReasonCode: R01".into()],
        description: "Insufficient Funds".into(),
        entry: entry(1),
        source: "worldpay".into(),
        import_id: import_id.into(),
        ordinal: 0,
        actor: None,
        decided_at: now(),
    }
}

fn append(import_id: &str, (before, after): (u64, u64), seen: u64, writes: Writes) -> Append {
    Append {
        cause: Cause::Import {
            import_id: import_id.into(),
            done_before: before,
            done_after: after,
            totals: Totals::default(),
            last: false,
        },
        seen_position: seen,
        writes,
        at: now(),
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
        next_attempt_at: Some(now()),
    }
}

fn exception(position: u64) -> RowException {
    RowException {
        position,
        kind: ExceptionKind::MovedOn,
        message: "is SUCCEEDED".into(),
    }
}

#[tokio::test]
async fn positions_are_dense_and_the_hash_chain_verifies() {
    let fixture = Fixture::new().await;
    let import = fixture.deciding_import("a", 3).await;
    fixture
        .append_rows(
            &import,
            (0, 2),
            vec![row(&import, "TR1"), row(&import, "TR2")],
        )
        .await;
    fixture
        .append_rows(&import, (2, 3), vec![row(&import, "TR3")])
        .await;

    let head = fixture.store.head().await.unwrap();
    let rows = fixture.store.rows_after(0, 100).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.position).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let mut verifier = Verifier::new(head.journal_id);
    rows.iter().for_each(|row| verifier.check(row));
    assert_eq!(verifier.reached(), (3, &head.hash));
    assert!(verifier.faults().is_empty());
}

#[tokio::test]
async fn a_changed_payload_is_found_by_its_hash() {
    let fixture = Fixture::new().await;
    let import = fixture.deciding_import("a", 1).await;
    fixture
        .append_rows(&import, (0, 1), vec![row(&import, "TR1")])
        .await;
    let mut rows = fixture.store.rows_after(0, 100).await.unwrap();
    rows[0].payload = rows[0].payload.replace("500", "501");
    let mut verifier = Verifier::new(fixture.store.head().await.unwrap().journal_id);
    verifier.check(&rows[0]);
    assert_eq!(verifier.faults().len(), 1);
}

#[tokio::test]
async fn the_journal_keeps_its_identity_when_it_is_opened_again() {
    let fixture = Fixture::new().await;
    let again = Fixture::open(&fixture.folder, Uuid::from_u128(8)).await;
    assert_eq!(again.head().await.unwrap().journal_id, Uuid::from_u128(7));
}

#[tokio::test]
async fn the_same_batch_is_appended_once_whoever_tries_again() {
    let fixture = Fixture::new().await;
    let import = fixture.deciding_import("a", 5).await;
    let first = fixture
        .append_rows(&import, (0, 1), vec![row(&import, "TR1")])
        .await;
    assert!(matches!(first, Appended::Done(_)));
    let again = fixture
        .append_rows(&import, (0, 1), vec![row(&import, "TR1")])
        .await;
    assert_eq!(again, Appended::Lost);
    assert_eq!(fixture.store.head().await.unwrap().position, 1);
}

#[tokio::test]
async fn a_decision_is_stale_once_the_journal_says_more_about_its_transfer() {
    let fixture = Fixture::new().await;
    let (a, b) = (
        fixture.deciding_import("a", 1).await,
        fixture.deciding_import("b", 2).await,
    );
    fixture.append_rows(&a, (0, 1), vec![row(&a, "TR1")]).await;

    let about = |transfer: &str| Writes {
        rows: vec![row(&b, transfer)],
        ..Writes::default()
    };
    let stale = fixture
        .store
        .append(append(&b, (0, 1), 0, about("TR1")))
        .await
        .unwrap();
    assert_eq!(stale, Appended::Stale);
    let other = fixture
        .store
        .append(append(&b, (0, 1), 0, about("TR2")))
        .await
        .unwrap();
    assert!(matches!(other, Appended::Done(_)));
}

#[tokio::test]
async fn the_same_bytes_are_one_import_and_another_file_of_that_name_is_reissued() {
    let fixture = Fixture::new().await;
    let Received::New(first) = fixture.store.receive(file("a")).await.unwrap() else {
        panic!("the file is new");
    };
    assert!(!first.reissued);
    let again = fixture.store.receive(file("a")).await.unwrap();
    assert_eq!(again, Received::Known(first));
    let Received::New(other) = fixture.store.receive(file("b")).await.unwrap() else {
        panic!("the bytes are new");
    };
    assert!(other.reissued);
}

#[tokio::test]
async fn refused_bytes_may_be_imported_again() {
    let fixture = Fixture::new().await;
    let Received::New(first) = fixture.store.receive(file("a")).await.unwrap() else {
        panic!("the file is new");
    };
    let why = FileRejected {
        at: None,
        field: None,
        why: "no".into(),
    };
    assert!(
        fixture
            .store
            .reject_import(&first.import_id, &why, now())
            .await
            .unwrap()
    );
    let Received::New(second) = fixture.store.receive(file("a")).await.unwrap() else {
        panic!("refused bytes do not count");
    };
    assert_ne!(first.import_id, second.import_id);
    let kept = fixture
        .store
        .import(&first.import_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.phase, Phase::Rejected { why, at: now() });
}

#[tokio::test]
async fn what_is_superseded_or_without_effect_no_longer_stands() {
    let fixture = Fixture::new().await;
    let import = fixture.deciding_import("a", 9).await;
    fixture
        .append_rows(
            &import,
            (0, 2),
            vec![row(&import, "TR1"), row(&import, "TR2")],
        )
        .await;
    fixture
        .store
        .record_progress(GATEWAY, 0, 2, &[exception(1)], now())
        .await
        .unwrap();

    let ids = ["TR1".to_owned(), "TR2".to_owned()];
    let known = fixture.store.known(&ids, GATEWAY).await.unwrap();
    assert!(!known.standing.contains_key("TR1"));
    assert_eq!(known.standing["TR2"].len(), 1);
    assert_eq!(known.ids_given["TR1"], 1);

    let mut replacing = row(&import, "TR1");
    replacing.effect = Effect::Reverse;
    replacing.relation = Some(Relation::Supersedes { position: 1 });
    let outcome = fixture
        .store
        .append(Append {
            cause: Cause::Exception {
                database: GATEWAY.into(),
                position: 1,
            },
            seen_position: 2,
            writes: Writes {
                rows: vec![replacing],
                ..Writes::default()
            },
            at: now(),
        })
        .await
        .unwrap();
    assert!(matches!(outcome, Appended::Done(_)));
    assert!(
        fixture
            .store
            .open_exceptions(GATEWAY, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let known = fixture.store.known(&ids, GATEWAY).await.unwrap();
    assert_eq!(known.standing["TR1"][0].position, 3);
    assert_eq!(
        fixture.store.row(1).await.unwrap().unwrap().superseded_by,
        Some(3)
    );
    let listed = fixture
        .store
        .returns(&ReturnFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(
        listed.iter().map(|row| row.position).collect::<Vec<_>>(),
        [3, 2]
    );
}

#[tokio::test]
async fn an_exception_is_dealt_with_once() {
    let fixture = Fixture::new().await;
    let import = fixture.deciding_import("a", 1).await;
    fixture
        .append_rows(&import, (0, 1), vec![row(&import, "TR1")])
        .await;
    fixture
        .store
        .record_progress(GATEWAY, 0, 1, &[exception(1)], now())
        .await
        .unwrap();
    let deal = || Append {
        cause: Cause::Exception {
            database: GATEWAY.into(),
            position: 1,
        },
        seen_position: 1,
        writes: Writes {
            holds: vec![hold(&import, 1)],
            ..Writes::default()
        },
        at: now(),
    };
    assert!(matches!(
        fixture.store.append(deal()).await.unwrap(),
        Appended::Done(_)
    ));
    assert_eq!(fixture.store.append(deal()).await.unwrap(), Appended::Lost);
    assert_eq!(fixture.store.open_holds().await.unwrap(), 1);
}

#[tokio::test]
async fn a_restored_database_is_recorded_as_behind_and_its_exceptions_may_change() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    store
        .record_progress(GATEWAY, 0, 9, &[exception(4), exception(7)], now())
        .await
        .unwrap();
    store
        .record_progress(GATEWAY, 5, 5, &[], now())
        .await
        .unwrap();
    assert_eq!(store.progress(GATEWAY).await.unwrap().position, 5);
    let left = store.exceptions(GATEWAY, 0, 9).await.unwrap();
    assert_eq!(left, [exception(4)]);
}

#[tokio::test]
async fn an_import_is_applied_once_every_database_has_passed_its_rows() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let import = fixture.deciding_import("a", 1).await;
    let mut last = append(&import, (0, 1), 0, Writes::default());
    last.writes.rows.push(row(&import, "TR1"));
    if let Cause::Import { last, .. } = &mut last.cause {
        *last = true;
    }
    store.append(last).await.unwrap();
    let databases = [GATEWAY.to_owned(), "rallypay".to_owned()];

    store
        .record_progress(GATEWAY, 0, 1, &[], now())
        .await
        .unwrap();
    assert!(
        store
            .finish_imports(&databases, now())
            .await
            .unwrap()
            .is_empty()
    );
    store
        .record_progress("rallypay", 0, 1, &[exception(1)], now())
        .await
        .unwrap();
    assert!(
        store
            .finish_imports(&databases, now())
            .await
            .unwrap()
            .is_empty(),
        "not dealt with"
    );
    let dealt = Append {
        cause: Cause::Exception {
            database: "rallypay".into(),
            position: 1,
        },
        seen_position: 1,
        writes: Writes::default(),
        at: now(),
    };
    store.append(dealt).await.unwrap();
    assert_eq!(
        store.finish_imports(&databases, now()).await.unwrap(),
        [import.as_str()]
    );
    let progress = store.import_progress(&import, "rallypay").await.unwrap();
    assert_eq!(
        (progress.rows, progress.passed, progress.exceptions),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn a_hold_is_closed_once_and_by_whoever_read_it_last() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let import = fixture.deciding_import("a", 1).await;
    let writes = Writes {
        holds: vec![hold(&import, 0)],
        ..Writes::default()
    };
    store
        .append(append(&import, (0, 1), 0, writes))
        .await
        .unwrap();
    let due = store.due_holds(now(), 10).await.unwrap();
    let held = due.first().unwrap();

    let still_open = HoldChange {
        hold_id: held.new.hold_id.clone(),
        attempts: held.attempts,
        to: HoldChangeTo::StillOpen {
            reason: HoldReason::AmountDiffers,
            detail: "differs".into(),
            transfer_ids: vec!["TR1".into()],
            next_attempt_at: None,
        },
    };
    assert!(store.change_hold(&still_open).await.unwrap());
    assert!(
        !store.change_hold(&still_open).await.unwrap(),
        "it has moved on"
    );
    assert!(store.due_holds(now(), 10).await.unwrap().is_empty());
    let filter = HoldFilter {
        state: HoldState::Open,
        import_id: None,
        reason: Some(HoldReason::AmountDiffers),
        transfer_id: Some("TR1".into()),
    };
    assert_eq!(store.holds(&filter, None, 10).await.unwrap().len(), 1);

    let resolve = |seen_position| Append {
        cause: Cause::Hold {
            hold_id: held.new.hold_id.clone(),
            state: HoldState::Resolved,
            by: "ann".into(),
            note: String::new(),
        },
        seen_position,
        writes: Writes {
            rows: vec![row(&import, "TR1")],
            ..Writes::default()
        },
        at: now(),
    };
    assert!(matches!(
        store.append(resolve(0)).await.unwrap(),
        Appended::Done(_)
    ));
    assert_eq!(store.append(resolve(1)).await.unwrap(), Appended::Lost);
    assert_eq!(
        store.head().await.unwrap().position,
        1,
        "a lost append leaves no row"
    );
    let closed = store.hold(&held.new.hold_id).await.unwrap().unwrap();
    assert_eq!(
        (closed.state, closed.resolved_position),
        (HoldState::Resolved, Some(1))
    );
}

#[tokio::test]
async fn journal_rows_can_be_neither_changed_nor_deleted() {
    let fixture = Fixture::new().await;
    let import = fixture.deciding_import("a", 1).await;
    fixture
        .append_rows(&import, (0, 1), vec![row(&import, "TR1")])
        .await;
    let url = format!("sqlite://{}/returns.db", fixture.folder.path().display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    for sql in ["UPDATE journal SET code = 'R02'", "DELETE FROM journal"] {
        let error = sqlx::query(sql)
            .execute(&pool)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("never"), "{error}");
    }
}
