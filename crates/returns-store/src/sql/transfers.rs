//! What is known of transfers, in one round trip.

use async_trait::async_trait;
use returns_model::follower::Progress;

use super::SqlStore;
use super::followers::progress;
use super::journal::journal_row;
use crate::StoreError;
use crate::columns::unreadable;
use crate::db::{Record, statement};
use crate::transfer::{Facts, MOST_HOLDS, StandingRow, TransferFacts, TransferStore};

/// Four questions in one statement; `part` says which one a line answers. The first gives the
/// columns their types. Whether a row was superseded is a question for each row, so that it goes by the
/// index even if the journal has just grown: as NOT EXISTS it may become a join that reads all of it. The server keeps its plan.
fn sql(one_of: &str) -> String {
    format!(
        "WITH standing AS ( \
            SELECT j.position, j.hash, j.payload, j.transfer_id, j.return_id, j.recorded_at \
            FROM journal j WHERE j.transfer_id {one_of} \
                AND (SELECT s.position FROM journal s WHERE s.supersedes = j.position) IS NULL), \
         waiting AS ( \
            SELECT t.transfer_id, t.hold_id, ROW_NUMBER() OVER \
                (PARTITION BY t.transfer_id ORDER BY h.held_at, h.hold_id) AS place \
            FROM hold_transfers t JOIN holds h ON h.hold_id = t.hold_id \
            WHERE t.transfer_id {one_of} AND h.state = 'open') \
         SELECT 'row' AS part, r.position, r.hash, r.payload, r.transfer_id, r.recorded_at, \
            CAST(NULL AS BIGINT) AS superseded_by, \
            (SELECT COUNT(*) FROM dishonorable d WHERE d.return_id = r.return_id) > 0 AS dishonorable, \
            NULL AS name, NULL AS fault, CAST(NULL AS TIMESTAMPTZ) AS fault_since \
         FROM standing r \
         UNION ALL \
         SELECT 'exception', r.position, NULL, NULL, r.transfer_id, NULL, NULL, FALSE, e.name, NULL, NULL \
         FROM standing r JOIN follower_exceptions e ON e.position = r.position \
         UNION ALL \
         SELECT 'hold', w.place, NULL, NULL, w.transfer_id, NULL, NULL, FALSE, w.hold_id, NULL, NULL \
         FROM waiting w WHERE w.place <= {MOST_HOLDS} \
         UNION ALL \
         SELECT 'database', f.position, NULL, NULL, NULL, NULL, NULL, FALSE, f.name, f.fault, f.fault_since \
         FROM followers f \
         ORDER BY part DESC, position, name"
    )
}

#[async_trait]
impl TransferStore for SqlStore {
    async fn facts(&self, transfer_ids: &[String]) -> Result<Facts, StoreError> {
        let parts = statement(
            "read what is known of transfers",
            sql(&self.db.syntax().one_of("$1")),
        )
        .bind(transfer_ids)
        .list(&self.lookups, part)
        .await?;
        let mut facts = Facts::default();
        // The rows come before their exceptions.
        for part in parts {
            match part {
                Part::Row(row) => {
                    let of_it = facts.transfers.entry(row.row.row.transfer.id.clone());
                    of_it.or_default().rows.push(*row);
                }
                Part::Exception {
                    transfer_id,
                    position,
                    database,
                } => {
                    let of_it = facts.transfers.entry(transfer_id).or_default();
                    let row = of_it
                        .rows
                        .iter_mut()
                        .find(|one| one.row.position == position);
                    if let Some(row) = row {
                        row.exceptions.push(database);
                    }
                }
                Part::Hold {
                    transfer_id,
                    hold_id,
                } => {
                    let of_it: &mut TransferFacts = facts.transfers.entry(transfer_id).or_default();
                    of_it.open_hold_ids.push(hold_id);
                }
                Part::Database(name, reached) => {
                    facts.progress.insert(name, reached);
                }
            }
        }
        Ok(facts)
    }
}

/// A line of the answer.
enum Part {
    Row(Box<StandingRow>),
    Exception {
        transfer_id: String,
        position: u64,
        database: String,
    },
    Hold {
        transfer_id: String,
        hold_id: String,
    },
    Database(String, Progress),
}

fn part(record: &Record) -> Result<Part, StoreError> {
    Ok(match &*record.text("part")? {
        "row" => Part::Row(Box::new(StandingRow {
            row: journal_row(record)?,
            exceptions: Vec::new(),
            is_dishonorable: record.flag("dishonorable")?,
        })),
        "exception" => Part::Exception {
            transfer_id: record.text("transfer_id")?,
            position: record.count("position")?,
            database: record.text("name")?,
        },
        "hold" => Part::Hold {
            transfer_id: record.text("transfer_id")?,
            hold_id: record.text("name")?,
        },
        "database" => Part::Database(record.text("name")?, progress(record)?),
        other => return Err(unreadable("part", format!("{other:?} was not asked for"))),
    })
}
