-- What the account of the running returns service may do with its tables: after each
-- migration, by their owner (postgres.sql beside this file has the whole procedure):
--
--   psql -v ON_ERROR_STOP=1 -d returns -U echeck_returns_owner -f postgres_grants.sql
--
-- Each run leaves exactly these rights, whatever there was before, and at no moment less. The
-- service compares them at its start and names what is missing.
BEGIN;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM echeck_returns;

-- With migrate = false, the service looks whether every migration is applied.
GRANT SELECT ON _sqlx_migrations TO echeck_returns;

-- The journal is only read and appended to. A trigger guards its rows too, which only the
-- owner could switch off.
GRANT SELECT, INSERT ON journal TO echeck_returns;

-- The journal's end moves with each append, its identity never changes. INSERT is for the
-- first start; there can be only one row.
GRANT SELECT, INSERT, UPDATE (position, hash) ON journal_head TO echeck_returns;

-- What was received stays as it was recorded; an import's phase, progress and claim move.
GRANT SELECT, INSERT, UPDATE (phase, done, totals, moves, checked, rejection, rejected_at,
    decided_at, applied_at, row_count, first_position, last_position, claimed_by, claimed_until,
    work_begun, files_done) ON imports TO echeck_returns;

-- What of an import is in the bucket. No row is ever deleted.
GRANT SELECT, INSERT, UPDATE (archive_key, archive_sha256, archive_size, archived_at, report_key,
    report_sha256, report_size, report_rows, totals_key, totals, ties_out, reported_at, attempts,
    fault, fault_area, fault_since) ON import_files TO echeck_returns;

-- Written once with the rows they belong to.
GRANT SELECT, INSERT ON import_stretches, import_rejected_lines, import_duplicates,
    import_prenotes TO echeck_returns;

-- The entry that is held stays as it came; what is known of it and what became of it change.
GRANT SELECT, INSERT, UPDATE (reason, detail, transfer_ids, state, attempts, next_attempt_at,
    closed_at, closed_by, note, resolved_position, published_state) ON holds TO echeck_returns;
GRANT SELECT, INSERT ON hold_transfers TO echeck_returns;

-- Which returns may be dishonored belongs to the decision that stands: another one replaces the
-- mark, or deletes it.
GRANT SELECT, INSERT, UPDATE (line, transfer_id, return_id, hold_id, code, fields, last_day, why,
    others, amount_minor, currency, return_code, settled_on, marked_at), DELETE ON dishonorable
    TO echeck_returns;

-- How far each database is. Exceptions of rows that a restored database applies again are
-- replaced.
GRANT SELECT, INSERT, UPDATE (position, updated_at, fault, fault_since) ON followers
    TO echeck_returns;
GRANT SELECT, INSERT, UPDATE (handled), DELETE ON follower_exceptions TO echeck_returns;

-- That a row cannot be read stays; an operator's decision to skip it is added.
GRANT SELECT, INSERT, UPDATE (skipped_at, skipped_by, skipped_reason) ON unreadable_rows
    TO echeck_returns;

-- What watches the database writes to it.
GRANT SELECT, INSERT, UPDATE (written_at) ON liveness TO echeck_returns;

-- A lease is given back by deleting it.
GRANT SELECT, INSERT, UPDATE (owner, until), DELETE ON leases TO echeck_returns;

-- An operator's decision stays; that the target has carried it out is added.
GRANT SELECT, INSERT, UPDATE (adopted_at) ON adoptions TO echeck_returns;

-- Which row made a transfer moves when that row is superseded; it becomes ready once.
GRANT SELECT, INSERT, UPDATE (position, decided_at, ready_at) ON made_transfers TO echeck_returns;

-- What operators change of a source, and its next try; who did it stays as it was written.
GRANT SELECT, INSERT, UPDATE (known_since, due_since, plan, paused_at, paused_by, paused_reason,
    retry_at, retries, version) ON sources TO echeck_returns;

-- The audit log is only read and appended to, and a trigger guards it; its end moves.
GRANT SELECT, INSERT ON audit TO echeck_returns;
GRANT SELECT, UPDATE (position, hash) ON audit_head TO echeck_returns;

-- A request's answer is added, and it is forgotten in time; a proposal is decided once, or again when
-- what was approved could not be done.
GRANT SELECT, INSERT, UPDATE (answer, claimed_until), DELETE ON requests TO echeck_returns;
GRANT SELECT, INSERT, UPDATE (approved, decided_by, decided_at) ON proposals TO echeck_returns;

-- A run ends once, and its lease moves until then.
GRANT SELECT, INSERT, UPDATE (leased_by, leased_until, ended_at, outcome, summary, cause, files)
    ON job_runs TO echeck_returns;

-- That a file was taken stays; that it was archived at the acquirer is added.
GRANT SELECT, INSERT, UPDATE (archived_remotely_at) ON remote_files TO echeck_returns;
-- What an incident is about stays; what becomes of it changes. Its history is only appended
-- to, and a trigger guards it.
GRANT SELECT, INSERT, UPDATE (state, content, seen, reopened, last_seen_at, next_try_at,
    quiet_since, acknowledged_at, acknowledged_by, acknowledged_note, closed_at, closed_by,
    closed_note, alerted_at, waiting_since, escalations, notified, version) ON incidents
    TO echeck_returns;
GRANT SELECT, INSERT ON incident_events TO echeck_returns;

-- Whether an alert was delivered, and why not.
GRANT SELECT, INSERT, UPDATE (state, attempts, next_attempt_at, claimed_until, sent_at,
    last_error) ON alerts TO echeck_returns;

-- What platforms are sent: events are only appended to, their end and the position that they
-- have reached move. An endpoint's style, version and beginning stay; so does a key, but for
-- when it retires. Of a delivery only what becomes of it changes.
GRANT SELECT, UPDATE (sequence, position) ON webhook_head TO echeck_returns;
GRANT SELECT, INSERT ON webhook_events TO echeck_returns;
GRANT SELECT, INSERT, UPDATE (url, description, owner_email, event_types, merchant, ordered, state,
    disabled_why, failing_since, updated_at, version, wakes, owner_state, owner_since, owner_attempts,
    owner_next_at, owner_notified_at, owner_error) ON webhook_endpoints TO echeck_returns;
GRANT SELECT, INSERT, UPDATE (retires_at) ON webhook_secrets TO echeck_returns;
GRANT SELECT, INSERT, UPDATE (state, attempts, next_attempt_at, last_status, last_error,
    last_attempt_at, ended_at, generation, tries_from, unwanted) ON webhook_deliveries TO echeck_returns;

COMMIT;
