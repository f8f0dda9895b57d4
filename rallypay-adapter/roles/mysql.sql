-- The account of RallyPay's adapter in the Rails app's database (MySQL, MariaDB), for the
-- default mapping. First an account that may create tables in it runs
-- crates/adapter/src/dialect/mysql/owned_tables.sql, or a migration of the app does the same. Then
-- an administrator runs this file, with the app's database as the default one:
--
--   mariadb rallypay < mysql.sql
--
-- It may be run again; each run leaves exactly these rights. This file has no password: the
-- account is locked until you set one, in a client that writes no history
-- (MYSQL_HISTFILE=/dev/null mariadb):
--
--   ALTER USER 'echeck_rallypay'@'%' IDENTIFIED BY '…' ACCOUNT UNLOCK;
--
-- The adapter then runs with [target] create_tables = false. Better than '%' is the address that
-- the adapter connects from.
CREATE USER IF NOT EXISTS 'echeck_rallypay'@'%' ACCOUNT LOCK;
REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'echeck_rallypay'@'%';

-- SELECT finds the transactions of a batch. A transaction is never created and never deleted:
-- only the app does that. UPDATE covers what a return changes: amounts, ids and owners are out
-- of reach. One of these columns is also what lets SELECT … FOR UPDATE lock a row. Name the
-- columns as your [transactions.columns] does, and leave out those that it switches off, and a
-- lock_version or reversal_ready_at that the table does not have.
GRANT SELECT, UPDATE (status, failure_code, failure_description, returned_at, updated_at,
    lock_version, reversal_ready_at) ON transactions TO 'echeck_rallypay'@'%';

-- The adapter's own tables. The cursor moves; an exception may be recorded again, or set aside when
-- an operator adopts a journal; that decision itself never changes.
GRANT SELECT, INSERT, UPDATE ON echeck_cursor TO 'echeck_rallypay'@'%';
GRANT SELECT, INSERT, UPDATE ON echeck_identity TO 'echeck_rallypay'@'%';
GRANT SELECT, INSERT, UPDATE ON echeck_exceptions TO 'echeck_rallypay'@'%';
GRANT SELECT, INSERT ON echeck_adoptions TO 'echeck_rallypay'@'%';
