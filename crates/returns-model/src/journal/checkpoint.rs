//! What is signed about the journal, and kept outside its database.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// At this time, the journal had this row at this position, and the audit log this record at its own.
/// Each hash covers everything before it, so one checkpoint is about all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub journal_id: Uuid,
    pub position: u64,
    /// In hexadecimal.
    pub row_hash: String,
    /// The position of the last record of the audit log; 0 without one.
    pub audit_position: u64,
    /// Its hash in hexadecimal; empty without one.
    pub audit_hash: String,
    pub at: DateTime<Utc>,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn signed_text(&self) -> String {
        format!(
            "echeck checkpoint 2\n{}\n{}\n{}\n{}\n{}\n{}\n",
            self.journal_id,
            self.position,
            self.row_hash,
            self.audit_position,
            self.audit_hash,
            self.at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
        )
    }
}
