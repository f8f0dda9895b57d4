-- The account of the gateway's adapter in the core gateway's database (PostgreSQL), for the
-- default mapping. First the owner of the gateway's tables creates the adapter's own four with
-- crates/adapter/src/dialect/postgres/owned_tables.sql. Then an administrator, or an owner of the
-- tables who may create roles, runs this file, connected to the gateway's database:
--
--   psql -v ON_ERROR_STOP=1 --single-transaction -d gateway -f postgres.sql
--
-- It may be run again; each run leaves exactly these rights. This file has no password. Set
-- it afterwards; psql's \password sends only a verifier, so that the server never sees the text:
--
--   \password echeck_gateway
--
-- The adapter then runs with [target] create_tables = false. Where the tables are in another
-- schema, name it instead of public and set the account's search_path.
SELECT 'CREATE ROLE echeck_gateway LOGIN'
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'echeck_gateway') \gexec

GRANT CONNECT ON DATABASE :"DBNAME" TO echeck_gateway;
GRANT USAGE ON SCHEMA public TO echeck_gateway;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM echeck_gateway;

-- SELECT finds the transfers of a file, and shows them as they are now. INSERT writes
-- reversals and restorations. Nothing is ever deleted.
GRANT SELECT, INSERT ON transfers TO echeck_gateway;

-- What a return changes in a transfer: amounts, ids, owners and links are out of reach. One of
-- these columns is also what lets SELECT … FOR UPDATE lock a row. Name the columns as your
-- [transfers.columns] does, and leave out those that it switches off.
GRANT UPDATE (state, messages, raw, failure_code, failure_message, ready_to_settle_at, updated_at)
    ON transfers TO echeck_gateway;

-- The adapter's own tables. The cursor moves; an exception may be recorded again, or set aside when
-- an operator adopts a journal; that decision itself never changes.
GRANT SELECT, INSERT, UPDATE ON echeck_cursor, echeck_identity, echeck_exceptions TO echeck_gateway;
GRANT SELECT, INSERT ON echeck_adoptions TO echeck_gateway;

-- A trigger on transfers runs with the rights of the adapter, unless its function is SECURITY
-- DEFINER: grant what it writes, or the adapter stops with the name of the table. The same
-- holds for USAGE of a sequence that gives a column of a reversal its default.

-- Rights that PostgreSQL gives to every account of a database. They can only be revoked for all at
-- once, so this file leaves it to you:
--   REVOKE TEMPORARY ON DATABASE … FROM PUBLIC;  -- temporary tables, which only their creator sees
DO $$
BEGIN
    IF has_schema_privilege('echeck_gateway', 'public', 'CREATE') THEN
        RAISE WARNING 'every account may create tables in the schema public, as in databases '
            'of PostgreSQL 14 or older; run: REVOKE CREATE ON SCHEMA public FROM PUBLIC';
    END IF;
END
$$;
