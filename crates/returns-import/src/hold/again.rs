//! Rows that are repeated: for a mirror that did not take them, or for the system of record when
//! what they say still holds.

use chrono::{DateTime, Utc};
use returns_model::hold::{HoldRecord, HoldState};
use returns_model::journal::{JournalRow, Relation, Row, RowEffect};
use returns_model::settlement::release_row;
use returns_store::Writes;

use super::{Closing, HoldError, Holds, Retry};

impl Holds {
    /// Repeats a row for the mirror that did not take it; the system of record has it. If what the
    /// row made is released to settlement by now, the release is repeated with it.
    pub(super) async fn repeat_row(
        &self,
        hold: &HoldRecord,
        database: &str,
        original: &JournalRow,
        retry: &Retry<'_>,
    ) -> Result<(), HoldError> {
        loop {
            let seen_position = self.store().head().await?.position;
            let now = self.clock.now();
            let mut rows = vec![original.row.clone()];
            rows.extend(self.release_by_now(original, now).await?);
            for row in &mut rows {
                row.relation = Some(Relation::Repeats {
                    position: original.position,
                    database: database.to_owned(),
                });
                row.actor = Some(retry.by.to_owned());
                row.decided_at = now;
            }
            if self
                .append_repeated(hold, rows, seen_position, retry)
                .await?
            {
                return Ok(());
            }
        }
    }

    /// Releases a transfer to settlement once more, after the system of record did not take it.
    pub(super) async fn release_again(
        &self,
        hold: &HoldRecord,
        failed: &JournalRow,
        retry: &Retry<'_>,
    ) -> Result<(), HoldError> {
        loop {
            let seen_position = self.store().head().await?.position;
            let now = self.clock.now();
            let mut again = failed.row.clone();
            if let RowEffect::ReleaseToSettlement {
                ready_to_settle_at, ..
            } = &mut again.effect
            {
                *ready_to_settle_at = now;
            }
            again.actor = Some(retry.by.to_owned());
            again.decided_at = now;
            let rows = vec![again];
            if self
                .append_repeated(hold, rows, seen_position, retry)
                .await?
            {
                return Ok(());
            }
        }
    }

    /// The row by which what `maker` made was released to settlement, when it was.
    async fn release_by_now(
        &self,
        maker: &JournalRow,
        now: DateTime<Utc>,
    ) -> Result<Option<Row>, HoldError> {
        let Some((_, made)) = maker.row.effect.made() else {
            return Ok(None);
        };
        let known = self.store().made_transfer(&made.id).await?;
        let ready_at = known.and_then(|known| known.ready_at);
        Ok(ready_at.and_then(|ready_at| release_row(maker, ready_at, now, None)))
    }

    /// Appends rows that decide nothing new, and closes the hold. False when the journal says
    /// more about the transfer by now.
    async fn append_repeated(
        &self,
        hold: &HoldRecord,
        rows: Vec<Row>,
        seen_position: u64,
        retry: &Retry<'_>,
    ) -> Result<bool, HoldError> {
        let writes = Writes {
            rows,
            ..Writes::default()
        };
        let closing = Closing {
            hold,
            state: HoldState::Resolved,
            retry,
        };
        self.append(&closing, writes, seen_position).await
    }
}
