-- What kept a job from succeeding. incident_key is the cause and what it is about: at most one
-- incident per key is open, however many replicas observe the problem. version grows with each
-- change, which names the one that it was decided on.
CREATE TABLE incidents (
    incident_id TEXT NOT NULL PRIMARY KEY,
    incident_key TEXT NOT NULL,
    cause TEXT NOT NULL,
    subject TEXT NOT NULL,
    area TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('warning', 'critical')),
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    content TEXT NOT NULL,
    source TEXT,
    import_id TEXT,
    run_id TEXT,
    seen INTEGER NOT NULL,
    reopened INTEGER NOT NULL,
    opened_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    next_try_at TEXT,
    quiet_since TEXT,
    acknowledged_at TEXT,
    acknowledged_by TEXT,
    acknowledged_note TEXT,
    closed_at TEXT,
    closed_by TEXT,
    closed_note TEXT,
    alerted_at TEXT NOT NULL,
    waiting_since TEXT NOT NULL,
    escalations INTEGER NOT NULL,
    notified TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX incidents_one_open ON incidents (incident_key) WHERE state = 'open';
CREATE INDEX incidents_key ON incidents (incident_key, opened_at);
CREATE INDEX incidents_opened ON incidents (opened_at, incident_id);
CREATE INDEX incidents_closed ON incidents (closed_at) WHERE state = 'closed';

-- What happened to an incident, and who did it. Append-only: the triggers refuse anything else.
CREATE TABLE incident_events (
    event_id TEXT NOT NULL PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (incident_id),
    number INTEGER NOT NULL,
    at TEXT NOT NULL,
    what TEXT NOT NULL,
    actor TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX incident_events_incident ON incident_events (incident_id, at, number);
CREATE TRIGGER incident_events_are_never_changed BEFORE UPDATE ON incident_events
BEGIN SELECT RAISE(ABORT, 'incident events are never changed'); END;
CREATE TRIGGER incident_events_are_never_deleted BEFORE DELETE ON incident_events
BEGIN SELECT RAISE(ABORT, 'incident events are never deleted'); END;

-- What a channel must be sent about an incident: written with the change it reports. Of an
-- incident a channel has at most one pending alert, the newest.
CREATE TABLE alerts (
    alert_id TEXT NOT NULL PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (incident_id),
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    fallback_of TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'undeliverable', 'superseded')),
    attempts INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    next_attempt_at TEXT NOT NULL,
    claimed_until TEXT,
    sent_at TEXT,
    last_error TEXT
) STRICT;
CREATE INDEX alerts_pending ON alerts (next_attempt_at, alert_id) WHERE state = 'pending';
CREATE INDEX alerts_incident ON alerts (incident_id, channel);

-- What operators have changed of a source at run time, and when it is tried again. plan is JSON;
-- NULL means the configuration's. Slots before known_since and due times before due_since are
-- ignored: the source was unknown or paused then. A change of the plan moves known_since and
-- leaves due_since as it is.
CREATE TABLE sources (
    source TEXT NOT NULL PRIMARY KEY,
    known_since TEXT NOT NULL,
    due_since TEXT,
    plan TEXT,
    paused_at TEXT,
    paused_by TEXT,
    paused_reason TEXT,
    retry_at TEXT,
    retries INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One row per slot, so that no slot runs twice, on whichever replica. leased_by works on a run
-- until leased_until, in milliseconds since 1970 by SQLite's clock; a run whose replica died is
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

-- Files at the acquirer that were taken: name, size and time distinguish them. archived_remotely_at
-- is when it was moved or deleted there, as the source's settings say.
CREATE TABLE remote_files (
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    modified_at TEXT NOT NULL,
    import_id TEXT NOT NULL REFERENCES imports (import_id),
    taken_at TEXT NOT NULL,
    archived_remotely_at TEXT,
    PRIMARY KEY (source, name, size_bytes, modified_at)
) STRICT;

-- The end of the audit log. Like the journal's, positions are taken from here, so they have no gaps.
CREATE TABLE audit_head (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (one, position, hash) VALUES (1, 0, x'');

-- Who changed what at run time, and who was refused. Append-only, and chained like the journal. The
-- columns after at repeat parts of the payload, for the indexes.
CREATE TABLE audit (
    position INTEGER NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,
    payload TEXT NOT NULL,
    at TEXT NOT NULL,
    identity TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    request_id TEXT NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at, position);
CREATE INDEX audit_identity ON audit (identity, position);
CREATE INDEX audit_subject ON audit (subject, position);
CREATE INDEX audit_request ON audit (request_id, position);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit records are never changed'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit records are never deleted'); END;

-- Requests that callers have given an id: the same again gets the same answer, which is encrypted like
-- the spool. A request without an answer is claimed, by the server's clock, by whoever works on it.
CREATE TABLE requests (
    identity TEXT NOT NULL,
    request_id TEXT NOT NULL,
    arguments TEXT NOT NULL,
    answer TEXT,
    begun_at TEXT NOT NULL,
    claimed_until INTEGER NOT NULL,
    PRIMARY KEY (identity, request_id)
) STRICT;
CREATE INDEX requests_begun ON requests (begun_at);

-- Changes that wait for a second person. change is JSON.
CREATE TABLE proposals (
    proposal_id TEXT NOT NULL PRIMARY KEY,
    change TEXT NOT NULL,
    summary TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    proposed_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    approved INTEGER,
    decided_by TEXT,
    decided_at TEXT,
    CHECK ((decided_by IS NULL) = (approved IS NULL) AND (decided_at IS NULL) = (approved IS NULL))
) STRICT;
CREATE INDEX proposals_proposed ON proposals (proposed_at, proposal_id);

-- What watches this database writes here, as its work writes elsewhere: a database may answer and
-- take no writes. The time is the database's own.
CREATE TABLE liveness (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    written_at INTEGER NOT NULL
);
