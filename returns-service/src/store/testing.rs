//! What the tests of this and other modules put into a store.

use std::sync::Arc;

use ach::code::ReturnCode;
use ach::decision::{Effect, Expected, TransferState, TransferType};
use ach::entry::{Coded, Direction, Entry, EntryKind, FilePosition};
use ach::money::Money;
use chrono::{DateTime, Duration, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use super::{
    Append, Cause, Checked, DuplicateLine, NewImport, Received, Store, StoreAddress, StoreSettings,
    Totals, Writes, open,
};
use crate::ids;
use crate::journal::{Row, TransferFacts};

/// How a test opens the database at `url`.
pub(crate) fn settings(url: &str) -> StoreSettings {
    StoreSettings {
        address: StoreAddress::parse(&SecretString::from(url.to_owned())).unwrap(),
        max_connections: 4,
        migrate: true,
    }
}

/// A new, empty store on SQLite, and the folder of its file.
pub(crate) async fn empty_store() -> (tempfile::TempDir, Arc<dyn Store>) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/returns.db", folder.path().display());
    let store = open(&settings(&url), Uuid::from_u128(7)).await.unwrap();
    (folder, store)
}

/// Waits until `so`, for at most ten seconds.
pub(crate) async fn eventually(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while !so().await {
        assert!(
            tokio::time::Instant::now() < until,
            "not so in time: {what}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// An import that was checked, with so many entries to decide.
pub(crate) async fn deciding_import(store: &Arc<dyn Store>, bytes: &str, items: u64) -> String {
    let Received::New(import) = store.receive(file(bytes)).await.unwrap() else {
        panic!("the file is new");
    };
    let checked = Checked {
        items,
        debit_minor: 0,
        credit_minor: 0,
        findings: Vec::new(),
        emptiness: None,
    };
    let accepted = store
        .accept_import(&import.import_id, &checked, now())
        .await;
    assert!(accepted.unwrap());
    import.import_id
}

/// The moment of every test.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000)
}

/// A file that is told from others by its bytes.
pub(crate) fn file(bytes: &str) -> NewImport {
    NewImport {
        source: "worldpay".into(),
        file_name: "returns.csv".into(),
        sha256: bytes.into(),
        size_bytes: bytes.len() as u64,
        spool_name: format!("{bytes}.age"),
        received_at: now(),
    }
}

/// A return of five dollars.
pub(crate) fn entry(line: u64) -> Entry {
    let kind = EntryKind::Return {
        code: Coded::Known(ReturnCode::R01),
        date_of_death: None,
    };
    Entry {
        amount: Some(Money::cents(500)),
        direction: Direction::Debit,
        ..Entry::new(FilePosition { line, byte: 0 }, kind)
    }
}

/// An entry whose return was known.
pub(crate) fn duplicate(ordinal: u64) -> DuplicateLine {
    DuplicateLine {
        ordinal,
        line: ordinal + 1,
        transfer_id: "TR9".into(),
        of_return_id: "ret_9".into(),
        entry: Some(entry(ordinal + 1)),
    }
}

/// A decision about a transfer.
pub(crate) fn row(import_id: &str, transfer_id: &str) -> Row {
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
            parties: ach::decision::Parties::default(),
        },
        expected: Expected {
            state: TransferState::Pending,
            in_deposit: None,
        },
        relation: None,
        flags: Vec::new(),
        reversal: None,
        restoration: None,
        of_return: None,
        ready: None,
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

/// The next entries of an import, decided on what was seen.
pub(crate) fn append(
    import_id: &str,
    (before, after): (u64, u64),
    seen: u64,
    writes: Writes,
) -> Append {
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

/// An event of each dialect's messages, as the follower records it, behind the store's back:
/// with no deliveries.
pub(crate) async fn insert_event(url: &str, sequence: u64, merchant: &str) {
    let number = i64::try_from(sequence).unwrap();
    let at = now() + Duration::minutes(number);
    let messages = r#"[["rainforest_2024_10_16","payin.returned"],["rainforest_2024_10_16","ach_return.created"],["finix","transfer.updated"]]"#;
    let facts = crate::webhook::testing::facts(&format!("TR{sequence}"));
    if url.starts_with("sqlite:") {
        let at = at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let pool = sqlx::SqlitePool::connect(url).await.unwrap();
        let sql = "INSERT INTO webhook_events (sequence, event_id, position, transfer_id, \
                   merchant, facts, messages, occurred_at, recorded_at) \
                   VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?7)";
        let query = sqlx::query(sql)
            .bind(number)
            .bind(format!("evt_{sequence}"));
        let query = query.bind(format!("TR{sequence}")).bind(merchant);
        let done = query.bind(facts).bind(messages).bind(at).execute(&pool);
        done.await.unwrap();
        pool.close().await;
    } else {
        let pool = sqlx::PgPool::connect(url).await.unwrap();
        let sql = "INSERT INTO webhook_events (sequence, event_id, position, transfer_id, \
                   merchant, facts, messages, occurred_at, recorded_at) \
                   VALUES ($1, $2, $1, $3, $4, $5, $6, $7, $7)";
        let query = sqlx::query(sql)
            .bind(number)
            .bind(format!("evt_{sequence}"));
        let query = query.bind(format!("TR{sequence}")).bind(merchant);
        let done = query.bind(facts).bind(messages).bind(at).execute(&pool);
        done.await.unwrap();
        pool.close().await;
    }
}
