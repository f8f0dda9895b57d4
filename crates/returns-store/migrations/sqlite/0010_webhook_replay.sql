-- A replay begins a message's tries anew: generation counts replays, so that an attempt that was on
-- its way is not taken for one after it, and tries_from are the attempts before them. unwanted marks
-- a message that was given up because its endpoint was told to want it no more. wakes counts how
-- often an endpoint was sent something again.
ALTER TABLE webhook_deliveries ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_deliveries ADD COLUMN tries_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_deliveries ADD COLUMN unwanted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_endpoints ADD COLUMN wakes INTEGER NOT NULL DEFAULT 0;
-- What was replayed after its ten tries has ten more, as it was promised.
UPDATE webhook_deliveries SET tries_from = attempts - attempts % 10
    WHERE state = 'pending' AND attempts >= 10;
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (ended_at) WHERE state = 'dead';
CREATE INDEX webhook_events_recorded ON webhook_events (recorded_at, sequence);

-- Where nothing was told yet, what happened before there were webhooks is no news: telling begins
-- behind what every database has passed. What one has not passed may be told late, never left out.
UPDATE webhook_head SET position = (SELECT COALESCE(MIN(position), 0) FROM followers)
    WHERE sequence = 0 AND position = 0;
UPDATE holds SET told_state = state
    WHERE told_state IS NULL AND (SELECT sequence FROM webhook_head) = 0;
