-- Due times before due_since are nobody's business: the source was unknown or paused then. A
-- change of the plan moves known_since, which is for slots, and leaves this as it is.
ALTER TABLE sources ADD COLUMN due_since TIMESTAMPTZ;
UPDATE sources SET due_since = known_since;
