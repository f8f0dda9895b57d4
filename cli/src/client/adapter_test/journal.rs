//! The caller's side of the contract: rows of a journal, as the returns service would send them.

use anyhow::anyhow;
use echeck_proto::adapter::CONTRACT_VERSION;
use echeck_proto::adapter::v1 as proto;
use echeck_proto::adapter::v1::adapter_service_client::AdapterServiceClient;
use proto::step::Change;
use sha2::{Digest as _, Sha256};
use tonic::{Response, Status};
use uuid::Uuid;

use crate::client::connect::CallChannel;
use crate::failure::Failure;

/// The name under which the test claims a target.
pub(super) const DATABASE: &str = "contract_test";

pub(super) type Adapter = AdapterServiceClient<CallChannel>;

/// A journal that continues where the target is, so that it fits any target that is the test's or
/// nobody's.
pub(super) struct Journal {
    pub(super) adapter: Adapter,
    pub(super) id: String,
    pub(super) cursor: Option<proto::Cursor>,
    /// What the adapter said before the target was claimed.
    pub(super) first: proto::GetProgressResponse,
}

impl Journal {
    /// Claims the target.
    ///
    /// # Errors
    /// When it belongs to an installation, or does not answer.
    pub(super) async fn open(mut adapter: Adapter, address: &str) -> Result<Self, Failure> {
        let ask = proto::GetProgressRequest::default();
        let first = adapter.get_progress(ask).await?.into_inner();
        let known = first.identity.clone();
        if let Some(other) = known.as_ref().filter(|known| known.database != DATABASE) {
            return Err(anyhow!(
                "{} is the database {:?} of an installation, and is left alone; give the adapter at \
                 {address} a scratch database",
                first.target,
                other.database
            )
            .into());
        }
        if known.is_none() && first.cursor.is_some() {
            return Err(anyhow!(
                "{} has a cursor and nobody's name: it may have been restored from an installation's \
                 backup, and is left alone; give the adapter at {address} a scratch database",
                first.target
            )
            .into());
        }
        let id = known.as_ref().map(|known| known.journal_id.clone());
        let id = id.unwrap_or_else(|| Uuid::new_v4().to_string());
        let mut journal = Self {
            adapter,
            id,
            cursor: first.cursor.clone(),
            first,
        };
        if known.is_none() {
            journal.claim(journal.identity()).await?;
        }
        Ok(journal)
    }

    pub(super) fn identity(&self) -> proto::TargetIdentity {
        proto::TargetIdentity {
            journal_id: self.id.clone(),
            database: DATABASE.to_owned(),
        }
    }

    pub(super) async fn claim(
        &mut self,
        identity: proto::TargetIdentity,
    ) -> Result<Option<proto::TargetIdentity>, Status> {
        let ask = proto::ClaimTargetRequest {
            identity: Some(identity),
            expected_cursor: self.cursor.clone(),
        };
        let answer = self.adapter.claim_target(ask).await?;
        Ok(answer.into_inner().identity)
    }

    /// The next rows, with a change each; `None` is an empty step.
    pub(super) fn steps(
        &self,
        changes: impl IntoIterator<Item = Option<Change>>,
    ) -> Vec<proto::Step> {
        let from = self.cursor.as_ref().map_or(0, |cursor| cursor.position);
        let step = |(position, change)| proto::Step {
            position,
            row_hash: row_hash(&self.id, position, ""),
            change,
            blocked_reason: String::new(),
        };
        (from + 1..).zip(changes).map(step).collect()
    }

    pub(super) fn batch(&self, steps: Vec<proto::Step>) -> proto::ApplyUpdatesRequest {
        proto::ApplyUpdatesRequest {
            journal_id: self.id.clone(),
            previous_hash: self
                .cursor
                .as_ref()
                .map_or_else(Vec::new, |cursor| cursor.row_hash.clone()),
            steps,
            database: DATABASE.to_owned(),
            contract_version: CONTRACT_VERSION,
        }
    }

    /// Sends a batch that must be taken, and gives its exceptions.
    pub(super) async fn send(
        &mut self,
        batch: proto::ApplyUpdatesRequest,
    ) -> Result<Vec<proto::StepException>, String> {
        let expected = self.after(&batch);
        let answer = self.adapter.apply_updates(batch).await;
        let answer = answer
            .map(Response::into_inner)
            .map_err(|status| said(&status))?;
        if answer.cursor != expected {
            return Err(format!(
                "it is at {:?} afterwards",
                position(answer.cursor.as_ref())
            ));
        }
        self.cursor = expected;
        Ok(answer.exceptions)
    }

    /// Where the target is after a batch.
    pub(super) fn after(&self, batch: &proto::ApplyUpdatesRequest) -> Option<proto::Cursor> {
        batch.steps.last().map(|last| proto::Cursor {
            journal_id: self.id.clone(),
            position: last.position,
            row_hash: last.row_hash.clone(),
        })
    }

    /// Where the target says that it is.
    pub(super) async fn told(&mut self) -> Result<Option<proto::Cursor>, String> {
        let answer = self
            .adapter
            .get_progress(proto::GetProgressRequest::default())
            .await;
        answer
            .map(|answer| answer.into_inner().cursor)
            .map_err(|status| said(&status))
    }
}

/// The hash of a row. With another past it is another.
pub(super) fn row_hash(journal: &str, position: u64, past: &str) -> Vec<u8> {
    Sha256::digest(format!("{journal} {position} {past}")).to_vec()
}

pub(super) fn position(cursor: Option<&proto::Cursor>) -> u64 {
    cursor.map_or(0, |cursor| cursor.position)
}

/// An error of a call, for people.
pub(super) fn said(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}
