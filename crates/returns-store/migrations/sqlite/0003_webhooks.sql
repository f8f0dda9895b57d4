-- The end of the events, and the journal position up to which rows have become events. Like the
-- journal's, sequences are taken from here inside the recording transaction, so they have no
-- gaps.
CREATE TABLE webhook_head (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
INSERT INTO webhook_head (one, sequence, position) VALUES (1, 0, 0);

-- What happened. Append-only. An event has either a position (a journal row) or a hold with the
-- state that it reports. facts and messages are JSON; messages lists [payload_version, event type].
CREATE TABLE webhook_events (
    sequence INTEGER NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    position INTEGER UNIQUE,
    hold_id TEXT,
    hold_state TEXT,
    transfer_id TEXT NOT NULL,
    merchant TEXT NOT NULL,
    facts TEXT NOT NULL,
    messages TEXT NOT NULL,
    occurred_at TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    CHECK ((position IS NULL) <> (hold_id IS NULL) AND (hold_id IS NULL) = (hold_state IS NULL))
) STRICT;
CREATE INDEX webhook_events_transfer ON webhook_events (transfer_id, sequence);
CREATE INDEX webhook_events_occurred ON webhook_events (occurred_at, sequence);
CREATE INDEX webhook_events_recorded ON webhook_events (recorded_at, sequence);

-- Who is sent events. event_types is a JSON list of those that are wanted ([] for all); merchant is
-- empty for all. failing_since is when the first failure after the last success was. wakes counts
-- how often an endpoint was sent something again.
--
-- owner_*: notifying the owner that the service has disabled the endpoint, written by the
-- statement that disables it, so that no crash swallows the mail. owner_state is NULL while there
-- is nothing to report; owner_since is when it was disabled; owner_next_at is the next attempt while
-- somebody waits; owner_error is why the last one failed, or why nobody can be notified.
CREATE TABLE webhook_endpoints (
    endpoint_id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    owner_email TEXT NOT NULL,
    style TEXT NOT NULL CHECK (style IN ('finix', 'rainforest')),
    api_version TEXT NOT NULL,
    payload_version TEXT NOT NULL,
    event_types TEXT NOT NULL,
    merchant TEXT NOT NULL,
    ordered INTEGER NOT NULL CHECK (ordered IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('enabled', 'disabled')),
    disabled_why TEXT,
    failing_since TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 0,
    wakes INTEGER NOT NULL DEFAULT 0,
    owner_state TEXT CHECK (owner_state IN ('waiting', 'notified', 'not_notified')),
    owner_since TEXT,
    owner_attempts INTEGER NOT NULL DEFAULT 0,
    owner_next_at TEXT,
    owner_notified_at TEXT,
    owner_error TEXT
) STRICT;
CREATE INDEX webhook_endpoints_owner ON webhook_endpoints (owner_next_at, endpoint_id)
    WHERE owner_state = 'waiting';

-- The keys by which an endpoint's messages are signed, encrypted. One without retires_at is
-- current; one that retires still signs until then.
CREATE TABLE webhook_secrets (
    secret_id TEXT NOT NULL PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES webhook_endpoints (endpoint_id),
    kind TEXT NOT NULL CHECK (kind IN ('hmac_sha256', 'ed25519')),
    sealed TEXT NOT NULL,
    public_key TEXT,
    created_at TEXT NOT NULL,
    retires_at TEXT
) STRICT;
CREATE INDEX webhook_secrets_endpoint ON webhook_secrets (endpoint_id, created_at);

-- One message to one endpoint. message_id is the webhook-id, the same at every attempt. A replay
-- begins again: generation counts replays, so that an attempt that was on its way is not taken for
-- one after it, and tries_from are the attempts before them. unwanted marks a message that was
-- given up because its endpoint no longer wants it.
CREATE TABLE webhook_deliveries (
    endpoint_id TEXT NOT NULL REFERENCES webhook_endpoints (endpoint_id),
    sequence INTEGER NOT NULL REFERENCES webhook_events (sequence),
    event_type TEXT NOT NULL,
    message_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'undeliverable')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TEXT,
    last_status INTEGER,
    last_error TEXT,
    last_attempt_at TEXT,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    generation INTEGER NOT NULL DEFAULT 0,
    tries_from INTEGER NOT NULL DEFAULT 0,
    unwanted INTEGER NOT NULL DEFAULT FALSE CHECK (unwanted IN (0, 1)),
    PRIMARY KEY (endpoint_id, sequence, event_type)
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at, sequence)
    WHERE state = 'pending';
CREATE INDEX webhook_deliveries_message ON webhook_deliveries (message_id);
CREATE INDEX webhook_deliveries_sequence ON webhook_deliveries (sequence);
-- What was not delivered, in order: the oldest message that waits, and the undeliverable messages.
CREATE INDEX webhook_deliveries_open ON webhook_deliveries (endpoint_id, state, sequence, event_type)
    WHERE state <> 'delivered';
CREATE INDEX webhook_deliveries_undeliverable ON webhook_deliveries (ended_at) WHERE state = 'undeliverable';
