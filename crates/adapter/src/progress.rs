//! The exceptions that live in the target: the steps that changed nothing, recorded in the
//! transaction that passed them, so that they are readable after a lost reply.

use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait as _, OnConflict, Order, Query};
use uuid::Uuid;

use crate::cursor::{self, Cursor};
use crate::dialect::{Access, Database, DbError, Session};
use crate::mapping::ExceptionKind;
use crate::timestamp::TimestampFormat;

/// The table, as `owned_tables.sql` makes it.
pub(crate) const TABLE: &str = "echeck_exceptions";

/// A step that changed nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepException {
    /// The step's position.
    pub position: i64,
    /// Why, in one word.
    pub kind: ExceptionKind,
    /// Why, in a sentence.
    pub message: String,
    /// The transfer it was about.
    pub transfer_id: String,
}

/// How far the target is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The cursor; `None` when nothing was ever applied.
    pub cursor: Option<Cursor>,
    /// The exceptions asked for, in order of position.
    pub exceptions: Vec<StepException>,
    /// Whether there are more.
    pub has_more: bool,
}

/// So many exceptions are recorded by one statement.
const CHUNK: usize = 500;

/// Records exceptions. One of the same row of the same journal is replaced: it can only be
/// left from a cursor that an operator has taken back by hand.
///
/// # Errors
/// As [`Session::execute`].
pub async fn record(
    session: &mut dyn Session,
    adapter: &str,
    journal: Uuid,
    exceptions: &[StepException],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let key = ["adapter", "journal_id", "position"];
    let told = ["kind", "message", "transfer_id", "recorded_at"];
    let at = TimestampFormat::Rfc3339.write(now);
    for chunk in exceptions.chunks(CHUNK) {
        let mut insert = Query::insert();
        insert
            .into_table(TABLE)
            .columns(key.into_iter().chain(told));
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
        insert.on_conflict(OnConflict::columns(key).update_columns(told).to_owned());
        session.execute(insert.into()).await?;
    }
    Ok(())
}

/// PostgreSQL has no NUL in texts, and an exception that cannot be recorded would stop
/// everything after it.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Reads cursor and exceptions of one moment.
///
/// # Errors
/// When the database does not answer.
pub async fn read(
    database: &dyn Database,
    adapter: &str,
    after: i64,
    limit: u32,
) -> Result<Progress, DbError> {
    let mut session = database.begin(Access::Read).await?;
    let progress = read_in(&mut *session, adapter, after, limit).await;
    session.roll_back().await;
    progress
}

async fn read_in(
    session: &mut dyn Session,
    adapter: &str,
    after: i64,
    limit: u32,
) -> Result<Progress, DbError> {
    let Some(cursor) = cursor::read(session, adapter).await? else {
        return Ok(Progress {
            cursor: None,
            exceptions: Vec::new(),
            has_more: false,
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
    let mut exceptions = Vec::new();
    for row in session.fetch(select).await? {
        let kind = ExceptionKind::from_word(&row.cell("kind").text());
        let (Some(position), Some(kind)) = (row.cell("position").integer(), kind) else {
            return Err(DbError::Refused(format!(
                "a row in {TABLE} was not written by an adapter; an operator must look at it"
            )));
        };
        let message = row.cell("message").text();
        let transfer_id = row.cell("transfer_id").text();
        exceptions.push(StepException {
            position,
            kind,
            message,
            transfer_id,
        });
    }
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = exceptions.len() > wanted;
    exceptions.truncate(wanted);
    Ok(Progress {
        cursor: Some(cursor),
        exceptions,
        has_more,
    })
}
