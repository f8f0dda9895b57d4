//! The audit log: who changed what, and who was refused. Like the journal it has positions without
//! gaps, and each record's hash is chained to the record before.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::journal::{Hash, Head, chained};

/// What a hash of the audit log begins with, so that it is never one of the journal.
const DOMAIN: &[u8] = b"echeck audit 1\0";

/// The outcome of what went well.
pub const DONE: &str = "OK";

/// The action of a call that was refused.
pub const REFUSED: &str = "refused";

/// Who did what, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    #[serde(skip)]
    pub at: DateTime<Utc>,
    /// Who: a name in a certificate, `token:NAME`, `jwt:SUBJECT` or `anonymous`.
    pub identity: String,
    /// The address that the call came from; empty for the service itself.
    pub address: String,
    /// The caller's own id of the request, or the one that the server gave it.
    pub request_id: String,
    pub action: String,
    pub subject: String,
    pub before: String,
    pub after: String,
    pub reason: String,
    /// [`DONE`], or the reason of the error.
    pub outcome: String,
}

/// A record with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub position: u64,
    pub hash: Hash,
    pub record: AuditRecord,
}

/// A record as its columns have it, before any of it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAudit {
    pub position: u64,
    pub hash: Hash,
    pub payload: String,
    pub at: DateTime<Utc>,
    /// Identity, action, subject and request id, which repeat parts of the payload for the indexes.
    pub columns: [String; 4],
}

/// Which records are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub identity: Option<String>,
    pub action: Option<String>,
    pub subject: Option<String>,
    pub request_id: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Only records before this position.
    pub before: Option<u64>,
}

impl AuditRecord {
    /// What its columns hold.
    pub fn columns(&self) -> [&str; 4] {
        [
            &self.identity,
            &self.action,
            &self.subject,
            &self.request_id,
        ]
    }
}

/// The hash of the record after `previous`.
pub fn audit_hash(
    journal_id: Uuid,
    position: u64,
    previous: &Hash,
    at: DateTime<Utc>,
    payload: &str,
) -> Hash {
    chained(DOMAIN, journal_id, position, previous, (at, payload))
}

/// Checks an audit log record by record.
#[derive(Debug)]
pub struct AuditVerifier {
    journal_id: Uuid,
    position: u64,
    hash: Hash,
}

impl AuditVerifier {
    /// From the first record of the log beside the journal with this id.
    pub fn new(journal_id: Uuid) -> Self {
        Self {
            journal_id,
            position: 0,
            hash: Hash::default(),
        }
    }

    /// Checks the next record, and gives a sentence for each fault.
    pub fn check(&mut self, stored: &StoredAudit) -> Vec<String> {
        let mut faults = Vec::new();
        let position = stored.position;
        if position != self.position + 1 {
            faults.push(format!("audit record {position} follows {}", self.position));
        }
        let expected = audit_hash(
            self.journal_id,
            position,
            &self.hash,
            stored.at,
            &stored.payload,
        );
        if stored.hash != expected {
            faults.push(format!("audit record {position} does not fit its hash"));
        }
        match serde_json::from_str::<AuditRecord>(&stored.payload) {
            Ok(said) => {
                // PostgreSQL has no NUL in texts.
                let said = said.columns().map(|text| text.replace('\0', "\u{fffd}"));
                if said != stored.columns {
                    faults.push(format!(
                        "audit record {position}: its columns are {:?}, its payload says {said:?}",
                        stored.columns
                    ));
                }
            }
            Err(error) => faults.push(format!("audit record {position} cannot be read: {error}")),
        }
        self.position = position;
        // On from the stored hash, so that one changed record is one fault and not all the rest.
        self.hash = stored.hash.clone();
        faults
    }

    /// The position and hash of the last record that was checked.
    pub fn reached(&self) -> (u64, &Hash) {
        (self.position, &self.hash)
    }

    /// Whether the records end where the log's head says.
    pub fn finish(&self, head: &Head) -> Option<String> {
        let (position, hash) = self.reached();
        (position != head.position || *hash != head.hash).then(|| {
            format!(
                "the audit log's head says position {} with hash {}, its records end at {position} \
                 with {hash}",
                head.position, head.hash
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(action: &str) -> AuditRecord {
        AuditRecord {
            at: DateTime::UNIX_EPOCH,
            identity: "ann".to_owned(),
            address: "127.0.0.1:1".to_owned(),
            request_id: "r1".to_owned(),
            action: action.to_owned(),
            subject: "source:bank".to_owned(),
            before: "runs".to_owned(),
            after: "paused".to_owned(),
            reason: "maintenance".to_owned(),
            outcome: DONE.to_owned(),
        }
    }

    fn stored(journal_id: Uuid, records: &[AuditRecord]) -> Vec<StoredAudit> {
        let mut hash = Hash::default();
        let chained = records.iter().zip(1..).map(|(record, position)| {
            let payload = serde_json::to_string(record).unwrap();
            hash = audit_hash(journal_id, position, &hash, record.at, &payload);
            StoredAudit {
                position,
                hash: hash.clone(),
                payload,
                at: record.at,
                columns: record.columns().map(str::to_owned),
            }
        });
        chained.collect()
    }

    fn faults(journal_id: Uuid, stored: &[StoredAudit]) -> Vec<String> {
        let mut verifier = AuditVerifier::new(journal_id);
        stored.iter().flat_map(|one| verifier.check(one)).collect()
    }

    #[test]
    fn every_change_of_a_record_and_every_gap_is_a_fault() {
        let id = Uuid::from_u128(7);
        let log = stored(
            id,
            &[
                record("pause_source"),
                record("resume_source"),
                record("run_job"),
            ],
        );
        assert_eq!(faults(id, &log), Vec::<String>::new());
        assert!(
            !faults(Uuid::from_u128(8), &log).is_empty(),
            "another journal's"
        );

        let mut changed = log.clone();
        changed[1].payload = changed[1].payload.replace("maintenance", "nothing");
        assert_eq!(
            faults(id, &changed),
            ["audit record 2 does not fit its hash"]
        );

        let mut columns = log.clone();
        columns[0].columns[0] = "bob".to_owned();
        assert!(
            faults(id, &columns)[0].contains("its payload says"),
            "{columns:?}"
        );

        let mut moved = log.clone();
        moved[1].at = DateTime::UNIX_EPOCH + chrono::Duration::seconds(1);
        assert_eq!(faults(id, &moved).len(), 1);

        let mut gap = log.clone();
        gap.remove(1);
        assert_eq!(faults(id, &gap)[0], "audit record 3 follows 1");

        let mut verifier = AuditVerifier::new(id);
        for one in &log[..2] {
            verifier.check(one);
        }
        let head = Head {
            journal_id: id,
            position: 3,
            hash: log[2].hash.clone(),
        };
        assert!(
            verifier
                .finish(&head)
                .unwrap()
                .contains("its records end at 2")
        );
        verifier.check(&log[2]);
        assert_eq!(verifier.finish(&head), None);
    }
}
