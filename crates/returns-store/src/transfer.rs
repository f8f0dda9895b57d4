//! What the returns database says of transfers, for a caller who looks at them.

use std::collections::HashMap;

use async_trait::async_trait;
use returns_model::follower::Progress;
use returns_model::journal::JournalRow;

use crate::StoreError;

/// The most open holds that are listed of one transfer.
pub(crate) const MOST_HOLDS: u32 = 100;

/// A row of the journal that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingRow {
    pub row: JournalRow,
    /// The databases in which it had no effect.
    pub exceptions: Vec<String>,
    /// Whether our bank may dishonor its return.
    pub is_dishonorable: bool,
}

/// What is known of one transfer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransferFacts {
    /// Its rows that were not superseded, repeats among them, in order of position.
    pub rows: Vec<StandingRow>,
    /// Its open holds, the oldest first, at most 100.
    pub open_hold_ids: Vec<String>,
}

/// What is known of some transfers, all as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// By transfer id. A transfer of which nothing is known is not there.
    pub transfers: HashMap<String, TransferFacts>,
    /// By database.
    pub progress: HashMap<String, Progress>,
}

/// Transfers in the returns database, to read.
#[async_trait]
pub trait TransferStore: Send + Sync {
    /// What is known of some transfers. It takes one statement, whatever their number.
    async fn facts(&self, transfer_ids: &[String]) -> Result<Facts, StoreError>;
}
