//! Rows that are said again: to a mirror that did not take them, or to the system of record when
//! what they say still holds.

use chrono::{DateTime, Utc};
use returns_model::hold::{HoldRecord, HoldState};
use returns_model::journal::{JournalRow, Relation, Row};
use returns_model::settlement;
use returns_store::{Append, AppendCause, Appended, Writes};

use super::{HoldError, Retry};
use crate::worker::Importer;

impl Importer {
    /// Says a row again to the mirror that did not take it; the system of record has it. If what
    /// the row made is ready to settle by now, that is said again with it.
    pub(super) async fn repeat_row(
        &self,
        hold: &HoldRecord,
        database: &str,
        position: u64,
        retry: &Retry<'_>,
    ) -> Result<(), HoldError> {
        let original = self
            .store
            .row(position)
            .await?
            .ok_or(HoldError::NoRow(position))?;
        loop {
            let seen_position = self.store.head().await?.position;
            let now = self.clock.now();
            let mut rows = vec![original.row.clone()];
            rows.extend(self.ready_by_now(&original, now).await?);
            for row in &mut rows {
                row.relation = Some(Relation::Repeats {
                    position,
                    database: database.to_owned(),
                });
                row.actor = Some(retry.by.to_owned());
                row.decided_at = now;
            }
            if self.say_again(hold, rows, seen_position, retry).await? {
                return Ok(());
            }
        }
    }

    /// Says once more that a transfer is ready, after the system of record did not take it.
    pub(super) async fn ready_again(
        &self,
        hold: &HoldRecord,
        row: &Row,
        retry: &Retry<'_>,
    ) -> Result<(), HoldError> {
        loop {
            let seen_position = self.store.head().await?.position;
            let again = settlement::again(row, self.clock.now(), retry.by);
            if self
                .say_again(hold, vec![again], seen_position, retry)
                .await?
            {
                return Ok(());
            }
        }
    }

    /// The row by which what `made` made is ready to settle, when it is.
    async fn ready_by_now(
        &self,
        made: &JournalRow,
        now: DateTime<Utc>,
    ) -> Result<Option<Row>, HoldError> {
        let row = &made.row;
        let Some(transfer) = row.reversal.as_ref().or(row.restoration.as_ref()) else {
            return Ok(None);
        };
        let known = self.store.made_transfer(&transfer.id).await?;
        let ready_at = known.and_then(|known| known.ready_at);
        Ok(ready_at.and_then(|ready_at| settlement::ready_row(made, ready_at, now, None)))
    }

    /// Appends rows that decide nothing new, and closes the hold. False when the journal says
    /// more about the transfer by now.
    async fn say_again(
        &self,
        hold: &HoldRecord,
        rows: Vec<Row>,
        seen_position: u64,
        retry: &Retry<'_>,
    ) -> Result<bool, HoldError> {
        let append = Append {
            cause: AppendCause::Hold {
                hold_id: hold.new.hold_id.clone(),
                state: HoldState::Resolved,
                by: retry.by.to_owned(),
                note: retry.note.to_owned(),
            },
            seen_position,
            at: self.clock.now(),
            writes: Writes {
                rows,
                ..Writes::default()
            },
        };
        match self.store.append(append).await? {
            Appended::Stale => Ok(false),
            Appended::Done(_) | Appended::Lost => {
                self.changes.bump();
                Ok(true)
            }
        }
    }
}
