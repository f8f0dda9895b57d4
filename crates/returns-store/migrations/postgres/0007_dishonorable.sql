-- Returns that our bank may dishonor, one row for each marked entry of a file: code (with R69's
-- fields) is the strongest ground and why its sentence, others lists weaker ones as JSON. A mark
-- is written with the decision about its entry; another decision about it replaces or deletes
-- the mark, so that what is here always belongs to the decision that stands.
--
-- last_day and settled_on are YYYY-MM-DD, which sorts as time does. transfer_id is NULL while no
-- transfer is known, return_id while the entry is not decided, hold_id unless it waits. amount_minor
-- and currency go together; settled_on is the return's settlement date where its file has one.
CREATE TABLE dishonorable (
    import_id TEXT COLLATE "C" NOT NULL REFERENCES imports (import_id),
    ordinal BIGINT NOT NULL,
    line BIGINT NOT NULL,
    transfer_id TEXT COLLATE "C",
    return_id TEXT COLLATE "C",
    hold_id TEXT COLLATE "C",
    code TEXT NOT NULL CHECK (code IN ('R61', 'R67', 'R68', 'R69')),
    fields TEXT NOT NULL,
    last_day TEXT COLLATE "C" NOT NULL,
    why TEXT NOT NULL,
    others TEXT NOT NULL,
    amount_minor BIGINT,
    currency TEXT,
    return_code TEXT NOT NULL,
    settled_on TEXT,
    marked_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (import_id, ordinal),
    CHECK ((amount_minor IS NULL) = (currency IS NULL))
);
CREATE INDEX dishonorable_day ON dishonorable (last_day, import_id, ordinal);
CREATE INDEX dishonorable_return ON dishonorable (return_id) WHERE return_id IS NOT NULL;
CREATE INDEX dishonorable_transfer ON dishonorable (transfer_id) WHERE transfer_id IS NOT NULL;
