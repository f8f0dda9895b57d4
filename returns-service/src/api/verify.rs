//! The check of the whole journal, and of each database.

use echeck_proto::returns::v1 as proto;
use echeck_service::server::deadline_of;
use returns_verify::Verdict;
use tonic::Request;

use super::Api;
use super::errors::ApiError;
use super::stream::{MessageSender, ResponseStream, respond};

impl Api {
    pub(super) fn verify_journal(
        &self,
        request: &Request<proto::VerifyJournalRequest>,
    ) -> ResponseStream<proto::VerifyJournalResponse> {
        let api = self.clone();
        let targets = request.get_ref().targets;
        let late = "the journal is long; allow the call more time";
        respond(deadline_of(request), late, move |sender| async move {
            api.verify(targets, &sender).await
        })
    }

    /// Checks the journal from its start to where it ended when the check began.
    async fn verify(
        &self,
        targets: bool,
        sender: &MessageSender<proto::VerifyJournalResponse>,
    ) -> Result<(), ApiError> {
        let mut check = self.checker.begin(targets).await?;
        while check.step().await? {
            if !sender.send(progress(check.verdict())).await {
                return Ok(());
            }
        }
        // A caller that has gone needs no answer.
        let _ = sender.send(answer(check.verdict())).await;
        Ok(())
    }
}

fn progress(verdict: &Verdict) -> proto::VerifyJournalResponse {
    proto::VerifyJournalResponse {
        checked: verdict.checked,
        head_position: verdict.head_position,
        compared: verdict.compared,
        ..Default::default()
    }
}

fn answer(verdict: &Verdict) -> proto::VerifyJournalResponse {
    let missing = verdict.missing.iter().map(|one| proto::MissingReturn {
        database: one.database.clone(),
        transfer_id: one.transfer_id.clone(),
        position: one.position,
        message: one.what.clone(),
    });
    proto::VerifyJournalResponse {
        done: true,
        sound: verdict.is_sound(),
        faults: verdict.faults.clone(),
        unchecked: verdict.unchecked.clone(),
        proven_position: verdict.proven_position,
        end_unproven: verdict.end_unproven.clone().unwrap_or_default(),
        missing: missing.collect(),
        missing_total: verdict.missing_count(),
        ..progress(verdict)
    }
}
