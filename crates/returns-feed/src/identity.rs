//! Whether the adapter leads to the database that was fed before. An empty one looks like one that
//! was restored from a backup, and would be fed from the start.

use echeck_proto::adapter::CONTRACT_VERSION;
use echeck_proto::adapter::v1 as proto;
use returns_model::journal::Head;

use super::{Feed, FeedError};

/// Whether the target says whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    IsThere,
    /// It is fed for the first time.
    IsDue,
}

impl Feed {
    /// Checks that the target which answered is ours, by what it has recorded of itself. `recorded`
    /// is how far the returns database knows it to be.
    pub(super) fn check_identity(
        &self,
        answer: &proto::GetProgressResponse,
        head: &Head,
        recorded: u64,
    ) -> Result<Claim, FeedError> {
        self.check_version(answer)?;
        let database = self.database();
        let ours = head.journal_id.to_string();
        let foreign = |why: String| FeedError::Foreign {
            database: database.to_owned(),
            target: answer.target.clone(),
            why,
        };
        match &answer.identity {
            None if recorded > 0 && answer.cursor.is_none() => Err(foreign(format!(
                "it has applied nothing, and {recorded} rows of the journal were applied to \
                 {database:?}"
            ))),
            // The cursor is checked after this: it proves the journal.
            None => Ok(Claim::IsDue),
            Some(known) if known.journal_id != ours => Err(FeedError::OtherJournal {
                database: database.to_owned(),
                target: answer.target.clone(),
                theirs: known.journal_id.clone(),
                ours,
            }),
            Some(known) if known.database != database => Err(foreign(format!(
                "it is known here as {:?}, as if the addresses or URLs of two adapters were swapped",
                known.database
            ))),
            Some(_) => Ok(Claim::IsThere),
        }
    }

    /// An adapter of another version might understand what it is sent otherwise than it was meant.
    pub(super) fn check_version(
        &self,
        answer: &proto::GetProgressResponse,
    ) -> Result<(), FeedError> {
        if answer.contract_version == CONTRACT_VERSION {
            return Ok(());
        }
        Err(FeedError::OtherVersion {
            database: self.database().to_owned(),
            theirs: answer.contract_version,
            ours: CONTRACT_VERSION,
        })
    }

    /// Whether the target, or its adapter, is another one than was fed before.
    pub(super) fn is_another(&self, answer: &proto::GetProgressResponse) -> bool {
        answer.identity.as_ref() != Some(self.adapter.identity())
            || self.check_version(answer).is_err()
    }

    /// Claims the target, so that it is known again, also when it is restored from a dump of today.
    /// It must still be where it was `seen`.
    pub(super) async fn claim(&self, seen: Option<proto::Cursor>) -> Result<(), FeedError> {
        let known = self.adapter.claim(seen).await?;
        if known == *self.adapter.identity() {
            return Ok(());
        }
        // Somebody else was faster; the next try sees whose it is.
        Err(self.contract(format!("the target was claimed as {:?}", known.database)))
    }
}
