-- The adapter's own four tables in the target database (MySQL, MariaDB).
-- The adapter creates them when it starts. Where it has no right to, run this file once, and give
-- the adapter's account only SELECT, INSERT and UPDATE on them.

-- How far the target is in the journal. It moves in the transaction that changes the rows.
CREATE TABLE IF NOT EXISTS echeck_cursor (
    adapter    VARCHAR(63) NOT NULL PRIMARY KEY,
    journal_id CHAR(36)    NOT NULL,
    position   BIGINT      NOT NULL CHECK (position > 0),
    hash       CHAR(64)    NOT NULL,
    updated_at VARCHAR(32) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Whose target this is: the journal of the installation, and the name by which that knows this
-- database. A target without it, or with another, is not written to until an operator adopts it.
CREATE TABLE IF NOT EXISTS echeck_identity (
    adapter       VARCHAR(63) NOT NULL PRIMARY KEY,
    journal_id    CHAR(36) NOT NULL,
    database_name VARCHAR(255) NOT NULL,
    recorded_at   VARCHAR(32) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The steps that changed nothing, and why. Recorded in the transaction that passed them.
CREATE TABLE IF NOT EXISTS echeck_exceptions (
    adapter     VARCHAR(63) NOT NULL,
    journal_id  CHAR(36)    NOT NULL,
    position    BIGINT      NOT NULL,
    kind        VARCHAR(16) NOT NULL CHECK (kind IN ('MOVED_ON', 'NOT_FOUND', 'REFUSED')),
    message     TEXT        NOT NULL,
    transfer_id TEXT        NOT NULL,
    recorded_at VARCHAR(32) NOT NULL,
    PRIMARY KEY (adapter, journal_id, position)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- When an operator moved the cursor to another row, from where, to where, and why. The exceptions
-- of the rows that were left have the adoption's id as their journal_id.
CREATE TABLE IF NOT EXISTS echeck_adoptions (
    adoption_id   CHAR(36) NOT NULL PRIMARY KEY,
    adapter       VARCHAR(63) NOT NULL,
    from_journal  CHAR(36) NOT NULL,
    from_position BIGINT NOT NULL,
    from_hash     CHAR(64) NOT NULL,
    to_journal    CHAR(36) NOT NULL,
    to_position   BIGINT NOT NULL,
    to_hash       CHAR(64) NOT NULL,
    actor         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    adopted_at    VARCHAR(32) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
