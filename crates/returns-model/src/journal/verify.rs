//! The proof that a journal is sound: read from its start, every position is one more than
//! the last, every hash follows from the row before, and every row can be read.

use uuid::Uuid;

use super::chain;
use super::chain::Hash;
use super::recorded::JournalRow;

/// The maximum of faults that are described; one is enough to know.
const MAX_FAULTS: usize = 100;

/// Checks a journal row by row.
pub struct Verifier {
    journal_id: Uuid,
    position: u64,
    hash: Hash,
    faults: Vec<String>,
}

impl Verifier {
    /// Verifies the journal with this id, from its first row.
    pub fn new(journal_id: Uuid) -> Self {
        Self {
            journal_id,
            position: 0,
            hash: Hash::default(),
            faults: Vec::new(),
        }
    }

    /// Checks the next row.
    pub fn check(&mut self, row: &JournalRow) {
        if row.position != self.position + 1 {
            self.fault(format!(
                "position {} follows {}",
                row.position, self.position
            ));
        }
        let expected = chain(self.journal_id, row.position, &self.hash, &row.payload);
        if row.hash != expected {
            self.fault(format!(
                "position {}: the row does not fit its hash",
                row.position
            ));
        }
        self.position = row.position;
        // Go on from the stored hash, so that one changed row is one fault and not all the rest.
        self.hash = row.hash.clone();
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

    /// What does not fit.
    pub fn faults(self) -> Vec<String> {
        self.faults
    }
}
