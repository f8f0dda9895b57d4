-- The two accounts of the returns database. An administrator of the server runs this once,
-- connected to that database:
--
--   psql -v ON_ERROR_STOP=1 --single-transaction -d returns -f postgres.sql
--
-- The database belongs to the returns service alone. No password is in here. Set both
-- afterwards; psql's \password sends only a verifier, so that the server never sees the text:
--
--   \password echeck_returns_owner
--   \password echeck_returns
--
-- Then, now and with every new version of the service, in this order:
--
--   1. returns-service --config … --migrate, with ECHECK__DATABASE__URL naming the owner, makes
--      or changes the tables and ends;
--   2. psql -v ON_ERROR_STOP=1 -d returns -U echeck_returns_owner -f postgres_grants.sql gives
--      the service's account its rights on them;
--   3. the service starts as echeck_returns, with [database] migrate = false.

-- Makes, changes and owns the tables. Nothing runs as this account for longer than step 1
-- and 2 take.
SELECT 'CREATE ROLE echeck_returns_owner LOGIN'
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'echeck_returns_owner') \gexec

-- What the service runs as.
SELECT 'CREATE ROLE echeck_returns LOGIN'
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'echeck_returns') \gexec

-- Nobody else comes in, and nobody makes temporary tables. (:"DBNAME" is what psql is
-- connected to.)
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO echeck_returns_owner, echeck_returns;

-- Only the owner makes tables; the service may only use what is there. A database that was
-- made by PostgreSQL 14 or older lets everybody make tables in public.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO echeck_returns_owner;
GRANT USAGE ON SCHEMA public TO echeck_returns;
