//! What is signed about the journal, and kept outside its database.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// At this time, the journal had this row at this position. The row's hash covers every row
/// before it, so one checkpoint is about all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub journal_id: Uuid,
    pub position: u64,
    /// In hexadecimal.
    pub row_hash: String,
    pub at: DateTime<Utc>,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn signed_text(&self) -> String {
        format!(
            "echeck checkpoint 1\n{}\n{}\n{}\n{}\n",
            self.journal_id,
            self.position,
            self.row_hash,
            self.at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
        )
    }
}
