-- What operators have changed of a source at run time, and when it is tried again. plan is JSON;
-- NULL means the configuration's. Slots before known_since are nobody's business: the source
-- was unknown or paused then.
CREATE TABLE sources (
    source TEXT NOT NULL PRIMARY KEY,
    known_since TEXT NOT NULL,
    plan TEXT,
    paused_at TEXT,
    paused_by TEXT,
    paused_reason TEXT,
    retry_at TEXT,
    retries INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One row a slot, so that no slot runs twice, on whichever replica. leased_by works on a run
-- until leased_until (milliseconds since 1970, by SQLite's clock); a run whose replica died is
-- taken over.
CREATE TABLE job_runs (
    run_id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    slot TEXT NOT NULL,
    slot_at TEXT,
    trigger TEXT NOT NULL CHECK (trigger IN ('schedule', 'catch_up', 'due', 'retry', 'manual')),
    actor TEXT,
    leased_by TEXT,
    leased_until INTEGER,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    outcome TEXT,
    summary TEXT,
    cause TEXT,
    files TEXT
) STRICT;
CREATE UNIQUE INDEX job_runs_slot ON job_runs (source, slot);
-- Two runs of one source never overlap.
CREATE UNIQUE INDEX job_runs_running ON job_runs (source) WHERE ended_at IS NULL;
CREATE INDEX job_runs_started ON job_runs (started_at, run_id);

-- Files at the acquirer that were taken: name, size and time tell one from another. put_away_at
-- is when it was moved or deleted there, as the source's settings say.
CREATE TABLE remote_files (
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    modified_at TEXT NOT NULL,
    import_id TEXT NOT NULL REFERENCES imports (import_id),
    taken_at TEXT NOT NULL,
    put_away_at TEXT,
    PRIMARY KEY (source, name, size_bytes, modified_at)
) STRICT;

-- Who changed what at run time. Append-only: the triggers below refuse anything else.
CREATE TABLE audit (
    audit_id TEXT NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at, audit_id);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
