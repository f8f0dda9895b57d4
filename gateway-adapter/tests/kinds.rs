//! What may stand in the place of a table: a view, partitions, a table that keeps its old rows, one in
//! another schema. What cannot is called what it is.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use common::{FEW_COLUMNS, config, history};
use echeck_adapter::apply::Target;
use echeck_adapter::check::{check, check_deeply};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::testing::{AdapterRig, Journal, reported};
use echeck_service::clock::{Clock as _, SystemClock};

/// A table of few columns in PostgreSQL, with this key.
fn table(name: &str, key: &str) -> String {
    format!(
        "CREATE TABLE {name} (
            id TEXT NOT NULL, type TEXT NOT NULL, state TEXT NOT NULL, amount BIGINT NOT NULL,
            currency TEXT NOT NULL DEFAULT 'USD', parent_id TEXT, trace_id TEXT,
            messages JSONB NOT NULL DEFAULT '[]', failure_code TEXT, settle_from TIMESTAMPTZ,
            updated_at TIMESTAMPTZ, part INTEGER NOT NULL DEFAULT 1, {key});"
    )
}

fn mapped(more: &str) -> String {
    let columns = FEW_COLUMNS.replace(
        "ready_to_settle_at = \"\"",
        "ready_to_settle_at = \"settle_from\"",
    );
    format!("[transfers]\n{more}\n{columns}")
}

const VOUCHED: &str = "id_uniqueness = \"vouched\"";

/// One transfer with its whole history, the changes of which all show.
async fn every_effect_shows(rig: &AdapterRig) {
    rig.sql(
        "INSERT INTO transfers (id, type, state, amount, currency, messages) \
         VALUES ('TR1', 'DEBIT', 'SUCCEEDED', 500, 'USD', '[]')",
    )
    .await;
    let found = check_deeply(&rig.target, Some("TR1"), SystemClock.now()).await;
    assert_eq!(found.faults, [""; 0]);
    let batch = Journal::default().changes(history("TR1"));
    let reply = rig.apply(batch.clone()).await.unwrap();
    assert_eq!(reported(&reply.exceptions), []);
    assert_eq!(rig.missing(batch).await, [""; 0]);
    let rows = "SELECT id, type, parent_id FROM transfers ORDER BY id";
    assert_eq!(
        rig.rows(rows).await,
        [
            "RA_TR1|REVERSAL|RS_TR1",
            "RS_TR1|DEBIT|RV_TR1",
            "RV_TR1|REVERSAL|TR1",
            "TR1|DEBIT|-",
        ]
    );
}

async fn rig(dialect: Dialect, schema: &str, more: &str) -> AdapterRig {
    let mapping = config(&mapped(more)).unwrap().mapping;
    AdapterRig::on(dialect, schema, mapping).await
}

#[tokio::test]
async fn a_view_whose_triggers_write_takes_every_effect() {
    let columns = "id, type, state, amount, currency, parent_id, trace_id, messages, failure_code, \
                   settle_from, updated_at";
    let of_new = columns
        .split(", ")
        .map(|name| format!("NEW.{name}"))
        .collect::<Vec<_>>()
        .join(", ");
    let schema = format!(
        "{}
         CREATE VIEW transfers AS SELECT {columns} FROM kept WHERE part = 1
            UNION ALL SELECT {columns} FROM kept WHERE part = 2;
         CREATE FUNCTION add() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO kept ({columns}) VALUES ({of_new}); RETURN NEW; END $$;
         CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE kept SET ({columns}) = ({of_new}) WHERE id = OLD.id; RETURN NEW; END $$;
         CREATE TRIGGER adds INSTEAD OF INSERT ON transfers FOR EACH ROW EXECUTE FUNCTION add();
         CREATE TRIGGER changes INSTEAD OF UPDATE ON transfers FOR EACH ROW EXECUTE FUNCTION change()",
        table("kept", "PRIMARY KEY (id)")
    );
    every_effect_shows(&rig(Dialect::Postgres, &schema, VOUCHED).await).await;
    // Nobody has vouched for its ids.
    let unvouched = rig(Dialect::Postgres, &schema, "").await;
    let faults = check(&unvouched.target).await.faults.join("\n");
    assert!(
        faults.contains("has no unique index of its own"),
        "{faults}"
    );
}

#[tokio::test]
async fn a_view_that_the_database_itself_writes_through_takes_every_effect() {
    let schema = table("kept", "PRIMARY KEY (id)")
        + "CREATE VIEW transfers AS SELECT * FROM kept WHERE part = 1";
    every_effect_shows(&rig(Dialect::Postgres, &schema, VOUCHED).await).await;
}

#[tokio::test]
async fn a_table_in_partitions_takes_every_effect() {
    let partitioned = table("transfers", "PRIMARY KEY (id, part)").replace(
        "PRIMARY KEY (id, part));",
        "PRIMARY KEY (id, part)) PARTITION BY LIST (part);",
    );
    let schema = partitioned
        + "CREATE TABLE first PARTITION OF transfers FOR VALUES IN (1);
           CREATE TABLE second PARTITION OF transfers FOR VALUES IN (2)";
    every_effect_shows(&rig(Dialect::Postgres, &schema, VOUCHED).await).await;
}

#[tokio::test]
async fn a_table_that_keeps_its_old_rows_takes_every_effect() {
    let schema = "CREATE TABLE transfers (
        id VARCHAR(64) COLLATE utf8mb4_bin PRIMARY KEY, type VARCHAR(20), state VARCHAR(20),
        amount BIGINT NOT NULL, currency CHAR(3), parent_id VARCHAR(64), trace_id VARCHAR(64),
        messages JSON, failure_code CHAR(3), settle_from DATETIME(6), updated_at DATETIME(6))";
    let versioned = format!("{schema} /*M! WITH SYSTEM VERSIONING */");
    let rig = rig(Dialect::Mysql, &versioned, "").await;
    every_effect_shows(&rig).await;
    if rig.one("SELECT VERSION()").await.contains("MariaDB") {
        let all = "SELECT COUNT(*) > 4 FROM transfers FOR SYSTEM_TIME ALL";
        assert_eq!(rig.one(all).await, "1");
    }
}

/// What `--check` says of a schema in which `transfers` is no table.
async fn fault(dialect: Dialect, schema: &str) -> String {
    let faults = check(&rig(dialect, schema, "").await.target).await.faults;
    faults.join("\n")
}

#[tokio::test]
async fn what_is_no_table_is_called_what_it_is() {
    let kept = table("kept", "PRIMARY KEY (id)");
    for (made, wanted) in [
        (
            "CREATE VIEW transfers AS SELECT DISTINCT * FROM kept",
            "\"transfers\" is a view that takes no UPDATE or no INSERT; give it INSTEAD OF triggers",
        ),
        (
            "CREATE MATERIALIZED VIEW transfers AS SELECT * FROM kept",
            "\"transfers\" is a materialized view; name the table that it is made of",
        ),
        (
            "CREATE EXTENSION postgres_fdw;
             CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
             CREATE FOREIGN TABLE transfers (id TEXT) SERVER elsewhere",
            "\"transfers\" is a foreign table; connect to the database that has it",
        ),
        (
            "CREATE SCHEMA \"Pay\"; CREATE TABLE \"Pay\".transfers (id TEXT)",
            "\"transfers\" is in schema \"Pay\"; set target.schema",
        ),
    ] {
        let schema = format!("{kept} {made}");
        assert_eq!(fault(Dialect::Postgres, &schema).await, wanted);
    }
    let view = "CREATE TABLE kept (id VARCHAR(20) PRIMARY KEY); \
                CREATE VIEW transfers AS SELECT * FROM kept";
    for dialect in [Dialect::Sqlite, Dialect::Mysql] {
        assert_eq!(
            fault(dialect, view).await,
            "\"transfers\" is a view; name the table that it is made of"
        );
    }
}

#[tokio::test]
async fn a_schema_of_its_own_has_the_table_and_what_the_adapter_keeps() {
    let schema = format!(
        "CREATE SCHEMA \"Pay\"; SET search_path = \"Pay\"; {}",
        table("transfers", "PRIMARY KEY (id)")
    );
    let rig = rig(Dialect::Postgres, &schema, "").await;
    let toml = format!(
        "[target]\nurl = \"{}\"\nschema = \"Pay\"\n{}",
        rig.url(),
        mapped("")
    );
    let config = config(&toml).unwrap();
    let database = config.target.open().await.unwrap();
    database.create_owned_tables().await.unwrap();
    let target = Target::new(database, config.mapping, config.name);
    assert_eq!(check(&target).await.faults, [""; 0]);
    let owned = "SELECT count(*) FROM pg_class WHERE relname = 'echeck_cursor' \
                 AND relnamespace = '\"Pay\"'::regnamespace";
    assert_eq!(rig.one(owned).await, "1");
}

#[test]
fn only_postgres_has_a_schema_to_name() {
    let toml = "[target]\nurl = \"mysql://a@b/c\"\nschema = \"pay\"\n";
    let fault = config(toml).err().unwrap();
    assert!(
        fault.contains("target.schema: is only for PostgreSQL"),
        "{fault}"
    );
}
