-- A gateway as the adapter's default mapping expects it (PostgreSQL), for demonstrations and
-- tests. Amounts are in minor units.
CREATE TABLE deposits (
    id         TEXT        NOT NULL PRIMARY KEY,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE transfers (
    id                   TEXT        NOT NULL PRIMARY KEY,
    type                 TEXT        NOT NULL CHECK (type IN ('DEBIT', 'CREDIT', 'REVERSAL', 'FEE')),
    subtype              TEXT        NOT NULL DEFAULT 'API',
    state                TEXT        NOT NULL CHECK (state IN ('PENDING', 'PROCESSING', 'SUCCEEDED',
                                                               'FAILED', 'CANCELED', 'RETURNED')),
    amount               BIGINT      NOT NULL CHECK (amount >= 0),
    currency             VARCHAR(3)  NOT NULL DEFAULT 'USD' CHECK (length(currency) = 3),
    fee                  BIGINT      NOT NULL DEFAULT 0,
    trace_id             TEXT,
    payment_id           TEXT,
    ach_trace            TEXT,
    individual_id        TEXT,
    source               TEXT,
    destination          TEXT,
    application          TEXT        NOT NULL,
    merchant_identity    TEXT        NOT NULL,
    statement_descriptor TEXT,
    idempotency_id       TEXT        UNIQUE,
    messages             JSONB       NOT NULL DEFAULT '[]',
    raw                  JSONB,
    tags                 JSONB       NOT NULL DEFAULT '{}',
    failure_code         TEXT,
    failure_message      TEXT,
    parent_id            TEXT        REFERENCES transfers (id),
    ready_to_settle_at   TIMESTAMPTZ,
    settlement_date      DATE,
    deposit_id           TEXT        REFERENCES deposits (id),
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX transfers_by_trace_id ON transfers (trace_id);
CREATE INDEX transfers_by_payment_id ON transfers (payment_id);
CREATE INDEX transfers_by_ach_trace ON transfers (ach_trace);
CREATE INDEX transfers_by_individual_id ON transfers (individual_id);
CREATE INDEX transfers_by_parent_id ON transfers (parent_id);
CREATE INDEX transfers_by_deposit_id ON transfers (deposit_id);
