-- A gateway as the adapter's default mapping expects it (MySQL, MariaDB), for demonstrations
-- and tests. Amounts are in minor units, instants are UTC.
CREATE TABLE deposits (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    created_at DATETIME(6) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;

CREATE TABLE transfers (
    id                   VARCHAR(64)  NOT NULL PRIMARY KEY,
    type                 VARCHAR(16)  NOT NULL CHECK (type IN ('DEBIT', 'CREDIT', 'REVERSAL', 'FEE')),
    subtype              VARCHAR(32)  NOT NULL DEFAULT 'API',
    state                VARCHAR(16)  NOT NULL CHECK (state IN ('PENDING', 'PROCESSING', 'SUCCEEDED',
                                                                'FAILED', 'CANCELED', 'RETURNED')),
    amount               BIGINT       NOT NULL CHECK (amount >= 0),
    currency             VARCHAR(3)   NOT NULL DEFAULT 'USD' CHECK (length(currency) = 3),
    fee                  BIGINT       NOT NULL DEFAULT 0,
    trace_id             VARCHAR(255),
    payment_id           VARCHAR(255),
    ach_trace            VARCHAR(32),
    individual_id        VARCHAR(64),
    source               VARCHAR(64),
    destination          VARCHAR(64),
    application          VARCHAR(64)  NOT NULL,
    merchant_identity    VARCHAR(64)  NOT NULL,
    statement_descriptor VARCHAR(64),
    idempotency_id       VARCHAR(255) UNIQUE,
    messages             JSON         NOT NULL,
    raw                  JSON,
    tags                 JSON         NOT NULL,
    failure_code         VARCHAR(64),
    failure_message      VARCHAR(255),
    parent_id            VARCHAR(64),
    ready_to_settle_at   DATETIME(6),
    settlement_date      DATE,
    deposit_id           VARCHAR(64),
    created_at           DATETIME(6)  NOT NULL,
    updated_at           DATETIME(6)  NOT NULL,
    UNIQUE KEY transfers_by_trace_id (trace_id),
    KEY transfers_by_payment_id (payment_id),
    KEY transfers_by_ach_trace (ach_trace),
    KEY transfers_by_individual_id (individual_id),
    CONSTRAINT transfers_by_parent_id FOREIGN KEY (parent_id) REFERENCES transfers (id),
    CONSTRAINT transfers_by_deposit_id FOREIGN KEY (deposit_id) REFERENCES deposits (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
