//! Returns that our bank may dishonor.

use std::ops::Range;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::dishonor::{DishonorFilter, DishonorMark, DishonorPlace, DishonorRecord, Marks};
use sqlx::{AssertSqlSafe, PgConnection};

use super::PgStore;
use super::codec::{clean, clean_all, clean_option};
use crate::StoreError;
use crate::columns::{bound, failed, json};
use crate::dishonor::{DishonorStore, dishonor_record};

const MARKS: &str = "SELECT import_id, ordinal, line, transfer_id, return_id, hold_id, code, \
     fields, last_day, why, others, amount_minor, currency, return_code, settled_on, marked_at \
     FROM dishonorable";

/// Writes what a decision says of marks, in the decision's own transaction: a statement for
/// each of the two lists, however long it is, and none for an empty one.
pub(super) async fn write_marks(
    tx: &mut PgConnection,
    marks: &Marks,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if !marks.cleared.is_empty() {
        let ordinals: Vec<i64> = marks
            .cleared
            .iter()
            .map(|(_, ordinal)| bound(*ordinal))
            .collect::<Result<_, _>>()?;
        sqlx::query(
            "DELETE FROM dishonorable WHERE (import_id, ordinal) IN \
             (SELECT * FROM UNNEST($1::text[], $2::bigint[]))",
        )
        .bind(clean_all(
            marks.cleared.iter().map(|(import_id, _)| import_id),
        ))
        .bind(ordinals)
        .execute(&mut *tx)
        .await
        .map_err(failed("taking dishonor marks back"))?;
    }
    if marks.set.is_empty() {
        return Ok(());
    }
    insert(tx, &marks.set, at).await
}

/// Takes back the marks of returns.
pub(super) async fn drop_marks(
    tx: &mut PgConnection,
    return_ids: &[&str],
) -> Result<(), StoreError> {
    if return_ids.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM dishonorable WHERE return_id = ANY($1)")
        .bind(return_ids)
        .execute(tx)
        .await
        .map_err(failed("taking dishonor marks back"))?;
    Ok(())
}

async fn insert(
    tx: &mut PgConnection,
    marks: &[DishonorMark],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let text = |of: fn(&DishonorMark) -> &str| -> Vec<String> {
        marks.iter().map(|mark| clean(of(mark))).collect()
    };
    let optional = |of: fn(&DishonorMark) -> Option<&str>| -> Vec<Option<String>> {
        marks.iter().map(|mark| clean_option(of(mark))).collect()
    };
    let number = |of: fn(&DishonorMark) -> u64| -> Result<Vec<i64>, StoreError> {
        marks.iter().map(|mark| bound(of(mark))).collect()
    };
    let others: Vec<String> = marks
        .iter()
        .map(|mark| json(&mark.others, "dishonorable.others"))
        .collect::<Result<_, _>>()?;
    let last_days: Vec<String> = marks
        .iter()
        .map(|mark| mark.ground.last_day.to_string())
        .collect();
    let amounts: Vec<Option<i64>> = marks
        .iter()
        .map(|mark| mark.amount.map(ach::money::Money::minor))
        .collect();
    let currencies: Vec<Option<String>> = marks
        .iter()
        .map(|mark| mark.amount.map(|amount| amount.currency().to_string()))
        .collect();
    let settled_on: Vec<Option<String>> = marks
        .iter()
        .map(|mark| mark.settled_on.map(|day| day.to_string()))
        .collect();
    sqlx::query(
        "INSERT INTO dishonorable (import_id, ordinal, line, transfer_id, return_id, hold_id, \
             code, fields, last_day, why, others, amount_minor, currency, return_code, \
             settled_on, marked_at) \
         SELECT m.*, $16 FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::text[], \
             $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], \
             $11::text[], $12::bigint[], $13::text[], $14::text[], $15::text[]) AS m \
         ON CONFLICT (import_id, ordinal) DO UPDATE SET line = excluded.line, \
             transfer_id = excluded.transfer_id, return_id = excluded.return_id, \
             hold_id = excluded.hold_id, code = excluded.code, fields = excluded.fields, \
             last_day = excluded.last_day, why = excluded.why, others = excluded.others, \
             amount_minor = excluded.amount_minor, currency = excluded.currency, \
             return_code = excluded.return_code, settled_on = excluded.settled_on, \
             marked_at = excluded.marked_at",
    )
    .bind(text(|mark| &mark.import_id))
    .bind(number(|mark| mark.ordinal)?)
    .bind(number(|mark| mark.line)?)
    .bind(optional(|mark| mark.transfer_id.as_deref()))
    .bind(optional(|mark| mark.return_id.as_deref()))
    .bind(optional(|mark| mark.hold_id.as_deref()))
    .bind(text(|mark| mark.ground.code.as_str()))
    .bind(text(|mark| &mark.ground.fields))
    .bind(last_days)
    .bind(text(|mark| &mark.ground.why))
    .bind(others)
    .bind(amounts)
    .bind(currencies)
    .bind(text(|mark| &mark.return_code))
    .bind(settled_on)
    .bind(at)
    .execute(tx)
    .await
    .map_err(failed("marking returns as dishonorable"))?;
    Ok(())
}

#[async_trait]
impl DishonorStore for PgStore {
    async fn dishonorable(
        &self,
        filter: &DishonorFilter,
        after: Option<DishonorPlace>,
        limit: u32,
    ) -> Result<Vec<DishonorRecord>, StoreError> {
        let (day, import_id, ordinal) = match after {
            Some((day, import_id, ordinal)) => (
                Some(day.to_string()),
                Some(clean(&import_id)),
                Some(bound(ordinal)?),
            ),
            None => (None, None, None),
        };
        let sql = format!(
            "{MARKS} WHERE ($1::text IS NULL OR last_day >= $1) \
             AND ($2::text IS NULL OR import_id = $2) \
             AND ($3::text IS NULL OR transfer_id = $3) \
             AND ($4::text IS NULL OR (last_day, import_id, ordinal) > ($4, $5, $6)) \
             ORDER BY last_day, import_id, ordinal LIMIT $7"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(filter.open_on.map(|day| day.to_string()))
            .bind(clean_option(filter.import_id.as_deref()))
            .bind(clean_option(filter.transfer_id.as_deref()))
            .bind(day)
            .bind(import_id)
            .bind(ordinal)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing dishonorable returns"))?
            .iter()
            .map(dishonor_record)
            .collect()
    }

    async fn dishonorable_returns(
        &self,
        return_ids: &[String],
    ) -> Result<Vec<DishonorRecord>, StoreError> {
        let sql = format!("{MARKS} WHERE return_id = ANY($1)");
        sqlx::query(AssertSqlSafe(sql))
            .bind(clean_all(return_ids))
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading the dishonor marks of returns"))?
            .iter()
            .map(dishonor_record)
            .collect()
    }

    async fn dishonorable_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<DishonorRecord>, StoreError> {
        let sql = format!(
            "{MARKS} WHERE import_id = $1 AND ordinal >= $2 AND ordinal < $3 ORDER BY ordinal"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(import_id)
            .bind(bound(ordinals.start)?)
            .bind(bound(ordinals.end)?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading an import's dishonor marks"))?
            .iter()
            .map(dishonor_record)
            .collect()
    }
}
