//! Whose target a database is. It is written when the returns service first meets the target, so
//! that a dump of it can be told from another database, and from one that is empty.

use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use uuid::Uuid;

use crate::apply::Target;
use crate::cursor::{self, Cursor, not_ours, position_of};
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

/// The target is not the one that is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityMismatch {
    /// Nobody has claimed it.
    #[error("nobody has claimed this target; it may be another database than before")]
    Unclaimed,
    /// It is another's.
    #[error(
        "the target is known as {:?} of journal {}, and {:?} of journal {} is meant; does the URL or \
         the address of an adapter lead to another database?",
        known.database, known.journal, meant.database, meant.journal
    )]
    Other {
        /// What is recorded.
        known: TargetIdentity,
        /// What the caller means.
        meant: TargetIdentity,
    },
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

/// Checks that the target is the one that is meant.
pub(crate) async fn check(
    session: &mut dyn TargetSession,
    adapter: &str,
    meant: &TargetIdentity,
) -> Result<Result<(), IdentityMismatch>, DbError> {
    Ok(match read(session, adapter).await? {
        None => Err(IdentityMismatch::Unclaimed),
        Some(known) if known == *meant => Ok(()),
        Some(known) => Err(IdentityMismatch::Other {
            known,
            meant: meant.clone(),
        }),
    })
}

/// Why a target was not claimed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimRefused {
    /// It is somewhere else by now.
    #[error("the target is at position {} by now, not where it was seen; look again", position_of(*.0))]
    Moved(Option<Cursor>),
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Target {
    /// Records whose target it is, unless that is recorded already, and gives what is recorded.
    ///
    /// # Errors
    /// When the cursor is not where the caller saw it, or the database does not answer.
    pub async fn claim(
        &self,
        identity: &TargetIdentity,
        seen: Option<Cursor>,
        now: DateTime<Utc>,
    ) -> Result<TargetIdentity, ClaimRefused> {
        let mut session = self.database.begin(Access::Write).await?;
        let cursor = cursor::read(&mut *session, &self.adapter).await?;
        if cursor != seen {
            session.roll_back().await;
            return Err(ClaimRefused::Moved(cursor));
        }
        record(&mut *session, &self.adapter, identity, Recorded::Stays, now).await?;
        let known = read(&mut *session, &self.adapter).await?;
        session.commit().await?;
        Ok(known.unwrap_or_else(|| identity.clone()))
    }
}
