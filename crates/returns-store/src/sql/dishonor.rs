//! Returns that our bank may dishonor.

use std::collections::BTreeMap;
use std::ops::Range;

use ach::dishonor::DishonorGround;
use ach::money::Money;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use returns_model::dishonor::{DishonorFilter, DishonorMark, DishonorPlace, DishonorRecord, Marks};

use super::SqlStore;
use crate::columns::{bound, json, unreadable};
use crate::db::{Insert, Record, Transaction, Value, insert_all, statement};
use crate::{DishonorStore, StoreError};

const COLUMNS: &str = "import_id, ordinal, line, transfer_id, return_id, hold_id, code, fields, \
     last_day, why, others, amount_minor, currency, return_code, settled_on, marked_at";

fn dishonor_record(row: &Record) -> Result<DishonorRecord, StoreError> {
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

/// Writes what a decision says of marks, in the decision's own transaction: a statement for
/// the marks of each import that go, and one for all that are set.
pub(super) async fn write_marks(
    tx: &mut Transaction,
    marks: &Marks,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut cleared: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (import_id, ordinal) in &marks.cleared {
        let ordinals = cleared.entry(import_id).or_default();
        ordinals.push(bound(*ordinal)?);
    }
    let sql = format!(
        "DELETE FROM dishonorable WHERE import_id = $1 AND ordinal {}",
        tx.syntax().one_of("$2")
    );
    for (import_id, ordinals) in cleared {
        statement("take dishonor marks back", sql.clone())
            .bind(import_id)
            .bind(ordinals)
            .execute(&mut *tx)
            .await?;
    }
    let insert = Insert {
        what: "mark returns as dishonorable",
        table: "dishonorable",
        columns: COLUMNS,
        end: "ON CONFLICT (import_id, ordinal) DO UPDATE SET line = excluded.line, \
              transfer_id = excluded.transfer_id, return_id = excluded.return_id, \
              hold_id = excluded.hold_id, code = excluded.code, fields = excluded.fields, \
              last_day = excluded.last_day, why = excluded.why, others = excluded.others, \
              amount_minor = excluded.amount_minor, currency = excluded.currency, \
              return_code = excluded.return_code, settled_on = excluded.settled_on, \
              marked_at = excluded.marked_at",
    };
    let rows = marks.set.iter().map(|mark| mark_values(mark, at));
    insert_all(tx, &insert, rows.collect::<Result<_, _>>()?).await
}

fn mark_values(mark: &DishonorMark, at: DateTime<Utc>) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        (&mark.import_id).into(),
        bound(mark.ordinal)?.into(),
        bound(mark.line)?.into(),
        (&mark.transfer_id).into(),
        (&mark.return_id).into(),
        (&mark.hold_id).into(),
        mark.ground.code.as_str().into(),
        (&mark.ground.fields).into(),
        mark.ground.last_day.to_string().into(),
        (&mark.ground.why).into(),
        json(&mark.others, "dishonorable.others")?.into(),
        mark.amount.map(Money::minor).into(),
        mark.amount
            .map(|amount| amount.currency().to_string())
            .into(),
        (&mark.return_code).into(),
        mark.settled_on.map(|day| day.to_string()).into(),
        at.into(),
    ])
}

/// Takes back the marks of returns.
pub(super) async fn drop_marks(
    tx: &mut Transaction,
    return_ids: Vec<&str>,
) -> Result<(), StoreError> {
    if return_ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM dishonorable WHERE return_id {}",
        tx.syntax().one_of("$1")
    );
    statement("take dishonor marks back", sql)
        .bind(return_ids)
        .execute(tx)
        .await
        .map(drop)
}

#[async_trait]
impl DishonorStore for SqlStore {
    async fn dishonorable(
        &self,
        filter: &DishonorFilter,
        after: Option<DishonorPlace>,
        limit: u32,
    ) -> Result<Vec<DishonorRecord>, StoreError> {
        let (day, import_id, ordinal) = match after {
            Some((day, import_id, ordinal)) => (
                Some(day.to_string()),
                Some(import_id),
                Some(bound(ordinal)?),
            ),
            None => (None, None, None),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM dishonorable WHERE ($1 IS NULL OR last_day >= $1) \
             AND ($2 IS NULL OR import_id = $2) AND ($3 IS NULL OR transfer_id = $3) \
             AND ($4 IS NULL OR (last_day, import_id, ordinal) > ($4, $5, $6)) \
             ORDER BY last_day, import_id, ordinal LIMIT $7"
        );
        statement("list dishonorable returns", sql)
            .bind(filter.open_on.map(|day| day.to_string()))
            .bind(&filter.import_id)
            .bind(&filter.transfer_id)
            .bind(day)
            .bind(import_id)
            .bind(ordinal)
            .bind(limit)
            .list(&self.db, dishonor_record)
            .await
    }

    async fn dishonorable_returns(
        &self,
        return_ids: &[String],
    ) -> Result<Vec<DishonorRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM dishonorable WHERE return_id {}",
            self.db.syntax().one_of("$1")
        );
        statement("read the dishonor marks of returns", sql)
            .bind(return_ids)
            .list(&self.db, dishonor_record)
            .await
    }

    async fn dishonorable_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<DishonorRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM dishonorable \
             WHERE import_id = $1 AND ordinal >= $2 AND ordinal < $3 ORDER BY ordinal"
        );
        statement("read an import's dishonor marks", sql)
            .bind(import_id)
            .bind(bound(ordinals.start)?)
            .bind(bound(ordinals.end)?)
            .list(&self.db, dishonor_record)
            .await
    }
}
