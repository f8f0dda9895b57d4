pub(super) const ROWS: &str = "SELECT j.position, j.hash, j.payload, j.transfer_id, j.recorded_at, \
     s.position AS superseded_by \
     FROM journal j LEFT JOIN journal s ON s.supersedes = j.position";
