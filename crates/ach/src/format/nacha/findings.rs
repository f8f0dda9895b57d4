//! What was let pass, each kind once, however often it was seen.

use std::collections::BTreeMap;

use crate::entry::FilePosition;
use crate::format::Finding;

/// A difference that a [`Tolerance`](super::Tolerance) decides about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    EntryCount,
    EntryHash,
    MoneyTotal,
    BatchCount,
    BlockCount,
    MissingFiller,
    MissingFileHeader,
    MissingFileControl,
    MissingBatchHeader,
    MissingBatchControl,
    BatchOrder,
    BatchFields,
    CheckDigit,
    SurroundingText,
}

impl Difference {
    /// The name of the setting that lets it pass.
    pub(super) const fn setting(self) -> &'static str {
        match self {
            Self::EntryCount => "entry_counts",
            Self::EntryHash => "entry_hash",
            Self::MoneyTotal => "money_totals",
            Self::BatchCount => "batch_count",
            Self::BlockCount => "block_count",
            Self::MissingFiller => "missing_filler",
            Self::MissingFileHeader => "missing_file_header",
            Self::MissingFileControl => "missing_file_control",
            Self::MissingBatchHeader => "missing_batch_header",
            Self::MissingBatchControl => "missing_batch_control",
            Self::BatchOrder => "batch_order",
            Self::BatchFields => "batch_fields",
            Self::CheckDigit => "check_digits",
            Self::SurroundingText => "surrounding_text",
        }
    }
}

/// Something worth telling that never refuses a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Remark {
    BlankLine,
    ControlCharacter,
    ForwardEntry,
    AccountingEntry,
    UnreadableDate,
    UnknownTransactionCode,
    AmountOfCorrection,
    MissingCorrectedData,
    UnreadableOriginalAmount,
    UncheckedTotal,
}

impl Remark {
    const fn label(self) -> &'static str {
        match self {
            Self::BlankLine => "blank lines",
            Self::ControlCharacter => "control characters",
            Self::ForwardEntry => "entries that are not returns",
            Self::AccountingEntry => "accounting entries (ADV)",
            Self::UnreadableDate => "unreadable dates",
            Self::UnknownTransactionCode => "unknown transaction codes",
            Self::AmountOfCorrection => "corrections with an amount",
            Self::MissingCorrectedData => "corrections without data",
            Self::UnreadableOriginalAmount => "unreadable original amounts",
            Self::UncheckedTotal => "totals that could not be checked",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Difference(Difference),
    Remark(Remark),
}

/// The findings of one file. Its size is bounded by the number of kinds.
#[derive(Debug, Default)]
pub(super) struct Findings(BTreeMap<Kind, Finding>);

impl Findings {
    /// Counts a difference that is let pass; `what` describes the first of its kind.
    pub(super) fn differs(
        &mut self,
        difference: Difference,
        at: Option<FilePosition>,
        what: impl FnOnce() -> String,
    ) {
        self.add(Kind::Difference(difference), difference.setting(), at, what);
    }

    /// Counts a remark; `what` describes the first of its kind.
    pub(super) fn remark(
        &mut self,
        remark: Remark,
        at: FilePosition,
        what: impl FnOnce() -> String,
    ) {
        self.add(Kind::Remark(remark), remark.label(), Some(at), what);
    }

    fn add(
        &mut self,
        kind: Kind,
        field: &str,
        at: Option<FilePosition>,
        what: impl FnOnce() -> String,
    ) {
        self.0
            .entry(kind)
            .and_modify(|finding| finding.count += 1)
            .or_insert_with(|| Finding {
                at,
                field: field.to_owned(),
                what: what(),
                count: 1,
            });
    }

    /// All findings, each kind once.
    pub(super) fn list(&self) -> Vec<Finding> {
        self.0.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_of_a_kind_is_described_and_all_are_counted() {
        let mut findings = Findings::default();
        for line in 1..=3 {
            let at = FilePosition { line, byte: 0 };
            findings.remark(Remark::BlankLine, at, || format!("line {line}"));
        }
        findings.differs(Difference::BatchOrder, None, || "order".into());
        let list = findings.list();
        assert_eq!(list.len(), 2);
        assert_eq!((list[1].count, list[1].what.as_str()), (3, "line 1"));
    }
}
