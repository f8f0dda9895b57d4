//! The contract that every implementation of [`Store`] keeps. Each test runs on each.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::sync::Arc;

use ach::decision::{Effect, HoldReason};
use ach::format::FileRejected;
use chrono::Duration;
use returns_model::ids;
use uuid::Uuid;

use echeck_test_fixtures::*;
use returns_model::audit::*;
use returns_model::delivery::*;
use returns_model::dishonor::*;
use returns_model::endpoint::*;
use returns_model::event::*;
use returns_model::follower::*;
use returns_model::hold::*;
use returns_model::import::*;
use returns_model::incident::{
    AlertKind, AlertRecord, AlertState, Attempt, IncidentEvent, IncidentEventKind, IncidentRecord,
    IncidentState, IncidentWrite, Signature,
};
use returns_model::job::*;
use returns_model::journal::*;
use returns_model::report::*;
use returns_store::*;

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

mod audit;
mod claims;
mod deliveries;
mod dishonor;
mod events;
mod followers;
mod holds;
mod imports;
mod incidents;
mod jobs;
mod journal;
mod opening;
mod owners;
mod replays;
mod report;
mod settle;
mod transfers;
mod webhooks;

/// A new, empty store of one kind.
struct Fixture {
    store: Arc<dyn Store>,
    url: String,
    /// Where SQLite's file is.
    _folder: Option<tempfile::TempDir>,
}

async fn open_at(url: &str, id: Uuid) -> Arc<dyn Store> {
    open(&settings(url), id)
        .await
        .unwrap_or_else(|error| panic!("{}", echeck_service::ErrorChain(&error)))
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
        deciding_import(&self.store, bytes, items).await
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
