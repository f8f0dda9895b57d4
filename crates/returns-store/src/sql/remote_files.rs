//! Files at the acquirer that were taken, and the imports they became.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::import::Checked;
use returns_model::job::{Came, RemoteKey, Taken};

use super::SqlStore;
use crate::StoreError;
use crate::columns::{bound, from_json};
use crate::db::{Record, Statement, statement};
use crate::job::RemoteFileStore;

/// A statement about a file at the acquirer, whose key takes the first four places.
fn of_file(
    what: &'static str,
    sql: &'static str,
    file: &RemoteKey,
) -> Result<Statement, StoreError> {
    Ok(statement(what, sql)
        .bind(&file.source)
        .bind(&file.name)
        .bind(bound(file.size_bytes)?)
        .bind(file.modified_at))
}

/// A file that came. `checked` is there for one whose bytes were known: it counts only when it
/// says that there is nothing.
fn came(row: &Record) -> Result<Option<Came>, StoreError> {
    if let Some(checked) = row.optional_text("checked")? {
        let checked: Checked = from_json(&checked, "imports.checked")?;
        if checked.items > 0 {
            return Ok(None);
        }
    }
    Ok(Some(Came {
        import_id: row.text("import_id")?,
        received_at: row.time("received_at")?,
        modified_at: row.optional_time("modified_at")?,
    }))
}

fn taken(row: &Record) -> Result<Taken, StoreError> {
    Ok(Taken {
        name: row.text("name")?,
        import_id: row.text("import_id")?,
        taken_at: row.time("taken_at")?,
        archived_remotely_at: row.optional_time("archived_remotely_at")?,
    })
}

#[async_trait]
impl RemoteFileStore for SqlStore {
    async fn taken(&self, file: &RemoteKey) -> Result<Vec<Taken>, StoreError> {
        // A name at a source has no slash, so one that follows it begins a name in the archive.
        of_file(
            "find a file that was taken",
            "SELECT name, import_id, taken_at, archived_remotely_at FROM remote_files \
             WHERE source = $1 AND (name = $2 OR substr(name, 1, length($2) + 1) = $2 || '/') \
             AND size_bytes = $3 AND modified_at = $4 ORDER BY name",
            file,
        )?
        .list(&self.db, taken)
        .await
    }

    async fn record_taken(
        &self,
        files: &[(RemoteKey, String)],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let what = "record that a file was taken";
        let mut tx = self.db.begin(what).await?;
        for (file, import_id) in files {
            of_file(
                what,
                "INSERT INTO remote_files (source, name, size_bytes, modified_at, import_id, \
                 taken_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                file,
            )?
            .bind(import_id)
            .bind(at)
            .execute(&mut tx)
            .await?;
        }
        tx.commit(what).await
    }

    async fn record_remote_archival(
        &self,
        file: &RemoteKey,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        of_file(
            "record that a file was archived",
            "UPDATE remote_files SET archived_remotely_at = $5 WHERE source = $1 AND name = $2 \
             AND size_bytes = $3 AND modified_at = $4 AND archived_remotely_at IS NULL",
            file,
        )?
        .bind(at)
        .execute(&self.db)
        .await
        .map(drop)
    }

    async fn came_since(&self, source: &str, from: DateTime<Utc>) -> Result<Vec<Came>, StoreError> {
        let came = statement(
            "find a day's files",
            "SELECT i.import_id, i.received_at, (SELECT MIN(r.modified_at) FROM remote_files r \
                 WHERE r.source = i.source AND r.import_id = i.import_id \
                 AND r.name = i.file_name) AS modified_at, \
                 CAST(NULL AS TEXT) AS checked \
             FROM imports i WHERE i.source = $1 AND i.received_at >= $2 \
             UNION ALL \
             SELECT i.import_id, r.taken_at, r.modified_at, i.checked \
             FROM remote_files r JOIN imports i ON i.import_id = r.import_id \
             WHERE r.source = $1 AND r.taken_at >= $2 AND i.checked IS NOT NULL \
             AND (r.name <> i.file_name OR r.taken_at > (SELECT MIN(f.taken_at) \
                 FROM remote_files f WHERE f.source = r.source AND f.import_id = r.import_id)) \
             ORDER BY 2, 1",
        )
        .bind(source)
        .bind(from)
        .list(&self.db, came)
        .await?;
        Ok(came.into_iter().flatten().collect())
    }

    async fn taken_since(
        &self,
        source: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        statement(
            "list files that were taken",
            "SELECT import_id FROM remote_files WHERE source = $1 AND taken_at >= $2 \
             GROUP BY import_id ORDER BY MIN(taken_at), import_id",
        )
        .bind(source)
        .bind(since)
        .list(&self.db, |row| row.text("import_id"))
        .await
    }

    async fn unfinished_imports(&self, source: &str) -> Result<Vec<String>, StoreError> {
        statement(
            "list unfinished imports",
            "SELECT import_id FROM imports WHERE source = $1 \
             AND phase IN ('checking', 'deciding', 'decided') ORDER BY received_at, import_id",
        )
        .bind(source)
        .list(&self.db, |row| row.text("import_id"))
        .await
    }
}
