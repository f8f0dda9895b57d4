//! The core gateway's database, to its adapter.

use echeck_adapter::dialect::Dialect;

use super::{COLUMN, DATABASE, DENIED, FILE, GLOBAL, Refusal, TABLE, attempt, refuses};
use crate::accounts::{App, target};

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
        FILE,
        "Access denied",
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
