//! The way forward after the returns database was restored from a backup that lacks what the
//! target has applied: an operator puts the cursor onto a row that the journal has. What was
//! applied stays; a state guard, or the id of a reversal that is there, keeps it from being
//! applied again when its file is imported again.

use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait as _, Query};
use uuid::Uuid;

use crate::apply::Target;
use crate::cursor::{self, Cursor};
use crate::dialect::{Access, DbError, Session, insert_row};
use crate::progress;
use crate::timestamp::TimestampFormat;

/// The table, as `owned_tables.sql` makes it.
pub(crate) const TABLE: &str = "echeck_adoptions";

/// What an operator has decided.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// Its id: it is done once.
    pub id: Uuid,
    /// Where the operator saw the cursor.
    pub from: Cursor,
    /// Where it shall be.
    pub to: Cursor,
    /// Who decided it.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// Why the cursor was not moved.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// It is somewhere else by now.
    #[error(
        "the target is at position {} by now, not at {} where it was seen; look again",
        .cursor.map_or(0, |cursor| cursor.position), .seen
    )]
    Moved {
        /// Where it is.
        cursor: Option<Cursor>,
        /// Where the operator saw it.
        seen: i64,
    },
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Target {
    /// Moves the cursor as an operator has decided, and keeps the decision.
    ///
    /// # Errors
    /// See [`AdoptError`]; nothing has happened then, but after a failed commit, of which the
    /// cursor tells.
    pub async fn adopt(
        &self,
        adoption: &Adoption,
        now: DateTime<Utc>,
    ) -> Result<Cursor, AdoptError> {
        let mut session = self.database.begin(Access::Write).await?;
        let cursor = cursor::read(&mut *session, &self.adapter).await?;
        if cursor != Some(adoption.from) {
            session.roll_back().await;
            let seen = adoption.from.position;
            return Err(AdoptError::Moved { cursor, seen });
        }
        cursor::advance(&mut *session, &self.adapter, cursor, adoption.to, now).await?;
        self.set_exceptions_aside(&mut *session, adoption).await?;
        self.keep(&mut *session, adoption, now).await?;
        session.commit().await?;
        Ok(adoption.to)
    }

    /// Exceptions of rows that the journal does not have must not be taken for those of the
    /// rows that will have their positions.
    async fn set_exceptions_aside(
        &self,
        session: &mut dyn Session,
        adoption: &Adoption,
    ) -> Result<(), DbError> {
        let after = if adoption.from.journal == adoption.to.journal {
            adoption.to.position
        } else {
            0
        };
        let update = Query::update()
            .table(progress::TABLE)
            .value("journal_id", adoption.id.to_string())
            .and_where(Expr::col("adapter").eq(self.adapter.as_str()))
            .and_where(Expr::col("journal_id").eq(adoption.from.journal.to_string()))
            .and_where(Expr::col("position").gt(after))
            .to_owned();
        session.execute(update.into()).await.map(|_| ())
    }

    async fn keep(
        &self,
        session: &mut dyn Session,
        adoption: &Adoption,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let (from, to) = (&adoption.from, &adoption.to);
        let row = [
            ("adoption_id", Expr::val(adoption.id.to_string())),
            ("adapter", Expr::val(self.adapter.as_str())),
            ("from_journal", Expr::val(from.journal.to_string())),
            ("from_position", Expr::val(from.position)),
            ("from_hash", Expr::val(from.hash.to_hex())),
            ("to_journal", Expr::val(to.journal.to_string())),
            ("to_position", Expr::val(to.position)),
            ("to_hash", Expr::val(to.hash.to_hex())),
            ("actor", Expr::val(adoption.actor.as_str())),
            ("reason", Expr::val(adoption.reason.as_str())),
            ("adopted_at", Expr::val(TimestampFormat::Rfc3339.write(now))),
        ];
        session
            .execute(insert_row(TABLE, row).into())
            .await
            .map(|_| ())
    }
}
