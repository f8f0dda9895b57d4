//! What a message says of itself: how many transactions it has, and their sum.

use super::xml::Leaf;
use crate::entry::FilePosition;
use crate::format::delimited::{AmountUnit, amount};
use crate::format::summary::plus;
use crate::format::{FileRejected, shown};

/// The counts and sums that are compared at the end.
#[derive(Default)]
pub(super) struct Control {
    /// Entries of the statement that is read.
    pub(super) statement_entries: u64,
    said_entries: Option<String>,
    said_transactions: Option<String>,
    said_total: Option<String>,
    pub(super) transactions: u64,
    total_minor: i64,
    /// Whether the sum is of no use, since an amount could not be read.
    is_open: bool,
}

impl Control {
    /// Reads a leaf; `path` is the way to it within the message.
    pub(super) fn leaf(&mut self, path: &str, leaf: &Leaf) {
        let said = match path {
            "Stmt/TxsSummry/TtlNtries/NbOfNtries"
            | "Rpt/TxsSummry/TtlNtries/NbOfNtries"
            | "Ntfctn/TxsSummry/TtlNtries/NbOfNtries" => &mut self.said_entries,
            "GrpHdr/NbOfTxs" => &mut self.said_transactions,
            "GrpHdr/TtlRtrdIntrBkSttlmAmt" => &mut self.said_total,
            _ => return,
        };
        *said = Some(leaf.text.trim().to_owned());
    }

    /// Counts a transaction.
    pub(super) fn add(&mut self, minor: Option<i64>, at: FilePosition) -> Result<(), FileRejected> {
        self.transactions += 1;
        match minor {
            Some(minor) => self.total_minor = plus(self.total_minor, minor, at)?,
            None => self.is_open = true,
        }
        Ok(())
    }

    /// The end of a statement.
    pub(super) fn end_statement(&mut self) -> Result<(), FileRejected> {
        let read = std::mem::take(&mut self.statement_entries);
        differs("NbOfNtries", self.said_entries.take(), read, "entries")
    }

    /// The end of a payment return.
    pub(super) fn end_return(&mut self) -> Result<(), FileRejected> {
        let said = self.said_transactions.take();
        differs("NbOfTxs", said, self.transactions, "transactions")?;
        let Some(said) = self.said_total.take().filter(|_| !self.is_open) else {
            return Ok(());
        };
        if amount::read(&said, AmountUnit::Major) == Ok(self.total_minor) {
            return Ok(());
        }
        let why = format!(
            "the message says a total of {} and its transactions add up to {} minor units: some are \
             missing or doubled; fetch the file again",
            shown(&said),
            self.total_minor
        );
        Err(FileRejected::new(why).in_field("TtlRtrdIntrBkSttlmAmt"))
    }
}

fn differs(field: &str, said: Option<String>, read: u64, what: &str) -> Result<(), FileRejected> {
    match said {
        Some(said) if said.parse() != Ok(read) => {
            let why = format!(
                "the message says {} {what} and has {read}: some are missing or doubled; fetch the file \
                 again",
                shown(&said)
            );
            Err(FileRejected::new(why).in_field(field))
        }
        Some(_) | None => Ok(()),
    }
}
