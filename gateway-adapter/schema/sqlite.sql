-- A gateway as the adapter's default mapping expects it (SQLite), for demonstrations and
-- tests. Amounts are in minor units, instants are RFC 3339 in UTC.
CREATE TABLE deposits (
    id         TEXT NOT NULL PRIMARY KEY,
    created_at TEXT NOT NULL
);

CREATE TABLE transfers (
    id                   TEXT    NOT NULL PRIMARY KEY,
    type                 TEXT    NOT NULL CHECK (type IN ('DEBIT', 'CREDIT', 'REVERSAL', 'FEE')),
    subtype              TEXT    NOT NULL DEFAULT 'API',
    state                TEXT    NOT NULL CHECK (state IN ('PENDING', 'PROCESSING', 'SUCCEEDED',
                                                           'FAILED', 'CANCELED', 'RETURNED')),
    amount               INTEGER NOT NULL CHECK (amount >= 0),
    currency             TEXT    NOT NULL DEFAULT 'USD' CHECK (length(currency) = 3),
    fee                  INTEGER NOT NULL DEFAULT 0,
    trace_id             TEXT,
    payment_id           TEXT,
    ach_trace            TEXT,
    individual_id        TEXT,
    source               TEXT,
    destination          TEXT,
    application          TEXT    NOT NULL,
    merchant_identity    TEXT    NOT NULL,
    statement_descriptor TEXT,
    idempotency_id       TEXT    UNIQUE,
    messages             TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(messages)),
    raw                  TEXT             CHECK (raw IS NULL OR json_valid(raw)),
    tags                 TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(tags)),
    failure_code         TEXT,
    failure_message      TEXT,
    parent_id            TEXT    REFERENCES transfers (id),
    ready_to_settle_at   TEXT,
    settlement_date      TEXT,
    deposit_id           TEXT    REFERENCES deposits (id),
    created_at           TEXT    NOT NULL,
    updated_at           TEXT    NOT NULL
);

CREATE UNIQUE INDEX transfers_by_trace_id ON transfers (trace_id);
CREATE INDEX transfers_by_payment_id ON transfers (payment_id);
CREATE INDEX transfers_by_ach_trace ON transfers (ach_trace);
CREATE INDEX transfers_by_individual_id ON transfers (individual_id);
CREATE INDEX transfers_by_parent_id ON transfers (parent_id);
CREATE INDEX transfers_by_deposit_id ON transfers (deposit_id);
