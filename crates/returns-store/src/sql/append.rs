//! The append: rows, holds, duplicates, unreadable lines and the cause's own progress, in one
//! transaction that holds the head's lock from its first statement. Appends wait for each other
//! there, so there are few statements, each for all rows.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use echeck_service::failpoint;
use returns_model::hold::HoldState;
use returns_model::journal::Head;

use super::SqlStore;
use super::append_rows::{
    write_duplicates, write_holds, write_moves, write_prenotes, write_rejected, write_rows,
};
use super::dishonor::{drop_marks, write_marks};
use super::journal::read_head;
use super::settle::{mark_ready, write_made};
use super::writes::{bases, dishonored, link, payloads, transfers};
use crate::columns::{bound, json};
use crate::db::{Transaction, statement};
use crate::{Append, AppendCause, AppendStore, Appended, StoreError};

#[async_trait]
impl AppendStore for SqlStore {
    #[tracing::instrument(
        name = "append",
        skip_all,
        fields(otel.kind = "client", db.operation.name = "append", rows = append.writes.rows.len())
    )]
    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        let payloads = payloads(&append.writes.rows)?;
        let mut tx = self.db.begin("begin an append").await?;
        match write_all(&mut tx, &append, &payloads).await? {
            // If the answer to this is lost, so is what became of the append: the caller
            // reads how far its cause is.
            Appended::Done(head) => {
                failpoint::hit("append::before_commit").await?;
                tx.commit("commit an append").await?;
                failpoint::hit("append::after_commit").await?;
                Ok(Appended::Done(head))
            }
            not @ (Appended::Stale | Appended::Lost) => {
                tx.rollback("leave an append").await?;
                Ok(not)
            }
        }
    }
}

async fn write_all(
    tx: &mut Transaction,
    append: &Append,
    payloads: &[String],
) -> Result<Appended, StoreError> {
    let writes = &append.writes;
    let lock = tx.syntax().for_update();
    let mut head = read_head(&mut *tx, lock).await?;
    failpoint::hit("append::after_lock").await?;
    if is_stale(tx, &head, append).await? {
        return Ok(Appended::Stale);
    }
    let links = link(&mut head, &writes.rows, payloads, append.at)?;
    if !move_cause(tx, &append.cause, &head, append.at).await? {
        return Ok(Appended::Lost);
    }
    failpoint::hit("append::after_progress").await?;
    write_rows(tx, &links, &head, append.at).await?;
    write_made(tx, &links, append.at).await?;
    failpoint::hit("append::after_rows").await?;
    wake_stages(tx, bases(&writes.rows), append.at).await?;
    write_moves(tx, &writes.moved).await?;
    write_holds(tx, &writes.holds, append.at).await?;
    write_marks(tx, &writes.dishonor, append.at).await?;
    drop_marks(tx, dishonored(&writes.rows)).await?;
    if let AppendCause::Import { import_id, .. } = &append.cause {
        write_duplicates(tx, import_id, &writes.duplicates).await?;
        write_rejected(tx, import_id, &writes.rejected).await?;
        write_prenotes(tx, import_id, &writes.prenotes).await?;
    }
    Ok(Appended::Done(head))
}

/// Whether the journal says more about one of the transfers than the decision knew.
async fn is_stale(tx: &mut Transaction, head: &Head, append: &Append) -> Result<bool, StoreError> {
    if head.position == append.seen_position {
        return Ok(false);
    }
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM journal WHERE position > $1 AND transfer_id {}) AS newer",
        tx.syntax().one_of("$2")
    );
    statement("check that a decision is not stale", sql)
        .bind(bound(append.seen_position)?)
        .bind(transfers(&append.writes))
        .one(tx, |row| row.flag("newer"))
        .await
}

/// Moves the cause's progress by compare-and-set; false when somebody else has moved it.
async fn move_cause(
    tx: &mut Transaction,
    cause: &AppendCause,
    head: &Head,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let what = "move what was appended for";
    let moved = match cause {
        AppendCause::Ready { transfer_ids } => {
            let marked = mark_ready(tx, transfer_ids, at).await?;
            return Ok(marked == transfer_ids.len() as u64);
        }
        AppendCause::Import {
            import_id,
            done_before,
            done_after,
            totals,
            last,
        } => statement(
            what,
            // Whoever began before has been outlived; the step that appends goes on.
            "UPDATE imports SET done = $1, totals = $2, work_begun = 1, \
             phase = CASE WHEN $3 THEN 'decided' ELSE phase END, \
             decided_at = CASE WHEN $3 THEN $4 ELSE decided_at END \
             WHERE import_id = $5 AND phase = 'deciding' AND done = $6",
        )
        .bind(bound(*done_after)?)
        .bind(json(totals, "imports.totals")?)
        .bind(*last)
        .bind(at)
        .bind(import_id)
        .bind(bound(*done_before)?),
        AppendCause::Hold {
            hold_id,
            state,
            by,
            note,
        } => statement(
            what,
            "UPDATE holds SET state = $1, closed_at = $2, closed_by = $3, note = $4, \
             attempts = attempts + 1, next_attempt_at = NULL, resolved_position = $5 \
             WHERE hold_id = $6 AND state = 'open'",
        )
        .bind(state.as_str())
        .bind(at)
        .bind(by)
        .bind(note)
        .bind(match state {
            HoldState::Resolved => Some(bound(head.position)?),
            HoldState::Open | HoldState::Duplicate | HoldState::Dismissed => None,
        })
        .bind(hold_id),
        AppendCause::Exception { database, position } => statement(
            what,
            "UPDATE follower_exceptions SET handled = TRUE \
             WHERE name = $1 AND position = $2 AND NOT handled",
        )
        .bind(database)
        .bind(bound(*position)?),
    }
    .execute(tx)
    .await?;
    Ok(moved == 1)
}

/// Lets the later stages that wait for one of these transfers be tried at once. That counts as
/// an attempt, so that one which is being tried just now, and does not know it, changes nothing.
async fn wake_stages(
    tx: &mut Transaction,
    transfer_ids: Vec<String>,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if transfer_ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE holds SET next_attempt_at = $1, attempts = attempts + 1 \
         WHERE hold_id IN (SELECT hold_id FROM hold_transfers WHERE transfer_id {}) \
         AND state = 'open' AND reason IN ('dishonored_return', 'contested_return') \
         AND next_attempt_at > $1",
        tx.syntax().one_of("$2")
    );
    statement("wake the holds of later stages", sql)
        .bind(at)
        .bind(transfer_ids)
        .execute(tx)
        .await
        .map(drop)
}
