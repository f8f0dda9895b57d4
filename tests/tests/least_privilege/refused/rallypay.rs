//! The Rails app's database, to its adapter.

use echeck_adapter::dialect::Dialect;

use super::{COLUMN, DATABASE, DENIED, Refusal, TABLE, refuses};
use crate::accounts::{App, target};

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
