//! The append: rows, holds, duplicates, unreadable lines and the cause's own progress, in
//! one transaction that holds the write lock from its first statement.

use chrono::{DateTime, Utc};
use returns_model::hold::{HoldState, NewHold};
use returns_model::import::RejectedLine;
use returns_model::journal::Head;
use sqlx::{Row as _, Sqlite, Transaction};

use super::SqliteStore;
use super::codec::time_text;
use super::dishonor::{drop_marks, write_marks};
use super::settle::{mark_ready, write_made};
use crate::columns::{bound, failed, json, reason_text};
use crate::writes::{
    Link, bases, dishonored, link, of_import, payloads, repeats, shares, stretches, transfers,
};
use crate::{Append, AppendCause, Appended, DuplicateLine, StoreError};

impl SqliteStore {
    pub(super) async fn append_all(&self, append: Append) -> Result<Appended, StoreError> {
        let payloads = payloads(&append.writes.rows)?;
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed("beginning an append"))?;
        let mut head = Self::read_head(&mut *tx).await?;
        if is_stale(&mut tx, &head, &append).await? {
            return Ok(Appended::Stale);
        }
        let links = link(&mut head, &append.writes.rows, &payloads)?;
        write_rows(&mut tx, &links, append.at).await?;
        write_head(&mut tx, &links, &head).await?;
        write_made(&mut tx, &links, append.at).await?;
        if !move_cause(&mut tx, &append.cause, &head, append.at).await? {
            return Ok(Appended::Lost);
        }
        wake_stages(&mut tx, &bases(&append.writes.rows), append.at).await?;
        write_holds(&mut tx, &append.writes.holds, append.at).await?;
        write_marks(&mut tx, &append.writes.dishonor, append.at).await?;
        drop_marks(&mut tx, &dishonored(&append.writes.rows)).await?;
        if let AppendCause::Import { import_id, .. } = &append.cause {
            write_duplicates(&mut tx, import_id, &append.writes.duplicates).await?;
            write_rejected(&mut tx, import_id, &append.writes.rejected).await?;
        }
        tx.commit().await.map_err(failed("committing an append"))?;
        Ok(Appended::Done(head))
    }
}

/// Whether the journal says more about one of the transfers than the decision knew.
async fn is_stale(
    tx: &mut Transaction<'_, Sqlite>,
    head: &Head,
    append: &Append,
) -> Result<bool, StoreError> {
    if head.position == append.seen_position {
        return Ok(false);
    }
    let newer: i64 = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM journal WHERE position > ? \
         AND transfer_id IN (SELECT value FROM json_each(?)))",
    )
    .bind(bound(append.seen_position)?)
    .bind(json(&transfers(&append.writes), "transfer ids")?)
    .fetch_one(&mut **tx)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(failed("checking that a decision is not stale"))?;
    Ok(newer != 0)
}

async fn write_rows(
    tx: &mut Transaction<'_, Sqlite>,
    links: &[Link<'_>],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    for link in links {
        sqlx::query(
            "INSERT INTO journal (position, hash, payload, transfer_id, return_id, code, \
             import_id, supersedes, repeats, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(link.position)
        .bind(link.hash.as_bytes())
        .bind(link.payload)
        .bind(&link.row.transfer.id)
        .bind(&link.row.return_id)
        .bind(link.row.code())
        .bind(of_import(link.row).unwrap_or_default())
        .bind(link.row.supersedes().map(bound).transpose()?)
        .bind(repeats(link.row)?)
        .bind(time_text(at))
        .execute(&mut **tx)
        .await
        .map_err(failed("appending a journal row"))?;
    }
    Ok(())
}

/// The journal's new end, how many rows each import has by now, and where they are.
async fn write_head(
    tx: &mut Transaction<'_, Sqlite>,
    links: &[Link<'_>],
    head: &Head,
) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    let what = "moving the journal's end";
    sqlx::query("UPDATE journal_head SET position = ?, hash = ?")
        .bind(bound(head.position)?)
        .bind(head.hash.as_bytes())
        .execute(&mut **tx)
        .await
        .map_err(failed(what))?;
    for share in shares(links) {
        sqlx::query(
            "UPDATE imports SET row_count = row_count + ?1, \
             first_position = CASE WHEN row_count = 0 THEN ?2 ELSE first_position END, \
             last_position = ?3 WHERE import_id = ?4",
        )
        .bind(share.rows)
        .bind(share.first)
        .bind(share.last)
        .bind(share.import_id)
        .execute(&mut **tx)
        .await
        .map_err(failed(what))?;
    }
    for stretch in stretches(links) {
        sqlx::query(
            "INSERT INTO import_stretches (import_id, first_position, last_position) \
             VALUES (?, ?, ?)",
        )
        .bind(stretch.import_id)
        .bind(stretch.first)
        .bind(stretch.last)
        .execute(&mut **tx)
        .await
        .map_err(failed(what))?;
    }
    Ok(())
}

/// Moves the cause's progress by compare-and-set; false when somebody else has moved it.
async fn move_cause(
    tx: &mut Transaction<'_, Sqlite>,
    cause: &AppendCause,
    head: &Head,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = match cause {
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
        } => sqlx::query(
            "UPDATE imports SET done = ?, totals = ?, \
                 phase = CASE WHEN ? THEN 'decided' ELSE phase END, \
                 decided_at = CASE WHEN ? THEN ? ELSE decided_at END \
                 WHERE import_id = ? AND phase = 'deciding' AND done = ?",
        )
        .bind(bound(*done_after)?)
        .bind(json(totals, "imports.totals")?)
        .bind(last)
        .bind(last)
        .bind(time_text(at))
        .bind(import_id)
        .bind(bound(*done_before)?),
        AppendCause::Hold {
            hold_id,
            state,
            by,
            note,
        } => sqlx::query(
            "UPDATE holds SET state = ?, closed_at = ?, closed_by = ?, note = ?, \
             attempts = attempts + 1, next_attempt_at = NULL, resolved_position = ? \
             WHERE hold_id = ? AND state = 'open'",
        )
        .bind(state.as_str())
        .bind(time_text(at))
        .bind(by)
        .bind(note)
        .bind(match state {
            HoldState::Resolved => Some(bound(head.position)?),
            HoldState::Open | HoldState::Duplicate | HoldState::Dismissed => None,
        })
        .bind(hold_id),
        AppendCause::Exception { database, position } => sqlx::query(
            "UPDATE follower_exceptions SET handled = 1 \
             WHERE name = ? AND position = ? AND handled = 0",
        )
        .bind(database)
        .bind(bound(*position)?),
    }
    .execute(&mut **tx)
    .await
    .map_err(failed("moving what was appended for"))?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn write_hold_transfers(
    tx: &mut Transaction<'_, Sqlite>,
    hold_id: &str,
    transfer_ids: &[String],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO hold_transfers (transfer_id, hold_id) \
         SELECT value, ? FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
    )
    .bind(hold_id)
    .bind(json(&transfer_ids, "holds.transfer_ids")?)
    .execute(&mut **tx)
    .await
    .map_err(failed("writing a hold's transfers"))?;
    Ok(())
}

/// Lets the later stages that wait for one of these transfers be tried at once. That counts as
/// an attempt, so that one which is being tried just now, and does not know it, changes nothing.
async fn wake_stages(
    tx: &mut Transaction<'_, Sqlite>,
    transfer_ids: &[String],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if transfer_ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE holds SET next_attempt_at = ?1, attempts = attempts + 1 \
         WHERE hold_id IN (SELECT hold_id FROM hold_transfers \
             WHERE transfer_id IN (SELECT value FROM json_each(?2))) \
         AND state = 'open' AND reason IN ('dishonored_return', 'contested_return') \
         AND next_attempt_at > ?1",
    )
    .bind(time_text(at))
    .bind(json(&transfer_ids, "transfer ids")?)
    .execute(&mut **tx)
    .await
    .map_err(failed("waking the holds of later stages"))?;
    Ok(())
}

async fn write_holds(
    tx: &mut Transaction<'_, Sqlite>,
    holds: &[NewHold],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    for hold in holds {
        let (database, position) = match &hold.failed {
            Some((database, position)) => (Some(database), Some(bound(*position)?)),
            None => (None, None),
        };
        // A row that fails again after its database was restored has its hold already.
        sqlx::query(
            "INSERT INTO holds (hold_id, source, import_id, ordinal, reason, detail, entry, \
             transfer_ids, failed_database, failed_position, state, next_attempt_at, held_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?) ON CONFLICT (hold_id) DO NOTHING",
        )
        .bind(&hold.hold_id)
        .bind(&hold.source)
        .bind(&hold.import_id)
        .bind(bound(hold.ordinal)?)
        .bind(reason_text(hold.reason)?)
        .bind(&hold.detail)
        .bind(json(&hold.entry, "holds.entry")?)
        .bind(json(&hold.transfer_ids, "holds.transfer_ids")?)
        .bind(database)
        .bind(position)
        .bind(hold.next_attempt_at.map(time_text))
        .bind(time_text(at))
        .execute(&mut **tx)
        .await
        .map_err(failed("writing a hold"))?;
        write_hold_transfers(tx, &hold.hold_id, &hold.transfer_ids).await?;
    }
    Ok(())
}

async fn write_duplicates(
    tx: &mut Transaction<'_, Sqlite>,
    import_id: &str,
    lines: &[DuplicateLine],
) -> Result<(), StoreError> {
    for line in lines {
        sqlx::query(
            "INSERT INTO import_duplicates (import_id, ordinal, line, transfer_id, of_return_id, \
             entry) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(import_id)
        .bind(bound(line.ordinal)?)
        .bind(bound(line.line)?)
        .bind(&line.transfer_id)
        .bind(&line.of_return_id)
        .bind(
            line.entry
                .as_ref()
                .map(|entry| json(entry, "import_duplicates.entry"))
                .transpose()?,
        )
        .execute(&mut **tx)
        .await
        .map_err(failed("writing a duplicate"))?;
    }
    Ok(())
}

async fn write_rejected(
    tx: &mut Transaction<'_, Sqlite>,
    import_id: &str,
    lines: &[RejectedLine],
) -> Result<(), StoreError> {
    for line in lines {
        sqlx::query(
            "INSERT INTO import_rejected_lines (import_id, ordinal, rejected) VALUES (?, ?, ?)",
        )
        .bind(import_id)
        .bind(bound(line.ordinal)?)
        .bind(json(&line.rejected, "import_rejected_lines.rejected")?)
        .execute(&mut **tx)
        .await
        .map_err(failed("writing an unreadable line"))?;
    }
    Ok(())
}
