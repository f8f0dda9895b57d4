//! Blocks of ten records, of which the last is filled up.

use super::lines::RecordLine;
use super::record::RecordField;
use super::report::Report;
use super::tolerance::Difference;
use super::totals::ControlMismatch;
use crate::entry::FilePosition;
use crate::format::FileRejected;

const BLOCK_COUNT: RecordField = RecordField::new("block count", 8, 13);

/// Records in a block.
const BLOCK: u64 = 10;

/// The records of a file, and how many blocks its control says there are.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Records without the filler.
    pub(super) records: u64,
    /// Records of filler.
    pub(super) filler: u64,
    /// The block count of the file control, and its place.
    said: Option<(FilePosition, Option<u64>)>,
}

impl Blocks {
    pub(super) fn read_count(&mut self, file_control: &RecordLine) {
        self.said = Some((file_control.at, file_control.record.number(BLOCK_COUNT)));
    }

    /// Compares the count of a file that is at its end, in the record at `last_at`.
    pub(super) fn check(
        &self,
        last_at: FilePosition,
        report: &mut Report,
    ) -> Result<(), FileRejected> {
        let Some((at, said)) = self.said else {
            return Ok(());
        };
        let all = self.records + self.filler;
        let needed = self.records.div_ceil(BLOCK);
        let present = all.div_ceil(BLOCK);
        if said != Some(needed) && said != Some(present) {
            let difference = Difference::BlockCount;
            let mismatch = ControlMismatch::of_count(difference, BLOCK_COUNT, said, present);
            report.control_differs(at, mismatch)?;
        }
        if !all.is_multiple_of(BLOCK) {
            let what = || format!("the last block has {} of {BLOCK} records", all % BLOCK);
            report.differ(Difference::MissingFiller, last_at, None, what)?;
        }
        Ok(())
    }
}
