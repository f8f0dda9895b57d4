-- The Rails app's table as the adapter's default mapping expects it (SQLite), as Rails
-- creates it, for demonstrations and tests.
CREATE TABLE transactions (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    transfer_id         varchar     NOT NULL,
    merchant_name       varchar,
    amount_cents        integer     NOT NULL,
    currency            varchar(3)  NOT NULL DEFAULT 'USD',
    status              varchar     NOT NULL DEFAULT 'pending',
    failure_code        varchar,
    failure_description varchar,
    returned_at         datetime(6),
    reversal_ready_at   datetime(6),
    lock_version        integer     NOT NULL DEFAULT 0,
    created_at          datetime(6) NOT NULL,
    updated_at          datetime(6) NOT NULL
);

CREATE UNIQUE INDEX index_transactions_on_transfer_id ON transactions (transfer_id);
CREATE INDEX index_transactions_on_status ON transactions (status);
