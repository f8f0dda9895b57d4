//! File formats. Each is a streaming reader with flat memory: whatever the size of the
//! file, a reader holds one record and the totals.
//!
//! A reader yields [`Item`]s in the order of the file. What is wrong with one line is an
//! [`Item::Rejected`] and reading goes on; what is wrong with the whole file is a
//! [`FileRejected`] and reading stops. Nothing is ever left out silently: lines read =
//! entries + rejected lines + lines the format itself skips.

use std::fmt;
use std::io::Read;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::entry::{AccountTail, Entry, FilePosition};

pub mod delimited;
pub mod nacha;
pub mod worldpay;

/// What a reader yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An entry that could be read.
    Entry(Box<Entry>),
    /// A line that could not.
    Rejected(Rejected),
}

/// A line that could not be read. The rest of the file goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Where it stands.
    pub at: FilePosition,
    /// The field that is wrong: a column's name, or a record's field with its positions.
    pub field: Option<String>,
    /// What is wrong and what was expected. Never holds an account number.
    pub why: String,
    /// The amount that stands on the line, where it could still be read.
    pub amount_minor: Option<i64>,
}

/// Why a whole file is refused. Nothing in it has any effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct FileRejected {
    /// Where the fault was seen; `None` when it is not in one place.
    pub at: Option<FilePosition>,
    /// The field that is wrong.
    pub field: Option<String>,
    /// What is wrong, what was expected, and what to do.
    pub why: String,
    /// The format that the file looks like instead. Readers know only their own; whoever has
    /// tried others says so here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_like: Option<String>,
}

impl fmt::Display for FileRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(f, "line {}: ", at.line)?;
        }
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.why)?;
        match &self.looks_like {
            Some(format) => write!(f, "; it looks like {format}"),
            None => Ok(()),
        }
    }
}

/// A difference that the source's settings, or the customs of the trade, let pass. It is
/// reported with the import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The first place where it was seen.
    pub at: Option<FilePosition>,
    /// The field, or the kind of difference, in a word or two.
    pub field: String,
    /// What was seen and what was expected.
    pub what: String,
    /// How often it was seen. Only the first is described.
    pub count: u64,
}

/// The different ways in which a file can hold no entries. Which of them are normal is a
/// setting of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emptiness {
    /// No bytes, or only blank ones.
    NoBytes,
    /// A header (and trailer) and no rows.
    HeaderOnly,
    /// A sentence such as `NO RETURNS REPORTED`.
    Sentence,
}

/// What was read, once the reader has come to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// `nacha`, `worldpay_echeck_return`, `worldpay_funding_reject`, or the name of the
    /// mapped profile.
    pub format: String,
    /// Entries read.
    pub entries: u64,
    /// Lines that could not be read.
    pub rejected: u64,
    /// Sum of the amounts of debits, minor units. Corrections count as zero.
    pub debit_minor: i64,
    /// Sum of the amounts of credits, minor units.
    pub credit_minor: i64,
    /// Sum of the amounts whose direction the file does not say, minor units.
    pub unknown_minor: i64,
    /// Differences that were let pass, each kind once.
    pub findings: Vec<Finding>,
    /// How the file is empty, when it has neither entries nor rejected lines.
    pub emptiness: Option<Emptiness>,
}

/// The format of a source's files, with its settings. It is bound to the source, never
/// guessed from a file's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A NACHA file of 94-character records.
    Nacha(nacha::Tolerance),
    /// A delimited file, read by a profile (the two Worldpay reports are profiles too).
    Delimited(Box<delimited::Profile>),
}

impl Format {
    /// Opens `input` for reading. `received_on` is the date against which years that the
    /// file leaves out (Julian days) are resolved when the file itself has no date.
    pub fn open<R: Read>(&self, input: R, received_on: NaiveDate) -> FileReader<R> {
        match self {
            Self::Nacha(tolerance) => {
                let reader = nacha::Reader::new(input, *tolerance, received_on);
                FileReader::Nacha(Box::new(reader))
            }
            Self::Delimited(profile) => {
                let reader = delimited::Reader::new(input, (**profile).clone());
                FileReader::Delimited(Box::new(reader))
            }
        }
    }
}

/// A file being read. Iterate to the end, then ask for the [`Summary`].
pub enum FileReader<R> {
    /// A NACHA file.
    Nacha(Box<nacha::Reader<R>>),
    /// A delimited file.
    Delimited(Box<delimited::Reader<R>>),
}

impl<R: Read> FileReader<R> {
    /// What has been read so far; whole once the iterator is at its end.
    pub fn summary(&self) -> Summary {
        match self {
            Self::Nacha(reader) => reader.summary(),
            Self::Delimited(reader) => reader.summary(),
        }
    }
}

impl<R: Read> Iterator for FileReader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut item = match self {
            Self::Nacha(reader) => reader.next(),
            Self::Delimited(reader) => reader.next(),
        };
        if let Some(Ok(Item::Entry(entry))) = &mut item
            && let Some(text) = &mut entry.description
        {
            hide_long_numbers(text);
        }
        item
    }
}

/// Banks write what they like into the text beside a code, account numbers too. A run of
/// seven digits or more may be one, so only its last digits are kept.
fn hide_long_numbers(text: &mut String) {
    const SHORTEST: usize = 7;
    let digits_at = |from: usize| {
        text.as_bytes()[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
    };
    let Some(start) = (0..text.len()).find(|from| digits_at(*from).count() >= SHORTEST) else {
        return;
    };
    let end = start + digits_at(start).count();
    // Digits are one byte each, so both ends are ends of characters.
    let mut rest = text.split_off(end);
    let number = text.split_off(start);
    if let Some(tail) = AccountTail::of(&number) {
        text.push_str(&tail.to_string());
    }
    hide_long_numbers(&mut rest);
    text.push_str(&rest);
}

/// Why reading stopped before the end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is refused.
    #[error(transparent)]
    Rejected(#[from] FileRejected),
    /// The bytes could not be read; this says nothing about the file itself.
    #[error("the file could not be read")]
    Io(#[from] std::io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str) -> String {
        let mut text = text.to_owned();
        hide_long_numbers(&mut text);
        text
    }

    #[test]
    fn a_number_in_free_text_that_may_be_an_account_keeps_only_its_last_digits() {
        assert_eq!(hidden("ACCT 123456789012 CLOSED"), "ACCT ***9012 CLOSED");
        assert_eq!(hidden("1234567 and 7654321"), "***567 and ***321");
        assert_eq!(hidden("né 12345678é"), "né ***5678é");
        assert_eq!(
            hidden("R03 on 111626, code 01*03*06"),
            "R03 on 111626, code 01*03*06"
        );
        assert_eq!(hidden(""), "");
    }
}
