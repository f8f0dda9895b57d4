//! Writing the lines of a report into a scratch file, and adding them up.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use returns_model::import::{ImportRecord, Tally};
use returns_store::{ImportProgress, Store};
use tokio::io::AsyncWriteExt as _;

use super::ReportError;
use super::columns::{CommonCells, cells, header};
use super::lines::ReportLines;
use super::totals::{ReportTotals, differs};
use crate::bucket::{Digest, Digesting};

/// A report on the disk of this machine.
pub(super) struct Rendered {
    pub(super) digest: Digest,
    pub(super) totals: ReportTotals,
    /// Why not everything in the file is accounted for; empty when it is.
    pub(super) differences: Vec<String>,
}

/// A file that is deleted when it is not needed any more, however that comes.
pub(super) struct Scratch(pub(super) PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // If this fails, the sweep at a later start does it.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Writes the report of an applied import to `path`. Doing it again gives the same bytes as
/// long as nothing new has happened to its entries.
pub(super) async fn render(
    store: &dyn Store,
    import: &ImportRecord,
    finished_at: DateTime<Utc>,
    databases: &[String],
    path: &Path,
) -> Result<Rendered, ReportError> {
    let items = import.phase.checked().map_or(0, |checked| checked.items);
    let before = progress(store, import, databases).await?;
    let mut lines = ReportLines::begin(store, &import.import_id, items, databases).await?;
    let mut sheet = Sheet::create(path).await?;
    sheet.write(&[header(databases)]).await?;
    let common = CommonCells::new(import, finished_at);
    let mut totals = ReportTotals::new(databases);
    if let Some(checked) = import.phase.checked() {
        totals.left_out = checked.left_out;
        totals.currencies.clone_from(&checked.currencies);
    }
    let mut unknown_amounts = 0_u64;
    loop {
        let window = lines.next().await?;
        if window.is_empty() && lines.is_at_end() {
            break;
        }
        let mut rows = Vec::with_capacity(window.len());
        for line in &window {
            if line.amount_minor.is_none() {
                unknown_amounts += 1;
            }
            totals.add(
                line.outcome.class(),
                &line.statuses,
                line.amount_minor.unwrap_or_default(),
            );
            rows.push(cells(&common, line));
        }
        sheet.write(&rows).await?;
    }
    let digest = sheet.finish().await?;
    let after = progress(store, import, databases).await?;
    if let Some(database) = changed(&before, &after, databases) {
        return Err(ReportError::OnItsWay {
            database,
            position: after.first().map_or(0, |one| one.last_position),
        });
    }
    let mut differences = std::mem::take(&mut lines.differences);
    differences.extend(totals.differences());
    differences.extend(against_file(import, items, &totals, unknown_amounts));
    differences.extend(against_databases(&lines, &after, databases));
    Ok(Rendered {
        digest,
        totals,
        differences,
    })
}

async fn progress(
    store: &dyn Store,
    import: &ImportRecord,
    databases: &[String],
) -> Result<Vec<ImportProgress>, ReportError> {
    let mut all = Vec::with_capacity(databases.len());
    for database in databases {
        let progress = store.import_progress(&import.import_id, database).await?;
        if progress.passed < progress.rows {
            return Err(ReportError::OnItsWay {
                database: database.clone(),
                position: progress.last_position,
            });
        }
        all.push(progress);
    }
    Ok(all)
}

/// The first database where something has happened while the report was written.
fn changed(
    before: &[ImportProgress],
    after: &[ImportProgress],
    databases: &[String],
) -> Option<String> {
    before
        .iter()
        .zip(after)
        .zip(databases)
        .find(|((before, after), _)| {
            before.rows != after.rows || before.exceptions != after.exceptions
        })
        .map(|(_, database)| database.clone())
}

/// The lines against what was counted when the file was checked and decided.
fn against_file(
    import: &ImportRecord,
    items: u64,
    totals: &ReportTotals,
    unknown_amounts: u64,
) -> Option<String> {
    let mut counted = Tally {
        count: items,
        ..import.totals.read
    };
    if unknown_amounts > 0 {
        // Duplicates from before their entries were recorded: only their number is known.
        counted.amount_minor = totals.read.amount_minor;
    }
    differs("the file against the report", counted, totals.read)
}

/// The lines against what each database has passed of the journal.
fn against_databases(
    lines: &ReportLines<'_>,
    progress: &[ImportProgress],
    databases: &[String],
) -> Vec<String> {
    let mut differences = Vec::new();
    for ((progress, database), exceptions) in
        progress.iter().zip(databases).zip(&lines.exceptions_seen)
    {
        if progress.rows != lines.rows_seen {
            differences.push(format!(
                "the database {database:?} has passed {} journal rows of the import, the report \
                 accounts for {}",
                progress.rows, lines.rows_seen
            ));
        }
        if progress.exceptions != *exceptions {
            differences.push(format!(
                "in the database {database:?} {} journal rows of the import did not take \
                 effect, the report accounts for {exceptions}",
                progress.exceptions
            ));
        }
    }
    differences
}

/// A CSV file that is being written.
struct Sheet {
    path: PathBuf,
    file: tokio::fs::File,
    digesting: Digesting,
}

impl Sheet {
    async fn create(path: &Path) -> Result<Self, ReportError> {
        let file = tokio::fs::File::create(path)
            .await
            .map_err(scratch_error(path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            digesting: Digesting::default(),
        })
    }

    async fn write(&mut self, rows: &[Vec<String>]) -> Result<(), ReportError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in rows {
            writer
                .write_record(row)
                .map_err(|error| ReportError::Unmakable(error.to_string()))?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|error| ReportError::Unmakable(error.to_string()))?;
        self.digesting.take(&bytes);
        self.file
            .write_all(&bytes)
            .await
            .map_err(scratch_error(&self.path))
    }

    async fn finish(mut self) -> Result<Digest, ReportError> {
        // A write that failed behind the back of the last one shows here.
        self.file.flush().await.map_err(scratch_error(&self.path))?;
        Ok(self.digesting.finish())
    }
}

fn scratch_error(path: &Path) -> impl Fn(std::io::Error) -> ReportError + '_ {
    move |source| ReportError::Scratch {
        path: path.to_owned(),
        source,
    }
}
