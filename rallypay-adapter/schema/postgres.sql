-- The Rails app's table as the adapter's default mapping expects it (PostgreSQL), as Rails
-- creates it, for demonstrations and tests.
CREATE TABLE transactions (
    id                  BIGSERIAL    PRIMARY KEY,
    transfer_id         VARCHAR      NOT NULL,
    merchant_name       VARCHAR,
    amount_cents        INTEGER      NOT NULL,
    currency            VARCHAR(3)   NOT NULL DEFAULT 'USD',
    status              VARCHAR      NOT NULL DEFAULT 'pending',
    failure_code        VARCHAR,
    failure_description VARCHAR,
    returned_at         TIMESTAMP(6),
    reversal_ready_at   TIMESTAMP(6),
    lock_version        INTEGER      NOT NULL DEFAULT 0,
    created_at          TIMESTAMP(6) NOT NULL,
    updated_at          TIMESTAMP(6) NOT NULL
);

CREATE UNIQUE INDEX index_transactions_on_transfer_id ON transactions (transfer_id);
CREATE INDEX index_transactions_on_status ON transactions (status);
