-- What kept a job from succeeding. incident_key is the cause and what it is about: at most one
-- incident per key is open, however many replicas observe the problem. version grows with each
-- change, which names the one that it was decided on.
CREATE TABLE incidents (
    incident_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    incident_key TEXT COLLATE "C" NOT NULL,
    cause TEXT NOT NULL,
    subject TEXT NOT NULL,
    area TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('warning', 'critical')),
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    content TEXT NOT NULL,
    source TEXT COLLATE "C",
    import_id TEXT COLLATE "C",
    run_id TEXT COLLATE "C",
    seen BIGINT NOT NULL,
    reopened BIGINT NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    next_try_at TIMESTAMPTZ,
    quiet_since TIMESTAMPTZ,
    acknowledged_at TIMESTAMPTZ,
    acknowledged_by TEXT,
    acknowledged_note TEXT,
    closed_at TIMESTAMPTZ,
    closed_by TEXT,
    closed_note TEXT,
    alerted_at TIMESTAMPTZ NOT NULL,
    waiting_since TIMESTAMPTZ NOT NULL,
    escalations BIGINT NOT NULL,
    notified TEXT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX incidents_one_open ON incidents (incident_key) WHERE state = 'open';
CREATE INDEX incidents_key ON incidents (incident_key, opened_at);
CREATE INDEX incidents_opened ON incidents (opened_at, incident_id);
CREATE INDEX incidents_closed ON incidents (closed_at) WHERE state = 'closed';

-- What happened to an incident, and who did it. Append-only: the trigger refuses anything else.
CREATE TABLE incident_events (
    event_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incidents (incident_id),
    number BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    what TEXT NOT NULL,
    actor TEXT NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX incident_events_incident ON incident_events (incident_id, at, number);
CREATE FUNCTION refuse_to_touch_incident_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'incident events are never %',
        CASE TG_OP WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER incident_events_are_never_touched
    BEFORE UPDATE OR DELETE OR TRUNCATE ON incident_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_touch_incident_events();
ALTER TABLE incident_events ENABLE ALWAYS TRIGGER incident_events_are_never_touched;

-- What a channel must be sent about an incident: written with the change it reports. Of an
-- incident a channel has at most one pending alert, the newest.
CREATE TABLE alerts (
    alert_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incidents (incident_id),
    channel TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    fallback_of TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'undeliverable', 'superseded')),
    attempts BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    claimed_until TIMESTAMPTZ,
    sent_at TIMESTAMPTZ,
    last_error TEXT
);
CREATE INDEX alerts_pending ON alerts (next_attempt_at, alert_id) WHERE state = 'pending';
CREATE INDEX alerts_incident ON alerts (incident_id, channel);

-- What operators have changed of a source at run time, and when it is tried again. plan is JSON;
-- NULL means the configuration's. Slots before known_since and due times before due_since are
-- ignored: the source was unknown or paused then. A change of the plan moves known_since and
-- leaves due_since as it is.
CREATE TABLE sources (
    source TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    known_since TIMESTAMPTZ NOT NULL,
    due_since TIMESTAMPTZ,
    plan TEXT,
    paused_at TIMESTAMPTZ,
    paused_by TEXT,
    paused_reason TEXT,
    retry_at TIMESTAMPTZ,
    retries BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 0
);

-- One row per slot, so that no slot runs twice, on whichever replica. leased_by works on a run
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

-- Files at the acquirer that were taken: name, size and time distinguish them. archived_remotely_at
-- is when it was moved or deleted there, as the source's settings say.
CREATE TABLE remote_files (
    source TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    size_bytes BIGINT NOT NULL,
    modified_at TIMESTAMPTZ NOT NULL,
    import_id TEXT COLLATE "C" NOT NULL REFERENCES imports (import_id),
    taken_at TIMESTAMPTZ NOT NULL,
    archived_remotely_at TIMESTAMPTZ,
    PRIMARY KEY (source, name, size_bytes, modified_at)
);

-- The end of the audit log. Like the journal's, positions are taken from here, so they have no gaps.
CREATE TABLE audit_head (
    one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
    position BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
INSERT INTO audit_head (one, position, hash) VALUES (1, 0, ''::bytea);

-- Who changed what at run time, and who was refused. Append-only, and chained like the journal. The
-- columns after at repeat parts of the payload, for the indexes.
CREATE TABLE audit (
    position BIGINT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL,
    payload TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    identity TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_at ON audit (at, position);
CREATE INDEX audit_identity ON audit (identity, position);
CREATE INDEX audit_subject ON audit (subject, position);
CREATE INDEX audit_request ON audit (request_id, position);
CREATE FUNCTION refuse_to_touch_audit_records() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit records are never %',
        CASE TG_OP WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_records_are_never_touched
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_touch_audit_records();
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_records_are_never_touched;

-- Requests that callers have given an id: the same again gets the same answer, which is encrypted like
-- the spool. A request without an answer is claimed, by the server's clock, by whoever works on it.
CREATE TABLE requests (
    identity TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    arguments TEXT NOT NULL,
    answer TEXT,
    begun_at TIMESTAMPTZ NOT NULL,
    claimed_until TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (identity, request_id)
);
CREATE INDEX requests_begun ON requests (begun_at);

-- Changes that wait for a second person. change is JSON.
CREATE TABLE proposals (
    proposal_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    change TEXT NOT NULL,
    summary TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    proposed_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    approved BOOLEAN,
    decided_by TEXT,
    decided_at TIMESTAMPTZ,
    CHECK ((decided_by IS NULL) = (approved IS NULL) AND (decided_at IS NULL) = (approved IS NULL))
);
CREATE INDEX proposals_proposed ON proposals (proposed_at, proposal_id);

-- What watches this database writes here, as its work writes elsewhere: a database may answer and
-- take no writes. The time is the database's own.
CREATE TABLE liveness (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    written_at TIMESTAMPTZ NOT NULL
);
