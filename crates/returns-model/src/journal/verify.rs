//! The proof that a journal is sound: read from its start, every position is one more than the
//! last, every hash follows from the row before, every row can be read, and every column says what
//! its payload says. A hash proves nothing to somebody who computes all of them again, nor of rows
//! that are cut off the end; signed checkpoints do.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::chain;
use super::chain::{Hash, Head};
use super::checkpoint::Checkpoint;
use super::row::Row;
use super::stored::{RowColumns, StoredRow};

/// The maximum of faults that are described; one is enough to know.
const MAX_FAULTS: usize = 100;

/// Checks a journal row by row.
pub struct Verifier {
    journal_id: Uuid,
    position: u64,
    hash: Hash,
    /// The checkpoints that are still to come, by position.
    checkpoints: BTreeMap<u64, Checkpoint>,
    proven: u64,
    faults: Vec<String>,
}

impl Verifier {
    /// Verifies the journal with this id, from its first row. Its rows must be those that the
    /// checkpoints name.
    pub fn new(journal_id: Uuid, checkpoints: impl IntoIterator<Item = Checkpoint>) -> Self {
        let checkpoints = checkpoints.into_iter();
        Self {
            journal_id,
            position: 0,
            hash: Hash::default(),
            // Several may have signed the same row, while the audit log grew.
            checkpoints: checkpoints
                .filter(|one| one.position > 0)
                .map(|one| (one.position, one))
                .collect(),
            proven: 0,
            faults: Vec::new(),
        }
    }

    /// Checks the next row.
    pub fn check(&mut self, row: &StoredRow) {
        let position = row.position;
        if position != self.position + 1 {
            self.fault(format!("position {position} follows {}", self.position));
        }
        let (previous, at) = (&self.hash, row.recorded_at);
        let expected = chain(self.journal_id, position, previous, at, &row.payload);
        if row.hash != expected {
            self.fault(format!(
                "position {position}: the row does not fit its hash"
            ));
        }
        match serde_json::from_str::<Row>(&row.payload) {
            Ok(said) if said.schema != Row::SCHEMA => {
                let schema = said.schema;
                self.fault(format!("position {position}: schema {schema} is not known"));
            }
            Ok(said) => {
                for difference in row.columns.differences(&RowColumns::of(&said)) {
                    self.fault(format!("position {position}: {difference}"));
                }
            }
            Err(error) => self.fault(format!("position {position} cannot be read: {error}")),
        }
        self.compare(row);
        self.position = position;
        // Go on from the stored hash, so that one changed row is one fault and not all the rest.
        self.hash = row.hash.clone();
    }

    /// Compares a row with the checkpoint of its position, if there is one.
    fn compare(&mut self, row: &StoredRow) {
        let Some(signed) = self.checkpoints.remove(&row.position) else {
            return;
        };
        if signed.row_hash == row.hash.to_string() {
            self.proven = row.position;
            return;
        }
        self.fault(format!(
            "position {}: the row has the hash {}, but the checkpoint signed on {} has {}; it, or \
             a row before it, was changed",
            row.position, row.hash, signed.at, signed.row_hash
        ));
    }

    /// Checks that the rows end where the journal does, and that it contains every checkpoint.
    pub fn finish(&mut self, head: &Head) {
        let (position, hash) = (self.position, self.hash.clone());
        if position != head.position || hash != head.hash {
            self.fault(format!(
                "the journal's head says position {} with hash {}, its rows end at {position} \
                 with {hash}",
                head.position, head.hash
            ));
        }
        if let Some((_, last)) = std::mem::take(&mut self.checkpoints).pop_last() {
            self.fault(format!(
                "the journal ends at position {position}, but the checkpoint signed on {} has \
                 position {}; rows were removed from its end",
                last.at, last.position
            ));
        }
    }

    /// Notes something else that does not fit.
    pub fn fault(&mut self, what: String) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(what);
        }
    }

    /// The position and hash of the last row checked.
    pub fn reached(&self) -> (u64, &Hash) {
        (self.position, &self.hash)
    }

    /// The position up to which a checkpoint proves the rows.
    pub fn proven(&self) -> u64 {
        self.proven
    }

    /// What does not fit.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}
