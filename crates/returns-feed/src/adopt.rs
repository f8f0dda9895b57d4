//! The way forward after the returns database was restored from a backup that lacks what a
//! target has applied. A person decides it; both databases keep who did and why.

use echeck_proto::adapter::v1 as proto;
use returns_import::adapter::AdapterError;
use returns_model::adoption::{Adoption, Point};
use returns_store::StoreError;
use uuid::Uuid;

use super::{Feed, FeedError};

/// Why nothing was adopted.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    #[error(
        "{database} is on a row of this journal, at position {position}: there is nothing to adopt"
    )]
    Fits { database: String, position: u64 },
    #[error("{0} is ours and has applied nothing: there is nothing to adopt")]
    NothingApplied(String),
    #[error("{0}")]
    Position(String),
    #[error(transparent)]
    Feed(#[from] FeedError),
}

impl From<StoreError> for AdoptError {
    fn from(error: StoreError) -> Self {
        Self::Feed(error.into())
    }
}

impl From<AdapterError> for AdoptError {
    fn from(error: AdapterError) -> Self {
        Self::Feed(error.into())
    }
}

/// What an operator asks for.
pub struct AdoptRequest {
    /// Where the cursor is to be. 0 for where it is if it is on a row of this journal, for the start
    /// if the database has applied nothing, and for the end of the journal else.
    pub position: u64,
    pub actor: String,
    pub reason: String,
}

impl Feed {
    /// What adopting would do, without doing it.
    pub async fn plan_adoption(&self, ask: AdoptRequest) -> Result<Adoption, AdoptError> {
        let database = self.database().to_owned();
        let answer = self.adapter.progress(u64::MAX).await?;
        let head = self.store.head().await?;
        let recorded = self.store.progress(&database).await?.position;
        self.check_version(&answer)?;
        let is_ours = self.check_identity(&answer, &head, recorded);
        if answer.cursor.is_none() && is_ours.is_ok() {
            return Err(AdoptError::NothingApplied(database));
        }
        let position = match self.checked_cursor(&answer, &head).await {
            // It has this journal's rows, or none, and is known under another name, or not at all.
            Ok(fits) if is_ours.is_err() => match ask.position {
                0 => fits.position,
                asked => asked,
            },
            Ok(fits) => {
                let position = fits.position;
                return Err(AdoptError::Fits { database, position });
            }
            // Nothing that the journal has was left out by the target.
            Err(FeedError::Ahead { .. }) if ask.position == 0 => head.position,
            Err(FeedError::Diverged { .. } | FeedError::OtherJournal { .. })
                if ask.position == 0 =>
            {
                return Err(AdoptError::Position(format!(
                    "the journal and {database} have different pasts, so the last row that both \
                     have is not known here: set its position"
                )));
            }
            Err(
                FeedError::Ahead { .. }
                | FeedError::Diverged { .. }
                | FeedError::OtherJournal { .. },
            ) => ask.position,
            Err(other) => return Err(other.into()),
        };
        let row = self.store.row(position).await?;
        let hash = match (row, &answer.cursor) {
            (Some(row), _) => row.hash.as_bytes().to_vec(),
            (None, None) if position == 0 => Vec::new(),
            (None, _) => {
                return Err(AdoptError::Position(format!(
                    "the journal has no row {position}, it ends at {}; to start again, delete the \
                     row of {database} in its table echeck_cursor, if it has one, and adopt it then",
                    head.position
                )));
            }
        };
        let from = answer.cursor.map(|cursor| Point {
            journal_id: cursor.journal_id,
            position: cursor.position,
            hash: cursor.row_hash,
        });
        Ok(Adoption {
            id: Uuid::new_v4().to_string(),
            database,
            from,
            to: Point {
                journal_id: head.journal_id.to_string(),
                position,
                hash,
            },
            actor: ask.actor,
            reason: ask.reason,
            decided_at: self.clock.now(),
        })
    }

    /// Does what was planned, if the cursor is still where it was. The feed continues by itself.
    pub async fn adopt(&self, adoption: &Adoption) -> Result<(), AdoptError> {
        self.store.record_adoption(adoption).await?;
        let request = proto::AdoptCursorRequest {
            expected_cursor: adoption.from.as_ref().map(point),
            new_cursor: Some(point(&adoption.to)),
            adoption_id: adoption.id.clone(),
            actor: adoption.actor.clone(),
            reason: adoption.reason.clone(),
            database: adoption.database.clone(),
        };
        self.adapter.adopt(request).await?;
        let now = self.clock.now();
        self.store.finish_adoption(&adoption.id, now).await?;
        tracing::warn!(
            adoption_id = adoption.id,
            database = adoption.database,
            from = adoption.from_position(),
            to = adoption.to.position,
            actor = adoption.actor,
            reason = adoption.reason,
            "an operator moved the cursor of a database to another row"
        );
        self.notifier.database_changed();
        Ok(())
    }
}

fn point(point: &Point) -> proto::Cursor {
    proto::Cursor {
        journal_id: point.journal_id.clone(),
        position: point.position,
        row_hash: point.hash.clone(),
    }
}
