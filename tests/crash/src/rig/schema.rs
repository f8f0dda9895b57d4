//! The two target databases, as their owners made them, with an audit of our own: a trigger
//! that writes down every change of a transfer, in the transaction that makes it. It is how
//! the checks count effects, whatever the rows look like in the end.
//!
//! The owner's own changes raise `fee` by one, which no adapter touches; so the audit can
//! leave them out.

use anyhow::{Result, bail};
use echeck_adapter::dialect::Dialect;

use crate::db::Db;

/// The merchant whose transfers the gateway's database refuses to change.
pub const REFUSING_MERCHANT: &str = "IDrefuses";

const SQLITE_AUDIT: &str = "
CREATE TABLE crash_audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    transfer_id TEXT NOT NULL,
    old_state TEXT NOT NULL,
    new_state TEXT NOT NULL
);
CREATE TRIGGER crash_audit_updates BEFORE UPDATE ON transfers WHEN NEW.fee = OLD.fee
BEGIN
    SELECT RAISE(ABORT, 'this transfer is not to be changed')
        WHERE OLD.merchant_identity = 'IDrefuses';
    INSERT INTO crash_audit (transfer_id, old_state, new_state)
        VALUES (OLD.id, OLD.state, NEW.state);
END;";

const MYSQL_AUDIT: [&str; 2] = [
    "CREATE TABLE crash_audit (
        seq BIGINT AUTO_INCREMENT PRIMARY KEY,
        transfer_id VARCHAR(64) NOT NULL,
        old_state VARCHAR(16) NOT NULL,
        new_state VARCHAR(16) NOT NULL,
        KEY crash_audit_by_transfer (transfer_id)
    ) ENGINE = InnoDB",
    "CREATE TRIGGER crash_audit_updates BEFORE UPDATE ON transfers FOR EACH ROW
    BEGIN
        IF NEW.fee = OLD.fee THEN
            IF OLD.merchant_identity = 'IDrefuses' THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this transfer is not to be changed';
            END IF;
            INSERT INTO crash_audit (transfer_id, old_state, new_state)
                VALUES (OLD.id, OLD.state, NEW.state);
        END IF;
    END",
];

/// Makes the gateway's tables.
pub(super) async fn make_gateway(db: &Db) -> Result<()> {
    match db {
        Db::Sqlite(_) => {
            db.run(gateway_adapter::demo_schema(Dialect::Sqlite))
                .await?;
            db.run(SQLITE_AUDIT).await?;
        }
        Db::MySql(_) => {
            db.run(gateway_adapter::demo_schema(Dialect::Mysql)).await?;
            for statement in MYSQL_AUDIT {
                db.run(statement).await?;
            }
        }
        Db::Postgres(_) => bail!("the gateway of a campaign is on SQLite or MariaDB"),
    }
    db.run("INSERT INTO deposits (id, created_at) VALUES ('DEP1', '2026-11-01 12:00:00')")
        .await?;
    Ok(())
}

/// Makes the Rails app's tables. `lock_version` counts the changes of each row there.
pub(super) async fn make_rallypay(db: &Db) -> Result<()> {
    match db {
        Db::Sqlite(_) => {
            db.run(rallypay_adapter::demo_schema(Dialect::Sqlite))
                .await?
        }
        Db::Postgres(_) => {
            db.run(rallypay_adapter::demo_schema(Dialect::Postgres))
                .await?
        }
        Db::MySql(_) => bail!("the Rails app of a campaign is on SQLite or PostgreSQL"),
    };
    Ok(())
}
