//! `echeck adapter init`: what is proposed for the tables of others, and what is left to a person.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod common;

use common::{config, history};
use echeck_adapter::check::check_deeply;
use echeck_adapter::dialect::{Access, Dialect};
use echeck_adapter::on_every_database;
use echeck_adapter::proposal::{Proposal, ProposalError};
use echeck_adapter::testing::{AdapterRig, Journal, reported};
use echeck_service::clock::{Clock as _, SystemClock};
use gateway_adapter::proposal::propose;

on_every_database!(
    the_example_is_proposed_as_it_is_made,
    a_table_of_a_rails_app_is_proposed_with_what_only_its_owner_knows,
    a_database_without_payments_gets_no_proposal,
);

async fn rig(dialect: Dialect, schema: &str) -> AdapterRig {
    AdapterRig::on(dialect, schema, config("").unwrap().mapping).await
}

async fn proposed(rig: &AdapterRig, table: Option<&str>) -> Result<Proposal, ProposalError> {
    let mut session = rig.target.database.begin(Access::Read).await.unwrap();
    let proposal = propose(&mut *session, table).await;
    session.roll_back().await;
    proposal
}

fn keys(proposal: &Proposal) -> Vec<&str> {
    let doubts = proposal.doubts().iter();
    doubts.map(|doubt| doubt.key.as_str()).collect()
}

/// The same database behind a proposed mapping, and the faults that it has with one transfer.
async fn tried(rig: AdapterRig, toml: &str, transfer: &str) -> (AdapterRig, Vec<String>) {
    let rig = rig.mapped(config(toml).unwrap().mapping).await;
    let found = check_deeply(&rig.target, Some(transfer), SystemClock.now()).await;
    (rig, found.faults)
}

async fn the_example_is_proposed_as_it_is_made(dialect: Dialect) {
    let rig = rig(dialect, gateway_adapter::demo_schema(dialect)).await;
    rig.sql(&common::D::on_any("TR1").sql()).await;
    let proposal = proposed(&rig, None).await.unwrap();
    let toml = proposal.toml();
    for line in [
        "table = \"transfers\"",
        "id = \"id\"",
        "state = \"state\"",
        "parent_id = \"parent_id\"",
        "ready_to_settle_at = \"ready_to_settle_at\"",
        "succeeded = \"SUCCEEDED\"",
        "pending = [\"PENDING\", \"PROCESSING\"]",
        "reversal = \"REVERSAL\"",
    ] {
        assert!(toml.contains(&format!("\n{line}\n")), "{line}: {toml}");
    }
    // There is a table of deposits too, and a type that is neither.
    assert_eq!(
        keys(&proposal),
        ["transfers.table", "transfers.types.debit"]
    );
    assert!(proposal.doubts()[1].what.contains("\"FEE\""), "{toml}");
    let (_, faults) = tried(rig, toml, "TR1").await;
    assert_eq!(faults, [""; 0]);
}

/// Payments as a Rails app has them: numbered, in dollars, with an enum of numbers, and beside them
/// tables that look a little like payments.
fn rails(dialect: Dialect) -> String {
    let (number, time) = match dialect {
        Dialect::Sqlite => ("INTEGER PRIMARY KEY AUTOINCREMENT", "TEXT"),
        Dialect::Postgres => ("BIGSERIAL PRIMARY KEY", "TIMESTAMP(6)"),
        Dialect::Mysql => ("BIGINT AUTO_INCREMENT PRIMARY KEY", "DATETIME(6)"),
    };
    format!(
        "CREATE TABLE invoices (id {number}, status INTEGER, amount DECIMAL(10,2));
         CREATE TABLE payments (
            id {number}, order_id BIGINT NOT NULL, number VARCHAR(32) NOT NULL UNIQUE,
            status INTEGER NOT NULL DEFAULT 0, amount DECIMAL(10,2) NOT NULL, kind VARCHAR(20) NOT NULL,
            return_key VARCHAR(64) UNIQUE, original_id BIGINT, deleted_at {time},
            created_at {time} NOT NULL, updated_at {time} NOT NULL);
         CREATE INDEX of_original ON payments (original_id);
         CREATE TABLE users (id {number}, email VARCHAR(99));
         INSERT INTO payments (order_id, number, status, amount, kind, created_at, updated_at) VALUES
            (7, 'P1', 2, 5.00, 'sale', '2026-02-20 00:00:00', '2026-02-20 00:00:00'),
            (7, 'P2', 2, 6.00, 'sale', '2026-02-20 00:00:00', '2026-02-20 00:00:00'),
            (8, 'P3', 0, 7.00, 'gift', '2026-02-20 00:00:00', '2026-02-20 00:00:00')"
    )
}

async fn a_table_of_a_rails_app_is_proposed_with_what_only_its_owner_knows(dialect: Dialect) {
    let rig = rig(dialect, &rails(dialect)).await;
    let proposal = proposed(&rig, None).await.unwrap();
    assert_eq!(
        keys(&proposal),
        [
            "transfers.table",
            "transfers.amount_unit",
            "transfers.columns.own_id",
            "transfers.states.pending",
            "transfers.types.debit",
            "transfers.reversal.copy",
        ]
    );
    let doubts = proposal.doubts();
    assert!(
        doubts[3]
            .what
            .ends_with("only the app knows the meaning: \"2\" (2 rows), \"0\" (1 row)"),
        "{doubts:?}"
    );
    assert!(doubts[4].what.contains("\"gift\" (1 row)"), "{doubts:?}");
    let toml = proposal.toml();
    let reversal = "[transfers.reversal]\n\
                    # Doubtful: a new row must have these, and gets what its original has.\n\
                    copy = [\"order_id\"]\n\n[transfers.reversal.set]\nnumber = \"{id}\"\n";
    assert!(toml.ends_with(reversal), "{toml}");
    assert!(toml.contains("null_columns = [\"deleted_at\"]"), "{toml}");

    // As it is, it does not pass.
    let (rig, faults) = tried(rig, toml, "1").await;
    assert!(faults[0].contains("is \"?pending\""), "{faults:?}");
    // What the owner says makes it work.
    let answered = toml
        .replace("pending = \"?pending\"", "pending = \"0\"")
        .replace("succeeded = \"?succeeded\"", "succeeded = \"2\"")
        .replace("failed = \"?failed\"", "failed = \"3\"")
        .replace("canceled = \"?canceled\"", "canceled = \"4\"")
        .replace("returned = \"?returned\"", "returned = \"3\"");
    let (rig, faults) = tried(rig, &answered, "1").await;
    assert_eq!(faults, [""; 0]);
    let reply = rig.apply(Journal::default().changes(history("1"))).await;
    assert_eq!(reported(&reply.unwrap().exceptions), []);
    let made =
        "SELECT number, kind, order_id FROM payments WHERE return_key IS NOT NULL ORDER BY id";
    assert_eq!(
        rig.rows(made).await,
        ["RV_1|reversal|7", "RS_1|sale|7", "RA_1|reversal|7"]
    );
}

async fn a_database_without_payments_gets_no_proposal(dialect: Dialect) {
    let schema = "CREATE TABLE users (id VARCHAR(20) PRIMARY KEY, email VARCHAR(99))";
    let rig = rig(dialect, schema).await;
    let said = proposed(&rig, None).await.err().unwrap().to_string();
    assert_eq!(
        said,
        "no table has id, state, amount by a name that is known; name it with --table. There are: users"
    );
    let said = proposed(&rig, Some("payments")).await.err().unwrap();
    let said = said.to_string();
    assert_eq!(said, "there is no table \"payments\"; there are: users");
    // A table that somebody names is proposed with what is missing.
    let proposal = proposed(&rig, Some("users")).await.unwrap();
    let doubts = keys(&proposal);
    for key in ["state", "amount", "parent_id"] {
        let key = format!("transfers.columns.{key}");
        assert!(doubts.contains(&key.as_str()), "{doubts:?}");
    }
}
