//! What is particular to a server: its types, its locks, its accounts.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use std::time::Duration;

use common::{D, FEW_COLUMNS, config, rig_on};
use echeck_adapter::check::check;
use echeck_adapter::dialect::{Access, Dialect};
use echeck_adapter::testing::{
    AdapterRig, Journal, fail, give_back, reapply, reason_of, release, reported, restore, reverse,
};
use echeck_proto::adapter::v1::adapter_service_server::AdapterService as _;
use echeck_proto::adapter::v1::step::Change;
use echeck_proto::adapter::v1::{
    LookupTransfersRequest, StepExceptionKind, TransferKey, TransferKeyKind, TransferState,
};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tonic::{Code, Request, Status};

/// A gateway whose columns are of PostgreSQL's own types.
const NATIVE: &str = "
    CREATE EXTENSION IF NOT EXISTS citext;
    CREATE TYPE transfer_state AS ENUM ('PENDING', 'SUCCEEDED', 'FAILED');
    CREATE DOMAIN minor_units AS bigint CHECK (VALUE >= 0);
    CREATE SCHEMA odd;
    CREATE TYPE odd.\"Kind of\" AS ENUM ('DEBIT', 'CREDIT', 'REVERSAL');
    CREATE TABLE transfers (
        id uuid PRIMARY KEY, type odd.\"Kind of\" NOT NULL, state transfer_state NOT NULL,
        amount minor_units NOT NULL, currency char(3) NOT NULL DEFAULT 'USD',
        trace_id citext UNIQUE, parent_id uuid REFERENCES transfers (id),
        messages json NOT NULL DEFAULT '[]', failure_code char(8), updated_at timestamptz NOT NULL
    );";

#[tokio::test]
async fn enums_uuids_domains_and_padded_text_of_postgres_are_written_and_compared() {
    let rig = AdapterRig::on(
        Dialect::Postgres,
        NATIVE,
        config(FEW_COLUMNS).unwrap().mapping,
    )
    .await;
    let id = |number: u8| format!("018f3f1e-0000-7000-8000-0000000000{number:02}");
    for number in 1..=3 {
        rig.sql(&format!(
            "INSERT INTO transfers (id, type, state, amount, trace_id, updated_at) \
             VALUES ('{}', 'DEBIT', 'PENDING', 500, 'Trace{number}', '2026-02-20')",
            id(number)
        ))
        .await;
    }
    let changes = [
        fail(&id(1), TransferState::Pending),
        fail(&id(2), TransferState::Succeeded),
        // No UUID, another spelling of one, and a state that the type does not have.
        fail("TR1", TransferState::Pending),
        fail(&id(3).to_uppercase(), TransferState::Pending),
        fail(&id(3), TransferState::Canceled),
        // It is not funded.
        reverse(&id(3), 500, None),
    ];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    let kinds: Vec<(u64, StepExceptionKind)> = reply
        .exceptions
        .iter()
        .map(|e| (e.position, e.kind()))
        .collect();
    use StepExceptionKind::{MovedOn, NotFound};
    assert_eq!(
        kinds,
        [
            (2, MovedOn),
            (3, NotFound),
            (4, NotFound),
            (5, MovedOn),
            (6, MovedOn)
        ]
    );
    assert_eq!(
        rig.rows("SELECT state, failure_code, updated_at FROM transfers ORDER BY id")
            .await,
        [
            "FAILED|R01     |2026-03-02 14:05:06+00",
            "PENDING|-|2026-02-20 00:00:00+00",
            "PENDING|-|2026-02-20 00:00:00+00"
        ]
    );
}

#[tokio::test]
async fn later_stages_are_written_into_enums_uuids_and_domains_of_postgres() {
    let rig = AdapterRig::on(
        Dialect::Postgres,
        NATIVE,
        config(FEW_COLUMNS).unwrap().mapping,
    )
    .await;
    let id = |number: u8| format!("018f3f1e-0000-7000-8000-0000000000{number:02}");
    rig.sql(&format!(
        "INSERT INTO transfers (id, type, state, amount, updated_at) \
         VALUES ('{}', 'CREDIT', 'FAILED', 500, '2026-02-20')",
        id(1)
    ))
    .await;
    let mut given = restore(&id(1), 500, TransferState::Failed, "");
    if let Change::RestoreTransfer(restore) = &mut given {
        restore.restoration.as_mut().unwrap().id = id(2);
    }
    let mut again = reapply(&id(1), 500, TransferState::Failed);
    if let Change::ReapplyReturn(reapply) = &mut again {
        let reversal = reapply.reversal.as_mut().unwrap();
        (reversal.id, reversal.parent_id) = (id(3), id(2));
    }
    // Neither the restoration's id nor its parent's is a UUID.
    let nameless = restore(&id(1), 500, TransferState::Failed, "RV1");
    let changes = [given, again, nameless];
    let reply = rig
        .apply(Journal::default().changes(changes))
        .await
        .unwrap();
    assert_eq!(reply.exceptions.len(), 1, "{:?}", reply.exceptions);
    assert_eq!(reply.exceptions[0].kind(), StepExceptionKind::NotFound);
    let columns = "SELECT right(id::text, 2), type, state, amount, right(parent_id::text, 2)";
    assert_eq!(
        rig.rows(&format!("{columns} FROM transfers ORDER BY id"))
            .await,
        [
            "01|CREDIT|FAILED|500|-",
            "02|CREDIT|SUCCEEDED|500|01",
            "03|REVERSAL|SUCCEEDED|500|02"
        ]
    );
}

#[tokio::test]
async fn a_reversal_in_a_column_of_uuids_has_the_uuid_that_belongs_to_its_id() {
    let rig = AdapterRig::on(
        Dialect::Postgres,
        NATIVE,
        config(FEW_COLUMNS).unwrap().mapping,
    )
    .await;
    let id = "018f3f1e-0000-7000-8000-000000000001";
    rig.sql(&format!(
        "INSERT INTO transfers (id, type, state, amount, updated_at) \
         VALUES ('{id}', 'DEBIT', 'SUCCEEDED', 500, now())"
    ))
    .await;
    let batch = Journal::default().changes([
        reverse(id, 500, None),
        restore(id, 500, TransferState::Succeeded, &format!("RV_{id}")),
    ]);
    let reply = rig.apply(batch.clone()).await.unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    assert_eq!(rig.missing(batch).await, [""; 0]);
    let reversal = "a88d0770-6f86-5dfb-a4e6-151f68b838ac";
    assert_eq!(
        rig.rows(&format!(
            "SELECT type, amount, parent_id = '{id}', parent_id = '{reversal}' FROM transfers \
             WHERE id <> '{id}' ORDER BY type"
        ))
        .await,
        ["DEBIT|500|f|t", "REVERSAL|500|t|f"]
    );
}

#[tokio::test]
async fn text_of_any_character_set_and_collation_of_mysql_is_found_by_its_index() {
    let schema = gateway_adapter::demo_schema(Dialect::Mysql);
    for (charset, collation) in [
        ("latin1", "latin1_swedish_ci"),
        ("utf8mb4", "utf8mb4_bin"),
        ("utf8mb3", "utf8mb3_unicode_ci"),
    ] {
        let schema = schema.replace(
            "DEFAULT CHARACTER SET utf8mb4",
            &format!("DEFAULT CHARACTER SET {charset} COLLATE {collation}"),
        );
        let rig = AdapterRig::on(Dialect::Mysql, &schema, config("").unwrap().mapping).await;
        for id in ["TR1", "TR2"] {
            rig.sql(&D::on_any(id).sql()).await;
        }
        let changes = [
            reverse("TR1", 500, None),
            fail("TR2", TransferState::Succeeded),
            fail("TR😀", TransferState::Succeeded),
            restore("TR1", 500, TransferState::Succeeded, "RV_TR1"),
            release("RS_TR1", "TR1", 0),
        ];
        let reply = rig
            .apply(Journal::default().changes(changes))
            .await
            .unwrap();
        assert_eq!(
            reply.exceptions.len(),
            1,
            "{collation}: {:?}",
            reply.exceptions
        );
        assert_eq!(reply.exceptions[0].kind(), StepExceptionKind::NotFound);
        assert_eq!(
            rig.rows("SELECT id, state FROM transfers ORDER BY id")
                .await,
            [
                "RS_TR1|SUCCEEDED",
                "RV_TR1|SUCCEEDED",
                "TR1|SUCCEEDED",
                "TR2|FAILED"
            ]
        );
    }
}

#[tokio::test]
async fn a_mysql_table_without_transactions_cannot_be_a_target() {
    let schema = gateway_adapter::demo_schema(Dialect::Mysql)
        .replace("ENGINE = InnoDB", "ENGINE = MyISAM")
        // Its keys are shorter.
        .replace("VARCHAR(255)", "VARCHAR(200)")
        .replace(
            "CONSTRAINT transfers_by_parent_id FOREIGN KEY (parent_id) REFERENCES transfers (id)",
            "KEY (parent_id)",
        )
        .replace(
            "CONSTRAINT transfers_by_deposit_id FOREIGN KEY (deposit_id) REFERENCES deposits (id)",
            "KEY (deposit_id)",
        );
    let rig = AdapterRig::on(Dialect::Mysql, &schema, config("").unwrap().mapping).await;
    let faults = check(&rig.target).await.faults;
    assert!(
        faults[0].contains("uses the storage engine MyISAM, which has no transactions"),
        "{faults:?}"
    );
}

/// The owner locks the rows for a while, then releases them.
#[tokio::test]
async fn a_lock_that_is_released_only_delays_a_batch() {
    let rig = rig_on(Dialect::Postgres, "").await;
    rig.sql(&D::on_any("TR1").set("state", "'PENDING'").sql())
        .await;
    let mut owner = PgConnection::connect(&rig.url()).await.unwrap();
    owner
        .execute("BEGIN; UPDATE transfers SET state = 'SUCCEEDED'")
        .await
        .unwrap();
    let mut journal = Journal::default();
    let change = give_back("TR1", TransferState::Pending, None);
    let batch = journal.changes([change]);
    let applied = rig.apply(batch);
    let funded = async {
        // The batch waits for the row, whatever happens first.
        tokio::time::sleep(Duration::from_millis(100)).await;
        owner.execute("COMMIT").await.unwrap();
    };
    let (reply, ()) = tokio::join!(applied, funded);
    let reply = reply.unwrap();
    assert_eq!(
        reply.exceptions[0].message,
        "transfer TR1 is SUCCEEDED, not PENDING as it was decided on"
    );
}

#[tokio::test]
async fn a_read_only_target_is_named_and_the_batch_continues_when_it_is_writable() {
    let rig = rig_on(Dialect::Postgres, "").await;
    rig.sql(&D::on_any("TR1").sql()).await;
    let database = rig.url().rsplit('/').next().unwrap().to_owned();
    rig.sql(&format!(
        "ALTER DATABASE {database} SET default_transaction_read_only = on"
    ))
    .await;
    let batch = Journal::default().changes([fail("TR1", TransferState::Succeeded)]);
    let copy = rig.copy().await;
    let refused = copy
        .apply_updates(tonic::Request::new(batch.clone()))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(
        refused.message().contains("read-only transaction"),
        "{}",
        refused.message()
    );
    assert_eq!(reason_of(&refused), "TARGET_READ_ONLY");
    let server = echeck_test_servers::server("ECHECK_TEST_POSTGRES");
    let mut operator = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .unwrap();
    let mend = format!("ALTER DATABASE {database} RESET default_transaction_read_only");
    operator.execute(sqlx::AssertSqlSafe(mend)).await.unwrap();
    // Connections keep the setting they began with, and one that failed is not used again.
    copy.apply_updates(tonic::Request::new(batch))
        .await
        .unwrap();
    assert_eq!(rig.one("SELECT state FROM transfers").await, "FAILED");
}

#[tokio::test]
async fn wrong_credentials_are_one_clear_error_without_the_password() {
    for url in [
        "mysql://echeck:hunter2@127.0.0.1:PORT/core",
        "postgres://nobody:hunter2@127.0.0.1:PORT/core",
    ] {
        let variable = if url.starts_with("mysql") {
            "ECHECK_TEST_MARIADB"
        } else {
            "ECHECK_TEST_POSTGRES"
        };
        let server = echeck_test_servers::server(variable);
        let port = server.rsplit(':').next().unwrap();
        let toml = format!("[target]\nurl = \"{}\"\n", url.replace("PORT", port));
        let target = config(&toml).unwrap().target;
        let error = target.open().await.err().unwrap().to_string();
        assert!(
            error.contains(&format!("@127.0.0.1:{port}/core: ")),
            "{error}"
        );
        assert!(
            error.contains("denied") || error.contains("does not exist"),
            "{error}"
        );
        assert!(!error.contains("hunter2") && !format!("{target:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn an_account_that_is_identified_in_a_way_that_is_not_supported_is_told_so() {
    let rig = rig_on(Dialect::Mysql, "").await;
    if !rig.one("SELECT VERSION()").await.contains("MariaDB") {
        return;
    }
    rig.sql(
        "INSTALL PLUGIN IF NOT EXISTS ed25519 SONAME 'auth_ed25519'; \
         CREATE OR REPLACE USER modern@'%' IDENTIFIED VIA ed25519 USING PASSWORD('hunter2')",
    )
    .await;
    let (_, at) = rig
        .url()
        .rsplit_once('@')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let toml = format!("[target]\nurl = \"mysql://modern:hunter2@{at}\"\n");
    let error = config(&toml).unwrap().target.open().await.err().unwrap();
    let error = error.to_string();
    assert!(
        error.contains("the account is identified by client_ed25519, which is not supported"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_statement_binds_no_more_than_an_eighth_of_what_the_server_takes() {
    let rig = rig_on(Dialect::Mysql, "").await;
    let packet = rig.one("SELECT @@max_allowed_packet").await;
    let packet: usize = packet.parse().unwrap();
    let session = rig.target.database.begin(Access::Look).await.unwrap();
    assert_eq!(session.statement_bytes(), (packet / 8).min(2 << 20));
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable_by_name() {
    for url in [
        "mysql://app:hunter2@127.0.0.1:1/core",
        "postgres://app:hunter2@127.0.0.1:1/core",
    ] {
        let target = config(&format!("[target]\nurl = \"{url}\"\n"))
            .unwrap()
            .target;
        let error = target.open().await.err().unwrap().to_string();
        assert!(error.contains("app@127.0.0.1:1/core: "), "{error}");
        assert!(
            error.contains("refused") && !error.contains("hunter2"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_column_that_gets_another_type_while_running_costs_no_connection() {
    let schema = gateway_adapter::demo_schema(Dialect::Postgres);
    let schema = schema.replace(
        "amount               BIGINT ",
        "amount               INTEGER",
    );
    assert_ne!(schema, gateway_adapter::demo_schema(Dialect::Postgres));
    let mapping = config("").unwrap().mapping;
    let rig = AdapterRig::on(Dialect::Postgres, &schema, mapping).await;
    rig.sql(&D::on_any("TR1").sql()).await;
    rig.sql(&D::on_any("TR2").sql()).await;
    let amount = async || {
        let keys = vec![TransferKey {
            kind: TransferKeyKind::TransferId.into(),
            value: "TR1".to_owned(),
        }];
        let request = Request::new(LookupTransfersRequest {
            keys,
            identity: None,
        });
        let found = rig.adapter.lookup_transfers(request).await?.into_inner();
        Ok::<i64, Status>(found.matches[0].transfers[0].amount_minor)
    };
    // Several connections have prepared their statements, those of a batch with a bad row too.
    let mut journal = Journal::default();
    let wrong = reverse("TR1", 1, None);
    rig.apply(journal.changes([wrong.clone()])).await.unwrap();
    let before = tokio::join!(amount(), amount(), amount(), amount());
    assert_eq!(before.0.unwrap(), 500);
    rig.sql(
        "ALTER TABLE transfers ALTER COLUMN amount TYPE bigint; \
         UPDATE transfers SET amount = 5000000000 WHERE id = 'TR1'",
    )
    .await;
    let after = tokio::join!(amount(), amount(), amount(), amount());
    for found in [after.0, after.1, after.2, after.3] {
        assert_eq!(found.unwrap(), 5_000_000_000);
    }
    let changes = [wrong, reverse("TR2", 500, None)];
    let reply = rig.apply(journal.changes(changes)).await.unwrap();
    assert_eq!(reply.exceptions.len(), 1, "{:?}", reply.exceptions);
    assert_eq!(reply.exceptions[0].position, 2);
}
