-- The account of the gateway's adapter in the core gateway's database (MySQL, MariaDB), for the
-- default mapping. First an account that may create tables in it runs
-- crates/adapter/src/dialect/mysql/owned_tables.sql. Then an administrator runs this file, with
-- the gateway's database as the default one:
--
--   mariadb gateway < mysql.sql
--
-- It may be run again; each run leaves exactly these rights. This file has no password: the
-- account is locked until you set one, in a client that writes no history
-- (MYSQL_HISTFILE=/dev/null mariadb):
--
--   ALTER USER 'echeck_gateway'@'%' IDENTIFIED BY '…' ACCOUNT UNLOCK;
--
-- The adapter then runs with [target] create_tables = false. Better than '%' is the address that
-- the adapter connects from.
CREATE USER IF NOT EXISTS 'echeck_gateway'@'%' ACCOUNT LOCK;
REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'echeck_gateway'@'%';

-- SELECT finds the transfers of a file, and shows them as they are now. INSERT writes reversals
-- and restorations. Nothing is ever deleted. UPDATE covers what a return changes in a transfer:
-- amounts, ids, owners and links are out of reach. One of these columns is also what lets
-- SELECT … FOR UPDATE lock a row. Name the columns as your [transfers.columns] does, and leave
-- out those that it switches off.
GRANT SELECT, INSERT, UPDATE (state, messages, raw, failure_code, failure_message,
    ready_to_settle_at, updated_at) ON transfers TO 'echeck_gateway'@'%';

-- The adapter's own tables. The cursor moves; an exception may be recorded again, or set aside when
-- an operator adopts a journal; that decision itself never changes.
GRANT SELECT, INSERT, UPDATE ON echeck_cursor TO 'echeck_gateway'@'%';
GRANT SELECT, INSERT, UPDATE ON echeck_identity TO 'echeck_gateway'@'%';
GRANT SELECT, INSERT, UPDATE ON echeck_exceptions TO 'echeck_gateway'@'%';
GRANT SELECT, INSERT ON echeck_adoptions TO 'echeck_gateway'@'%';
