//! The cursor that lives in the target: how far the target is in the journal. It is read
//! and moved in the transaction that changes the rows, which is the exactly-once effect.

use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait as _, Query};
use uuid::Uuid;

use crate::batch::Hash;
use crate::dialect::{DbError, Session, insert_row};
use crate::row::Row;
use crate::timestamp::TimestampFormat;

/// The table, as `owned_tables.sql` makes it.
pub(crate) const TABLE: &str = "echeck_cursor";

/// How far a target is in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The journal's identity.
    pub journal: Uuid,
    /// The position of the last row applied.
    pub position: i64,
    /// The hash of that row.
    pub hash: Hash,
}

/// Why a batch does not continue where the target is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
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
        "the target is at position {}, so the next is {}; this batch begins at {first}",
        position_of(.cursor.as_ref()), position_of(.cursor.as_ref()) + 1
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
        position_of(.cursor.as_ref())
    )]
    Hash {
        /// Where the target is.
        cursor: Option<Cursor>,
    },
}

impl Mismatch {
    /// Where the target is.
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::Journal { cursor, .. } => Some(cursor),
            Self::Position { cursor, .. } | Self::Hash { cursor } => cursor.as_ref(),
        }
    }
}

fn position_of(cursor: Option<&Cursor>) -> i64 {
    cursor.map_or(0, |cursor| cursor.position)
}

/// Checks that a batch continues right where the target is.
///
/// # Errors
/// The first thing that does not fit: the journal, the position, the hash.
pub fn check(
    cursor: Option<Cursor>,
    journal: Uuid,
    previous: Option<Hash>,
    first: i64,
) -> Result<(), Mismatch> {
    if let Some(cursor) = cursor
        && cursor.journal != journal
    {
        return Err(Mismatch::Journal {
            cursor,
            batch: journal,
        });
    }
    if position_of(cursor.as_ref()).checked_add(1) != Some(first) {
        return Err(Mismatch::Position { cursor, first });
    }
    if cursor.map(|cursor| cursor.hash) != previous {
        return Err(Mismatch::Hash { cursor });
    }
    Ok(())
}

/// Reads the cursor of an adapter; `None` when nothing was ever applied.
///
/// # Errors
/// When the database does not answer, or the row is not one that an adapter wrote.
pub async fn read(session: &mut dyn Session, adapter: &str) -> Result<Option<Cursor>, DbError> {
    let select = Query::select()
        .columns(["journal_id", "position", "hash"])
        .from(TABLE)
        .and_where(Expr::col("adapter").eq(adapter))
        .to_owned();
    session.fetch(select).await?.first().map(parse).transpose()
}

fn parse(row: &Row) -> Result<Cursor, DbError> {
    let journal = Uuid::parse_str(&row.cell("journal_id").text()).ok();
    let position = row.cell("position").integer();
    let hash = Hash::from_hex(&row.cell("hash").text());
    match (journal, position, hash) {
        (Some(journal), Some(position), Some(hash)) => Ok(Cursor {
            journal,
            position,
            hash,
        }),
        _ => Err(DbError::Refused(format!(
            "the row in {TABLE} was not written by an adapter; an operator must look at it"
        ))),
    }
}

/// Moves the cursor, if it still stands where it was read.
///
/// # Errors
/// [`DbError::Unavailable`] when it does not: another adapter is at work on the same target.
pub async fn advance(
    session: &mut dyn Session,
    adapter: &str,
    from: Option<Cursor>,
    to: Cursor,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let journal = to.journal.to_string();
    let hash = to.hash.to_hex();
    let updated_at = TimestampFormat::Rfc3339.write(now);
    let moved = match from {
        Some(from) => {
            let update = Query::update()
                .table(TABLE)
                .value("journal_id", journal)
                .value("position", to.position)
                .value("hash", hash)
                .value("updated_at", updated_at)
                .and_where(Expr::col("adapter").eq(adapter))
                .and_where(Expr::col("journal_id").eq(from.journal.to_string()))
                .and_where(Expr::col("position").eq(from.position))
                .and_where(Expr::col("hash").eq(from.hash.to_hex()))
                .to_owned();
            session.execute(update.into()).await?
        }
        None => {
            let insert = insert_row(
                TABLE,
                [
                    ("adapter", Expr::val(adapter)),
                    ("journal_id", Expr::val(journal)),
                    ("position", Expr::val(to.position)),
                    ("hash", Expr::val(hash)),
                    ("updated_at", Expr::val(updated_at)),
                ],
            );
            // The primary key is the guard: two first batches cannot both be the first.
            session
                .execute(insert.into())
                .await
                .map_err(|error| match error {
                    DbError::Refused(what) => DbError::Unavailable(what),
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

    fn hash(byte: u8) -> Hash {
        Hash::from_bytes(&[byte; 32]).unwrap()
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
            Err(Mismatch::Journal { .. })
        ));
        for first in [1, 7, 9] {
            assert!(matches!(
                check(cursor, journal, Some(hash(7)), first),
                Err(Mismatch::Position { .. })
            ));
        }
        for previous in [None, Some(hash(8))] {
            assert!(matches!(
                check(cursor, journal, previous, 8),
                Err(Mismatch::Hash { .. })
            ));
        }
    }

    #[test]
    fn the_first_batch_begins_at_one_with_no_past() {
        let journal = Uuid::from_u128(1);
        assert_eq!(check(None, journal, None, 1), Ok(()));
        assert!(matches!(
            check(None, journal, None, 2),
            Err(Mismatch::Position { .. })
        ));
        assert!(matches!(
            check(None, journal, Some(hash(1)), 1),
            Err(Mismatch::Hash { cursor: None })
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
            Mismatch::Position {
                cursor: Some(cursor),
                first: 12
            }
            .to_string(),
            "the target is at position 7, so the next is 8; this batch begins at 12"
        );
    }
}
