//! Whose target a database is. It is written when the returns service first meets the target, so
//! that a dump of it can be told from another database, and from one that is empty.

use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use uuid::Uuid;

use crate::apply::Target;
use crate::cursor::not_ours;
use crate::dialect::{Access, DbError, SqlStatement, TargetSession};
use crate::timestamp::TimestampFormat;

/// The table, as `owned_tables.sql` creates it.
pub(crate) const TABLE: &str = "echeck_identity";

/// Whose target it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetIdentity {
    /// The journal of the installation.
    pub journal: Uuid,
    /// The name by which the installation knows the database.
    pub database: String,
}

/// The batch is for another database of the installation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the target is known as {known:?}, and this batch is for {batch:?}; are the addresses or URLs of \
     two adapters swapped?"
)]
pub struct IdentityMismatch {
    /// The name that is recorded.
    pub known: String,
    /// The name in the batch.
    pub batch: String,
}

/// What happens to an identity that is recorded already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    Stays,
    IsReplaced,
}

/// Reads it; `None` when nobody has claimed the target.
///
/// # Errors
/// When the database does not answer, or the row was not written by an adapter.
pub(crate) async fn read(
    session: &mut dyn TargetSession,
    adapter: &str,
) -> Result<Option<TargetIdentity>, DbError> {
    let select = Query::select()
        .columns(["journal_id", "database_name"])
        .from(TABLE)
        .and_where(Expr::col("adapter").eq(adapter))
        .to_owned();
    let rows = session.fetch(SqlStatement::Select(select)).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let journal = Uuid::parse_str(&row.cell("journal_id").text());
    Ok(Some(TargetIdentity {
        journal: journal.map_err(|_| not_ours(TABLE))?,
        database: row.cell("database_name").text(),
    }))
}

/// Records it.
pub(crate) async fn record(
    session: &mut dyn TargetSession,
    adapter: &str,
    identity: &TargetIdentity,
    recorded: Recorded,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let values = ["journal_id", "database_name", "recorded_at"];
    let mut insert = Query::insert();
    // The builder only panics when the numbers of columns and values differ.
    insert
        .into_table(TABLE)
        .columns(["adapter"].into_iter().chain(values))
        .values_panic([
            Expr::val(adapter),
            Expr::val(identity.journal.to_string()),
            Expr::val(identity.database.as_str()),
            Expr::val(TimestampFormat::Rfc3339.write(now)),
        ]);
    let conflict = match recorded {
        // Nothing changes, and the other adapter's copy may have been faster.
        Recorded::Stays => OnConflict::column("adapter")
            .update_column("adapter")
            .to_owned(),
        Recorded::IsReplaced => OnConflict::column("adapter")
            .update_columns(values)
            .to_owned(),
    };
    insert.on_conflict(conflict);
    session
        .execute(SqlStatement::Insert(insert))
        .await
        .map(drop)
}

/// Checks that a batch is for this target. One that nobody has claimed takes it, and is the batch's
/// from then on.
pub(crate) async fn check(
    session: &mut dyn TargetSession,
    adapter: &str,
    batch: &TargetIdentity,
    now: DateTime<Utc>,
) -> Result<Option<IdentityMismatch>, DbError> {
    let Some(known) = read(session, adapter).await? else {
        record(session, adapter, batch, Recorded::Stays, now).await?;
        return Ok(None);
    };
    Ok(
        (known.database != batch.database).then(|| IdentityMismatch {
            known: known.database,
            batch: batch.database.clone(),
        }),
    )
}

impl Target {
    /// Records whose target it is, unless that is recorded already, and gives what is recorded.
    pub(crate) async fn claim(
        &self,
        identity: &TargetIdentity,
        now: DateTime<Utc>,
    ) -> Result<TargetIdentity, DbError> {
        let mut session = self.database.begin(Access::Write).await?;
        record(&mut *session, &self.adapter, identity, Recorded::Stays, now).await?;
        let known = read(&mut *session, &self.adapter).await?;
        session.commit().await?;
        Ok(known.unwrap_or_else(|| identity.clone()))
    }
}
