//! What can be checked while everything moves. Each statement reads one moment, and what may
//! only grow is read in the order in which it may be compared.

use anyhow::Result;

use super::{Findings, Invariant, acquirer};
use crate::db::{Cells, Db};
use crate::rig::Rig;

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
        format!("transfers with more than one reversal: {twice:?}")
    });
    let twice = rig
        .gateway
        .rows("SELECT transfer_id, COUNT(*) FROM crash_audit GROUP BY transfer_id HAVING COUNT(*) > 1")
        .await?;
    findings.expect(Invariant::EffectOnce, twice.is_empty(), || {
        format!("transfers that were changed more than once: {twice:?}")
    });
    let twice = rig
        .rallypay
        // Once for the return, and once when its reversal becomes ready to settle.
        .rows("SELECT transfer_id, lock_version FROM transactions WHERE lock_version > 2")
        .await?;
    findings.expect(Invariant::EffectOnce, twice.is_empty(), || {
        format!("transactions that were changed more than once: {twice:?}")
    });
    Ok(findings)
}
