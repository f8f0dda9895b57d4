-- What operators have changed of a source at run time, and when it is tried again. plan is JSON;
-- NULL means the configuration's. Slots before known_since are nobody's business: the source
-- was unknown or paused then.
CREATE TABLE sources (
    source TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    known_since TIMESTAMPTZ NOT NULL,
    plan TEXT,
    paused_at TIMESTAMPTZ,
    paused_by TEXT,
    paused_reason TEXT,
    retry_at TIMESTAMPTZ,
    retries BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 0
);

-- One row a slot, so that no slot runs twice, on whichever replica. leased_by works on a run
-- until leased_until, by the server's clock; a run whose replica died is taken over.
CREATE TABLE job_runs (
    run_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    source TEXT COLLATE "C" NOT NULL,
    slot TEXT COLLATE "C" NOT NULL,
    slot_at TIMESTAMPTZ,
    trigger TEXT NOT NULL CHECK (trigger IN ('schedule', 'catch_up', 'due', 'retry', 'manual')),
    actor TEXT,
    leased_by TEXT,
    leased_until TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    outcome TEXT,
    summary TEXT,
    cause TEXT,
    files TEXT
);
CREATE UNIQUE INDEX job_runs_slot ON job_runs (source, slot);
-- Two runs of one source never overlap.
CREATE UNIQUE INDEX job_runs_running ON job_runs (source) WHERE ended_at IS NULL;
CREATE INDEX job_runs_started ON job_runs (started_at, run_id);

-- Files at the acquirer that were taken: name, size and time tell one from another. put_away_at
-- is when it was moved or deleted there, as the source's settings say.
CREATE TABLE remote_files (
    source TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    size_bytes BIGINT NOT NULL,
    modified_at TIMESTAMPTZ NOT NULL,
    import_id TEXT COLLATE "C" NOT NULL REFERENCES imports (import_id),
    taken_at TIMESTAMPTZ NOT NULL,
    put_away_at TIMESTAMPTZ,
    PRIMARY KEY (source, name, size_bytes, modified_at)
);

-- Who changed what at run time. Append-only: see the rights of the service's account.
CREATE TABLE audit (
    audit_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at, audit_id);
