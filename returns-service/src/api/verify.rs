//! The check of the whole journal, and of each database's cursor.

use echeck_proto::returns::v1 as proto;
use echeck_service::ErrorChain;
use echeck_service::server::deadline_of;
use returns_model::journal::{Head, Verifier};
use returns_store::StoreError;
use tonic::Request;

use super::Api;
use super::errors::ApiError;
use super::stream::{MessageSender, ResponseStream, respond};

/// Rows that a check reads together.
const BATCH: u32 = 1_000;

impl Api {
    pub(super) fn verify_journal(
        &self,
        request: &Request<proto::VerifyJournalRequest>,
    ) -> ResponseStream<proto::VerifyJournalResponse> {
        let api = self.clone();
        let late = "the journal is long; allow the call more time";
        respond(deadline_of(request), late, |sender| async move {
            api.verify(&sender).await
        })
    }

    /// Reads the journal from its start to where it ended when the check began.
    async fn verify(
        &self,
        sender: &MessageSender<proto::VerifyJournalResponse>,
    ) -> Result<(), ApiError> {
        let head = self.store.head().await?;
        let mut verifier = Verifier::new(head.journal_id);
        let mut progress = proto::VerifyJournalResponse {
            head_position: head.position,
            ..Default::default()
        };
        while let Some(checked) = self.verify_batch(&mut verifier, &head).await? {
            progress.checked += checked;
            if !sender.send(progress.clone()).await {
                return Ok(());
            }
        }
        let (position, hash) = verifier.reached();
        if position != head.position || *hash != head.hash {
            let what = format!(
                "the journal's head says position {} with hash {}, its rows end at {position} with {hash}",
                head.position, head.hash
            );
            verifier.fault(what);
        }
        self.check_cursors(&mut verifier).await?;
        let faults = verifier.faults();
        // A caller that has gone needs no answer.
        let _ = sender
            .send(proto::VerifyJournalResponse {
                done: true,
                sound: faults.is_empty(),
                faults,
                ..progress
            })
            .await;
        Ok(())
    }

    /// Checks the next rows; how many there were, or `None` at the end.
    async fn verify_batch(
        &self,
        verifier: &mut Verifier,
        head: &Head,
    ) -> Result<Option<u64>, ApiError> {
        let (position, _) = verifier.reached();
        let rows = match self.store.rows_after(position, BATCH).await {
            Ok(rows) => rows,
            // A row that cannot be read is just what the check is for.
            Err(error @ StoreError::Unreadable { .. }) => {
                verifier.fault(error.to_string());
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let mut checked = 0;
        for row in rows.iter().take_while(|row| row.position <= head.position) {
            verifier.check(row);
            checked += 1;
        }
        Ok(Some(checked).filter(|checked| *checked > 0))
    }

    /// Each database's own cursor must be on a row of this journal, with that row's hash.
    async fn check_cursors(&self, verifier: &mut Verifier) -> Result<(), ApiError> {
        for database in self.databases.iter() {
            let Some(feed) = self.feeds.get(database) else {
                continue;
            };
            if let Err(error) = feed.check_cursor().await {
                verifier.fault(ErrorChain(&error).to_string());
            }
        }
        Ok(())
    }
}
