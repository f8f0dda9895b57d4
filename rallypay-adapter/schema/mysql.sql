-- The Rails app's table as the adapter's default mapping expects it (MySQL, MariaDB), as
-- Rails creates it, for demonstrations and tests.
CREATE TABLE transactions (
    id                  BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    transfer_id         VARCHAR(255) NOT NULL,
    merchant_name       VARCHAR(255),
    amount_cents        INTEGER      NOT NULL,
    currency            VARCHAR(3)   NOT NULL DEFAULT 'USD',
    status              VARCHAR(255) NOT NULL DEFAULT 'pending',
    failure_code        VARCHAR(255),
    failure_description VARCHAR(255),
    returned_at         DATETIME(6),
    reversal_ready_at   DATETIME(6),
    lock_version        INTEGER      NOT NULL DEFAULT 0,
    created_at          DATETIME(6)  NOT NULL,
    updated_at          DATETIME(6)  NOT NULL,
    UNIQUE KEY index_transactions_on_transfer_id (transfer_id),
    KEY index_transactions_on_status (status)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
