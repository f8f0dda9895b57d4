//! The transfers that rows of the journal make, and which of them may be settled.

use ach::decision::Effect;
use chrono::{DateTime, Utc};

use crate::journal::{JournalRow, Ready, Relation, Row};

/// A transfer that a row made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeTransfer {
    /// Its id: a reversal's or a restoration's.
    pub transfer_id: String,
    /// The row that made it.
    pub position: u64,
    /// When it was decided that it may join a settlement.
    pub ready_at: Option<DateTime<Utc>>,
}

/// The row that makes ready what `made` made; `None` for a row that made nothing.
pub fn ready_row(
    made: &JournalRow,
    ready_to_settle_at: DateTime<Utc>,
    now: DateTime<Utc>,
    actor: Option<&str>,
) -> Option<Row> {
    let row = &made.row;
    let transfer = row.reversal.as_ref().or(row.restoration.as_ref())?;
    Some(Row {
        effect: Effect::ReleaseToSettlement,
        relation: Some(Relation::Follows {
            position: made.position,
        }),
        ready: Some(Ready {
            transfer_id: transfer.id.clone(),
            ready_to_settle_at,
        }),
        flags: Vec::new(),
        actor: actor.map(str::to_owned),
        decided_at: now,
        ..row.clone()
    })
}

/// A row that failed, said once more: the transfer may join a settlement from now on.
pub fn again(row: &Row, now: DateTime<Utc>, actor: &str) -> Row {
    Row {
        ready: row.ready.as_ref().map(|ready| Ready {
            ready_to_settle_at: now,
            ..ready.clone()
        }),
        actor: Some(actor.to_owned()),
        decided_at: now,
        ..row.clone()
    }
}
