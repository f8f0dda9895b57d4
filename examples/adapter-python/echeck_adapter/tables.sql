-- The adapter's own four tables in the target database. The columns are those of every adapter of
-- echeck-returns.

-- How far the target is in the journal. It moves in the transaction that changes the payments.
CREATE TABLE IF NOT EXISTS echeck_cursor (
    adapter    TEXT    NOT NULL PRIMARY KEY,
    journal_id TEXT    NOT NULL,
    position   INTEGER NOT NULL CHECK (position > 0),
    hash       TEXT    NOT NULL,
    updated_at TEXT    NOT NULL
);

-- Whose target this is: the journal of the installation, and its name for this database.
CREATE TABLE IF NOT EXISTS echeck_identity (
    adapter       TEXT NOT NULL PRIMARY KEY,
    journal_id    TEXT NOT NULL,
    database_name TEXT NOT NULL,
    recorded_at   TEXT NOT NULL
);

-- The steps that changed nothing, and why. Recorded in the transaction that passed them.
CREATE TABLE IF NOT EXISTS echeck_exceptions (
    adapter     TEXT    NOT NULL,
    journal_id  TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('MOVED_ON', 'NOT_FOUND', 'REFUSED')),
    message     TEXT    NOT NULL,
    transfer_id TEXT    NOT NULL,
    recorded_at TEXT    NOT NULL,
    PRIMARY KEY (adapter, journal_id, position)
);

-- When an operator moved the cursor, from where, to where, and why.
CREATE TABLE IF NOT EXISTS echeck_adoptions (
    adoption_id   TEXT NOT NULL PRIMARY KEY,
    adapter       TEXT NOT NULL,
    from_journal  TEXT NOT NULL,
    from_position INTEGER NOT NULL,
    from_hash     TEXT NOT NULL,
    to_journal    TEXT NOT NULL,
    to_position   INTEGER NOT NULL,
    to_hash       TEXT NOT NULL,
    actor         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    adopted_at    TEXT NOT NULL
);
