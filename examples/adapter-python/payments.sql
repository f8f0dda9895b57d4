-- The table of the team that owns the database: here an example. The adapter never creates it.
CREATE TABLE payments (
    id                 TEXT    NOT NULL PRIMARY KEY,
    type               TEXT    NOT NULL CHECK (type IN ('DEBIT', 'CREDIT', 'REVERSAL')),
    subtype            TEXT    NOT NULL DEFAULT 'API',
    state              TEXT    NOT NULL CHECK (state IN ('PENDING', 'SUCCEEDED', 'FAILED',
                                                         'CANCELED', 'RETURNED')),
    amount             INTEGER NOT NULL, -- minor units
    currency           TEXT    NOT NULL DEFAULT 'USD',
    trace_id           TEXT    UNIQUE,
    payment_id         TEXT,
    ach_trace          TEXT,
    individual_id      TEXT,
    merchant           TEXT    NOT NULL,
    source             TEXT,
    destination        TEXT,
    parent_id          TEXT    REFERENCES payments (id),
    code               TEXT,             -- of the last return, dishonor or contest
    description        TEXT,
    returned_on        TEXT,
    ready_to_settle_at TEXT,
    settlement_date    TEXT,
    version            INTEGER NOT NULL DEFAULT 0, -- counts the changes of the row
    updated_at         TEXT    NOT NULL
);
CREATE INDEX payments_by_payment_id ON payments (payment_id);
CREATE INDEX payments_by_ach_trace ON payments (ach_trace);
CREATE INDEX payments_by_individual_id ON payments (individual_id);
CREATE INDEX payments_by_parent_id ON payments (parent_id);
