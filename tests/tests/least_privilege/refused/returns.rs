//! The returns database, to the service and to the owner of its tables.

use super::{DENIED, Refusal, attempt, refuses};
use crate::accounts::{Database, Returns};
use crate::services::refusal_of_returns;

const RETURNS: &[Refusal] = &[
    ("CREATE TABLE more (x INT)", DENIED, "schema public"),
    (
        "CREATE TEMPORARY TABLE more (x INT)",
        DENIED,
        "temporary tables",
    ),
    ("CREATE SCHEMA more", DENIED, "database"),
    (
        "CREATE VIEW public.more AS SELECT 1",
        DENIED,
        "schema public",
    ),
    (
        "CREATE FUNCTION public.more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        DENIED,
        "schema public",
    ),
    (
        "CREATE INDEX ON journal (code)",
        DENIED,
        "owner of table journal",
    ),
    (
        "ALTER TABLE imports ADD COLUMN more INT",
        DENIED,
        "owner of table imports",
    ),
    (
        "ALTER TABLE journal DISABLE TRIGGER ALL",
        DENIED,
        "owner of table journal",
    ),
    (
        "DROP TRIGGER journal_rows_are_never_touched ON journal",
        DENIED,
        "owner of relation journal",
    ),
    (
        "DROP FUNCTION refuse_to_touch_journal_rows CASCADE",
        DENIED,
        "owner of function",
    ),
    (
        "SET session_replication_role = replica",
        DENIED,
        "session_replication_role",
    ),
    ("DROP TABLE leases", DENIED, "owner of table leases"),
    ("TRUNCATE leases", DENIED, "table leases"),
    ("TRUNCATE journal CASCADE", DENIED, "table journal"),
    ("UPDATE journal SET payload = ''", DENIED, "table journal"),
    (
        "UPDATE journal SET position = position",
        DENIED,
        "table journal",
    ),
    ("SELECT 1 FROM journal FOR UPDATE", DENIED, "table journal"),
    (
        "INSERT INTO journal SELECT * FROM journal ON CONFLICT (position) DO UPDATE SET payload = ''",
        DENIED,
        "table journal",
    ),
    ("DELETE FROM journal", DENIED, "table journal"),
    (
        "UPDATE journal_head SET journal_id = gen_random_uuid()",
        DENIED,
        "table journal_head",
    ),
    ("DELETE FROM journal_head", DENIED, "table journal_head"),
    ("UPDATE imports SET sha256 = ''", DENIED, "table imports"),
    ("DELETE FROM imports", DENIED, "table imports"),
    ("DELETE FROM import_files", DENIED, "table import_files"),
    (
        "UPDATE import_files SET import_id = ''",
        DENIED,
        "table import_files",
    ),
    (
        "UPDATE import_stretches SET first_position = 1",
        DENIED,
        "table import_stretches",
    ),
    (
        "DELETE FROM import_stretches",
        DENIED,
        "table import_stretches",
    ),
    (
        "UPDATE import_rejected_lines SET rejected = ''",
        DENIED,
        "table import_rejected_lines",
    ),
    (
        "DELETE FROM import_rejected_lines",
        DENIED,
        "table import_rejected_lines",
    ),
    (
        "UPDATE import_duplicates SET line = 1",
        DENIED,
        "table import_duplicates",
    ),
    (
        "DELETE FROM import_duplicates",
        DENIED,
        "table import_duplicates",
    ),
    (
        "UPDATE import_prenotes SET entry = '{}'",
        DENIED,
        "table import_prenotes",
    ),
    (
        "DELETE FROM import_prenotes",
        DENIED,
        "table import_prenotes",
    ),
    ("UPDATE holds SET entry = '{}'", DENIED, "table holds"),
    ("DELETE FROM holds", DENIED, "table holds"),
    (
        "UPDATE hold_transfers SET hold_id = ''",
        DENIED,
        "table hold_transfers",
    ),
    ("DELETE FROM hold_transfers", DENIED, "table hold_transfers"),
    (
        "UPDATE dishonorable SET import_id = ''",
        DENIED,
        "table dishonorable",
    ),
    ("DELETE FROM webhook_head", DENIED, "table webhook_head"),
    (
        "UPDATE webhook_events SET facts = '{}'",
        DENIED,
        "table webhook_events",
    ),
    ("DELETE FROM webhook_events", DENIED, "table webhook_events"),
    (
        "UPDATE webhook_endpoints SET style = 'finix'",
        DENIED,
        "table webhook_endpoints",
    ),
    (
        "DELETE FROM webhook_endpoints",
        DENIED,
        "table webhook_endpoints",
    ),
    (
        "UPDATE webhook_secrets SET sealed = ''",
        DENIED,
        "table webhook_secrets",
    ),
    (
        "DELETE FROM webhook_secrets",
        DENIED,
        "table webhook_secrets",
    ),
    (
        "UPDATE webhook_deliveries SET message_id = ''",
        DENIED,
        "table webhook_deliveries",
    ),
    (
        "DELETE FROM webhook_deliveries",
        DENIED,
        "table webhook_deliveries",
    ),
    ("UPDATE followers SET name = 'x'", DENIED, "table followers"),
    ("DELETE FROM followers", DENIED, "table followers"),
    (
        "UPDATE follower_exceptions SET message = ''",
        DENIED,
        "table follower_exceptions",
    ),
    (
        "UPDATE adoptions SET reason = ''",
        DENIED,
        "table adoptions",
    ),
    ("DELETE FROM adoptions", DENIED, "table adoptions"),
    (
        "INSERT INTO _sqlx_migrations SELECT * FROM _sqlx_migrations",
        DENIED,
        "table _sqlx_migrations",
    ),
    ("CREATE ROLE more", DENIED, "role"),
    ("COPY journal TO PROGRAM 'cat'", DENIED, "COPY"),
];

#[tokio::test]
async fn the_returns_service_can_do_nothing_but_its_work() {
    let returns = Returns::new().await;
    // With tables, and whole rights.
    let user = &returns.database.user;
    let take = format!("REVOKE DELETE ON leases FROM {user}");
    let said = refusal_of_returns(&returns, &take).await;
    assert!(said.contains("lacks rights: DELETE on leases."), "{said}");
    returns.grant();
    refuses(&returns.database, RETURNS).await;
    let mut connection = returns.database.account.connect().await.unwrap();
    let become_owner = format!("SET ROLE {user}_owner");
    let (code, _) = attempt(&mut connection, &become_owner).await.unwrap();
    assert_eq!(code, DENIED);
}

#[tokio::test]
async fn the_owner_of_the_returns_tables_is_no_administrator_and_bound_by_the_journals_trigger() {
    let returns = Returns::new().await;
    let take = format!("REVOKE DELETE ON leases FROM {}", returns.database.user);
    refusal_of_returns(&returns, &take).await;
    let owner = Database {
        account: returns.owner.clone(),
        ..returns.database
    };
    let refusals = [
        (
            "DELETE FROM journal",
            "23001",
            "journal rows are never deleted",
        ),
        (
            "UPDATE journal SET payload = ''",
            "23001",
            "journal rows are never changed",
        ),
        (
            "TRUNCATE journal CASCADE",
            "23001",
            "journal rows are never deleted",
        ),
        ("CREATE ROLE more", DENIED, "role"),
        ("CREATE DATABASE more", DENIED, "database"),
    ];
    refuses(&owner, &refusals).await;
}
