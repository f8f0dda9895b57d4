//! A dishonor gives back what its return took, and a contest takes what the dishonor gave back.
//! They are decided on what the journal says, which may be on its way to the system of record
//! still. So the feed looks once more before it sends one: what it undoes must have taken effect
//! there. A state alone does not tell, since the gateway may say FAILED by itself.
//!
//! To wait with the decision instead would hold up the file, or make an exception of what is none;
//! and it would not be enough, because a database that is restored from a backup gets its rows
//! again, and the return may end otherwise then.

use std::collections::BTreeMap;

use ach::decision::Effect;
use returns_model::journal::{JournalRow, Row};
use returns_store::StoreError;

use super::{Feed, Role};

/// By position: why a row is not to be carried out.
pub(super) type Withheld = BTreeMap<u64, String>;

impl Feed {
    /// Looks at what the later stages among `rows` rest on. `rows` ends before the first one
    /// whose base is itself among them: what comes of that is not known before the next batch.
    /// A mirror needs none of this: it follows what the system of record has taken.
    pub(super) async fn withhold(
        &self,
        rows: &mut Vec<JournalRow>,
        passed: u64,
    ) -> Result<Withheld, StoreError> {
        let mut withheld = Withheld::new();
        let mut ids: Vec<String> = rows
            .iter()
            .filter(|row| row.superseded_by.is_none() && is_later_stage(row.row.effect))
            .map(|row| row.row.transfer.id.clone())
            .collect();
        if self.role == Role::Mirror || ids.is_empty() {
            return Ok(withheld);
        }
        ids.sort_unstable();
        ids.dedup();
        let known = self.store.known(&ids, self.database()).await?;
        for (at, row) in rows.iter().enumerate() {
            if row.superseded_by.is_some() || !is_later_stage(row.row.effect) {
                continue;
            }
            let standing = known.standing.get(&row.row.transfer.id);
            let base = standing.and_then(|standing| base_of(row, standing));
            match base {
                Some(base) if base.position <= passed => {}
                Some(_) => {
                    rows.truncate(at);
                    return Ok(withheld);
                }
                None => {
                    withheld.insert(row.position, why(&row.row, self.database()));
                }
            }
        }
        Ok(withheld)
    }

    /// Whether what a later stage rests on still stands, so that deciding again would say the
    /// same.
    pub(super) async fn base_stands(&self, row: &JournalRow) -> Result<bool, StoreError> {
        let ids = [row.row.transfer.id.clone()];
        let known = self.store.known(&ids, self.database()).await?;
        let standing = known.standing.get(&row.row.transfer.id);
        Ok(standing.is_some_and(|standing| base_of(row, standing).is_some()))
    }
}

/// Whether a row undoes what an earlier one did.
pub(super) const fn is_later_stage(effect: Effect) -> bool {
    match effect {
        Effect::Restore | Effect::Reapply => true,
        Effect::Fail
        | Effect::Return
        | Effect::Reverse
        | Effect::Correct
        | Effect::ReleaseToSettlement => false,
    }
}

/// The row that a later stage undoes, if it stands. One that came after the stage, in place of
/// a row without effect, is another base: the stage must be decided again for it.
fn base_of<'a>(stage: &JournalRow, standing: &'a [JournalRow]) -> Option<&'a JournalRow> {
    standing
        .iter()
        .filter(|row| row.position < stage.position)
        .find(|row| is_base(&stage.row, &row.row))
}

fn is_base(stage: &Row, row: &Row) -> bool {
    match (stage.effect, row.effect) {
        (Effect::Restore, Effect::Fail | Effect::Return | Effect::Reverse) => {
            stage.of_return.as_ref() == Some(&row.return_id)
        }
        // A contest names the very transfer by which the dishonor gave back.
        (Effect::Reapply, Effect::Restore) => {
            let undone = stage
                .reversal
                .as_ref()
                .and_then(|made| made.parent_id.as_ref());
            undone.is_some() && undone == row.restoration.as_ref().map(|made| &made.id)
        }
        (
            Effect::Fail
            | Effect::Return
            | Effect::Reverse
            | Effect::Correct
            | Effect::Restore
            | Effect::Reapply
            | Effect::ReleaseToSettlement,
            _,
        ) => false,
    }
}

fn why(stage: &Row, database: &str) -> String {
    let undone = match stage.effect {
        Effect::Reapply => "the dishonor of return",
        Effect::Restore
        | Effect::Fail
        | Effect::Return
        | Effect::Reverse
        | Effect::Correct
        | Effect::ReleaseToSettlement => "return",
    };
    let of = stage.of_return.as_deref().unwrap_or_default();
    format!("it undoes {undone} {of}, which did not take effect in {database}")
}
