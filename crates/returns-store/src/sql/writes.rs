//! What an append needs to know of its rows.

use chrono::{DateTime, Utc};
use returns_model::journal::{Hash, Head, Relation, Row, RowEffect, chain};

use crate::columns::{bound, json};
use crate::{StoreError, Writes};

/// A row of the journal about to be written.
pub(super) struct Link<'a> {
    pub(super) position: i64,
    pub(super) hash: Hash,
    pub(super) payload: &'a str,
    pub(super) row: &'a Row,
}

/// The rows as they are stored. This takes a while, so it is done before anything is locked.
pub(super) fn payloads(rows: &[Row]) -> Result<Vec<String>, StoreError> {
    rows.iter().map(|row| json(row, "a journal row")).collect()
}

/// Gives each row its position and its hash; the head becomes the last one's.
pub(super) fn link<'a>(
    head: &mut Head,
    rows: &'a [Row],
    payloads: &'a [String],
    at: DateTime<Utc>,
) -> Result<Vec<Link<'a>>, StoreError> {
    rows.iter()
        .zip(payloads)
        .map(|(row, payload)| {
            head.position += 1;
            head.hash = chain(head.journal_id, head.position, &head.hash, at, payload);
            Ok(Link {
                position: bound(head.position)?,
                hash: head.hash.clone(),
                payload,
                row,
            })
        })
        .collect()
}

/// The transfer that a row makes. A row that says more about, or again, what another row made
/// makes none.
pub(super) fn made_by(row: &Row) -> Option<&str> {
    match &row.relation {
        Some(Relation::Repeats { .. } | Relation::Follows { .. }) => None,
        Some(Relation::Supersedes { .. }) | None => {
            row.effect.made().map(|(_, made)| made.id.as_str())
        }
    }
}

/// The returns that rows say were dishonored: nothing is left to be dishonored of them.
pub(super) fn dishonored(rows: &[Row]) -> Vec<&str> {
    rows.iter()
        .filter_map(|row| match &row.effect {
            RowEffect::Restore { of_return, .. } => Some(of_return.as_str()),
            RowEffect::Fail { .. }
            | RowEffect::Return { .. }
            | RowEffect::Reverse { .. }
            | RowEffect::Correct {}
            | RowEffect::Reapply { .. }
            | RowEffect::ReleaseToSettlement { .. } => None,
        })
        .collect()
}

/// The transfers for which rows bring the stage that a dishonor or a contest may wait for.
pub(super) fn bases(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .filter(|row| row.of_import().is_some() && !row.is_repeat())
        .filter(|row| row.effect.is_return() || matches!(row.effect, RowEffect::Restore { .. }))
        .map(|row| row.transfer.id.clone())
        .collect()
}

/// Every transfer that an append says something about.
pub(super) fn transfers(writes: &Writes) -> Vec<String> {
    let rows = writes.rows.iter().map(|row| &row.transfer.id);
    let duplicates = writes.duplicates.iter().map(|line| &line.transfer_id);
    let holds = writes.holds.iter().flat_map(|hold| &hold.transfer_ids);
    rows.chain(duplicates).chain(holds).cloned().collect()
}

/// The part of an append's rows that belongs to one import. A row that supersedes another
/// belongs to the same import, long after that was decided.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Share<'a> {
    pub(super) import_id: &'a str,
    pub(super) rows: i64,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// The rows by import, in order of the imports' ids: two appends must not lock them crosswise.
pub(super) fn shares<'a>(links: &[Link<'a>]) -> Vec<Share<'a>> {
    let mut shares: std::collections::BTreeMap<&str, Share<'a>> = std::collections::BTreeMap::new();
    for link in links.iter().filter(|link| link.row.of_import().is_some()) {
        let share = shares.entry(&link.row.import_id).or_insert(Share {
            import_id: &link.row.import_id,
            rows: 0,
            first: link.position,
            last: link.position,
        });
        share.rows += 1;
        share.last = link.position;
    }
    shares.into_values().collect()
}

/// The rows in stretches without a gap, each of one import.
pub(super) fn stretches<'a>(links: &[Link<'a>]) -> Vec<Share<'a>> {
    let mut stretches: Vec<Share<'a>> = Vec::new();
    for link in links.iter().filter(|link| link.row.of_import().is_some()) {
        match stretches.last_mut() {
            Some(stretch)
                if stretch.import_id == link.row.import_id && stretch.last + 1 == link.position =>
            {
                stretch.rows += 1;
                stretch.last = link.position;
            }
            Some(_) | None => stretches.push(Share {
                import_id: &link.row.import_id,
                rows: 1,
                first: link.position,
                last: link.position,
            }),
        }
    }
    stretches
}
