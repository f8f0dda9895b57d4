//! A dry run: the file is received, checked and decided like any other, and nothing of it is
//! saved.

use chrono::{DateTime, Utc};
use returns_model::ids;
use returns_model::import::{ImportRecord, Moves, NewImport, Phase, RejectedLine, Totals};

use super::batches::{Parsed, SpooledFile, parse};
use super::check::{CheckError, FileVerdict, check};
use super::decide::{Decider, PendingDecisions};
use super::gather::{entries, gather, rejected};
use super::guess::{guess, known_formats};
use super::receive::KeptFile;
use super::spool::Spool;
use super::worker::ImportError;
use crate::source::Source;

/// The maximum number of unreadable lines that are shown.
const SHOWN_LINES: usize = 100;

/// Previews an import.
pub struct DryRun<'a> {
    pub decider: &'a Decider,
    pub spool: &'a Spool,
    pub batch_size: usize,
    pub now: DateTime<Utc>,
}

impl DryRun<'_> {
    /// The result that an import of the file would have now. The file is deleted afterwards, also
    /// when nobody waits for the result any more.
    ///
    /// # Errors
    /// When the file cannot be read, or nothing can be looked up.
    pub async fn run(
        &self,
        source: &Source,
        kept: KeptFile,
    ) -> Result<(ImportRecord, Vec<RejectedLine>), ImportError> {
        let new: &NewImport = &kept;
        let file = SpooledFile::of(new, self.spool, source, self.batch_size);
        let verdict = check(&file, self.decider).await?;
        let mut record = ImportRecord {
            import_id: ids::import_id(&new.source, &new.sha256, 0),
            new: new.clone(),
            reissued: false,
            phase: Phase::Checking,
            done: 0,
            totals: Totals::default(),
            moves: Moves::default(),
        };
        let mut shown = Vec::new();
        match verdict {
            FileVerdict::Rejected(mut why) => {
                let others = known_formats(self.decider.sources.values());
                why.looks_like = guess(&file, others).await;
                record.phase = Phase::Rejected { why, at: self.now };
            }
            FileVerdict::Accepted(checked) => {
                shown = self.decide_all(&file, &mut record).await?;
                record.phase = Phase::Decided {
                    checked,
                    decided_at: self.now,
                };
            }
        }
        Ok((record, shown))
    }

    /// The pending decisions last as long as the file, since nothing is appended that would say what
    /// earlier batches decided.
    async fn decide_all(
        &self,
        file: &SpooledFile<'_>,
        record: &mut ImportRecord,
    ) -> Result<Vec<RejectedLine>, ImportError> {
        let mut parsed = parse(file, 0);
        let mut pending = PendingDecisions::default();
        let mut shown = Vec::new();
        loop {
            match parsed.recv().await.ok_or(CheckError::ParserGone)?? {
                Parsed::End(_) => return Ok(shown),
                Parsed::Batch(batch) => {
                    let entries = entries(&batch, file.source, &record.import_id, record.done);
                    let deciding = self.decider.decide(&entries, &mut pending, self.now);
                    let decided = deciding.await?;
                    let retry = &self.decider.retry;
                    gather(&entries, decided, &mut record.totals, retry, self.now);
                    let lines = rejected(&batch, record.done, &mut record.totals);
                    let room = SHOWN_LINES.saturating_sub(shown.len());
                    shown.extend(lines.into_iter().take(room));
                    record.done += batch.len() as u64;
                }
            }
        }
    }
}
