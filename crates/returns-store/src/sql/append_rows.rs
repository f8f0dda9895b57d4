//! What an append writes: the journal's rows and end, holds, duplicates, unreadable lines.

use ach::money::Money;
use chrono::{DateTime, Utc};
use returns_model::hold::NewHold;
use returns_model::import::{Moved, Moves, RejectedLine};
use returns_model::journal::{Head, RowColumns};

use super::writes::{Link, shares, stretches};
use crate::columns::{bound, json, reason_text};
use crate::db::{Insert, Transaction, Value, clean, copy_all, insert_all, statement};
use crate::{DuplicateLine, PrenoteLine, StoreError};

/// The rows, the journal's new end, how many rows each import has by now, and where they are.
pub(super) async fn write_rows(
    tx: &mut Transaction,
    links: &[Link<'_>],
    head: &Head,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    let journal = Insert {
        what: "append journal rows",
        table: "journal",
        columns: "position, hash, payload, transfer_id, return_id, code, import_id, supersedes, \
                  repeats, recorded_at",
        end: "",
    };
    let rows = links.iter().map(|link| journal_values(link, at));
    copy_all(tx, &journal, rows.collect::<Result<_, _>>()?).await?;
    let what = "move the journal's end";
    for share in shares(links) {
        statement(
            what,
            "UPDATE imports SET row_count = row_count + $1, \
             first_position = CASE WHEN row_count = 0 THEN $2 ELSE first_position END, \
             last_position = $3 WHERE import_id = $4",
        )
        .bind(share.rows)
        .bind(share.first)
        .bind(share.last)
        .bind(share.import_id)
        .execute(&mut *tx)
        .await?;
    }
    let stretched = Insert {
        what,
        table: "import_stretches",
        columns: "import_id, first_position, last_position",
        end: "",
    };
    let rows = stretches(links)
        .into_iter()
        .map(|one| vec![one.import_id.into(), one.first.into(), one.last.into()]);
    insert_all(tx, &stretched, rows.collect()).await?;
    statement(what, "UPDATE journal_head SET position = $1, hash = $2")
        .bind(bound(head.position)?)
        .bind(head.hash.as_bytes())
        .execute(tx)
        .await
        .map(drop)
}

fn journal_values(link: &Link<'_>, at: DateTime<Utc>) -> Result<Vec<Value>, StoreError> {
    let columns = RowColumns::of(link.row);
    Ok(vec![
        link.position.into(),
        link.hash.as_bytes().into(),
        link.payload.into(),
        columns.transfer_id.into(),
        columns.return_id.into(),
        columns.code.map(clean).into(),
        columns.import_id.into(),
        columns.supersedes.map(bound).transpose()?.into(),
        columns.repeats.map(bound).transpose()?.into(),
        at.into(),
    ])
}

/// What entries come to by now, in the totals of their imports. The append holds the head's lock,
/// so nobody else moves an entry meanwhile.
pub(super) async fn write_moves(tx: &mut Transaction, moved: &[Moved]) -> Result<(), StoreError> {
    let what = "move entries in their import's totals";
    for one in moved.iter().filter(|one| one.from != one.to) {
        let mut moves: Moves = statement(what, "SELECT moves FROM imports WHERE import_id = $1")
            .bind(&one.import_id)
            .one(&mut *tx, |row| row.json("moves", "imports.moves"))
            .await?;
        moves.add(one);
        statement(what, "UPDATE imports SET moves = $1 WHERE import_id = $2")
            .bind(json(&moves, "imports.moves")?)
            .bind(&one.import_id)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// A row that fails again after its database was restored has its hold already.
pub(super) async fn write_holds(
    tx: &mut Transaction,
    holds: &[NewHold],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let insert = Insert {
        what: "write holds",
        table: "holds",
        columns: "hold_id, source, import_id, ordinal, reason, detail, code, amount_minor, entry, \
                  transfer_ids, failed_database, failed_position, next_attempt_at, state, held_at",
        end: "ON CONFLICT (hold_id) DO NOTHING",
    };
    let rows = holds.iter().map(|hold| {
        let (database, position) = hold.failed.clone().unzip();
        Ok(vec![
            (&hold.hold_id).into(),
            (&hold.source).into(),
            (&hold.import_id).into(),
            bound(hold.ordinal)?.into(),
            reason_text(hold.reason)?.into(),
            (&hold.detail).into(),
            hold.entry.kind.code().map(|(code, _)| clean(code)).into(),
            hold.entry.amount.map(Money::minor).into(),
            json(&hold.entry, "holds.entry")?.into(),
            json(&hold.transfer_ids, "holds.transfer_ids")?.into(),
            database.into(),
            position.map(bound).transpose()?.into(),
            hold.next_attempt_at.into(),
            "open".into(),
            at.into(),
        ])
    });
    insert_all(tx, &insert, rows.collect::<Result<_, StoreError>>()?).await?;
    let pairs = holds
        .iter()
        .map(|hold| (&*hold.hold_id, &*hold.transfer_ids));
    write_hold_transfers(tx, pairs).await
}

/// Which transfers holds are about, as far as that is not written already.
pub(super) async fn write_hold_transfers<'a>(
    tx: &mut Transaction,
    holds: impl Iterator<Item = (&'a str, &'a [String])>,
) -> Result<(), StoreError> {
    let insert = Insert {
        what: "write the transfers of holds",
        table: "hold_transfers",
        columns: "transfer_id, hold_id",
        end: "ON CONFLICT DO NOTHING",
    };
    let rows = holds.flat_map(|(hold_id, transfer_ids)| {
        let row = move |id: &String| vec![id.into(), hold_id.into()];
        transfer_ids.iter().map(row)
    });
    insert_all(tx, &insert, rows.collect()).await
}

pub(super) async fn write_duplicates(
    tx: &mut Transaction,
    import_id: &str,
    lines: &[DuplicateLine],
) -> Result<(), StoreError> {
    let insert = Insert {
        what: "write duplicates",
        table: "import_duplicates",
        columns: "import_id, ordinal, line, transfer_id, of_return_id, entry",
        end: "",
    };
    let rows = lines.iter().map(|line| {
        let entry = line.entry.as_ref();
        Ok(vec![
            import_id.into(),
            bound(line.ordinal)?.into(),
            bound(line.line)?.into(),
            (&line.transfer_id).into(),
            (&line.of_return_id).into(),
            entry
                .map(|entry| json(entry, "import_duplicates.entry"))
                .transpose()?
                .into(),
        ])
    });
    insert_all(tx, &insert, rows.collect::<Result<_, StoreError>>()?).await
}

pub(super) async fn write_rejected(
    tx: &mut Transaction,
    import_id: &str,
    lines: &[RejectedLine],
) -> Result<(), StoreError> {
    let insert = Insert {
        what: "write unreadable lines",
        table: "import_rejected_lines",
        columns: "import_id, ordinal, rejected",
        end: "",
    };
    let rows = lines.iter().map(|line| {
        let rejected = json(&line.rejected, "import_rejected_lines.rejected")?;
        Ok(vec![
            import_id.into(),
            bound(line.ordinal)?.into(),
            rejected.into(),
        ])
    });
    insert_all(tx, &insert, rows.collect::<Result<_, StoreError>>()?).await
}

pub(super) async fn write_prenotes(
    tx: &mut Transaction,
    import_id: &str,
    lines: &[PrenoteLine],
) -> Result<(), StoreError> {
    let insert = Insert {
        what: "write prenotes",
        table: "import_prenotes",
        columns: "import_id, ordinal, entry",
        end: "",
    };
    let rows = lines.iter().map(|line| {
        let entry = json(&line.entry, "import_prenotes.entry")?;
        Ok(vec![
            import_id.into(),
            bound(line.ordinal)?.into(),
            entry.into(),
        ])
    });
    insert_all(tx, &insert, rows.collect::<Result<_, StoreError>>()?).await
}
