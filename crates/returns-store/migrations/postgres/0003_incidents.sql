-- Whatever kept a job from being right. `incident_key` is the cause and what it is about: at most one
-- incident a key is open, however many replicas meet the trouble. `version` grows with each
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
    told TEXT NOT NULL,
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

-- What a channel is to be told about an incident: written with the change it tells of. Of an
-- incident a channel has at most one pending alert, the newest.
CREATE TABLE alerts (
    alert_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES incidents (incident_id),
    channel TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    fallback_of TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'dead', 'superseded')),
    attempts BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    claimed_until TIMESTAMPTZ,
    sent_at TIMESTAMPTZ,
    last_error TEXT
);
CREATE INDEX alerts_pending ON alerts (next_attempt_at, alert_id) WHERE state = 'pending';
CREATE INDEX alerts_incident ON alerts (incident_id, channel);
