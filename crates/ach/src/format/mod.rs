//! File formats. Each is a streaming reader with flat memory: it holds one record and the totals,
//! for a file of any size.
//!
//! A reader yields [`Item`]s in the order of the file. A fault of one line is an
//! [`Item::Rejected`], and reading continues. A fault of the whole file is a [`FileRejected`],
//! and reading stops. Nothing is ever left out silently: lines read = entries + rejected lines
//! + lines that the format itself skips.

use std::io::Read;

use chrono::NaiveDate;

use crate::entry::Entry;

pub mod delimited;
mod foreign;
mod limits;
pub mod nacha;
mod rejected;
mod summary;
pub(crate) mod window;
pub mod worldpay;

pub use rejected::{FileRejected, ReadError, Rejected};
pub use summary::{Emptiness, Finding, Summary};

/// What a reader yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An entry that could be read.
    Entry(Box<Entry>),
    /// A line that could not.
    Rejected(Rejected),
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
    /// The same for a file that a person vouches for although its controls are missing.
    #[must_use]
    pub fn without_controls(self) -> Self {
        match self {
            Self::Nacha(tolerance) => Self::Nacha(tolerance.without_controls()),
            Self::Delimited(profile) => Self::Delimited(profile),
        }
    }

    /// Opens `input` for reading. A NACHA file leaves out the years of some dates (Julian
    /// days). They are resolved against the file's own date, or against `received_on` where the
    /// file has none.
    pub fn open<R: Read>(&self, input: R, received_on: NaiveDate) -> FileReader<R> {
        FileReader(match self {
            Self::Nacha(tolerance) => {
                let reader = nacha::NachaReader::new(input, *tolerance, received_on);
                FormatReader::Nacha(Box::new(reader))
            }
            Self::Delimited(profile) => {
                let profile = (**profile).clone();
                let reader = delimited::DelimitedReader::new(input, profile, received_on);
                FormatReader::Delimited(Box::new(reader))
            }
        })
    }
}

/// A file being read. Iterate to the end, then ask for the [`Summary`]. After an error the
/// iterator is at its end.
///
/// Control totals come after what they control, so a file can be rejected after some of its
/// entries were yielded. A caller that acts on entries first reads to the end.
pub struct FileReader<R>(FormatReader<R>);

enum FormatReader<R> {
    Nacha(Box<nacha::NachaReader<R>>),
    Delimited(Box<delimited::DelimitedReader<R>>),
}

impl<R: Read> FileReader<R> {
    /// What has been read so far; complete once the iterator is at its end.
    pub fn summary(&self) -> Summary {
        match &self.0 {
            FormatReader::Nacha(reader) => reader.summary(),
            FormatReader::Delimited(reader) => reader.summary(),
        }
    }
}

impl<R: Read> Iterator for FileReader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut item = match &mut self.0 {
            FormatReader::Nacha(reader) => reader.next(),
            FormatReader::Delimited(reader) => reader.next(),
        };
        if let Some(Ok(Item::Entry(entry))) = &mut item {
            entry.mask_free_text();
        }
        item
    }
}
