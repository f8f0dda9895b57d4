-- Telling the owner of an endpoint that the service has disabled it: written by the statement that
-- disables it, so that no crash swallows the mail. owner_state is NULL while there is nothing to
-- tell; owner_since is when it was disabled; owner_next_at is the next try while somebody waits to be
-- told; owner_error is why the last try failed, or why nobody can be told.
ALTER TABLE webhook_endpoints ADD COLUMN owner_state TEXT
    CHECK (owner_state IN ('waiting', 'told', 'untold'));
ALTER TABLE webhook_endpoints ADD COLUMN owner_since TIMESTAMPTZ;
ALTER TABLE webhook_endpoints ADD COLUMN owner_attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE webhook_endpoints ADD COLUMN owner_next_at TIMESTAMPTZ;
ALTER TABLE webhook_endpoints ADD COLUMN owner_told_at TIMESTAMPTZ;
ALTER TABLE webhook_endpoints ADD COLUMN owner_error TEXT;
CREATE INDEX webhook_endpoints_owner ON webhook_endpoints (owner_next_at, endpoint_id)
    WHERE owner_state = 'waiting';
