//! Which differences a source's files may show without being refused.

use serde::{Deserialize, Serialize};

use super::findings::Difference;

/// The differences that a source's files may show. A difference that is let pass is
/// reported as a finding; one that is not refuses the whole file.
///
/// The default refuses what could hide a lost or altered entry (counts, hash, money) and
/// lets pass what many banks leave out or get wrong without any effect on an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tolerance {
    /// Entry and addenda counts of controls that differ from the records. Default `false`.
    pub entry_counts: bool,
    /// Entry hashes of controls that differ from the entries. Default `false`.
    pub entry_hash: bool,
    /// Debit and credit totals of controls that differ from the entries. Default `false`.
    pub money_totals: bool,
    /// A batch count of the file control that differs from the batches. Default `false`.
    pub batch_count: bool,
    /// A block count of the file control that differs from the records. Default `true`.
    pub block_count: bool,
    /// A last block that is not filled up with records of `9`. Default `true`.
    pub missing_filler: bool,
    /// A file without a file header (`1`). Default `true`.
    pub missing_file_header: bool,
    /// A file without a file control (`9`). Default `true`.
    pub missing_file_control: bool,
    /// Entries that no batch header (`5`) precedes. Default `true`.
    pub missing_batch_header: bool,
    /// Batches that no batch control (`8`) closes. Default `true`.
    pub missing_batch_control: bool,
    /// Batch numbers that do not ascend. Default `true`.
    pub batch_order: bool,
    /// A batch control that repeats its header's service class, company id or batch number
    /// differently. Default `true`.
    pub batch_fields: bool,
    /// Routing numbers whose check digit is wrong. Default `true`.
    pub check_digits: bool,
    /// Lines of text before the first and after the last record. Default `true`.
    pub surrounding_text: bool,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            entry_counts: false,
            entry_hash: false,
            money_totals: false,
            batch_count: false,
            block_count: true,
            missing_filler: true,
            missing_file_header: true,
            missing_file_control: true,
            missing_batch_header: true,
            missing_batch_control: true,
            batch_order: true,
            batch_fields: true,
            check_digits: true,
            surrounding_text: true,
        }
    }
}

impl Tolerance {
    /// Whether this difference is let pass.
    pub(super) const fn lets_pass(self, difference: Difference) -> bool {
        match difference {
            Difference::EntryCount => self.entry_counts,
            Difference::EntryHash => self.entry_hash,
            Difference::MoneyTotal => self.money_totals,
            Difference::BatchCount => self.batch_count,
            Difference::BlockCount => self.block_count,
            Difference::MissingFiller => self.missing_filler,
            Difference::MissingFileHeader => self.missing_file_header,
            Difference::MissingFileControl => self.missing_file_control,
            Difference::MissingBatchHeader => self.missing_batch_header,
            Difference::MissingBatchControl => self.missing_batch_control,
            Difference::BatchOrder => self.batch_order,
            Difference::BatchFields => self.batch_fields,
            Difference::CheckDigit => self.check_digits,
            Difference::SurroundingText => self.surrounding_text,
        }
    }
}
