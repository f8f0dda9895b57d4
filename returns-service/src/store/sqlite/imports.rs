//! Files, and what became of them.

use std::collections::HashMap;

use ach::format::FileRejected;
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::super::{
    Checked, ImportProgress, ImportRecord, NewImport, Phase, Received, RejectedLine, StoreError,
    Totals,
};
use super::codec::{
    bound, count, from_json, json, optional_text, optional_time, text, time, time_text, unreadable,
};
use super::{SqliteStore, failed};
use crate::ids;

const IMPORTS: &str = "SELECT import_id, source, file_name, sha256, size_bytes, spool_name, \
     reissued, phase, done, totals, checked, rejection, received_at, rejected_at, decided_at, \
     applied_at FROM imports";

impl SqliteStore {
    pub(super) async fn record_import(&self, new: NewImport) -> Result<Received, StoreError> {
        let what = "recording a file";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        let sql =
            format!("{IMPORTS} WHERE source = ? AND sha256 = ? ORDER BY received_at, import_id");
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
        let reissued: bool = sqlx::query(
            "SELECT EXISTS (SELECT 1 FROM imports \
             WHERE source = ? AND file_name = ? AND sha256 <> ?)",
        )
        .bind(&new.source)
        .bind(&new.file_name)
        .bind(&new.sha256)
        .fetch_one(&mut *tx)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed(what))?;
        let record = ImportRecord {
            import_id: ids::import_id(&new.source, &new.sha256, attempt),
            new,
            reissued,
            phase: Phase::Checking,
            done: 0,
            totals: Totals::default(),
        };
        sqlx::query(
            "INSERT INTO imports (import_id, source, file_name, sha256, size_bytes, spool_name, \
             reissued, phase, totals, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'checking', ?, ?)",
        )
        .bind(&record.import_id)
        .bind(&record.new.source)
        .bind(&record.new.file_name)
        .bind(&record.new.sha256)
        .bind(bound(record.new.size_bytes)?)
        .bind(&record.new.spool_name)
        .bind(reissued)
        .bind(json(&record.totals, "imports.totals")?)
        .bind(time_text(record.new.received_at))
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        tx.commit().await.map_err(failed(what))?;
        Ok(Received::New(record))
    }

    pub(super) async fn read_import(
        &self,
        import_id: &str,
    ) -> Result<Option<ImportRecord>, StoreError> {
        let sql = format!("{IMPORTS} WHERE import_id = ?");
        sqlx::query(AssertSqlSafe(sql))
            .bind(import_id)
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
        let (before_time, before_id) = before.map(|(at, id)| (time_text(at), id)).unzip();
        let sql = format!(
            "{IMPORTS} WHERE (?1 IS NULL OR source = ?1) \
             AND (?2 IS NULL OR (received_at, import_id) < (?2, ?3)) \
             ORDER BY received_at DESC, import_id DESC LIMIT ?4"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(source)
            .bind(before_time)
            .bind(before_id)
            .bind(limit)
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
            .map(|row| Ok((text(row, "source")?, count(row, "imports")?)))
            .collect()
    }

    pub(super) async fn read_open_imports(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query(
            "SELECT import_id FROM imports WHERE phase IN ('checking', 'deciding') \
             ORDER BY received_at, import_id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing open imports"))?
        .iter()
        .map(|row| text(row, "import_id"))
        .collect()
    }

    pub(super) async fn write_rejection(
        &self,
        import_id: &str,
        why: &FileRejected,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE imports SET phase = 'rejected', rejection = ?, rejected_at = ? \
             WHERE import_id = ? AND phase = 'checking'",
        )
        .bind(json(why, "imports.rejection")?)
        .bind(time_text(at))
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
            "UPDATE imports SET phase = ?, checked = ?, decided_at = ? \
             WHERE import_id = ? AND phase = 'checking'",
        )
        .bind(if empty { "decided" } else { "deciding" })
        .bind(json(checked, "imports.checked")?)
        .bind(empty.then(|| time_text(at)))
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
             WHERE import_id = ? ORDER BY ordinal LIMIT ?",
        )
        .bind(import_id)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing unreadable lines"))?
        .iter()
        .map(|row| {
            Ok(RejectedLine {
                ordinal: count(row, "ordinal")?,
                rejected: from_json(&text(row, "rejected")?, "import_rejected_lines.rejected")?,
            })
        })
        .collect()
    }

    pub(super) async fn mark_applied(
        &self,
        databases: &[String],
        at: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        // A database that was never heard of has passed nothing.
        sqlx::query(
            "UPDATE imports SET phase = 'applied', applied_at = ?1 WHERE phase = 'decided' \
             AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.import_id = imports.import_id \
                 AND j.position > (SELECT MIN(COALESCE(f.position, 0)) FROM json_each(?2) d \
                                   LEFT JOIN followers f ON f.name = d.value)) \
             AND NOT EXISTS (SELECT 1 FROM follower_exceptions e \
                 JOIN journal j ON j.position = e.position \
                 WHERE e.handled = 0 AND j.import_id = imports.import_id) \
             RETURNING import_id",
        )
        .bind(time_text(at))
        .bind(json(&databases, "databases")?)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("finishing imports"))?
        .iter()
        .map(|row| text(row, "import_id"))
        .collect()
    }

    pub(super) async fn read_import_progress(
        &self,
        import_id: &str,
        database: &str,
    ) -> Result<ImportProgress, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS row_count, \
             COUNT(*) FILTER (WHERE j.position <= \
                 COALESCE((SELECT position FROM followers WHERE name = ?2), 0)) AS passed, \
             COUNT(e.position) AS exceptions, \
             COALESCE(MIN(j.position), 0) AS first_position, \
             COALESCE(MAX(j.position), 0) AS last_position \
             FROM journal j LEFT JOIN follower_exceptions e \
                 ON e.name = ?2 AND e.position = j.position \
             WHERE j.import_id = ?1",
        )
        .bind(import_id)
        .bind(database)
        .fetch_one(&self.pool)
        .await
        .map_err(failed("reading an import's progress"))?;
        Ok(ImportProgress {
            rows: count(&row, "row_count")?,
            passed: count(&row, "passed")?,
            exceptions: count(&row, "exceptions")?,
            first_position: count(&row, "first_position")?,
            last_position: count(&row, "last_position")?,
        })
    }
}

fn import_record(row: &SqliteRow) -> Result<ImportRecord, StoreError> {
    let import_id = text(row, "import_id")?;
    Ok(ImportRecord {
        new: NewImport {
            source: text(row, "source")?,
            file_name: text(row, "file_name")?,
            sha256: text(row, "sha256")?,
            size_bytes: count(row, "size_bytes")?,
            spool_name: text(row, "spool_name")?,
            received_at: time(row, "received_at")?,
        },
        reissued: count(row, "reissued")? != 0,
        phase: phase(row, &import_id)?,
        done: count(row, "done")?,
        totals: from_json(&text(row, "totals")?, "imports.totals")?,
        import_id,
    })
}

fn phase(row: &SqliteRow, import_id: &str) -> Result<Phase, StoreError> {
    let place = format!("imports {import_id}");
    let missing = |what: &str| unreadable(&place, format!("{what} is missing"));
    let checked = || -> Result<Checked, StoreError> {
        from_json(
            &optional_text(row, "checked")?.ok_or_else(|| missing("checked"))?,
            &place,
        )
    };
    let at = |column: &str| -> Result<DateTime<Utc>, StoreError> {
        optional_time(row, column)?.ok_or_else(|| missing(column))
    };
    match text(row, "phase")?.as_str() {
        "checking" => Ok(Phase::Checking),
        "rejected" => {
            let why = optional_text(row, "rejection")?.ok_or_else(|| missing("rejection"))?;
            Ok(Phase::Rejected {
                why: from_json(&why, &place)?,
                at: at("rejected_at")?,
            })
        }
        "deciding" => Ok(Phase::Deciding {
            checked: checked()?,
        }),
        "decided" => Ok(Phase::Decided {
            checked: checked()?,
            decided_at: at("decided_at")?,
        }),
        "applied" => Ok(Phase::Applied {
            checked: checked()?,
            decided_at: at("decided_at")?,
            applied_at: at("applied_at")?,
        }),
        other => Err(unreadable(&place, format!("{other:?} is no phase"))),
    }
}
