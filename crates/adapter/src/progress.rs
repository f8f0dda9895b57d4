//! The exceptions in the target: the steps that changed nothing, recorded in the transaction that
//! passed them, so that they are readable after a lost reply.

use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait as _, OnConflict, Order, Query};
use uuid::Uuid;

use crate::batch::TransferChange;
use crate::cursor::{self, Cursor};
use crate::dialect::{Access, DbError, SqlStatement, TargetDatabase, TargetSession};
use crate::identity::{self, TargetIdentity};
use crate::mapping::{Obstacle, ObstacleKind};
use crate::row::TargetRow;
use crate::timestamp::TimestampFormat;

/// The table, as `owned_tables.sql` creates it.
pub(crate) const TABLE: &str = "echeck_exceptions";

/// The number of exceptions that one statement records.
const CHUNK: usize = 500;

/// A step that changed nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepException {
    /// The step's position.
    pub position: i64,
    /// Why, in one word.
    pub kind: ObstacleKind,
    /// Why, in a sentence.
    pub message: String,
    /// The transfer it was about.
    pub transfer_id: String,
}

impl StepException {
    pub(crate) fn new(position: i64, change: &TransferChange, obstacle: Obstacle) -> Self {
        Self {
            position,
            kind: obstacle.kind,
            message: obstacle.message,
            transfer_id: change.transfer_id().to_owned(),
        }
    }
}

/// How far the target is.
#[derive(Debug, Clone, Default)]
pub struct TargetProgress {
    /// The cursor; `None` when nothing was ever applied.
    pub cursor: Option<Cursor>,
    /// The exceptions asked for, in the order of their positions.
    pub exceptions: Vec<StepException>,
    /// Whether there are more.
    pub has_more: bool,
    /// Whose target it is; `None` when nobody has claimed it.
    pub identity: Option<TargetIdentity>,
}

/// Records exceptions. One of the same row of the same journal is replaced: it can only be left
/// from a cursor that an operator has taken back by hand.
pub(crate) async fn record(
    session: &mut dyn TargetSession,
    adapter: &str,
    journal: Uuid,
    exceptions: &[StepException],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let key = ["adapter", "journal_id", "position"];
    let values = ["kind", "message", "transfer_id", "recorded_at"];
    let at = TimestampFormat::Rfc3339.write(now);
    for chunk in exceptions.chunks(CHUNK) {
        let mut insert = Query::insert();
        insert
            .into_table(TABLE)
            .columns(key.into_iter().chain(values));
        for exception in chunk {
            // The builder only panics when the numbers of columns and values differ.
            insert.values_panic([
                Expr::val(adapter),
                Expr::val(journal.to_string()),
                Expr::val(exception.position),
                Expr::val(exception.kind.as_str()),
                Expr::val(storable(&exception.message)),
                Expr::val(storable(&exception.transfer_id)),
                Expr::val(at.as_str()),
            ]);
        }
        insert.on_conflict(OnConflict::columns(key).update_columns(values).to_owned());
        session.execute(SqlStatement::Insert(insert)).await?;
    }
    Ok(())
}

/// PostgreSQL has no NUL in texts, and an exception that cannot be recorded would stop everything
/// after it.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Reads the cursor, and at most `limit` exceptions after a position, as of one moment.
///
/// # Errors
/// When the database does not answer, or a row was not written by an adapter.
pub async fn read(
    database: &dyn TargetDatabase,
    adapter: &str,
    after: i64,
    limit: u32,
) -> Result<TargetProgress, DbError> {
    let mut session = database.begin(Access::Read).await?;
    let progress = read_in(&mut *session, adapter, after, limit).await;
    session.roll_back().await;
    progress
}

async fn read_in(
    session: &mut dyn TargetSession,
    adapter: &str,
    after: i64,
    limit: u32,
) -> Result<TargetProgress, DbError> {
    let identity = identity::read(session, adapter).await?;
    let Some(cursor) = cursor::read(session, adapter).await? else {
        return Ok(TargetProgress {
            identity,
            ..TargetProgress::default()
        });
    };
    let select = Query::select()
        .columns(["position", "kind", "message", "transfer_id"])
        .from(TABLE)
        .and_where(Expr::col("adapter").eq(adapter))
        .and_where(Expr::col("journal_id").eq(cursor.journal.to_string()))
        .and_where(Expr::col("position").gt(after))
        .order_by("position", Order::Asc)
        .limit(u64::from(limit) + 1)
        .to_owned();
    let rows = session.fetch(SqlStatement::Select(select)).await?;
    let exceptions: Option<Vec<StepException>> = rows.iter().map(parse).collect();
    let mut exceptions = exceptions.ok_or_else(|| cursor::not_ours(TABLE))?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = exceptions.len() > wanted;
    exceptions.truncate(wanted);
    Ok(TargetProgress {
        cursor: Some(cursor),
        exceptions,
        has_more,
        identity,
    })
}

fn parse(row: &TargetRow) -> Option<StepException> {
    Some(StepException {
        position: row.cell("position").integer()?,
        kind: row.cell("kind").text().parse().ok()?,
        message: row.cell("message").text(),
        transfer_id: row.cell("transfer_id").text(),
    })
}
