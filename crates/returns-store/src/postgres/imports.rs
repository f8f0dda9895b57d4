//! Files, and what became of them.

use std::collections::HashMap;

use ach::format::FileRejected;
use chrono::{DateTime, Utc};
use returns_model::ids;
use returns_model::import::{
    Checked, ImportRecord, NewImport, Phase, Received, RejectedLine, Totals,
};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::PgStore;
use super::codec::{clean, clean_option};
use crate::columns::{Columns as _, bound, failed, json};
use crate::records::{import_progress, import_record, rejected_line};
use crate::{ImportProgress, StoreError};

const IMPORTS: &str = "SELECT import_id, source, file_name, sha256, size_bytes, spool_name, \
     reissued, phase, done, totals, checked, rejection, received_at, rejected_at, decided_at, \
     applied_at FROM imports";

impl PgStore {
    pub(super) async fn record_import(&self, new: NewImport) -> Result<Received, StoreError> {
        let what = "recording a file";
        let mut tx = self
            .pool
            .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
            .await
            .map_err(failed(what))?;
        // Two replicas may be given the same file, or two files of one name, at once. Files of
        // a source are few, so they are recorded one after the other; the unique index stands
        // behind this.
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('echeck source ' || $1, 0))")
            .bind(&new.source)
            .execute(&mut *tx)
            .await
            .map_err(failed(what))?;
        let sql =
            format!("{IMPORTS} WHERE source = $1 AND sha256 = $2 ORDER BY received_at, import_id");
        let earlier = sqlx::query(AssertSqlSafe(sql))
            .bind(&new.source)
            .bind(&new.sha256)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed(what))?
            .iter()
            .map(import_record)
            .collect::<Result<Vec<_>, _>>()?;
        let attempt = earlier.len() as u64 + 1;
        let standing = earlier
            .into_iter()
            .find(|import| !matches!(import.phase, Phase::Rejected { .. }));
        if let Some(first) = standing {
            return Ok(Received::Known(first));
        }
        let import_id = ids::import_id(&new.source, &new.sha256, attempt);
        let record = insert_import(&mut tx, import_id, new).await?;
        tx.commit().await.map_err(failed(what))?;
        Ok(Received::New(record))
    }

    pub(super) async fn read_import(
        &self,
        import_id: &str,
    ) -> Result<Option<ImportRecord>, StoreError> {
        let sql = format!("{IMPORTS} WHERE import_id = $1");
        sqlx::query(AssertSqlSafe(sql))
            .bind(clean(import_id))
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading an import"))?
            .as_ref()
            .map(import_record)
            .transpose()
    }

    pub(super) async fn read_imports(
        &self,
        source: Option<&str>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<ImportRecord>, StoreError> {
        let (before_time, before_id) = before.unzip();
        let sql = format!(
            "{IMPORTS} WHERE ($1::text IS NULL OR source = $1) \
             AND ($2::timestamptz IS NULL OR (received_at, import_id) < ($2, $3)) \
             ORDER BY received_at DESC, import_id DESC LIMIT $4"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(clean_option(source))
            .bind(before_time)
            .bind(clean_option(before_id.as_deref()))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing imports"))?
            .iter()
            .map(import_record)
            .collect()
    }

    pub(super) async fn count_imports(&self) -> Result<HashMap<String, u64>, StoreError> {
        sqlx::query("SELECT source, COUNT(*) AS imports FROM imports GROUP BY source")
            .fetch_all(&self.pool)
            .await
            .map_err(failed("counting imports"))?
            .iter()
            .map(|row| Ok((row.text("source")?, row.count("imports")?)))
            .collect()
    }

    pub(super) async fn read_open_imports(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query(
            "SELECT import_id FROM imports WHERE phase IN ('checking', 'deciding') \
             ORDER BY received_at, import_id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing open imports"))
        .and_then(import_ids)
    }

    pub(super) async fn write_rejection(
        &self,
        import_id: &str,
        why: &FileRejected,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE imports SET phase = 'rejected', rejection = $1, rejected_at = $2 \
             WHERE import_id = $3 AND phase = 'checking'",
        )
        .bind(json(why, "imports.rejection")?)
        .bind(at)
        .bind(import_id)
        .execute(&self.pool)
        .await
        .map_err(failed("refusing an import"))?;
        Ok(done.rows_affected() == 1)
    }

    /// A file without entries has nothing to decide, so it is decided with its check.
    pub(super) async fn write_acceptance(
        &self,
        import_id: &str,
        checked: &Checked,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let empty = checked.items == 0;
        let done = sqlx::query(
            "UPDATE imports SET phase = $1, checked = $2, decided_at = $3 \
             WHERE import_id = $4 AND phase = 'checking'",
        )
        .bind(if empty { "decided" } else { "deciding" })
        .bind(json(checked, "imports.checked")?)
        .bind(empty.then_some(at))
        .bind(import_id)
        .execute(&self.pool)
        .await
        .map_err(failed("accepting an import"))?;
        Ok(done.rows_affected() == 1)
    }

    pub(super) async fn read_rejected_lines(
        &self,
        import_id: &str,
        limit: u32,
    ) -> Result<Vec<RejectedLine>, StoreError> {
        sqlx::query(
            "SELECT ordinal, rejected FROM import_rejected_lines \
             WHERE import_id = $1 ORDER BY ordinal LIMIT $2",
        )
        .bind(clean(import_id))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing unreadable lines"))?
        .iter()
        .map(rejected_line)
        .collect()
    }

    pub(super) async fn mark_applied(
        &self,
        databases: &[String],
        at: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        // A database that was never heard of has passed nothing. What another replica has
        // locked just now comes with the next call.
        sqlx::query(
            "UPDATE imports SET phase = 'applied', applied_at = $1 WHERE import_id IN ( \
                 SELECT i.import_id FROM imports i WHERE i.phase = 'decided' \
                 AND i.last_position <= (SELECT MIN(COALESCE(f.position, 0)) \
                     FROM UNNEST($2::text[]) AS d (name) LEFT JOIN followers f USING (name)) \
                 AND NOT EXISTS (SELECT 1 FROM follower_exceptions e \
                     JOIN journal j ON j.position = e.position \
                     WHERE NOT e.handled AND j.import_id = i.import_id) \
                 FOR UPDATE OF i SKIP LOCKED) \
             RETURNING import_id",
        )
        .bind(at)
        .bind(databases)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("finishing imports"))
        .and_then(import_ids)
    }

    pub(super) async fn read_import_progress(
        &self,
        import_id: &str,
        database: &str,
    ) -> Result<ImportProgress, StoreError> {
        let row = sqlx::query(
            "SELECT i.row_count, i.first_position, i.last_position, f.fault, \
             CASE WHEN COALESCE(f.position, 0) >= i.last_position THEN i.row_count \
                  WHEN f.position < i.first_position OR f.position IS NULL THEN 0 \
                  ELSE (SELECT SUM(LEAST(s.last_position, f.position) - s.first_position + 1)::bigint \
                        FROM import_stretches s \
                        WHERE s.import_id = i.import_id AND s.first_position <= f.position) \
             END AS passed, \
             (SELECT COUNT(*) FROM follower_exceptions e JOIN journal j ON j.position = e.position \
              WHERE e.name = $2 AND j.import_id = i.import_id \
              AND e.position BETWEEN i.first_position AND i.last_position) AS exceptions \
             FROM imports i LEFT JOIN followers f ON f.name = $2 WHERE i.import_id = $1",
        )
        .bind(clean(import_id))
        .bind(database)
        .fetch_optional(&self.pool)
        .await
        .map_err(failed("reading an import's progress"))?;
        row.as_ref()
            .map_or_else(|| Ok(ImportProgress::default()), import_progress)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "rows are handed over by and_then"
)]
pub(super) fn import_ids(rows: Vec<PgRow>) -> Result<Vec<String>, StoreError> {
    rows.iter().map(|row| row.text("import_id")).collect()
}

async fn insert_import(
    tx: &mut PgConnection,
    import_id: String,
    new: NewImport,
) -> Result<ImportRecord, StoreError> {
    let totals = Totals::default();
    let reissued: bool = sqlx::query(
        "INSERT INTO imports (import_id, source, file_name, sha256, size_bytes, spool_name, \
         reissued, phase, totals, received_at) \
         SELECT $1, $2, $3, $4, $5, $6, EXISTS (SELECT 1 FROM imports \
             WHERE source = $2 AND file_name = $3 AND sha256 <> $4), 'checking', $7, $8 \
         RETURNING reissued",
    )
    .bind(&import_id)
    .bind(&new.source)
    .bind(clean(&new.file_name))
    .bind(&new.sha256)
    .bind(bound(new.size_bytes)?)
    .bind(&new.spool_name)
    .bind(json(&totals, "imports.totals")?)
    .bind(new.received_at)
    .fetch_one(tx)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(failed("recording a file"))?;
    Ok(ImportRecord {
        import_id,
        new,
        reissued,
        phase: Phase::Checking,
        done: 0,
        totals,
    })
}
