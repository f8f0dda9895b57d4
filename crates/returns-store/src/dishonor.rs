//! Returns that our bank may dishonor.

use std::ops::Range;

use ach::dishonor::DishonorGround;
use ach::money::Money;
use async_trait::async_trait;
use chrono::NaiveDate;
use returns_model::dishonor::{DishonorFilter, DishonorMark, DishonorPlace, DishonorRecord};

use super::StoreError;
use super::columns::{Columns, unreadable};

/// Marks in the returns database.
#[async_trait]
pub trait DishonorStore: Send + Sync {
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
