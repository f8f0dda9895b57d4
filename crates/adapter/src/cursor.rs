//! The cursor in the target: how far the target is in the journal. It is read and moved in the
//! transaction that changes the rows, which is the exactly-once effect.

use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait as _, Query};
use uuid::Uuid;

use crate::batch::RowHash;
use crate::dialect::{DbError, SqlStatement, TargetSession, insert_row};
use crate::row::TargetRow;
use crate::timestamp::TimestampFormat;

/// The table, as `owned_tables.sql` creates it.
pub(crate) const TABLE: &str = "echeck_cursor";

/// How far a target is in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The journal's identity.
    pub journal: Uuid,
    /// The position of the last row applied.
    pub position: i64,
    /// The hash of that row.
    pub hash: RowHash,
}

/// Why a batch does not continue where the target is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CursorMismatch {
    /// The target follows another journal.
    #[error(
        "the target follows journal {}, at position {}; this batch is of journal {batch}",
        cursor.journal, cursor.position
    )]
    Journal {
        /// Where the target is.
        cursor: Cursor,
        /// The batch's journal.
        batch: Uuid,
    },
    /// The batch does not begin right after the cursor.
    #[error(
        "the target is at position {at}, so the next is {}; this batch begins at {first}",
        position_of(*.cursor) + 1, at = position_of(*.cursor)
    )]
    Position {
        /// Where the target is.
        cursor: Option<Cursor>,
        /// The batch's first position.
        first: i64,
    },
    /// The journal's past is not the one that was applied.
    #[error(
        "at position {} the target applied a row with another hash than the journal has there; \
         the journal may have been restored from a backup",
        position_of(*.cursor)
    )]
    Hash {
        /// Where the target is.
        cursor: Option<Cursor>,
    },
}

impl CursorMismatch {
    /// Where the target is.
    pub(crate) fn cursor(&self) -> Option<Cursor> {
        match self {
            Self::Journal { cursor, .. } => Some(*cursor),
            Self::Position { cursor, .. } | Self::Hash { cursor } => *cursor,
        }
    }
}

/// The position of a cursor; 0 when nothing was ever applied.
pub(crate) fn position_of(cursor: Option<Cursor>) -> i64 {
    cursor.map_or(0, |cursor| cursor.position)
}

/// Checks that a batch of `journal`, whose first position is `first` after a row with the hash
/// `previous`, continues right where the target is. The error is the first thing that does not
/// fit: the journal, the position, the hash.
pub(crate) fn check(
    cursor: Option<Cursor>,
    journal: Uuid,
    previous: Option<RowHash>,
    first: i64,
) -> Result<(), CursorMismatch> {
    if let Some(cursor) = cursor
        && cursor.journal != journal
    {
        let batch = journal;
        return Err(CursorMismatch::Journal { cursor, batch });
    }
    if position_of(cursor).checked_add(1) != Some(first) {
        return Err(CursorMismatch::Position { cursor, first });
    }
    if cursor.map(|cursor| cursor.hash) != previous {
        return Err(CursorMismatch::Hash { cursor });
    }
    Ok(())
}

/// Writes what is there already, to see whether the target takes a write.
///
/// # Errors
/// When it does not.
pub(crate) async fn touch(session: &mut dyn TargetSession, adapter: &str) -> Result<(), DbError> {
    let mut update = Query::update();
    update
        .table(TABLE)
        .value("position", Expr::col("position"))
        .and_where(Expr::col("adapter").eq(adapter));
    session
        .execute(SqlStatement::Update(update))
        .await
        .map(drop)
}

/// Reads the cursor of an adapter; `None` when nothing was ever applied.
///
/// # Errors
/// When the database does not answer, or the row was not written by an adapter.
pub async fn read(
    session: &mut dyn TargetSession,
    adapter: &str,
) -> Result<Option<Cursor>, DbError> {
    let select = Query::select()
        .columns(["journal_id", "position", "hash"])
        .from(TABLE)
        .and_where(Expr::col("adapter").eq(adapter))
        .to_owned();
    let rows = session.fetch(SqlStatement::Select(select)).await?;
    rows.first()
        .map(|row| parse(row).ok_or_else(|| not_ours(TABLE)))
        .transpose()
}

fn parse(row: &TargetRow) -> Option<Cursor> {
    Some(Cursor {
        journal: Uuid::parse_str(&row.cell("journal_id").text()).ok()?,
        position: row.cell("position").integer()?,
        hash: RowHash::from_hex(&row.cell("hash").text())?,
    })
}

/// The error of a row in an own table that cannot be read.
pub(crate) fn not_ours(table: &str) -> DbError {
    DbError::Refused(format!(
        "a row in {table} was not written by an adapter; an operator must look at it"
    ))
}

/// Moves the cursor, if it is still where it was read.
///
/// # Errors
/// [`DbError::Unavailable`] when it is not: another adapter is at work on the same target.
pub async fn advance(
    session: &mut dyn TargetSession,
    adapter: &str,
    from: Option<Cursor>,
    to: Cursor,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let values = [
        ("journal_id", Expr::val(to.journal.to_string())),
        ("position", Expr::val(to.position)),
        ("hash", Expr::val(to.hash.to_hex())),
        ("updated_at", Expr::val(TimestampFormat::Rfc3339.write(now))),
    ];
    let moved = match from {
        Some(from) => {
            let update = Query::update()
                .table(TABLE)
                .values(values)
                .and_where(Expr::col("adapter").eq(adapter))
                .and_where(Expr::col("journal_id").eq(from.journal.to_string()))
                .and_where(Expr::col("position").eq(from.position))
                .and_where(Expr::col("hash").eq(from.hash.to_hex()))
                .to_owned();
            session.execute(SqlStatement::Update(update)).await?
        }
        None => {
            let key = ("adapter", Expr::val(adapter));
            let insert = insert_row(TABLE, values.into_iter().chain([key]));
            // The primary key is the guard: two first batches cannot both be the first.
            session.execute(insert).await.map_err(|error| match error {
                DbError::Refused(message) => DbError::Unavailable(message),
                other => other,
            })?
        }
    };
    if moved == 1 {
        return Ok(());
    }
    Err(DbError::Unavailable(format!(
        "the row in {TABLE} was moved meanwhile; is another adapter at work on this target?"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(byte: u8) -> RowHash {
        RowHash::from_bytes(&[byte; 32]).unwrap()
    }

    #[test]
    fn a_batch_must_continue_the_same_journal_at_the_next_position_with_the_same_past() {
        let journal = Uuid::from_u128(1);
        let cursor = Some(Cursor {
            journal,
            position: 7,
            hash: hash(7),
        });
        assert_eq!(check(cursor, journal, Some(hash(7)), 8), Ok(()));
        assert!(matches!(
            check(cursor, Uuid::from_u128(2), Some(hash(7)), 8),
            Err(CursorMismatch::Journal { .. })
        ));
        for first in [1, 7, 9] {
            assert!(matches!(
                check(cursor, journal, Some(hash(7)), first),
                Err(CursorMismatch::Position { .. })
            ));
        }
        for previous in [None, Some(hash(8))] {
            assert!(matches!(
                check(cursor, journal, previous, 8),
                Err(CursorMismatch::Hash { .. })
            ));
        }
    }

    #[test]
    fn each_mismatch_says_where_the_target_is() {
        let journal = Uuid::from_u128(1);
        let cursor = Some(Cursor {
            journal,
            position: 7,
            hash: hash(7),
        });
        for refused in [
            check(cursor, Uuid::from_u128(2), Some(hash(7)), 8),
            check(cursor, journal, Some(hash(7)), 9),
            check(cursor, journal, Some(hash(8)), 8),
        ] {
            assert_eq!(refused.unwrap_err().cursor(), cursor);
        }
    }

    #[test]
    fn the_first_batch_begins_at_one_with_no_past() {
        let journal = Uuid::from_u128(1);
        assert_eq!(check(None, journal, None, 1), Ok(()));
        assert!(matches!(
            check(None, journal, None, 2),
            Err(CursorMismatch::Position { .. })
        ));
        assert!(matches!(
            check(None, journal, Some(hash(1)), 1),
            Err(CursorMismatch::Hash { cursor: None })
        ));
    }

    #[test]
    fn a_mismatch_says_where_the_target_is() {
        let cursor = Cursor {
            journal: Uuid::from_u128(1),
            position: 7,
            hash: hash(7),
        };
        assert_eq!(
            CursorMismatch::Position {
                cursor: Some(cursor),
                first: 12
            }
            .to_string(),
            "the target is at position 7, so the next is 8; this batch begins at 12"
        );
    }
}
