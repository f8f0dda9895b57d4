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
    ties_out INTEGER,
    reported_at TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    fault TEXT,
    fault_area TEXT,
    fault_since TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX import_files_fault ON import_files (fault_area) WHERE fault_area IS NOT NULL;

-- Whether nothing is left to do for an import's files, and its spool file is gone.
ALTER TABLE imports ADD COLUMN files_done INTEGER NOT NULL DEFAULT 0;
CREATE INDEX imports_files ON imports (received_at, import_id) WHERE files_done = 0;

-- The entry of a duplicate, for the report. Duplicates from before this column have none.
ALTER TABLE import_duplicates ADD COLUMN entry TEXT;

-- The report reads an import's holds in the order of its file.
CREATE INDEX holds_import ON holds (import_id, ordinal);
CREATE INDEX holds_resolved ON holds (resolved_position) WHERE resolved_position IS NOT NULL;

-- The report asks what did not take effect at some positions, in whichever database.
CREATE INDEX follower_exceptions_position ON follower_exceptions (position);
