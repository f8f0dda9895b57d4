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

pub mod bai2;
mod bounded;
pub mod codes;
pub mod delimited;
mod draft;
mod foreign;
pub mod iso20022;
mod limits;
pub mod nacha;
mod rejected;
mod summary;
pub(crate) mod window;
pub mod worldpay;
pub mod x12;

use delimited::cell::shown;

pub use rejected::{FileRejected, ReadError, Rejected};
pub use summary::{Emptiness, Finding, MAX_CURRENCIES, Summary};

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
    /// A file of rows (CSV, JSON, Excel), read by a profile (the two Worldpay reports are profiles
    /// too).
    Delimited(Box<delimited::Profile>),
    /// A message of ISO 20022.
    Iso20022(Box<iso20022::Profile>),
    /// X12 827.
    X12(Box<x12::Profile>),
    /// BAI2.
    Bai2(Box<bai2::Profile>),
}

impl Format {
    /// The same for a file that a person vouches for although its controls are missing.
    #[must_use]
    pub fn without_controls(self) -> Self {
        match self {
            Self::Nacha(tolerance) => Self::Nacha(tolerance.without_controls()),
            other @ (Self::Delimited(_) | Self::Iso20022(_) | Self::X12(_) | Self::Bai2(_)) => {
                other
            }
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
            Self::Iso20022(profile) => {
                let reader = iso20022::Iso20022Reader::new(input, (**profile).clone(), received_on);
                FormatReader::Iso20022(Box::new(reader))
            }
            Self::X12(profile) => {
                let reader = x12::X12Reader::new(input, (**profile).clone(), received_on);
                FormatReader::X12(Box::new(reader))
            }
            Self::Bai2(profile) => {
                let reader = bai2::Bai2Reader::new(input, (**profile).clone(), received_on);
                FormatReader::Bai2(Box::new(reader))
            }
        })
    }
}

/// A file being read. Iterate to the end, then ask for the [`Summary`]. After an error the
/// iterator is at its end.
///
/// Control totals come after what they control, so a file can be rejected after some of its
/// entries were yielded. A caller that acts on entries first reads to the end.
pub struct FileReader<R: Read>(FormatReader<R>);

enum FormatReader<R: Read> {
    Nacha(Box<nacha::NachaReader<R>>),
    Delimited(Box<delimited::DelimitedReader<R>>),
    Iso20022(Box<iso20022::Iso20022Reader<R>>),
    X12(Box<x12::X12Reader<R>>),
    Bai2(Box<bai2::Bai2Reader<R>>),
}

impl<R: Read> FileReader<R> {
    /// What has been read so far; complete once the iterator is at its end.
    pub fn summary(&self) -> Summary {
        match &self.0 {
            FormatReader::Nacha(reader) => reader.summary(),
            FormatReader::Delimited(reader) => reader.summary(),
            FormatReader::Iso20022(reader) => reader.summary(),
            FormatReader::X12(reader) => reader.summary(),
            FormatReader::Bai2(reader) => reader.summary(),
        }
    }
}

impl<R: Read> Iterator for FileReader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut item = match &mut self.0 {
            FormatReader::Nacha(reader) => reader.next(),
            FormatReader::Delimited(reader) => reader.next(),
            FormatReader::Iso20022(reader) => reader.next(),
            FormatReader::X12(reader) => reader.next(),
            FormatReader::Bai2(reader) => reader.next(),
        };
        if let Some(Ok(Item::Entry(entry))) = &mut item {
            entry.mask_free_text();
        }
        item
    }
}
