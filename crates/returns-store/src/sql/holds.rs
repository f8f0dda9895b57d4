pub(super) const HOLDS: &str = "SELECT hold_id, source, import_id, ordinal, reason, detail, entry, \
     transfer_ids, failed_database, failed_position, state, attempts, next_attempt_at, held_at, \
     closed_at, closed_by, note, resolved_position FROM holds";
