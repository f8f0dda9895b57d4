//! What was read so far: the summary, and what the file must prove at its end.

use super::mapping::RowFault;
use std::collections::BTreeSet;

use crate::entry::{Entry, FilePosition};
use crate::format::summary::plus;
use crate::format::{Emptiness, FileRejected, Item, Rejected, Summary};
use crate::money::Currency;

/// The most kinds of rows of totals, which are kept until the end of the file.
const MOST_TRAILERS: usize = 16;

/// Counts and sums, kept while the file is read.
#[derive(Debug, Default)]
pub(super) struct FileTally {
    pub(super) summary: Summary,
    /// Sum of the amounts of all detail rows, as far as they could be read, minor units.
    pub(super) detail_minor: i64,
    /// Detail rows whose amount could not be read.
    pub(super) unread_amounts: u64,
    /// Whether any row was seen that is not blank.
    pub(super) saw_text: bool,
    /// Where a sentence said that there are no entries.
    pub(super) sentence_at: Option<FilePosition>,
    /// Where the row of totals is, and the first cells of all such rows: a file may end with a
    /// subtotal and a total.
    trailer_at: Option<FilePosition>,
    trailers: BTreeSet<String>,
    /// Whether the first amount is negative.
    is_negative: Option<bool>,
    currency: Option<Currency>,
}

impl FileTally {
    /// Counts an entry and adds its amount.
    pub(super) fn add(&mut self, entry: Entry) -> Result<Item, FileRejected> {
        if let Some(amount) = entry.amount {
            let currency = amount.currency();
            let first = *self.currency.get_or_insert(currency);
            if first != currency {
                self.note(entry.at, "currency", || {
                    format!("{currency} beside {first}: the sums mix currencies")
                });
            }
            self.detail_minor = plus(self.detail_minor, amount.minor(), entry.at)?;
        }
        self.summary.add(&entry)?;
        Ok(Item::Entry(Box::new(entry)))
    }

    /// Counts a row that could not be read. `amount_minor` is what was read of its amount: `None`
    /// when nothing was.
    pub(super) fn reject(
        &mut self,
        at: FilePosition,
        fault: RowFault,
        amount_minor: Option<Option<i64>>,
    ) -> Result<Item, FileRejected> {
        self.unread_amounts += u64::from(amount_minor.is_none());
        let amount_minor = amount_minor.flatten();
        self.detail_minor = plus(self.detail_minor, amount_minor.unwrap_or(0), at)?;
        self.summary.rejected += 1;
        let RowFault { field, why } = fault;
        Ok(Item::Rejected(Rejected::new(at, field, why, amount_minor)))
    }

    /// Whether an amount has the sign of the first one, which is remembered.
    pub(super) fn has_sign(&mut self, is_negative: bool) -> bool {
        *self.is_negative.get_or_insert(is_negative) == is_negative
    }

    /// Counts a row that the profile leaves out; the first of its kind is described.
    pub(super) fn leave_out(
        &mut self,
        at: FilePosition,
        kind: &str,
        what: impl FnOnce() -> String,
    ) {
        self.summary.left_out += 1;
        self.note(at, kind, what);
    }

    /// Counts a difference that is tolerated; the first of its kind is described.
    pub(super) fn note(&mut self, at: FilePosition, kind: &str, what: impl FnOnce() -> String) {
        self.summary.note(Some(at), kind, what);
    }

    /// Remembers the trailer. A file has one of each kind.
    pub(super) fn see_trailer(
        &mut self,
        at: FilePosition,
        first_cell: &str,
    ) -> Result<(), FileRejected> {
        let is_new = self.trailers.len() < MOST_TRAILERS;
        if !is_new || !self.trailers.insert(first_cell.to_lowercase()) {
            self.check_no_trailer(at, "a second trailer")?;
        }
        self.trailer_at = Some(at);
        Ok(())
    }

    /// Rejects the file when its trailer has come already.
    pub(super) fn check_no_trailer(
        &self,
        at: FilePosition,
        what: &str,
    ) -> Result<(), FileRejected> {
        let Some(trailer_at) = self.trailer_at else {
            return Ok(());
        };
        let line = trailer_at.line;
        let why =
            format!("{what} after the trailer in line {line}: are these several files in one?");
        Err(FileRejected::new(why).at(at))
    }

    /// The end of the file. `needs_trailer` says that a file with rows must have one.
    pub(super) fn finish(&mut self, needs_trailer: bool) -> Result<(), FileRejected> {
        let emptiness = if self.summary.entries + self.summary.rejected > 0 {
            None
        } else if self.summary.left_out > 0 {
            Some(Emptiness::LeftOut)
        } else if self.sentence_at.is_some() {
            Some(Emptiness::Sentence)
        } else if self.saw_text {
            Some(Emptiness::HeaderOnly)
        } else {
            Some(Emptiness::NoBytes)
        };
        let may_lack_trailer =
            matches!(emptiness, Some(Emptiness::NoBytes | Emptiness::Sentence)) || !needs_trailer;
        if self.trailer_at.is_none() && !may_lack_trailer {
            let why =
                "the file ends without its trailer, so it was probably cut off; fetch it again";
            return Err(FileRejected::new(why));
        }
        if let (Some(at), None) = (self.sentence_at, emptiness) {
            self.note(at, "no records", || {
                "the file says that it has no records, but it has some".to_owned()
            });
        }
        self.summary.emptiness = emptiness;
        Ok(())
    }
}
