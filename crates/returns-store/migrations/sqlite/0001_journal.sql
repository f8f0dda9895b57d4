-- The journal's identity and its last row. Positions are taken from here, inside the
-- appending transaction, so they have no gaps; a sequence would.
CREATE TABLE journal_head (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    journal_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- Append-only: the triggers below refuse anything else. The columns after payload repeat
-- parts of it, for the indexes.
CREATE TABLE journal (
    position INTEGER NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,
    payload TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    return_id TEXT NOT NULL,
    code TEXT,
    import_id TEXT NOT NULL,
    supersedes INTEGER UNIQUE REFERENCES journal (position),
    repeats INTEGER REFERENCES journal (position),
    recorded_at TEXT NOT NULL
) STRICT;
CREATE INDEX journal_transfer ON journal (transfer_id, position);
CREATE INDEX journal_return ON journal (return_id, position);
CREATE INDEX journal_import ON journal (import_id, position);
CREATE TRIGGER journal_rows_are_never_changed BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'journal rows are never changed'); END;
CREATE TRIGGER journal_rows_are_never_deleted BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'journal rows are never deleted'); END;

-- row_count, first_position and last_position are of the import's rows in the journal. They
-- move with every append, so that nobody has to count a million rows to show progress. totals are of
-- the first decision of each entry; moves say which entries count as something else since, as JSON.
-- claimed_by works on the import until claimed_until, in milliseconds since 1970 by SQLite's clock;
-- that saves work and proves nothing. work_begun counts the steps on the import that were begun and not
-- ended since it last came further: those of processes that are gone, and the one that runs.
-- files_done: nothing is left to do for its files, and its spool file is gone.
CREATE TABLE imports (
    import_id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    file_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    spool_name TEXT NOT NULL,
    -- The person who vouches for it although its controls are missing.
    controls_accepted_by TEXT,
    -- Where the trace stands in which it was received (W3C Trace Context).
    trace TEXT,
    reissued INTEGER NOT NULL CHECK (reissued IN (0, 1)),
    phase TEXT NOT NULL CHECK (phase IN ('checking', 'rejected', 'deciding', 'decided', 'applied')),
    done INTEGER NOT NULL DEFAULT 0,
    totals TEXT NOT NULL,
    moves TEXT NOT NULL DEFAULT '[]',
    checked TEXT,
    rejection TEXT,
    received_at TEXT NOT NULL,
    rejected_at TEXT,
    decided_at TEXT,
    applied_at TEXT,
    row_count INTEGER NOT NULL DEFAULT 0,
    first_position INTEGER NOT NULL DEFAULT 0,
    last_position INTEGER NOT NULL DEFAULT 0,
    claimed_by TEXT,
    claimed_until INTEGER,
    work_begun INTEGER NOT NULL DEFAULT 0,
    files_done INTEGER NOT NULL DEFAULT FALSE CHECK (files_done IN (0, 1))
) STRICT;
-- The same bytes for the same source are imported once, unless they were refused.
CREATE UNIQUE INDEX imports_bytes ON imports (source, sha256) WHERE phase <> 'rejected';
CREATE INDEX imports_received ON imports (received_at, import_id);
CREATE INDEX imports_name ON imports (source, file_name);
-- Whether a file in the spool is an import's.
CREATE INDEX imports_spool ON imports (spool_name);
CREATE INDEX imports_open ON imports (received_at, import_id) WHERE phase IN ('checking', 'deciding');
CREATE INDEX imports_decided ON imports (last_position) WHERE phase = 'decided';
CREATE INDEX imports_files ON imports (received_at, import_id) WHERE NOT files_done;

-- An import's rows in stretches without a gap, one for each append: how many of them a database
-- has passed is a sum over these, even when rows of other imports lie between them.
CREATE TABLE import_stretches (
    import_id TEXT NOT NULL REFERENCES imports (import_id),
    first_position INTEGER NOT NULL,
    last_position INTEGER NOT NULL,
    PRIMARY KEY (import_id, first_position)
) STRICT, WITHOUT ROWID;

CREATE TABLE import_rejected_lines (
    import_id TEXT NOT NULL REFERENCES imports (import_id),
    ordinal INTEGER NOT NULL,
    rejected TEXT NOT NULL,
    PRIMARY KEY (import_id, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE import_duplicates (
    import_id TEXT NOT NULL REFERENCES imports (import_id),
    ordinal INTEGER NOT NULL,
    line INTEGER NOT NULL,
    transfer_id TEXT NOT NULL,
    of_return_id TEXT NOT NULL,
    entry TEXT,
    PRIMARY KEY (import_id, ordinal)
) STRICT, WITHOUT ROWID;

-- Returned prenotes: entries of zero, of no payment.
CREATE TABLE import_prenotes (
    import_id TEXT NOT NULL REFERENCES imports (import_id),
    ordinal INTEGER NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (import_id, ordinal)
) STRICT, WITHOUT ROWID;

-- published_state is the state that platforms were last notified of; NULL when none was.
CREATE TABLE holds (
    hold_id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    import_id TEXT NOT NULL REFERENCES imports (import_id),
    ordinal INTEGER NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    code TEXT,
    -- Of the entry, where it has one.
    amount_minor INTEGER,
    entry TEXT NOT NULL,
    transfer_ids TEXT NOT NULL,
    failed_database TEXT,
    failed_position INTEGER,
    state TEXT NOT NULL CHECK (state IN ('open', 'resolved', 'duplicate', 'dismissed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TEXT,
    held_at TEXT NOT NULL,
    closed_at TEXT,
    closed_by TEXT,
    note TEXT,
    resolved_position INTEGER,
    published_state TEXT
) STRICT;
CREATE INDEX holds_state ON holds (state, held_at, hold_id);
CREATE INDEX holds_due ON holds (next_attempt_at, hold_id) WHERE state = 'open' AND next_attempt_at IS NOT NULL;
CREATE INDEX holds_unpublished ON holds (held_at, hold_id) WHERE published_state IS NULL OR published_state <> state;
CREATE INDEX holds_refused ON holds (failed_database, held_at, hold_id) WHERE state = 'open' AND reason = 'database_refused';
-- The report reads an import's holds in the order of its file.
CREATE INDEX holds_import ON holds (import_id, ordinal);
CREATE INDEX holds_resolved ON holds (resolved_position) WHERE resolved_position IS NOT NULL;

CREATE TABLE hold_transfers (
    transfer_id TEXT NOT NULL,
    hold_id TEXT NOT NULL REFERENCES holds (hold_id),
    PRIMARY KEY (transfer_id, hold_id)
) STRICT, WITHOUT ROWID;

-- How far each database is, as last heard, and why its feed is stalled, if it is. The
-- truth about the position is the cursor in the target.
CREATE TABLE followers (
    name TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    fault TEXT,
    fault_since TEXT
) STRICT;

CREATE TABLE follower_exceptions (
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    handled INTEGER NOT NULL DEFAULT FALSE CHECK (handled IN (0, 1)),
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (name, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX follower_exceptions_open ON follower_exceptions (name, position) WHERE NOT handled;
-- The report asks what did not take effect at some positions, in whichever database.
CREATE INDEX follower_exceptions_position ON follower_exceptions (position);

-- Rows that the adapter of a database could not read, so that its feed stalled. An operator may
-- decide that such a row is skipped: the database passes it without effect. The row itself stays.
CREATE TABLE unreadable_rows (
    name TEXT NOT NULL,
    position INTEGER NOT NULL REFERENCES journal (position),
    why TEXT NOT NULL,
    found_at TEXT NOT NULL,
    skipped_at TEXT,
    skipped_by TEXT,
    skipped_reason TEXT,
    PRIMARY KEY (name, position)
) STRICT, WITHOUT ROWID;

-- Who does what only one replica needs to do. Like a claim, a lease saves work and proves
-- nothing. The times are milliseconds since 1970, by SQLite's clock.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When an operator put a database's cursor onto another row, from where, to where, and why.
-- Without adopted_at it is unknown whether the target did it; the target's echeck_adoptions
-- tells.
CREATE TABLE adoptions (
    adoption_id TEXT NOT NULL PRIMARY KEY,
    database TEXT NOT NULL,
    from_journal TEXT NOT NULL,
    from_position INTEGER NOT NULL,
    from_hash TEXT NOT NULL,
    to_position INTEGER NOT NULL,
    to_hash TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_at TEXT NOT NULL,
    adopted_at TEXT
) STRICT;

-- What of an import is in the bucket: its file as it came (archive_*), and its report
-- (report_*). A row comes with the first of them, or with the first fault; archived_at and
-- reported_at are set once and never changed.
CREATE TABLE import_files (
    import_id TEXT NOT NULL PRIMARY KEY REFERENCES imports (import_id),
    archive_key TEXT,
    archive_sha256 TEXT,
    archive_size INTEGER,
    archived_at TEXT,
    report_key TEXT,
    report_sha256 TEXT,
    report_size INTEGER,
    report_rows INTEGER,
    totals_key TEXT,
    totals TEXT,
    ties_out INTEGER CHECK (ties_out IN (0, 1)),
    reported_at TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    fault TEXT,
    fault_area TEXT,
    fault_since TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX import_files_fault ON import_files (fault_area) WHERE fault_area IS NOT NULL;

-- Transfers that rows of the journal make: reversals and restorations. position is the row's, the
-- last one where a row was superseded. ready_at is when it was decided that the transfer may join
-- a settlement; a row of the journal says so as well. position is no foreign key: rows of the journal
-- are never deleted, and an append would pay for each check.
CREATE TABLE made_transfers (
    transfer_id TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    decided_at TEXT NOT NULL,
    ready_at TEXT
) STRICT;
CREATE INDEX made_transfers_waiting ON made_transfers (decided_at, position) WHERE ready_at IS NULL;

-- Returns that our bank may dishonor, one row for each marked entry of a file: code (with R69's
-- fields) is the strongest ground and why its sentence, others lists weaker ones as JSON. A mark
-- is written with the decision about its entry; another decision about it replaces or deletes
-- the mark, so that what is here always belongs to the decision that stands.
--
-- last_day and settled_on are YYYY-MM-DD, which sorts as time does. transfer_id is NULL while no
-- transfer is known, return_id while the entry is not decided, hold_id unless it waits. amount_minor
-- and currency go together; settled_on is the return's settlement date where its file has one.
CREATE TABLE dishonorable (
    import_id TEXT NOT NULL REFERENCES imports (import_id),
    ordinal INTEGER NOT NULL,
    line INTEGER NOT NULL,
    transfer_id TEXT,
    return_id TEXT,
    hold_id TEXT,
    code TEXT NOT NULL CHECK (code IN ('R61', 'R62', 'R67', 'R68', 'R69')),
    fields TEXT NOT NULL,
    last_day TEXT NOT NULL,
    why TEXT NOT NULL,
    others TEXT NOT NULL,
    amount_minor INTEGER,
    currency TEXT,
    return_code TEXT NOT NULL,
    settled_on TEXT,
    marked_at TEXT NOT NULL,
    PRIMARY KEY (import_id, ordinal),
    CHECK ((amount_minor IS NULL) = (currency IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX dishonorable_day ON dishonorable (last_day, import_id, ordinal);
CREATE INDEX dishonorable_return ON dishonorable (return_id) WHERE return_id IS NOT NULL;
CREATE INDEX dishonorable_transfer ON dishonorable (transfer_id) WHERE transfer_id IS NOT NULL;
