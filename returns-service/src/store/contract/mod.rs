//! The contract that every implementation of [`Store`] keeps. Each test runs on each.

use std::sync::Arc;

use ach::code::ReturnCode;
use ach::decision::{Effect, Expected, HoldReason, TransferState, TransferType};
use ach::entry::{Coded, Direction, Entry, EntryKind, Position};
use ach::format::FileRejected;
use ach::money::Money;
use chrono::{DateTime, Duration, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use super::*;
use crate::ids;
use crate::journal::{Relation, TransferFacts, Verifier};

const GATEWAY: &str = "gateway";

/// Runs each test on each kind of database.
macro_rules! on_both {
    ($($test:ident,)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Fixture::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Fixture::postgres().await).await;
            })*
        }
    };
}

mod followers;
mod holds;
mod imports;
mod journal;
mod opening;

/// A new, empty store of one kind.
struct Fixture {
    store: Arc<dyn Store>,
    url: String,
    /// Where SQLite's file is.
    _folder: Option<tempfile::TempDir>,
}

fn settings(url: &str) -> StoreSettings {
    StoreSettings {
        address: StoreAddress::parse(&SecretString::from(url.to_owned())).unwrap(),
        max_connections: 4,
        migrate: true,
    }
}

async fn open_at(url: &str, id: Uuid) -> Arc<dyn Store> {
    open(&settings(url), id)
        .await
        .unwrap_or_else(|error| panic!("{}", crate::chain::Chain(&error)))
}

impl Fixture {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/returns.db", folder.path().display());
        Self {
            store: open_at(&url, Uuid::from_u128(7)).await,
            url,
            _folder: Some(folder),
        }
    }

    async fn postgres() -> Self {
        let url = echeck_test_servers::postgres().await;
        Self {
            store: open_at(&url, Uuid::from_u128(7)).await,
            url,
            _folder: None,
        }
    }

    /// The same database opened once more, as by another replica.
    async fn again(&self) -> Arc<dyn Store> {
        open_at(&self.url, Uuid::from_u128(8)).await
    }

    /// Runs a statement behind the store's back; gives the error's text.
    async fn execute(&self, sql: &'static str) -> Result<(), String> {
        let done = if self.url.starts_with("sqlite:") {
            let pool = sqlx::SqlitePool::connect(&self.url).await.unwrap();
            sqlx::query(sql).execute(&pool).await.map(drop)
        } else {
            let pool = sqlx::PgPool::connect(&self.url).await.unwrap();
            sqlx::query(sql).execute(&pool).await.map(drop)
        };
        done.map_err(|error| error.to_string())
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
