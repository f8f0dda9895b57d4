-- The account of RallyPay's adapter in the Rails app's database (PostgreSQL), for the default
-- mapping. First the owner of the app's tables creates the adapter's own four with
-- crates/adapter/src/dialect/postgres/owned_tables.sql, or a migration of the app does. Then an
-- administrator, or an owner of the tables who may create roles, runs this file, connected to the
-- app's database:
--
--   psql -v ON_ERROR_STOP=1 --single-transaction -d rallypay -f postgres.sql
--
-- It may be run again; each run leaves exactly these rights. This file has no password. Set
-- it afterwards; psql's \password sends only a verifier, so that the server never sees the text:
--
--   \password echeck_rallypay
--
-- The adapter then runs with [target] create_tables = false. Where the tables are in another
-- schema, name it instead of public and set the account's search_path.
SELECT 'CREATE ROLE echeck_rallypay LOGIN'
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'echeck_rallypay') \gexec

GRANT CONNECT ON DATABASE :"DBNAME" TO echeck_rallypay;
GRANT USAGE ON SCHEMA public TO echeck_rallypay;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM echeck_rallypay;

-- SELECT finds the transactions of a batch. A transaction is never created and never deleted:
-- only the app does that.
GRANT SELECT ON transactions TO echeck_rallypay;

-- What a return changes in a transaction: amounts, ids and owners are out of reach. One of
-- these columns is also what lets SELECT … FOR UPDATE lock a row. Name the columns as your
-- [transactions.columns] does, and leave out those that it switches off, and a lock_version or
-- reversal_ready_at that the table does not have.
GRANT UPDATE (status, failure_code, failure_description, returned_at, updated_at, lock_version,
    reversal_ready_at) ON transactions TO echeck_rallypay;

-- The adapter's own tables. The cursor moves; an exception may be recorded again, or set aside when
-- an operator adopts a journal; that decision itself never changes.
GRANT SELECT, INSERT, UPDATE ON echeck_cursor, echeck_identity, echeck_exceptions TO echeck_rallypay;
GRANT SELECT, INSERT ON echeck_adoptions TO echeck_rallypay;

-- A trigger on transactions runs with the rights of the adapter, unless its function is
-- SECURITY DEFINER: grant what it writes, or the adapter stops with the name of the table.

-- Rights that PostgreSQL gives to every account of a database. They can only be revoked for all at
-- once, so this file leaves it to you:
--   REVOKE TEMPORARY ON DATABASE … FROM PUBLIC;  -- temporary tables, which only their creator sees
DO $$
BEGIN
    IF has_schema_privilege('echeck_rallypay', 'public', 'CREATE') THEN
        RAISE WARNING 'every account may create tables in the schema public, as in databases '
            'of PostgreSQL 14 or older; run: REVOKE CREATE ON SCHEMA public FROM PUBLIC';
    END IF;
END
$$;
