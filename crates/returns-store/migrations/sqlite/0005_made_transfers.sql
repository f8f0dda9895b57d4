-- Transfers that rows of the journal make: reversals and restorations. position is the row's, the
-- last one where a row was superseded. ready_at is when it was decided that the transfer may join
-- a settlement; a row of the journal says so as well.
CREATE TABLE made_transfers (
    transfer_id TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL REFERENCES journal (position),
    decided_at TEXT NOT NULL,
    ready_at TEXT
) STRICT;
CREATE INDEX made_transfers_waiting ON made_transfers (decided_at, position) WHERE ready_at IS NULL;

-- Those of a journal that is older than this table were never ready by a row of it.
INSERT INTO made_transfers (transfer_id, position, decided_at)
SELECT json_extract(payload, '$.reversal.id'), MAX(position), MAX(recorded_at) FROM journal
WHERE repeats IS NULL AND json_extract(payload, '$.reversal.id') IS NOT NULL
GROUP BY json_extract(payload, '$.reversal.id');
