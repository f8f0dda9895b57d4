//! The way to either kind of database. A statement is written once, in SQL that both take;
//! [`Syntax`] names the little that they spell differently.
//!
//! ```text
//! statement("read a hold", "SELECT … FROM holds WHERE hold_id = $1")
//!     .bind(hold_id)
//!     .optional(&self.db, hold_record)
//!     .await
//! ```

use std::sync::Arc;

use sqlx::{PgPool, SqlitePool};

use crate::StoreError;

mod bulk;
mod copy;
mod failures;
mod postgres;
mod record;
mod sqlite;
mod statement;
mod syntax;
mod value;

pub(crate) use bulk::{Insert, insert_all};
pub(crate) use copy::copy_all;
use failures::Failures;
pub(crate) use postgres::clean;
pub(crate) use record::Record;
use statement::noted;
pub(crate) use statement::{On, Statement, statement};
pub(crate) use syntax::Syntax;
pub(crate) use value::Value;

/// The connections to the returns database, and what fails on them.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) pool: Pool,
    pub(crate) failures: Arc<Failures>,
}

/// The connections to the returns database.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A transaction. Dropped without [`Transaction::commit`], it is rolled back.
#[derive(Debug)]
pub(crate) struct Transaction {
    open: OpenTransaction,
    failures: Arc<Failures>,
    /// What it has done, of what failed before.
    done: Vec<&'static str>,
}

#[derive(Debug)]
enum OpenTransaction {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Database {
    pub(crate) fn new(pool: Pool) -> Self {
        let failures = Arc::default();
        Self { pool, failures }
    }

    /// The same database by other connections.
    pub(crate) fn with(&self, pool: Pool) -> Self {
        Self {
            pool,
            failures: Arc::clone(&self.failures),
        }
    }

    pub(crate) fn syntax(&self) -> Syntax {
        match self.pool {
            Pool::Sqlite(_) => Syntax::Sqlite,
            Pool::Postgres(_) => Syntax::Postgres,
        }
    }

    /// Begins a transaction that writes. SQLite takes its one write lock here, so that no
    /// later statement finds the file changed since it was read. PostgreSQL reads what is
    /// committed at each statement: another level would see rows as they were before a lock
    /// was waited for.
    pub(crate) async fn begin(&self, what: &'static str) -> Result<Transaction, StoreError> {
        let open = match &self.pool {
            Pool::Sqlite(pool) => pool
                .begin_with("BEGIN IMMEDIATE")
                .await
                .map(OpenTransaction::Sqlite),
            Pool::Postgres(pool) => pool
                .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
                .await
                .map(OpenTransaction::Postgres),
        };
        Ok(Transaction {
            open: open.map_err(|error| self.failures.failed(what, error))?,
            failures: self.failures.clone(),
            done: Vec::new(),
        })
    }
}

impl Transaction {
    pub(crate) fn syntax(&self) -> Syntax {
        match self.open {
            OpenTransaction::Sqlite(_) => Syntax::Sqlite,
            OpenTransaction::Postgres(_) => Syntax::Postgres,
        }
    }

    /// Waits until no other transaction holds `name`, and holds it until the end of this one. A
    /// writing transaction on SQLite has the whole file locked.
    pub(crate) async fn lock(&mut self, what: &'static str, name: &str) -> Result<(), StoreError> {
        match self.open {
            OpenTransaction::Sqlite(_) => Ok(()),
            OpenTransaction::Postgres(_) => {
                let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
                statement(what, sql)
                    .bind(name)
                    .execute(self)
                    .await
                    .map(drop)
            }
        }
    }

    pub(crate) async fn commit(self, what: &'static str) -> Result<(), StoreError> {
        let outcome = match self.open {
            OpenTransaction::Sqlite(tx) => tx.commit().await,
            OpenTransaction::Postgres(tx) => tx.commit().await,
        };
        outcome.map_err(|error| self.failures.failed(what, error))?;
        for what in self.done.into_iter().chain([what]) {
            self.failures.worked(what);
        }
        Ok(())
    }

    /// Gives locks back now, and not when the connection is used next.
    pub(crate) async fn rollback(self, what: &'static str) -> Result<(), StoreError> {
        let outcome = match self.open {
            OpenTransaction::Sqlite(tx) => tx.rollback().await,
            OpenTransaction::Postgres(tx) => tx.rollback().await,
        };
        outcome.map_err(|error| self.failures.failed(what, error))
    }
}
