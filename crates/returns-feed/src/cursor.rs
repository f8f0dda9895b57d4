//! The target's own cursor: read after every error, and checked against the journal before
//! anything is fed.

use echeck_proto::adapter::v1 as proto;
use returns_model::follower::{ExceptionKind, RowException};
use returns_model::journal::{Hash, Head};
use returns_store::failpoint;

use super::identity::Claim;
use super::{Feed, FeedError};

/// Where a feed is: what the target's cursor says.
pub(super) struct FeedCursor {
    pub(super) position: u64,
    pub(super) hash: Hash,
}

impl Feed {
    /// Checks that the target's cursor is on a row of our journal. Changes nothing.
    pub async fn check_cursor(&self) -> Result<(), FeedError> {
        let answer = self.adapter.progress(u64::MAX).await?;
        let head = self.store.head().await?;
        let recorded = self.store.progress(self.database()).await?.position;
        self.check_identity(&answer, &head, recorded)?;
        self.checked_cursor(&answer, &head).await.map(drop)
    }

    /// Whether the target's cursor is not where the feed left it.
    pub(super) async fn has_moved(&self, cursor: &FeedCursor) -> Result<bool, FeedError> {
        let answer = self.adapter.progress(u64::MAX).await?;
        if self.is_another(&answer) {
            return Ok(true);
        }
        Ok(match answer.cursor {
            None => cursor.position != 0,
            Some(seen) => {
                seen.position != cursor.position || seen.row_hash != cursor.hash.as_bytes()
            }
        })
    }

    /// Reads the target's cursor until what it says is recorded.
    pub(super) async fn catch_up_with_target(&self) -> Result<FeedCursor, FeedError> {
        loop {
            if let Some(cursor) = self.try_to_catch_up().await? {
                return Ok(cursor);
            }
        }
    }

    /// Reads the target's cursor, checks that it is of our journal, and records what we had
    /// not heard: the answer to a lost reply, or that the target was restored to an older
    /// state and is to be fed again from there. `None` when another replica recorded something
    /// meanwhile, so that the answer may lack exceptions.
    async fn try_to_catch_up(&self) -> Result<Option<FeedCursor>, FeedError> {
        let head = self.store.head().await?;
        let recorded = self.store.progress(self.database()).await?.position;
        let mut answer = self.adapter.progress(recorded).await?;
        failpoint("feed::after_cursor_read").await?;
        let claim = self.check_identity(&answer, &head, recorded)?;
        let cursor = self.checked_cursor(&answer, &head).await?;
        if claim == Claim::IsDue {
            self.claim(answer.cursor.clone()).await?;
        }
        if cursor.position < recorded {
            tracing::warn!(
                database = self.database(),
                recorded,
                position = cursor.position,
                "the database is behind what it once had: it was restored, and is fed again from there"
            );
        }
        let mut exceptions = self.row_exceptions(&answer.exceptions)?;
        while answer.has_more {
            let last = exceptions
                .last()
                .map_or(recorded, |exception| exception.position);
            answer = self.adapter.progress(last).await?;
            exceptions.extend(self.row_exceptions(&answer.exceptions)?);
        }
        let skipped = self.skipped_exceptions(recorded, cursor.position);
        exceptions.extend(skipped.await?);
        let recorded = self
            .store
            .record_progress(
                self.database(),
                recorded,
                cursor.position,
                &exceptions,
                self.clock.now(),
            )
            .await?;
        Ok(recorded.then_some(cursor))
    }

    pub(super) async fn checked_cursor(
        &self,
        answer: &proto::GetProgressResponse,
        head: &Head,
    ) -> Result<FeedCursor, FeedError> {
        let Some(cursor) = answer.cursor.clone() else {
            return Ok(FeedCursor {
                position: 0,
                hash: Hash::default(),
            });
        };
        let database = self.database().to_owned();
        let ours = head.journal_id.to_string();
        if cursor.journal_id != ours {
            return Err(FeedError::OtherJournal {
                database,
                target: answer.target.clone(),
                theirs: cursor.journal_id,
                ours,
            });
        }
        if cursor.position > head.position {
            return Err(FeedError::Ahead {
                database,
                theirs: cursor.position,
                ours: head.position,
            });
        }
        let hash = Hash::from_bytes(cursor.row_hash);
        let ours = match cursor.position {
            0 => Hash::default(),
            position => {
                self.store
                    .row(position)
                    .await?
                    .ok_or(FeedError::NoRow(position))?
                    .hash
            }
        };
        if hash != ours {
            return Err(FeedError::Diverged {
                database,
                position: cursor.position,
                theirs: hash.to_string(),
                ours: ours.to_string(),
            });
        }
        Ok(FeedCursor {
            position: cursor.position,
            hash,
        })
    }

    /// The adapter broke the contract.
    pub(super) fn contract(&self, what: String) -> FeedError {
        FeedError::Contract {
            database: self.database().to_owned(),
            what,
        }
    }

    pub(super) fn row_exceptions(
        &self,
        sent: &[proto::StepException],
    ) -> Result<Vec<RowException>, FeedError> {
        sent.iter()
            .map(|exception| {
                let kind = match exception.kind() {
                    proto::StepExceptionKind::MovedOn => ExceptionKind::MovedOn,
                    proto::StepExceptionKind::NotFound => ExceptionKind::NotFound,
                    proto::StepExceptionKind::Refused => ExceptionKind::Refused,
                    proto::StepExceptionKind::Unspecified => {
                        let what = format!("an exception without a kind at {}", exception.position);
                        return Err(self.contract(what));
                    }
                };
                Ok(RowException {
                    position: exception.position,
                    kind,
                    message: exception.message.clone(),
                })
            })
            .collect()
    }
}
