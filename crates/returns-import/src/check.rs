//! The check of the whole file, before anything in it is decided: that it can be read to its
//! end, that its totals tie out, whether it may be empty, and whether the unit of its
//! amounts is the configured one.

use ach::decision::Resolution;
use ach::format::{Emptiness, FileRejected, Item, ReadError};
use ach::money::Money;
use returns_model::import::Checked;

use super::adapter::AdapterError;
use super::batches::{BatchError, Parsed, SpooledFile, parse};
use super::decide::{Decider, EntryToDecide};
use super::weight::Scales;
use crate::source::Source;

/// What the check says of a file.
#[derive(Debug)]
pub(crate) enum FileVerdict {
    Accepted(Checked),
    Rejected(FileRejected),
}

/// Why a file could not be checked. This says nothing about the file: it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    #[error(transparent)]
    Read(BatchError),
    #[error("the file's parser stopped without a result")]
    ParserGone,
}

/// Checks a spooled file.
pub(crate) async fn check(
    file: &SpooledFile<'_>,
    decider: &Decider,
) -> Result<FileVerdict, CheckError> {
    let source = file.source;
    let mut parsed = parse(file, 0);
    let mut unit = UnitCheck::new(source);
    let mut scales = Scales::new(file.size_bytes);
    loop {
        match parsed.recv().await.ok_or(CheckError::ParserGone)? {
            Ok(Parsed::Batch(items)) => {
                if let Some(rejected) = scales.add(&items) {
                    return Ok(FileVerdict::Rejected(rejected));
                }
                unit.look_at(&items, source, decider).await?;
            }
            Ok(Parsed::End(summary)) => {
                if let Some(rejected) = unit.verdict() {
                    return Ok(FileVerdict::Rejected(rejected));
                }
                if let Some(rejected) = summary.emptiness.and_then(|how| too_empty(source, how)) {
                    return Ok(FileVerdict::Rejected(rejected));
                }
                return Ok(FileVerdict::Accepted(Checked {
                    items: summary.entries + summary.rejected,
                    left_out: summary.left_out,
                    debit_minor: summary.debit_minor,
                    credit_minor: summary.credit_minor,
                    currencies: summary.currencies,
                    findings: summary.findings,
                    emptiness: summary.emptiness,
                }));
            }
            Err(BatchError::Read(ReadError::Rejected(rejected))) => {
                return Ok(FileVerdict::Rejected(rejected));
            }
            Err(error) => return Err(CheckError::Read(error)),
        }
    }
}

/// An empty file is right only where the source says so.
fn too_empty(source: &Source, how: Emptiness) -> Option<FileRejected> {
    if source.allow_empty.contains(&how) {
        return None;
    }
    let (what, setting) = match how {
        Emptiness::NoBytes => ("the file is empty: it has no bytes", "no_bytes"),
        Emptiness::HeaderOnly => ("the file has a header and no entries", "header_only"),
        Emptiness::Sentence => ("the file says that there is nothing to report", "sentence"),
        Emptiness::LeftOut => (
            "the file has only entries that are not returns, or rows that the profile leaves out",
            "left_out",
        ),
    };
    Some(FileRejected {
        at: None,
        field: None,
        why: format!(
            "{what}; if that is normal, add {setting:?} to sources.{}.allow_empty",
            source.name
        ),
        looks_like: None,
    })
}

/// Whether every amount of the file is exactly a hundred times, or a hundredth of, what the
/// gateway has. One row like that is one row's problem; all of them are the wrong unit.
struct UnitCheck {
    /// The first amounts that differ by the factor: file and gateway.
    example: Option<(ach::entry::FilePosition, Money, Money)>,
    rows: u64,
    /// Once one row contradicts, the rest need no look-up.
    settled: bool,
}

impl UnitCheck {
    /// The unit is a setting only where a profile has it; the other formats say it themselves.
    fn new(source: &Source) -> Self {
        let settled = !matches!(source.format, ach::format::Format::Delimited(_));
        Self {
            example: None,
            rows: 0,
            settled,
        }
    }

    async fn look_at(
        &mut self,
        items: &[Item],
        source: &Source,
        decider: &Decider,
    ) -> Result<(), AdapterError> {
        if self.settled {
            return Ok(());
        }
        let entries: Vec<EntryToDecide<'_>> = items
            .iter()
            .filter_map(|item| match item {
                Item::Entry(entry) => Some(EntryToDecide::of_entry(entry, source)),
                Item::Rejected(_) => None,
            })
            .collect();
        let resolutions = decider.resolve(&entries).await?;
        for (one, resolution) in entries.iter().zip(&resolutions) {
            let (Some(amount), Resolution::One(transfer)) = (one.entry.amount, resolution) else {
                continue;
            };
            if amount.minor() == 0 {
                continue;
            }
            if !off_by_hundred(amount, transfer.amount) {
                self.settled = true;
                return Ok(());
            }
            self.rows += 1;
            self.example
                .get_or_insert((one.entry.at, amount, transfer.amount));
        }
        Ok(())
    }

    fn verdict(&self) -> Option<FileRejected> {
        if self.settled {
            return None;
        }
        let (at, file, gateway) = self.example?;
        Some(FileRejected {
            at: Some(at),
            field: Some("amount".to_owned()),
            why: format!(
                "the unit looks wrong: on every row that the gateway knows ({}) the amount differs \
                 by exactly a hundred; this row says {file}, the gateway has {gateway}. Correct the \
                 source's amount_unit (minor or major) and import the file again",
                self.rows
            ),
            looks_like: None,
        })
    }
}

fn off_by_hundred(file: Money, gateway: Money) -> bool {
    file.minor().checked_mul(100) == Some(gateway.minor())
        || gateway.minor().checked_mul(100) == Some(file.minor())
}
