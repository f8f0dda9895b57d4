//! Rows that the gateway's own sessions have locked.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot continue has failed"
)]

mod common;

use std::time::{Duration, Instant};

use common::{D, rig_on};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::testing::{AdapterRig, Journal, fail, reason_of, reverse};
use echeck_proto::adapter::v1::adapter_service_server::AdapterService as _;
use echeck_proto::adapter::v1::{CheckTargetRequest, TransferState};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection};
use tonic::{Code, Request, Status};

/// A session of the gateway itself.
enum Owner {
    Postgres(PgConnection),
    Mysql(MySqlConnection),
}

impl Owner {
    async fn connect(rig: &AdapterRig, dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgres => Self::Postgres(PgConnection::connect(&rig.url()).await.unwrap()),
            Dialect::Mysql => Self::Mysql(MySqlConnection::connect(&rig.url()).await.unwrap()),
            Dialect::Sqlite => panic!("SQLite has no locks on rows"),
        }
    }

    async fn run(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql);
        match self {
            Self::Postgres(connection) => drop(connection.execute(sql).await.unwrap()),
            Self::Mysql(connection) => drop(connection.execute(sql).await.unwrap()),
        }
    }

    /// Opens a transaction that keeps a row.
    async fn lock(&mut self, id: &str) {
        self.run("BEGIN").await;
        self.run(&format!("UPDATE transfers SET fee = 16 WHERE id = '{id}'"))
            .await;
    }
}

const REVERSALS: &str = "SELECT count(*) FROM transfers WHERE type = 'REVERSAL'";

async fn rig_of_five(dialect: Dialect) -> AdapterRig {
    let rig = rig_on(dialect, "").await;
    for number in 1..=5 {
        rig.sql(&D::on_any(&format!("TR{number}")).sql()).await;
    }
    // MariaDB reads a small table from its beginning, and waits for every lock on the way.
    if dialect == Dialect::Mysql {
        let others: Vec<String> = (0..2_000)
            .map(|number| {
                format!(
                    "('O{number}', 'DEBIT', 'PENDING', 1, '{{}}', '[]', 'A', 'M', now(), now())"
                )
            })
            .collect();
        rig.sql(&format!(
            "INSERT INTO transfers (id, type, state, amount, tags, messages, application, \
             merchant_identity, created_at, updated_at) VALUES {}",
            others.join(", ")
        ))
        .await;
        rig.rows("ANALYZE TABLE transfers").await;
    }
    rig
}

fn says_that_it_is_locked(refused: &Status, id: &str) {
    assert_eq!(refused.code(), Code::Aborted, "{refused:?}");
    assert_eq!(reason_of(refused), "TARGET_BUSY");
    let sentence = format!("the row of transfer {id} is locked by another session");
    assert!(refused.message().contains(&sentence), "{refused:?}");
}

#[tokio::test]
async fn a_locked_row_holds_back_only_what_comes_after_it_and_holds_up_nobody() {
    for dialect in [Dialect::Postgres, Dialect::Mysql] {
        let rig = rig_of_five(dialect).await;
        let mut owner = Owner::connect(&rig, dialect).await;
        owner.lock("TR3").await;
        let mut journal = Journal::default();
        let changes = (1..=5).map(|number| reverse(&format!("TR{number}"), 500, None));
        let applying = rig.apply(journal.changes(changes));
        // Meanwhile the gateway changes other rows of the batch.
        let mut other = Owner::connect(&rig, dialect).await;
        let working = async {
            let mut longest = Duration::ZERO;
            for _ in 0..40 {
                for id in ["TR1", "TR5"] {
                    let began = Instant::now();
                    let fee = "UPDATE transfers SET fee = fee + 1 WHERE id =";
                    other.run(&format!("{fee} '{id}'")).await;
                    longest = longest.max(began.elapsed());
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
            longest
        };
        let (refused, longest) = tokio::join!(applying, working);
        says_that_it_is_locked(&refused.unwrap_err(), "TR3");
        // MariaDB cannot wait for a lock for less than a second.
        assert!(
            longest < Duration::from_millis(2_500),
            "{dialect:?}: {longest:?}"
        );
        assert_eq!(rig.progress(0, 1).await.cursor.unwrap().position, 2);
        assert_eq!(rig.one(REVERSALS).await, "2");

        owner.run("COMMIT").await;
        let rest = (3..=5).map(|number| reverse(&format!("TR{number}"), 500, None));
        let reply = rig.apply(journal.at(2).changes(rest)).await.unwrap();
        assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
        assert_eq!(rig.one(REVERSALS).await, "5");
        let fees = "SELECT fee FROM transfers WHERE id IN ('TR1', 'TR3') ORDER BY id";
        assert_eq!(rig.rows(fees).await, ["55", "16"]);
    }
}

#[tokio::test]
async fn a_batch_whose_first_row_is_locked_is_answered_soon_and_keeps_nothing() {
    for dialect in [Dialect::Postgres, Dialect::Mysql] {
        let rig = rig_of_five(dialect).await;
        let mut owner = Owner::connect(&rig, dialect).await;
        owner.lock("TR1").await;
        let changes = ["TR1", "TR2"].map(|id| fail(id, TransferState::Succeeded));
        let batch = Journal::default().changes(changes);
        let refused = rig.apply(batch.clone()).await.unwrap_err();
        says_that_it_is_locked(&refused, "TR1");
        assert!(rig.progress(0, 1).await.cursor.is_none());
        // It comes back while the row is still locked: now it looks first, and waits in no lock.
        let began = Instant::now();
        let (again, ()) = tokio::join!(rig.apply(batch.clone()), async {
            let mut other = Owner::connect(&rig, dialect).await;
            other
                .run("UPDATE transfers SET fee = 17 WHERE id = 'TR2'")
                .await;
            assert!(began.elapsed() < Duration::from_millis(900), "{dialect:?}");
        });
        says_that_it_is_locked(&again.unwrap_err(), "TR1");
        owner.run("ROLLBACK").await;
        rig.apply(batch).await.unwrap();
        let failed = "SELECT id FROM transfers WHERE state = 'FAILED' ORDER BY id";
        assert_eq!(rig.rows(failed).await, ["TR1", "TR2"]);
    }
}

/// A trigger wants a row of another table, which somebody has locked.
#[tokio::test]
async fn a_lock_on_another_table_costs_only_the_rows_from_there_on() {
    let rig = rig_of_five(Dialect::Postgres).await;
    rig.sql(
        "CREATE TABLE balances (id TEXT PRIMARY KEY, total BIGINT NOT NULL); \
         INSERT INTO balances VALUES ('ID1', 0); \
         CREATE FUNCTION count_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         UPDATE balances SET total = total + 1; RETURN new; END $$; \
         CREATE TRIGGER counted BEFORE UPDATE ON transfers FOR EACH ROW \
         WHEN (old.id = 'TR4') EXECUTE FUNCTION count_it()",
    )
    .await;
    let mut owner = Owner::connect(&rig, Dialect::Postgres).await;
    owner.run("BEGIN").await;
    owner.run("UPDATE balances SET total = total").await;
    let mut journal = Journal::default();
    let changes =
        |from: u8| (from..=5).map(|number| fail(&format!("TR{number}"), TransferState::Succeeded));
    let refused = rig.apply(journal.changes(changes(1))).await.unwrap_err();
    assert_eq!(reason_of(&refused), "TARGET_BUSY");
    assert_eq!(rig.progress(0, 1).await.cursor.unwrap().position, 3);
    owner.run("COMMIT").await;
    rig.apply(journal.at(3).changes(changes(4))).await.unwrap();
    assert_eq!(rig.one("SELECT total FROM balances").await, "1");
    let failed = "SELECT count(*) FROM transfers WHERE state = 'FAILED'";
    assert_eq!(rig.one(failed).await, "5");
}

/// Somebody inserts a row that refers to the transfer, and does not commit yet.
#[tokio::test]
async fn a_row_that_refers_to_a_transfer_does_not_lock_it() {
    let rig = rig_of_five(Dialect::Postgres).await;
    let mut owner = Owner::connect(&rig, Dialect::Postgres).await;
    owner.run("BEGIN").await;
    let child = D::on_any("TR9").set("parent_id", "'TR1'");
    owner.run(&child.sql()).await;
    let changes = [reverse("TR1", 500, None)];
    rig.apply(Journal::default().changes(changes))
        .await
        .unwrap();
    owner.run("COMMIT").await;
    assert_eq!(rig.one(REVERSALS).await, "1");
}

#[tokio::test]
async fn a_batch_that_is_being_applied_is_no_fault_of_the_target_and_a_locked_table_is() {
    for dialect in [Dialect::Postgres, Dialect::Mysql] {
        let rig = rig_of_five(dialect).await;
        let batch = Journal::default().changes([reverse("TR1", 500, None)]);
        rig.apply(batch).await.unwrap();
        let mut other_copy = Owner::connect(&rig, dialect).await;
        other_copy.run("BEGIN").await;
        other_copy
            .run("UPDATE echeck_cursor SET updated_at = 'now'")
            .await;
        let check = || {
            rig.adapter
                .check_target(Request::new(CheckTargetRequest::default()))
        };
        let checked = check().await.unwrap().into_inner();
        assert!(checked.ok, "{dialect:?}: {:?}", checked.faults);
        other_copy.run("ROLLBACK").await;

        other_copy
            .run(match dialect {
                Dialect::Mysql => "LOCK TABLES transfers WRITE",
                _ => "BEGIN; LOCK TABLE transfers IN SHARE MODE",
            })
            .await;
        let checked = check().await.unwrap().into_inner();
        let told = checked.faults.iter().any(|told| told.contains("locked"));
        assert!(told, "{dialect:?}: {:?}", checked.faults);
    }
}
