//! A dishonor gives back what its return took, and a contest takes what the dishonor gave back.
//! They are decided on what the journal says, which may not have reached the system of record yet.
//! So the feed checks again before it sends one: what it undoes must have taken effect there. A
//! state alone does not show that, since the gateway may say FAILED by itself.
//!
//! To delay the decision instead would hold up the file. And it would not be enough: a database
//! that is restored from a backup gets its rows again, and then the return may end otherwise.

use std::collections::BTreeMap;

use returns_model::journal::{JournalRow, Row, RowEffect};
use returns_store::StoreError;

use super::{Feed, Role};

/// By position: why a row's change must not be made.
pub(super) type BlockedRows = BTreeMap<u64, String>;

impl Feed {
    /// Blocks the later stages among `rows` whose base did not take effect. `rows` ends before the
    /// first one whose base is itself among them: whether that takes effect is known only for the
    /// next batch. A mirror needs none of this: it follows what took effect in the system of
    /// record.
    pub(super) async fn block(
        &self,
        rows: &mut Vec<JournalRow>,
        passed: u64,
    ) -> Result<BlockedRows, StoreError> {
        let mut blocked = BlockedRows::new();
        let mut ids: Vec<String> = rows
            .iter()
            .filter(|row| row.superseded_by.is_none() && row.row.effect.is_later_stage())
            .map(|row| row.row.transfer.id.clone())
            .collect();
        if self.role == Role::Mirror || ids.is_empty() {
            return Ok(blocked);
        }
        ids.sort_unstable();
        ids.dedup();
        let known = self.store.known(&ids, self.database()).await?;
        for (at, row) in rows.iter().enumerate() {
            if row.superseded_by.is_some() || !row.row.effect.is_later_stage() {
                continue;
            }
            let standing = known.standing.get(&row.row.transfer.id);
            let base = standing.and_then(|standing| base_of(row, standing));
            match base {
                Some(base) if base.position <= passed => {}
                Some(_) => {
                    rows.truncate(at);
                    return Ok(blocked);
                }
                None => {
                    blocked.insert(row.position, why(&row.row, self.database()));
                }
            }
        }
        Ok(blocked)
    }

    /// Whether the base of a later stage still stands, so that deciding again would give the
    /// same result.
    pub(super) async fn base_stands(&self, row: &JournalRow) -> Result<bool, StoreError> {
        let ids = [row.row.transfer.id.clone()];
        let known = self.store.known(&ids, self.database()).await?;
        let standing = known.standing.get(&row.row.transfer.id);
        Ok(standing.is_some_and(|standing| base_of(row, standing).is_some()))
    }
}

/// The base of a later stage: the row that it undoes, if that stands. One that came after the stage, in place of
/// a row without effect, is another base: the stage must be decided again for it.
fn base_of<'a>(stage: &JournalRow, standing: &'a [JournalRow]) -> Option<&'a JournalRow> {
    standing
        .iter()
        .filter(|row| row.position < stage.position)
        .find(|row| is_base(&stage.row, &row.row))
}

fn is_base(stage: &Row, row: &Row) -> bool {
    match (&stage.effect, &row.effect) {
        (
            RowEffect::Restore { of_return, .. },
            RowEffect::Fail { .. } | RowEffect::Return { .. } | RowEffect::Reverse { .. },
        ) => *of_return == row.return_id,
        // A contest names the very transfer by which the dishonor gave back.
        (RowEffect::Reapply { reversal, .. }, RowEffect::Restore { restoration, .. }) => {
            reversal.parent_id.as_ref() == Some(&restoration.id)
        }
        (
            RowEffect::Fail { .. }
            | RowEffect::Return { .. }
            | RowEffect::Reverse { .. }
            | RowEffect::Correct {}
            | RowEffect::Restore { .. }
            | RowEffect::Reapply { .. }
            | RowEffect::ReleaseToSettlement { .. },
            _,
        ) => false,
    }
}

fn why(stage: &Row, database: &str) -> String {
    let undone = match stage.effect {
        RowEffect::Reapply { .. } => "the dishonor of return",
        RowEffect::Restore { .. }
        | RowEffect::Fail { .. }
        | RowEffect::Return { .. }
        | RowEffect::Reverse { .. }
        | RowEffect::Correct {}
        | RowEffect::ReleaseToSettlement { .. } => "return",
    };
    let of = stage.effect.of_return().unwrap_or_default();
    format!("it undoes {undone} {of}, which did not take effect in {database}")
}
