-- Whatever kept a job from being right. `incident_key` is the cause and what it is about: at most one
-- incident a key is open, however many replicas meet the trouble. `version` grows with each
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
    told TEXT NOT NULL,
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

-- What a channel is to be told about an incident: written with the change it tells of. Of an
-- incident a channel has at most one pending alert, the newest.
CREATE TABLE alerts (
    alert_id TEXT NOT NULL PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (incident_id),
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    fallback_of TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'dead', 'superseded')),
    attempts INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    next_attempt_at TEXT NOT NULL,
    claimed_until TEXT,
    sent_at TEXT,
    last_error TEXT
) STRICT;
CREATE INDEX alerts_pending ON alerts (next_attempt_at, alert_id) WHERE state = 'pending';
CREATE INDEX alerts_incident ON alerts (incident_id, channel);
