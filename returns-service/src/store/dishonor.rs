//! Returns that our bank may dishonor.

use std::ops::Range;

use ach::dishonor::DishonorGround;
use ach::money::Money;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

use super::StoreError;
use super::columns::{Columns, unreadable};

/// An entry that may be dishonored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DishonorMark {
    pub(crate) import_id: String,
    /// The entry's number in its file, counted from 0.
    pub(crate) ordinal: u64,
    /// Where it stands in its file, counted from 1.
    pub(crate) line: u64,
    /// The transfer that it returns; `None` while that is unknown.
    pub(crate) transfer_id: Option<String>,
    /// The return that it became; `None` while it is held.
    pub(crate) return_id: Option<String>,
    /// The hold in which it waits; `None` when it does not.
    pub(crate) hold_id: Option<String>,
    /// The strongest ground.
    pub(crate) ground: DishonorGround,
    /// Weaker ones.
    pub(crate) others: Vec<DishonorGround>,
    /// The amount on the line, or else the transfer's.
    pub(crate) amount: Option<Money>,
    /// The code of the return.
    pub(crate) return_code: String,
    /// When the return settled, where its file says so.
    pub(crate) settled_on: Option<NaiveDate>,
}

/// A mark, and when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DishonorRecord {
    pub(crate) mark: DishonorMark,
    pub(crate) marked_at: DateTime<Utc>,
}

/// What a decision says of marks. It is written with the decision, or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// To be written. A mark that the entry has already is replaced: what was said of it
    /// belonged to an earlier decision.
    pub(crate) set: Vec<DishonorMark>,
    /// Entries (import and ordinal) that were decided again, and nothing speaks for a dishonor
    /// any more.
    pub(crate) cleared: Vec<(String, u64)>,
}

impl Marks {
    /// What it comes to when one entry was decided again: `mark` replaces what was said of it.
    pub(crate) fn again(mark: Option<DishonorMark>, import_id: &str, ordinal: u64) -> Self {
        let cleared = match &mark {
            Some(_) => Vec::new(),
            None => vec![(import_id.to_owned(), ordinal)],
        };
        Self {
            set: mark.into_iter().collect(),
            cleared,
        }
    }
}

/// Which marks to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DishonorFilter {
    /// Only those whose last day is this one or later.
    pub(crate) open_on: Option<NaiveDate>,
    pub(crate) import_id: Option<String>,
    pub(crate) transfer_id: Option<String>,
}

/// Where a page of marks ended: last day, import and ordinal.
pub(crate) type DishonorPlace = (NaiveDate, String, u64);

/// Marks in the returns database.
#[async_trait]
pub(crate) trait DishonorStore: Send + Sync {
    /// Marks, the most urgent first, those after `after`.
    async fn dishonorable(
        &self,
        filter: &DishonorFilter,
        after: Option<DishonorPlace>,
        limit: u32,
    ) -> Result<Vec<DishonorRecord>, StoreError>;
    /// The marks of some returns, in no order.
    async fn dishonorable_returns(
        &self,
        return_ids: &[String],
    ) -> Result<Vec<DishonorRecord>, StoreError>;
    /// The marks of some entries of an import, in the order of the file.
    async fn dishonorable_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<DishonorRecord>, StoreError>;
}

/// Reads a mark, whichever database it came from.
pub(super) fn dishonor_record(row: &impl Columns) -> Result<DishonorRecord, StoreError> {
    let import_id = row.text("import_id")?;
    let place = format!("dishonorable {import_id}");
    let day = |column: &str, text: &str| -> Result<NaiveDate, StoreError> {
        text.parse()
            .map_err(|error| unreadable(&place, format!("{column} {text:?}: {error}")))
    };
    let amount = match (
        row.optional_number("amount_minor")?,
        row.optional_text("currency")?,
    ) {
        (Some(minor), Some(currency)) => {
            let currency = currency
                .parse()
                .map_err(|error| unreadable(&place, format!("currency: {error}")))?;
            Some(Money::new(minor, currency))
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(unreadable(&place, "amount_minor and currency go together"));
        }
    };
    let ground = DishonorGround {
        code: row
            .text("code")?
            .parse()
            .map_err(|error| unreadable(&place, error))?,
        fields: row.text("fields")?,
        last_day: day("last_day", &row.text("last_day")?)?,
        why: row.text("why")?,
    };
    let settled_on = row.optional_text("settled_on")?;
    Ok(DishonorRecord {
        mark: DishonorMark {
            ordinal: row.count("ordinal")?,
            line: row.count("line")?,
            transfer_id: row.optional_text("transfer_id")?,
            return_id: row.optional_text("return_id")?,
            hold_id: row.optional_text("hold_id")?,
            ground,
            others: row.json("others", &place)?,
            amount,
            return_code: row.text("return_code")?,
            settled_on: settled_on
                .map(|text| day("settled_on", &text))
                .transpose()?,
            import_id,
        },
        marked_at: row.time("marked_at")?,
    })
}
