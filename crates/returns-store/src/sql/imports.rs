//! Files, and what became of them.

use std::collections::HashMap;

use ach::format::FileRejected;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::ids;
use returns_model::import::{
    Checked, ImportRecord, Moves, NewImport, Phase, PhaseName, Received, RejectedLine, Totals,
};

use super::SqlStore;
use super::import_rows::{import_progress, import_record, rejected_line};
use crate::columns::{bound, json};
use crate::db::{Record, Transaction, statement};
use crate::{ImportFilter, ImportProgress, ImportStore, StoreError};

const IMPORTS: &str = "SELECT import_id, source, file_name, sha256, size_bytes, spool_name, \
     controls_accepted_by, reissued, phase, done, totals, moves, checked, rejection, received_at, \
     rejected_at, decided_at, applied_at, trace FROM imports";

pub(super) fn import_id(row: &Record) -> Result<String, StoreError> {
    row.text("import_id")
}

#[async_trait]
impl ImportStore for SqlStore {
    async fn receive(&self, new: NewImport) -> Result<Received, StoreError> {
        let what = "record a file";
        let mut tx = self.db.begin(what).await?;
        // Two replicas may be given the same file, or two files of one name, at once. Files of
        // a source are few, so they are recorded one after the other; the unique index stands
        // behind this.
        tx.lock(what, &format!("echeck source {}", new.source))
            .await?;
        let sql =
            format!("{IMPORTS} WHERE source = $1 AND sha256 = $2 ORDER BY received_at, import_id");
        let earlier = statement(what, sql)
            .bind(&new.source)
            .bind(&new.sha256)
            .list(&mut tx, import_record)
            .await?;
        let attempt = earlier.len() as u64 + 1;
        let standing = earlier
            .into_iter()
            .find(|import| !matches!(import.phase, Phase::Rejected { .. }));
        if let Some(first) = standing {
            return Ok(Received::Known(first));
        }
        let import_id = ids::import_id(&new.source, &new.sha256, attempt);
        let record = insert_import(&mut tx, import_id, new).await?;
        tx.commit(what).await?;
        Ok(Received::New(record))
    }

    async fn import(&self, import_id: &str) -> Result<Option<ImportRecord>, StoreError> {
        statement("read an import", format!("{IMPORTS} WHERE import_id = $1"))
            .bind(import_id)
            .optional(&self.db, import_record)
            .await
    }

    async fn imports(
        &self,
        filter: &ImportFilter,
        limit: u32,
    ) -> Result<Vec<ImportRecord>, StoreError> {
        let (before_time, before_id) = filter.before.clone().unzip();
        let sql = format!(
            "{IMPORTS} WHERE ($1 IS NULL OR source = $1) \
             AND ($2 IS NULL OR (received_at, import_id) < ($2, $3)) \
             AND ($4 IS NULL OR phase = $4) AND ($5 IS NULL OR received_at >= $5) \
             AND ($6 IS NULL OR received_at < $6) \
             ORDER BY received_at DESC, import_id DESC LIMIT $7"
        );
        statement("list imports", sql)
            .bind(&filter.source)
            .bind(before_time)
            .bind(before_id)
            .bind(filter.phase.map(PhaseName::as_str))
            .bind(filter.received_from)
            .bind(filter.received_before)
            .bind(limit)
            .list(&self.db, import_record)
            .await
    }

    async fn imports_per_source(&self) -> Result<HashMap<String, u64>, StoreError> {
        let counted = statement(
            "count imports",
            "SELECT source, COUNT(*) AS imports FROM imports GROUP BY source",
        )
        .list(&self.db, |row| {
            Ok((row.text("source")?, row.count("imports")?))
        })
        .await?;
        Ok(counted.into_iter().collect())
    }

    async fn spool_files_named(&self, names: &[String]) -> Result<Vec<String>, StoreError> {
        let sql = format!(
            "SELECT spool_name FROM imports WHERE spool_name {}",
            self.db.syntax().one_of("$1")
        );
        statement("look up files of the spool", sql)
            .bind(names)
            .list(&self.db, |row| row.text("spool_name"))
            .await
    }

    /// Two counts, since each has an index of its own.
    async fn count_unfinished_imports(&self) -> Result<u64, StoreError> {
        statement(
            "count unfinished imports",
            "SELECT (SELECT COUNT(*) FROM imports WHERE phase IN ('checking', 'deciding')) \
             + (SELECT COUNT(*) FROM imports WHERE phase = 'decided') AS unfinished",
        )
        .one(&self.db, |row| row.count("unfinished"))
        .await
    }

    async fn reject_import(
        &self,
        import_id: &str,
        why: &FileRejected,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let done = statement(
            "refuse an import",
            "UPDATE imports SET phase = 'rejected', rejection = $1, rejected_at = $2 \
             WHERE import_id = $3 AND phase = 'checking'",
        )
        .bind(json(why, "imports.rejection")?)
        .bind(at)
        .bind(import_id)
        .execute(&self.db)
        .await?;
        Ok(done == 1)
    }

    async fn accept_import(
        &self,
        import_id: &str,
        checked: &Checked,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let empty = checked.items == 0;
        let done = statement(
            "accept an import",
            "UPDATE imports SET phase = $1, checked = $2, decided_at = $3, work_begun = 1 \
             WHERE import_id = $4 AND phase = 'checking'",
        )
        .bind(if empty { "decided" } else { "deciding" })
        .bind(json(checked, "imports.checked")?)
        .bind(empty.then_some(at))
        .bind(import_id)
        .execute(&self.db)
        .await?;
        Ok(done == 1)
    }

    async fn rejected_lines(
        &self,
        import_id: &str,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RejectedLine>, StoreError> {
        statement(
            "list unreadable lines",
            "SELECT ordinal, rejected FROM import_rejected_lines \
             WHERE import_id = $1 AND ($2 IS NULL OR ordinal > $2) ORDER BY ordinal LIMIT $3",
        )
        .bind(import_id)
        .bind(after.map(bound).transpose()?)
        .bind(limit)
        .list(&self.db, rejected_line)
        .await
    }

    /// A database that was never heard of has passed nothing. What another replica has locked
    /// just now comes with the next call.
    async fn finish_imports(
        &self,
        databases: &[String],
        at: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        let syntax = self.db.syntax();
        let sql = format!(
            "UPDATE imports SET phase = 'applied', applied_at = $1 WHERE import_id IN ( \
                 SELECT i.import_id FROM imports i WHERE i.phase = 'decided' \
                 AND i.last_position <= (SELECT MIN(COALESCE(f.position, 0)) \
                     FROM {} AS d LEFT JOIN followers f ON f.name = d.value) \
                 AND NOT EXISTS (SELECT 1 FROM follower_exceptions e \
                     JOIN journal j ON j.position = e.position \
                     WHERE NOT e.handled AND j.import_id = i.import_id) {}) \
             RETURNING import_id",
            syntax.values("$2"),
            syntax.for_update_skip_locked()
        );
        statement("finish imports", sql)
            .bind(at)
            .bind(databases)
            .list(&self.db, import_id)
            .await
    }

    async fn entries_without_effect(
        &self,
        import_id: &str,
        databases: &[String],
    ) -> Result<u64, StoreError> {
        let these = self.db.syntax().one_of("$2");
        let sql = format!(
            "SELECT (SELECT COUNT(*) FROM follower_exceptions e \
                 JOIN journal j ON j.position = e.position \
                 WHERE e.name {these} AND NOT e.handled AND j.import_id = $1) \
             + (SELECT COUNT(DISTINCT h.ordinal) FROM holds h \
                 JOIN journal j ON j.position = h.failed_position \
                 WHERE h.import_id = $1 AND h.failed_database {these} \
                 AND h.state IN ('open', 'dismissed') AND j.import_id = $1) AS lacking"
        );
        statement("count entries without effect", sql)
            .bind(import_id)
            .bind(databases)
            .one(&self.db, |row| row.count("lacking"))
            .await
    }

    async fn import_progress(
        &self,
        import_id: &str,
        database: &str,
    ) -> Result<ImportProgress, StoreError> {
        let read = statement(
            "read an import's progress",
            "SELECT i.row_count, i.first_position, i.last_position, f.fault, \
             CASE WHEN COALESCE(f.position, 0) >= i.last_position THEN i.row_count \
                  WHEN f.position < i.first_position OR f.position IS NULL THEN 0 \
                  ELSE (SELECT CAST(SUM(1 - s.first_position + CASE \
                            WHEN s.last_position < f.position THEN s.last_position \
                            ELSE f.position END) AS BIGINT) \
                        FROM import_stretches s \
                        WHERE s.import_id = i.import_id AND s.first_position <= f.position) \
             END AS passed, \
             (SELECT COUNT(*) FROM follower_exceptions e JOIN journal j ON j.position = e.position \
              WHERE e.name = $2 AND j.import_id = i.import_id \
              AND e.position BETWEEN i.first_position AND i.last_position) AS exceptions \
             FROM imports i LEFT JOIN followers f ON f.name = $2 WHERE i.import_id = $1",
        )
        .bind(import_id)
        .bind(database)
        .optional(&self.db, import_progress)
        .await?;
        Ok(read.unwrap_or_default())
    }
}

async fn insert_import(
    tx: &mut Transaction,
    import_id: String,
    new: NewImport,
) -> Result<ImportRecord, StoreError> {
    let totals = Totals::default();
    let reissued = statement(
        "record a file",
        "INSERT INTO imports (import_id, source, file_name, sha256, size_bytes, spool_name, \
         reissued, phase, totals, received_at, controls_accepted_by, trace) \
         SELECT $1, $2, $3, $4, $5, $6, EXISTS (SELECT 1 FROM imports \
             WHERE source = $2 AND file_name = $3 AND sha256 <> $4), 'checking', $7, $8, $9, $10 \
         RETURNING reissued",
    )
    .bind(&import_id)
    .bind(&new.source)
    .bind(&new.file_name)
    .bind(&new.sha256)
    .bind(bound(new.size_bytes)?)
    .bind(&new.spool_name)
    .bind(json(&totals, "imports.totals")?)
    .bind(new.received_at)
    .bind(&new.controls_accepted_by)
    .bind(&new.trace)
    .one(tx, |row| row.flag("reissued"))
    .await?;
    Ok(ImportRecord {
        import_id,
        new,
        reissued,
        phase: Phase::Checking,
        done: 0,
        totals,
        moves: Moves::default(),
    })
}
