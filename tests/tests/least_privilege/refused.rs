//! What each account may not do: the server itself refuses it.

use echeck::database::Connection;
use echeck_adapter::dialect::Dialect;
use sqlx::mysql::MySqlDatabaseError;

use super::accounts::{App, Database, Returns, target};
use super::services::refusal_of_returns;

/// PostgreSQL's insufficient_privilege.
const DENIED: &str = "42501";
/// MariaDB's words for a right to a database, a table, a column, and to everything.
const DATABASE: &str = "1044";
const TABLE: &str = "1142";
const COLUMN: &str = "1143";
const GLOBAL: &str = "1227";

/// A statement, the code and a part of the message by which the server refuses it.
type Refusal = (&'static str, &'static str, &'static str);

async fn refuses(database: &Database, refusals: &[Refusal]) {
    let mut connection = database.account.connect().await.unwrap();
    let mut unlike = Vec::new();
    for (statement, code, part) in refusals {
        let answer = attempt(&mut connection, statement).await;
        if !matches!(&answer, Some((is, said)) if is == code && said.contains(part)) {
            unlike.push(format!("{statement}: {answer:?}"));
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

/// The code and the message of a refusal; `None` when it was done.
async fn attempt(connection: &mut Connection, statement: &str) -> Option<(String, String)> {
    let error = connection.script(statement).await.err()?;
    let error = error.downcast_ref::<sqlx::Error>().unwrap();
    let error = error.as_database_error().unwrap();
    let code = match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => error.number().to_string(),
        None => error.code().unwrap_or_default().into_owned(),
    };
    Some((code, error.message().to_owned()))
}

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
    ("UPDATE holds SET entry = '{}'", DENIED, "table holds"),
    ("DELETE FROM holds", DENIED, "table holds"),
    (
        "UPDATE hold_transfers SET hold_id = ''",
        DENIED,
        "table hold_transfers",
    ),
    ("DELETE FROM hold_transfers", DENIED, "table hold_transfers"),
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

const GATEWAY_ON_POSTGRES: &[Refusal] = &[
    ("CREATE TABLE more (x INT)", DENIED, "schema public"),
    (
        "CREATE VIEW public.more AS SELECT 1",
        DENIED,
        "schema public",
    ),
    (
        "CREATE INDEX ON transfers (amount)",
        DENIED,
        "owner of table transfers",
    ),
    (
        "ALTER TABLE transfers ADD COLUMN more INT",
        DENIED,
        "owner of table transfers",
    ),
    (
        "ALTER TABLE transfers DISABLE TRIGGER ALL",
        DENIED,
        "owner of table transfers",
    ),
    ("DROP TABLE transfers", DENIED, "owner of table transfers"),
    (
        "DROP TABLE echeck_cursor",
        DENIED,
        "owner of table echeck_cursor",
    ),
    ("TRUNCATE transfers", DENIED, "table transfers"),
    ("DELETE FROM transfers", DENIED, "table transfers"),
    ("UPDATE transfers SET amount = 1", DENIED, "table transfers"),
    (
        "UPDATE transfers SET state = 'FAILED', amount = amount",
        DENIED,
        "table transfers",
    ),
    ("UPDATE transfers SET id = 'x'", DENIED, "table transfers"),
    ("UPDATE transfers SET fee = 0", DENIED, "table transfers"),
    (
        "UPDATE transfers SET destination = 'x'",
        DENIED,
        "table transfers",
    ),
    (
        "UPDATE transfers SET merchant_identity = 'x'",
        DENIED,
        "table transfers",
    ),
    (
        "UPDATE transfers SET parent_id = NULL",
        DENIED,
        "table transfers",
    ),
    (
        "UPDATE transfers SET deposit_id = NULL",
        DENIED,
        "table transfers",
    ),
    (
        "INSERT INTO transfers (id) VALUES ('x') ON CONFLICT (id) DO UPDATE SET amount = 1",
        DENIED,
        "table transfers",
    ),
    ("SELECT * FROM secrets", DENIED, "table secrets"),
    ("SELECT count(*) FROM secrets", DENIED, "table secrets"),
    (
        "INSERT INTO secrets VALUES (2, '')",
        DENIED,
        "table secrets",
    ),
    ("SELECT * FROM deposits", DENIED, "table deposits"),
    ("DELETE FROM echeck_cursor", DENIED, "table echeck_cursor"),
    (
        "DELETE FROM echeck_exceptions",
        DENIED,
        "table echeck_exceptions",
    ),
    (
        "TRUNCATE echeck_exceptions",
        DENIED,
        "table echeck_exceptions",
    ),
    (
        "UPDATE echeck_adoptions SET reason = ''",
        DENIED,
        "table echeck_adoptions",
    ),
    (
        "DELETE FROM echeck_adoptions",
        DENIED,
        "table echeck_adoptions",
    ),
    ("COPY transfers TO PROGRAM 'cat'", DENIED, "COPY"),
];

const GATEWAY_ON_MARIADB: &[Refusal] = &[
    ("CREATE TABLE more (x INT)", TABLE, "CREATE command denied"),
    (
        "CREATE TEMPORARY TABLE more (x INT)",
        DATABASE,
        "Access denied",
    ),
    (
        "CREATE VIEW more AS SELECT 1",
        TABLE,
        "CREATE VIEW command denied",
    ),
    (
        "CREATE INDEX more ON transfers (amount)",
        TABLE,
        "INDEX command denied",
    ),
    (
        "CREATE TRIGGER more BEFORE INSERT ON transfers FOR EACH ROW SET NEW.fee = 0",
        TABLE,
        "TRIGGER command denied",
    ),
    (
        "ALTER TABLE transfers ADD COLUMN more INT",
        TABLE,
        "ALTER command denied",
    ),
    ("DROP TABLE transfers", TABLE, "DROP command denied"),
    ("DROP TABLE echeck_cursor", TABLE, "DROP command denied"),
    ("TRUNCATE TABLE transfers", TABLE, "DROP command denied"),
    ("DELETE FROM transfers", TABLE, "DELETE command denied"),
    (
        "UPDATE transfers SET amount = 1",
        COLUMN,
        "'amount' in table 'transfers'",
    ),
    (
        "UPDATE transfers SET state = 'FAILED', amount = amount",
        COLUMN,
        "'amount'",
    ),
    ("UPDATE transfers SET id = 'x'", COLUMN, "'id'"),
    ("UPDATE transfers SET fee = 0", COLUMN, "'fee'"),
    (
        "UPDATE transfers SET destination = 'x'",
        COLUMN,
        "'destination'",
    ),
    (
        "UPDATE transfers SET merchant_identity = 'x'",
        COLUMN,
        "'merchant_identity'",
    ),
    (
        "UPDATE transfers SET parent_id = NULL",
        COLUMN,
        "'parent_id'",
    ),
    (
        "UPDATE transfers SET deposit_id = NULL",
        COLUMN,
        "'deposit_id'",
    ),
    (
        "INSERT INTO transfers (id) VALUES ('x') ON DUPLICATE KEY UPDATE amount = 1",
        COLUMN,
        "UPDATE command denied",
    ),
    (
        "REPLACE INTO transfers (id) VALUES ('x')",
        TABLE,
        "DELETE command denied",
    ),
    ("SELECT * FROM secrets", TABLE, "SELECT command denied"),
    (
        "SELECT count(*) FROM secrets",
        TABLE,
        "SELECT command denied",
    ),
    (
        "INSERT INTO secrets VALUES (2, '')",
        TABLE,
        "INSERT command denied",
    ),
    ("SELECT * FROM deposits", TABLE, "SELECT command denied"),
    ("DELETE FROM echeck_cursor", TABLE, "DELETE command denied"),
    (
        "DELETE FROM echeck_exceptions",
        TABLE,
        "DELETE command denied",
    ),
    (
        "TRUNCATE TABLE echeck_exceptions",
        TABLE,
        "DROP command denied",
    ),
    (
        "UPDATE echeck_adoptions SET reason = ''",
        TABLE,
        "UPDATE command denied",
    ),
    (
        "DELETE FROM echeck_adoptions",
        TABLE,
        "DELETE command denied",
    ),
    ("LOCK TABLES transfers WRITE", DATABASE, "Access denied"),
    ("CREATE DATABASE more", DATABASE, "Access denied"),
    ("CREATE USER more", GLOBAL, "CREATE USER"),
    (
        "SELECT * FROM transfers INTO OUTFILE '/tmp/more'",
        GLOBAL,
        "FILE privilege",
    ),
];

const RALLYPAY_ON_POSTGRES: &[Refusal] = &[
    ("CREATE TABLE more (x INT)", DENIED, "schema public"),
    (
        "ALTER TABLE transactions ADD COLUMN more INT",
        DENIED,
        "owner of table transactions",
    ),
    (
        "DROP TABLE transactions",
        DENIED,
        "owner of table transactions",
    ),
    ("TRUNCATE transactions", DENIED, "table transactions"),
    ("DELETE FROM transactions", DENIED, "table transactions"),
    (
        "INSERT INTO transactions (transfer_id) VALUES ('x')",
        DENIED,
        "table transactions",
    ),
    (
        "UPDATE transactions SET amount_cents = 1",
        DENIED,
        "table transactions",
    ),
    (
        "UPDATE transactions SET transfer_id = 'x'",
        DENIED,
        "table transactions",
    ),
    (
        "UPDATE transactions SET merchant_name = 'x'",
        DENIED,
        "table transactions",
    ),
    (
        "UPDATE transactions SET created_at = now()",
        DENIED,
        "table transactions",
    ),
    ("SELECT * FROM secrets", DENIED, "table secrets"),
    (
        "SELECT nextval('transactions_id_seq')",
        DENIED,
        "sequence transactions_id_seq",
    ),
    ("DELETE FROM echeck_cursor", DENIED, "table echeck_cursor"),
    (
        "DELETE FROM echeck_exceptions",
        DENIED,
        "table echeck_exceptions",
    ),
    (
        "UPDATE echeck_adoptions SET reason = ''",
        DENIED,
        "table echeck_adoptions",
    ),
];

const RALLYPAY_ON_MARIADB: &[Refusal] = &[
    ("CREATE TABLE more (x INT)", TABLE, "CREATE command denied"),
    (
        "CREATE TEMPORARY TABLE more (x INT)",
        DATABASE,
        "Access denied",
    ),
    (
        "ALTER TABLE transactions ADD COLUMN more INT",
        TABLE,
        "ALTER command denied",
    ),
    ("DROP TABLE transactions", TABLE, "DROP command denied"),
    ("TRUNCATE TABLE transactions", TABLE, "DROP command denied"),
    ("DELETE FROM transactions", TABLE, "DELETE command denied"),
    (
        "INSERT INTO transactions (transfer_id) VALUES ('x')",
        TABLE,
        "INSERT command denied",
    ),
    (
        "UPDATE transactions SET amount_cents = 1",
        COLUMN,
        "'amount_cents'",
    ),
    (
        "UPDATE transactions SET transfer_id = 'x'",
        COLUMN,
        "'transfer_id'",
    ),
    (
        "UPDATE transactions SET merchant_name = 'x'",
        COLUMN,
        "'merchant_name'",
    ),
    (
        "UPDATE transactions SET created_at = now()",
        COLUMN,
        "'created_at'",
    ),
    ("SELECT * FROM secrets", TABLE, "SELECT command denied"),
    ("DELETE FROM echeck_cursor", TABLE, "DELETE command denied"),
    (
        "DELETE FROM echeck_exceptions",
        TABLE,
        "DELETE command denied",
    ),
    (
        "UPDATE echeck_adoptions SET reason = ''",
        TABLE,
        "UPDATE command denied",
    ),
];

#[tokio::test]
async fn the_gateways_adapter_can_do_nothing_but_its_work() {
    refuses(
        &target(App::Gateway, Dialect::Postgres).await,
        GATEWAY_ON_POSTGRES,
    )
    .await;
    refuses(
        &target(App::Gateway, Dialect::Mysql).await,
        GATEWAY_ON_MARIADB,
    )
    .await;
}

#[tokio::test]
async fn an_account_cannot_hand_its_rights_on() {
    let gateway = target(App::Gateway, Dialect::Postgres).await;
    let rights = "SELECT relacl::text FROM pg_class WHERE oid = 'transfers'::regclass";
    let before = gateway.value(rights).await;
    let mut connection = gateway.account.connect().await.unwrap();
    // PostgreSQL only warns that nothing was granted.
    let grant = "GRANT SELECT, INSERT, DELETE ON transfers TO PUBLIC";
    assert_eq!(attempt(&mut connection, grant).await, None);
    assert_eq!(gateway.value(rights).await, before);

    let gateway = target(App::Gateway, Dialect::Mysql).await;
    let grant: &[Refusal] = &[(
        "GRANT SELECT ON transfers TO CURRENT_USER()",
        TABLE,
        "GRANT command denied",
    )];
    refuses(&gateway, grant).await;
}

#[tokio::test]
async fn rallypays_adapter_can_do_nothing_but_its_work() {
    refuses(
        &target(App::RallyPay, Dialect::Postgres).await,
        RALLYPAY_ON_POSTGRES,
    )
    .await;
    refuses(
        &target(App::RallyPay, Dialect::Mysql).await,
        RALLYPAY_ON_MARIADB,
    )
    .await;
}
