//! What can be checked while everything moves. Each statement reads one moment, and what may
//! only grow is read in the order in which it may be compared.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;

use super::{Findings, Invariant, acquirer};
use crate::db::{Cells, Db};
use crate::rig::Rig;
use crate::world::{Line, ReturnFile, Says};

fn number(cells: &Cells, at: usize) -> u64 {
    cells
        .get(at)
        .and_then(|cell| cell.as_deref()?.parse().ok())
        .unwrap_or_default()
}

fn text(cells: &Cells, at: usize) -> String {
    cells
        .get(at)
        .and_then(|cell| cell.clone())
        .unwrap_or_default()
}

/// Position and hash of a cursor; zero when nothing was applied yet.
async fn cursor(db: &Db) -> Result<(u64, String)> {
    let rows = db.rows("SELECT position, hash FROM echeck_cursor").await?;
    Ok(rows
        .first()
        .map(|row| (number(row, 0), text(row, 1)))
        .unwrap_or_default())
}

/// The quick look. A database that does not answer is left for the next one.
///
/// # Errors
/// When a database does not answer.
pub async fn quick(rig: &Rig) -> Result<Findings> {
    let mut findings = Findings::default();
    acquirer::quick(rig, &mut findings).await?;
    let mirror = cursor(&rig.rallypay).await?;
    let gateway = cursor(&rig.gateway).await?;
    let head = rig
        .returns
        .rows(
            "SELECT (SELECT position FROM journal_head), (SELECT COUNT(*) FROM journal), \
             (SELECT COALESCE(MAX(position), 0) FROM journal)",
        )
        .await?;
    let head = head.into_iter().next().unwrap_or_default();
    let (at, count, last) = (number(&head, 0), number(&head, 1), number(&head, 2));
    findings.expect(Invariant::Dense, at == count && at == last, || {
        format!("the head is {at}, there are {count} rows, the last is {last}")
    });
    let in_order = mirror.0 <= gateway.0 && gateway.0 <= at;
    findings.expect(Invariant::CursorNotAhead, in_order, || {
        format!(
            "the mirror's cursor is {}, the gateway's {}, the journal ends at {at}",
            mirror.0, gateway.0
        )
    });
    for (name, (position, hash)) in [("gateway", gateway), ("mirror", mirror)] {
        if position == 0 {
            continue;
        }
        let sql = format!("SELECT hash FROM journal WHERE position = {position}");
        let rows = rig.returns.rows(&sql).await?;
        let ours = rows.first().map(|row| text(row, 0)).unwrap_or_default();
        findings.expect(Invariant::CursorHash, ours == format!("\\x{hash}"), || {
            format!("at {position} the {name}'s cursor has hash {hash}, the journal {ours}")
        });
    }
    let twice = rig
        .gateway
        .rows(
            "SELECT parent_id, COUNT(*) FROM transfers WHERE parent_id IS NOT NULL \
             GROUP BY parent_id HAVING COUNT(*) > 1",
        )
        .await?;
    findings.expect(Invariant::EffectOnce, twice.is_empty(), || {
        format!("transfers of which more than one was made: {twice:?}")
    });
    let mut changed = rig
        .gateway
        .rows("SELECT transfer_id, COUNT(*) FROM crash_audit GROUP BY transfer_id HAVING COUNT(*) > 1")
        .await?;
    let mut mirrored = rig
        .rallypay
        .rows("SELECT transfer_id, lock_version FROM transactions WHERE lock_version > 2")
        .await?;
    // Files are kept before they are sent, so every stage that may have been applied is known.
    let files = rig.world.files();
    let stages = stages(&files);
    let most = |cells: &Cells| stages.get(text(cells, 0).as_str()).copied().unwrap_or(1);
    changed.retain(|cells| number(cells, 1) > most(cells));
    findings.expect(Invariant::EffectOnce, changed.is_empty(), || {
        format!("transfers that were changed more often than they have stages: {changed:?}")
    });
    // Once for each stage, and once when what it made becomes ready to settle.
    mirrored.retain(|cells| number(cells, 1) > 2 * most(cells));
    findings.expect(Invariant::EffectOnce, mirrored.is_empty(), || {
        format!("transactions that were changed more often than they have stages: {mirrored:?}")
    });
    Ok(findings)
}

/// How many stages the returns of payments have at most, where that is more than one.
fn stages(files: &[Arc<ReturnFile>]) -> HashMap<&str, u64> {
    let mut stages: HashMap<&str, (bool, bool)> = HashMap::new();
    for line in files.iter().flat_map(|file| &file.lines) {
        let Line::Entry(entry) = line else { continue };
        match entry.says {
            Says::Dishonored { .. } => stages.entry(&entry.transfer_id).or_default().0 = true,
            Says::Contested { .. } => stages.entry(&entry.transfer_id).or_default().1 = true,
            Says::Return { .. } | Says::Rejected { .. } | Says::Correction { .. } => {}
        }
    }
    let count = |(dishonored, contested)| 1 + u64::from(dishonored) + u64::from(contested);
    stages
        .into_iter()
        .map(|(id, both)| (id, count(both)))
        .collect()
}
