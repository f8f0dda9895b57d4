//! The way forward after the returns database was restored from a backup that lacks what the
//! target has applied: an operator puts the cursor onto a row that the journal has. What was
//! applied stays. When its file is imported again, a state guard or the id of the reversal keeps
//! it from being applied twice.

use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait as _, Query};
use uuid::Uuid;

use crate::apply::Target;
use crate::cursor::{self, Cursor, position_of};
use crate::dialect::{Access, DbError, SqlStatement, TargetSession, insert_row};
use crate::identity::{self, Recorded, TargetIdentity};
use crate::progress;
use crate::timestamp::TimestampFormat;

/// The table, as `owned_tables.sql` creates it.
pub(crate) const TABLE: &str = "echeck_adoptions";

/// An operator's decision to move the cursor.
#[derive(Debug, Clone)]
pub(crate) struct CursorAdoption {
    /// Its id: it is done once.
    pub(crate) id: Uuid,
    /// Where the operator saw the cursor; `None` where nothing was ever applied.
    pub(crate) from: Option<Cursor>,
    /// Where to put it; `None` for the start of the journal, from nowhere else.
    pub(crate) to: Option<Cursor>,
    /// Whose target it is from now on.
    pub(crate) identity: TargetIdentity,
    /// Who decided it.
    pub(crate) actor: String,
    /// Why.
    pub(crate) reason: String,
}

/// Why the cursor was not moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdoptionRefused {
    /// It is somewhere else by now.
    #[error(
        "the target is at position {} by now, not at {seen} where it was seen; look again",
        position_of(*.cursor)
    )]
    Moved { cursor: Option<Cursor>, seen: i64 },
    /// The database did not answer. Only after a failed commit may the cursor have moved.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Target {
    /// Moves the cursor as an operator has decided, and records the decision.
    pub(crate) async fn adopt(
        &self,
        adoption: &CursorAdoption,
        now: DateTime<Utc>,
    ) -> Result<(), AdoptionRefused> {
        let mut session = self.database.begin(Access::Write).await?;
        if self.has_adopted(&mut *session, adoption).await? {
            session.roll_back().await;
            return Ok(());
        }
        let cursor = cursor::read(&mut *session, &self.adapter).await?;
        if cursor != adoption.from {
            session.roll_back().await;
            let seen = position_of(adoption.from);
            return Err(AdoptionRefused::Moved { cursor, seen });
        }
        if let Some(to) = adoption.to {
            cursor::advance(&mut *session, &self.adapter, cursor, to, now).await?;
        }
        self.set_exceptions_aside(&mut *session, adoption).await?;
        let identity = &adoption.identity;
        let replaced = Recorded::IsReplaced;
        identity::record(&mut *session, &self.adapter, identity, replaced, now).await?;
        self.record_adoption(&mut *session, adoption, now).await?;
        Ok(session.commit().await?)
    }

    /// Whether it was done before, and the answer was lost.
    async fn has_adopted(
        &self,
        session: &mut dyn TargetSession,
        adoption: &CursorAdoption,
    ) -> Result<bool, DbError> {
        let select = Query::select()
            .column("adoption_id")
            .from(TABLE)
            .and_where(Expr::col("adoption_id").eq(adoption.id.to_string()))
            .and_where(Expr::col("to_position").eq(position_of(adoption.to)))
            .to_owned();
        let rows = session.fetch(SqlStatement::Select(select)).await?;
        Ok(!rows.is_empty())
    }

    /// Exceptions of rows that the journal does not have must not be taken for those of the rows
    /// that will have their positions.
    async fn set_exceptions_aside(
        &self,
        session: &mut dyn TargetSession,
        adoption: &CursorAdoption,
    ) -> Result<(), DbError> {
        let journal = adoption.identity.journal;
        // Without a cursor they can only be of an earlier time of the same journal.
        let from = adoption.from.map_or(journal, |from| from.journal);
        let to = adoption.to.filter(|_| from == journal);
        let update = Query::update()
            .table(progress::TABLE)
            .value("journal_id", adoption.id.to_string())
            .and_where(Expr::col("adapter").eq(self.adapter.as_str()))
            .and_where(Expr::col("journal_id").eq(from.to_string()))
            .and_where(Expr::col("position").gt(position_of(to)))
            .to_owned();
        session.execute(SqlStatement::Update(update)).await?;
        Ok(())
    }

    async fn record_adoption(
        &self,
        session: &mut dyn TargetSession,
        adoption: &CursorAdoption,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let journal = |cursor: Option<Cursor>| {
            cursor.map_or_else(String::new, |cursor| cursor.journal.to_string())
        };
        let hash =
            |cursor: Option<Cursor>| cursor.map_or_else(String::new, |cursor| cursor.hash.to_hex());
        let (from, to) = (adoption.from, adoption.to);
        let to_journal = adoption.identity.journal.to_string();
        let row = [
            ("adoption_id", Expr::val(adoption.id.to_string())),
            ("adapter", Expr::val(self.adapter.as_str())),
            ("from_journal", Expr::val(journal(from))),
            ("from_position", Expr::val(position_of(from))),
            ("from_hash", Expr::val(hash(from))),
            ("to_journal", Expr::val(to_journal)),
            ("to_position", Expr::val(position_of(to))),
            ("to_hash", Expr::val(hash(to))),
            ("actor", Expr::val(adoption.actor.as_str())),
            ("reason", Expr::val(adoption.reason.as_str())),
            ("adopted_at", Expr::val(TimestampFormat::Rfc3339.write(now))),
        ];
        session.execute(insert_row(TABLE, row)).await?;
        Ok(())
    }
}
