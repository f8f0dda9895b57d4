//! The transfers that rows of the journal make, and which of them may be settled.

use chrono::{DateTime, Utc};

use crate::journal::{JournalRow, Relation, Row, RowEffect};

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

/// The row that releases to settlement what `maker` made; `None` for a row that made nothing.
pub fn release_row(
    maker: &JournalRow,
    ready_to_settle_at: DateTime<Utc>,
    now: DateTime<Utc>,
    actor: Option<&str>,
) -> Option<Row> {
    let (kind, made) = maker.row.effect.made()?;
    Some(Row {
        effect: RowEffect::ReleaseToSettlement {
            kind,
            made: made.clone(),
            ready_to_settle_at,
        },
        relation: Some(Relation::Follows {
            position: maker.position,
        }),
        flags: Vec::new(),
        is_conforming: false,
        actor: actor.map(str::to_owned),
        decided_at: now,
        ..maker.row.clone()
    })
}
