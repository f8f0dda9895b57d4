//! A journal row as its columns have it, before any of it is believed.

use chrono::{DateTime, Utc};

use super::chain::Hash;
use super::row::{Relation, Row};

/// A row of the journal with all its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    pub position: u64,
    pub hash: Hash,
    pub payload: String,
    pub columns: RowColumns,
    pub recorded_at: DateTime<Utc>,
}

/// The columns that repeat parts of the payload, for the indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowColumns {
    pub transfer_id: String,
    pub return_id: String,
    pub code: Option<String>,
    /// The import whose entry the row is about; empty for a row that only follows another: it may
    /// come long after the import was finished.
    pub import_id: String,
    pub supersedes: Option<u64>,
    /// The row that this one says again, or says more about. Such a row is not a return of its own.
    pub repeats: Option<u64>,
}

impl RowColumns {
    /// What the columns of a row hold.
    pub fn of(row: &Row) -> Self {
        let (supersedes, repeats) = match &row.relation {
            Some(Relation::Supersedes { position }) => (Some(*position), None),
            Some(Relation::Repeats { position, .. } | Relation::Follows { position }) => {
                (None, Some(*position))
            }
            None => (None, None),
        };
        Self {
            transfer_id: row.transfer.id.clone(),
            return_id: row.return_id.clone(),
            code: row.code(),
            import_id: row.of_import().unwrap_or_default().to_owned(),
            supersedes,
            repeats,
        }
    }

    /// A sentence for each column that is not what the payload says.
    pub(super) fn differences(&self, said: &Self) -> Vec<String> {
        let pairs = self.cells().into_iter().zip(said.cells());
        let differing = pairs.filter(|((_, is), (_, said))| is != said);
        differing
            .map(|((column, is), (_, said))| {
                format!(
                    "its column {column} is {}, its payload says {}",
                    shown(is),
                    shown(said)
                )
            })
            .collect()
    }

    fn cells(&self) -> [(&'static str, Option<String>); 6] {
        // PostgreSQL has no NUL in texts.
        let text = |text: &str| Some(text.replace('\0', "\u{fffd}"));
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        [
            ("transfer_id", text(&self.transfer_id)),
            ("return_id", text(&self.return_id)),
            ("code", self.code.as_deref().and_then(text)),
            ("import_id", text(&self.import_id)),
            ("supersedes", number(self.supersedes)),
            ("repeats", number(self.repeats)),
        ]
    }
}

fn shown(cell: Option<String>) -> String {
    cell.map_or_else(|| "nothing".to_owned(), |text| format!("{text:?}"))
}
