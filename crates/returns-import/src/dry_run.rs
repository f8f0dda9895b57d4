//! A dry run: the file is received, checked and decided like any other, and nothing of it
//! is kept.

use chrono::{DateTime, Utc};
use returns_model::ids;
use returns_model::import::{ImportRecord, NewImport, Phase, RejectedLine, Totals};

use super::batches::{Parsed, parse};
use super::check::{CheckError, FileVerdict, check};
use super::decide::{PendingDecisions, decide_batch};
use super::gather::{cases, gather, rejected};
use super::worker::{ImportError, Importer};
use crate::source::Source;

/// At most so many unreadable lines are shown.
const SHOWN_LINES: usize = 100;

/// What an import of the file would come to just now.
pub async fn dry_run(
    importer: &Importer,
    source: &Source,
    new: NewImport,
) -> Result<(ImportRecord, Vec<RejectedLine>), ImportError> {
    let spool_name = new.spool_name.clone();
    let outcome = decide_for_show(importer, source, new).await;
    if let Err(error) = importer.spool.remove(&spool_name) {
        tracing::warn!(%error, "the file of a dry run is left in the spool");
    }
    outcome
}

async fn decide_for_show(
    importer: &Importer,
    source: &Source,
    new: NewImport,
) -> Result<(ImportRecord, Vec<RejectedLine>), ImportError> {
    let received_on = new.received_at.date_naive();
    let now = importer.clock.now();
    let verdict = check(
        &importer.spool,
        &new.spool_name,
        source,
        received_on,
        importer.batch_size,
        &importer.system_of_record,
    )
    .await?;
    let mut record = ImportRecord {
        import_id: ids::import_id(&new.source, &new.sha256, 0),
        new,
        reissued: false,
        phase: Phase::Checking,
        done: 0,
        totals: Totals::default(),
    };
    let mut shown = Vec::new();
    match verdict {
        FileVerdict::Rejected(why) => record.phase = Phase::Rejected { why, at: now },
        FileVerdict::Accepted(checked) => {
            shown = decide_all(importer, source, &mut record, now).await?;
            record.phase = Phase::Decided {
                checked,
                decided_at: now,
            };
        }
    }
    Ok((record, shown))
}

/// The pending lives as long as the file, since nothing is appended that would say what
/// earlier batches decided.
async fn decide_all(
    importer: &Importer,
    source: &Source,
    record: &mut ImportRecord,
    now: DateTime<Utc>,
) -> Result<Vec<RejectedLine>, ImportError> {
    let received_on = record.new.received_at.date_naive();
    let name = record.new.spool_name.clone();
    let mut parsed = parse(
        &importer.spool,
        &name,
        source,
        received_on,
        0,
        importer.batch_size,
    );
    let mut pending = PendingDecisions::default();
    let mut shown = Vec::new();
    loop {
        match parsed.recv().await.ok_or(CheckError::ParserGone)?? {
            Parsed::End(_) => return Ok(shown),
            Parsed::LookedUpBatch(batch) => {
                let cases = cases(&batch, source, &record.import_id, record.done);
                let decided = decide_batch(
                    &*importer.store,
                    &importer.system_of_record,
                    &cases,
                    &mut pending,
                    now,
                )
                .await?;
                gather(&cases, decided, &mut record.totals, &importer.holds, now);
                let lines = rejected(&batch, record.done, &mut record.totals);
                let room = SHOWN_LINES.saturating_sub(shown.len());
                shown.extend(lines.into_iter().take(room));
                record.done += batch.len() as u64;
            }
        }
    }
}
