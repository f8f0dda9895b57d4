//! The append: rows, holds, duplicates, unreadable lines and the cause's own progress, in
//! one transaction that holds the head's lock from its first statement. Appends wait for
//! each other there, so each statement is one round trip for all rows.

use chrono::{DateTime, Utc};
use echeck_service::failpoint;
use echeck_service::planted::{self, Bug};
use returns_model::hold::{HoldState, NewHold};
use returns_model::import::RejectedLine;
use returns_model::journal::Head;
use sqlx::{PgConnection, Row as _};

use super::PgStore;
use super::codec::{clean, clean_all};
use super::copy::copy_rows;
use super::dishonor::{drop_marks, write_marks};
use super::settle::{mark_ready, write_made};
use crate::columns::{bound, failed, json, reason_text};
use crate::writes::{Link, Share, bases, dishonored, link, payloads, shares, stretches, transfers};
use crate::{Append, AppendCause, Appended, DuplicateLine, StoreError};

impl PgStore {
    pub(super) async fn append_all(&self, append: Append) -> Result<Appended, StoreError> {
        let payloads = payloads(&append.writes.rows)?;
        // Named, because another level would see the journal as it was before the lock.
        let mut tx = self
            .pool
            .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
            .await
            .map_err(failed("beginning an append"))?;
        match write_all(&mut tx, &append, &payloads).await? {
            // If the answer to this is lost, so is what became of the append: the caller
            // reads how far its cause is.
            Appended::Done(head) => {
                failpoint::hit("append::before_commit").await?;
                tx.commit().await.map_err(failed("committing an append"))?;
                failpoint::hit("append::after_commit").await?;
                if planted::has(Bug::ProgressInSecondTransaction) {
                    let mut own = self.pool.acquire().await.map_err(failed("the bug"))?;
                    move_cause(&mut own, &append.cause, &head, append.at).await?;
                }
                Ok(Appended::Done(head))
            }
            not @ (Appended::Stale | Appended::Lost) => {
                // Now and not when the connection is used next: others wait for the lock.
                tx.rollback().await.map_err(failed("leaving an append"))?;
                Ok(not)
            }
        }
    }
}

async fn write_all(
    tx: &mut PgConnection,
    append: &Append,
    payloads: &[String],
) -> Result<Appended, StoreError> {
    let writes = &append.writes;
    let mut head = if planted::has(Bug::SequenceInsteadOfCounter) {
        head_by_sequence(tx, payloads.len()).await?
    } else {
        let locked = "SELECT journal_id, position, hash FROM journal_head FOR UPDATE";
        PgStore::read_head(&mut *tx, locked).await?
    };
    failpoint::hit("append::after_lock").await?;
    if is_stale(tx, &head, append).await? {
        return Ok(Appended::Stale);
    }
    let links = link(&mut head, &writes.rows, payloads)?;
    let later = planted::has(Bug::ProgressInSecondTransaction);
    if !later && !move_cause(tx, &append.cause, &head, append.at).await? {
        return Ok(Appended::Lost);
    }
    failpoint::hit("append::after_progress").await?;
    write_rows(tx, &links, &head, append.at).await?;
    write_made(tx, &links, append.at).await?;
    failpoint::hit("append::after_rows").await?;
    wake_stages(tx, &bases(&writes.rows), append.at).await?;
    write_holds(tx, &writes.holds, append.at).await?;
    write_marks(tx, &writes.dishonor, append.at).await?;
    drop_marks(tx, &dishonored(&writes.rows)).await?;
    if let AppendCause::Import { import_id, .. } = &append.cause {
        write_duplicates(tx, import_id, &writes.duplicates).await?;
        write_rejected(tx, import_id, &writes.rejected).await?;
    }
    Ok(Appended::Done(head))
}

/// The planted bug: positions from a sequence, which nobody locks and no rollback gives back.
async fn head_by_sequence(tx: &mut PgConnection, rows: usize) -> Result<Head, StoreError> {
    let what = "drawing positions from a sequence";
    sqlx::query("CREATE SEQUENCE IF NOT EXISTS planted_positions")
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
    let last: i64 = sqlx::query(
        "SELECT COALESCE(MIN(n) - 1, 0) FROM (SELECT nextval('planted_positions') AS n \
         FROM generate_series(1, $1)) AS drawn",
    )
    .bind(bound(rows as u64)?)
    .fetch_one(&mut *tx)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(failed(what))?;
    let unlocked = "SELECT journal_id, position, hash FROM journal_head";
    let mut head = PgStore::read_head(&mut *tx, unlocked).await?;
    if rows > 0 {
        head.position = last.unsigned_abs();
    }
    Ok(head)
}

/// Whether the journal says more about one of the transfers than the decision knew.
async fn is_stale(tx: &mut PgConnection, head: &Head, append: &Append) -> Result<bool, StoreError> {
    if head.position == append.seen_position {
        return Ok(false);
    }
    sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM journal WHERE position > $1 AND transfer_id = ANY($2))",
    )
    .bind(bound(append.seen_position)?)
    .bind(clean_all(&transfers(&append.writes)))
    .fetch_one(tx)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(failed("checking that a decision is not stale"))
}

/// Moves the cause's progress by compare-and-set; false when somebody else has moved it.
async fn move_cause(
    tx: &mut PgConnection,
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
            "UPDATE imports SET done = $1, totals = $2, \
                 phase = CASE WHEN $3 THEN 'decided' ELSE phase END, \
                 decided_at = CASE WHEN $3 THEN $4 ELSE decided_at END \
                 WHERE import_id = $5 AND ($7 OR phase = 'deciding' AND done = $6)",
        )
        .bind(bound(*done_after)?)
        .bind(json(totals, "imports.totals")?)
        .bind(last)
        .bind(at)
        .bind(import_id)
        .bind(bound(*done_before)?)
        .bind(planted::has(Bug::NoCompareAndSet)),
        AppendCause::Hold {
            hold_id,
            state,
            by,
            note,
        } => sqlx::query(
            "UPDATE holds SET state = $1, closed_at = $2, closed_by = $3, note = $4, \
             attempts = attempts + 1, next_attempt_at = NULL, resolved_position = $5 \
             WHERE hold_id = $6 AND state = 'open'",
        )
        .bind(state.as_str())
        .bind(at)
        .bind(clean(by))
        .bind(clean(note))
        .bind(match state {
            HoldState::Resolved => Some(bound(head.position)?),
            HoldState::Open | HoldState::Duplicate | HoldState::Dismissed => None,
        })
        .bind(hold_id),
        AppendCause::Exception { database, position } => sqlx::query(
            "UPDATE follower_exceptions SET handled = TRUE \
             WHERE name = $1 AND position = $2 AND NOT handled",
        )
        .bind(database)
        .bind(bound(*position)?),
    }
    .execute(tx)
    .await
    .map_err(failed("moving what was appended for"))?;
    Ok(done.rows_affected() == 1)
}

/// Lets the later stages that wait for one of these transfers be tried at once. That counts as
/// an attempt, so that one which is being tried just now, and does not know it, changes nothing.
async fn wake_stages(
    tx: &mut PgConnection,
    transfer_ids: &[String],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if transfer_ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE holds SET next_attempt_at = $1, attempts = attempts + 1 \
         WHERE hold_id IN (SELECT hold_id FROM hold_transfers WHERE transfer_id = ANY($2)) \
         AND state = 'open' AND reason IN ('dishonored_return', 'contested_return') \
         AND next_attempt_at > $1",
    )
    .bind(at)
    .bind(clean_all(transfer_ids))
    .execute(tx)
    .await
    .map_err(failed("waking the holds of later stages"))?;
    Ok(())
}

/// The rows, the journal's new end, how many rows each import has by now, and where they are.
async fn write_rows(
    tx: &mut PgConnection,
    links: &[Link<'_>],
    head: &Head,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    copy_rows(tx, links, at).await?;
    let (shares, stretches) = (shares(links), stretches(links));
    let share = |number: fn(&Share<'_>) -> i64| shares.iter().map(number).collect::<Vec<i64>>();
    sqlx::query(
        "WITH counted AS ( \
             UPDATE imports i SET row_count = i.row_count + s.rows, \
                 first_position = CASE WHEN i.row_count = 0 THEN s.first ELSE i.first_position END, \
                 last_position = s.last \
             FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) \
                 AS s (import_id, rows, first, last) \
             WHERE i.import_id = s.import_id), \
         stretched AS ( \
             INSERT INTO import_stretches (import_id, first_position, last_position) \
             SELECT * FROM UNNEST($5::text[], $6::bigint[], $7::bigint[])) \
         UPDATE journal_head SET position = $8, hash = $9",
    )
    .bind(shares.iter().map(|share| share.import_id).collect::<Vec<_>>())
    .bind(share(|share| share.rows))
    .bind(share(|share| share.first))
    .bind(share(|share| share.last))
    .bind(stretches.iter().map(|one| one.import_id).collect::<Vec<_>>())
    .bind(stretches.iter().map(|one| one.first).collect::<Vec<_>>())
    .bind(stretches.iter().map(|one| one.last).collect::<Vec<_>>())
    .bind(bound(head.position)?)
    .bind(head.hash.as_bytes())
    .execute(tx)
    .await
    .map_err(failed("moving the journal's end"))?;
    Ok(())
}

async fn write_holds(
    tx: &mut PgConnection,
    holds: &[NewHold],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if holds.is_empty() {
        return Ok(());
    }
    let text = |of: fn(&NewHold) -> &str| holds.iter().map(|hold| clean(of(hold))).collect();
    let (sources, import_ids, details): (Vec<String>, Vec<String>, Vec<String>) = (
        text(|hold| &hold.source),
        text(|hold| &hold.import_id),
        text(|hold| &hold.detail),
    );
    let mut columns = HoldColumns::default();
    for hold in holds {
        columns.take(hold)?;
    }
    // A row that fails again after its database was restored has its hold already.
    sqlx::query(
        "WITH held AS ( \
             INSERT INTO holds (hold_id, source, import_id, ordinal, reason, detail, entry, \
                 transfer_ids, failed_database, failed_position, next_attempt_at, state, held_at) \
             SELECT h.*, 'open', $12 \
             FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], \
                 $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], \
                 $11::timestamptz[]) AS h \
             ON CONFLICT (hold_id) DO NOTHING) \
         INSERT INTO hold_transfers (transfer_id, hold_id) \
         SELECT * FROM UNNEST($13::text[], $14::text[]) ON CONFLICT DO NOTHING",
    )
    .bind(columns.hold_ids)
    .bind(sources)
    .bind(import_ids)
    .bind(columns.ordinals)
    .bind(columns.reasons)
    .bind(details)
    .bind(columns.entries)
    .bind(columns.transfer_ids)
    .bind(columns.failed_databases)
    .bind(columns.failed_positions)
    .bind(
        holds
            .iter()
            .map(|hold| hold.next_attempt_at)
            .collect::<Vec<_>>(),
    )
    .bind(at)
    .bind(columns.of_transfers)
    .bind(columns.of_holds)
    .execute(tx)
    .await
    .map_err(failed("writing holds"))?;
    Ok(())
}

/// Those columns of new holds that are not taken over as they are.
#[derive(Default)]
struct HoldColumns {
    hold_ids: Vec<String>,
    ordinals: Vec<i64>,
    reasons: Vec<String>,
    entries: Vec<String>,
    transfer_ids: Vec<String>,
    failed_databases: Vec<Option<String>>,
    failed_positions: Vec<Option<i64>>,
    /// The pairs of `hold_transfers`.
    of_transfers: Vec<String>,
    of_holds: Vec<String>,
}

impl HoldColumns {
    fn take(&mut self, hold: &NewHold) -> Result<(), StoreError> {
        self.hold_ids.push(hold.hold_id.clone());
        self.ordinals.push(bound(hold.ordinal)?);
        self.reasons.push(reason_text(hold.reason)?);
        self.entries.push(json(&hold.entry, "holds.entry")?);
        self.transfer_ids
            .push(json(&hold.transfer_ids, "holds.transfer_ids")?);
        let (database, position) = hold.failed.clone().unzip();
        self.failed_databases.push(database);
        self.failed_positions.push(position.map(bound).transpose()?);
        for transfer_id in &hold.transfer_ids {
            self.of_transfers.push(clean(transfer_id));
            self.of_holds.push(hold.hold_id.clone());
        }
        Ok(())
    }
}

async fn write_duplicates(
    tx: &mut PgConnection,
    import_id: &str,
    lines: &[DuplicateLine],
) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    let numbers = |of: fn(&DuplicateLine) -> u64| -> Result<Vec<i64>, StoreError> {
        lines.iter().map(|line| bound(of(line))).collect()
    };
    let entries: Vec<Option<String>> = lines
        .iter()
        .map(|line| line.entry.as_ref())
        .map(|entry| {
            entry
                .map(|entry| json(entry, "import_duplicates.entry"))
                .transpose()
        })
        .collect::<Result<_, _>>()?;
    sqlx::query(
        "INSERT INTO import_duplicates (import_id, ordinal, line, transfer_id, of_return_id, \
         entry) SELECT $1, d.* FROM UNNEST($2::bigint[], $3::bigint[], $4::text[], $5::text[], \
         $6::text[]) AS d",
    )
    .bind(import_id)
    .bind(numbers(|line| line.ordinal)?)
    .bind(numbers(|line| line.line)?)
    .bind(clean_all(lines.iter().map(|line| &line.transfer_id)))
    .bind(clean_all(lines.iter().map(|line| &line.of_return_id)))
    .bind(entries)
    .execute(tx)
    .await
    .map_err(failed("writing duplicates"))?;
    Ok(())
}

async fn write_rejected(
    tx: &mut PgConnection,
    import_id: &str,
    lines: &[RejectedLine],
) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    let ordinals: Vec<i64> = lines
        .iter()
        .map(|line| bound(line.ordinal))
        .collect::<Result<_, _>>()?;
    let rejected: Vec<String> = lines
        .iter()
        .map(|line| json(&line.rejected, "import_rejected_lines.rejected"))
        .collect::<Result<_, _>>()?;
    sqlx::query(
        "INSERT INTO import_rejected_lines (import_id, ordinal, rejected) \
         SELECT $1, l.* FROM UNNEST($2::bigint[], $3::text[]) AS l",
    )
    .bind(import_id)
    .bind(ordinals)
    .bind(rejected)
    .execute(tx)
    .await
    .map_err(failed("writing unreadable lines"))?;
    Ok(())
}
