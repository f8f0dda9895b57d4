//! The signed checkpoints in the bucket: one object each, named by the journal and both positions. Nothing
//! there is overwritten.

use chrono::SubsecRound as _;
use echeck_service::clock::SharedClock;
use returns_model::journal::{Checkpoint, Head};
use returns_reports::bucket::{Bucket, BucketError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::CheckpointKey;

/// The most bytes that a checkpoint can have.
const LARGEST: u64 = 4_096;

/// A checkpoint as it is in the bucket.
#[derive(Serialize, Deserialize)]
struct Signed {
    #[serde(flatten)]
    checkpoint: Checkpoint,
    /// In base64, like the signature.
    public_key: String,
    signature: String,
}

/// What was found in place of a checkpoint.
pub(crate) type Found = Result<Checkpoint, String>;

/// Where checkpoints are, and what signs them.
pub struct Checkpoints {
    pub bucket: Bucket,
    pub key: CheckpointKey,
    pub clock: SharedClock,
}

/// Where the checkpoints of every journal are, in the bucket.
const FOLDER: &str = "checkpoints";

fn folder(journal_id: Uuid) -> String {
    format!("{FOLDER}/{journal_id}")
}

impl Checkpoints {
    /// Signs where the journal and the audit log end.
    pub(crate) async fn sign(&self, head: &Head, audit: &Head) -> Result<Checkpoint, BucketError> {
        let checkpoint = Checkpoint {
            journal_id: head.journal_id,
            position: head.position,
            row_hash: head.hash.to_string(),
            audit_position: audit.position,
            audit_hash: audit.hash.to_string(),
            at: self.clock.now().trunc_subsecs(0),
        };
        let signed = Signed {
            signature: self.key.sign(&checkpoint.signed_text()),
            public_key: self.key.public_key().to_owned(),
            checkpoint: checkpoint.clone(),
        };
        let text = serde_json::to_string_pretty(&signed)
            .map_err(|error| BucketError::Settings(error.to_string()))?;
        // All names have the same length, so that their order is that of the positions.
        let key = format!(
            "{}/{:020}-{:020}.json",
            folder(head.journal_id),
            head.position,
            audit.position
        );
        self.bucket.put_for_good(&key, text.as_bytes()).await?;
        Ok(checkpoint)
    }

    /// The last checkpoints of a journal, in order; a sentence in place of one that does not count.
    async fn last(&self, journal_id: Uuid, count: usize) -> Result<Vec<Found>, BucketError> {
        let folder = folder(journal_id);
        let mut found = Vec::new();
        for name in self.bucket.last_names(&folder, count).await? {
            let key = format!("{folder}/{name}");
            let bytes = self.bucket.small(&key, LARGEST).await?;
            let read = bytes.and_then(|bytes| serde_json::from_slice::<Signed>(&bytes).ok());
            found.push(match read {
                Some(signed) if self.counts(&signed, journal_id) => Ok(signed.checkpoint),
                Some(_) | None => Err(format!(
                    "{key:?} in the bucket is not a checkpoint that a configured key has signed"
                )),
            });
        }
        Ok(found)
    }

    /// What the bucket has to say about a journal: its last checkpoints, and a sentence in place of
    /// one that does not count, or that is of another journal.
    pub(crate) async fn of(
        &self,
        journal_id: Uuid,
        count: usize,
    ) -> Result<Vec<Found>, BucketError> {
        let mut found = self.last(journal_id, count).await?;
        let others = self.of_other_journals(journal_id).await?;
        found.extend(others.into_iter().map(Err));
        Ok(found)
    }

    /// A sentence for each other journal that our own key has signed. Whoever can write to the
    /// database could give the journal another id and compute every hash again; nothing is signed
    /// under the new id.
    async fn of_other_journals(&self, journal_id: Uuid) -> Result<Vec<String>, BucketError> {
        let mut others = Vec::new();
        for name in self.bucket.folder_names(FOLDER).await? {
            let Ok(other) = name.parse::<Uuid>() else {
                continue;
            };
            if other == journal_id {
                continue;
            }
            if let Some(Ok(last)) = self.last(other, 1).await?.pop() {
                others.push(format!(
                    "our key has signed position {} of journal {other} on {}, and this is journal \
                     {journal_id}: the database was replaced, or the journal's id was changed; where \
                     a new journal was begun on purpose, move {}/ out of {FOLDER}/ in the bucket",
                    last.position,
                    last.at,
                    folder(other)
                ));
            }
        }
        Ok(others)
    }

    fn counts(&self, signed: &Signed, journal_id: Uuid) -> bool {
        let text = signed.checkpoint.signed_text();
        signed.checkpoint.journal_id == journal_id
            && self
                .key
                .has_signed(&text, &signed.public_key, &signed.signature)
    }
}
