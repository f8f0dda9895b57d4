//! The audit log against its own hashes, and against the signed checkpoints.

use std::collections::BTreeMap;

use returns_model::audit::AuditVerifier;
use returns_model::journal::{Checkpoint, Head};
use returns_store::{Store, StoreError};
use uuid::Uuid;

/// Records that a step reads together.
const RECORDS: u32 = 1_000;

/// A check of the audit log that is going on.
pub(crate) struct AuditCheck {
    verifier: AuditVerifier,
    head: Head,
    /// The checkpoints that are still to come, by the position of the record.
    checkpoints: BTreeMap<u64, Checkpoint>,
}

impl AuditCheck {
    /// Of the log up to `head`.
    pub(crate) fn new(
        journal_id: Uuid,
        head: Head,
        checkpoints: impl IntoIterator<Item = Checkpoint>,
    ) -> Self {
        let signed = checkpoints.into_iter().filter(|one| one.audit_position > 0);
        Self {
            verifier: AuditVerifier::new(journal_id),
            head,
            checkpoints: signed.map(|one| (one.audit_position, one)).collect(),
        }
    }

    /// Checks the next records, and gives what is wrong; `None` once all were checked.
    pub(crate) async fn step(
        &mut self,
        store: &dyn Store,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let (position, _) = self.verifier.reached();
        let mut records = store.stored_audit(position, RECORDS).await?;
        records.retain(|record| record.position <= self.head.position);
        let mut faults = Vec::new();
        for record in &records {
            faults.extend(self.verifier.check(record));
            let signed = self.checkpoints.remove(&record.position);
            if let Some(signed) = signed.filter(|one| one.audit_hash != record.hash.to_string()) {
                faults.push(format!(
                    "audit record {} has the hash {}, but the checkpoint signed on {} has {}; it, or \
                     a record before it, was changed",
                    record.position, record.hash, signed.at, signed.audit_hash
                ));
            }
        }
        Ok((!records.is_empty()).then_some(faults))
    }

    /// What is wrong with the end of the log.
    pub(crate) fn finish(mut self) -> Vec<String> {
        let mut faults: Vec<String> = self.verifier.finish(&self.head).into_iter().collect();
        if let Some((_, last)) = self.checkpoints.pop_last() {
            faults.push(format!(
                "the audit log ends at record {}, but the checkpoint signed on {} has record {}; \
                 records were removed from its end",
                self.head.position, last.at, last.audit_position
            ));
        }
        faults
    }
}
