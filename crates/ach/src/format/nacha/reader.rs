//! The reader: an iterator over what a file says.

use std::io::Read;

use chrono::NaiveDate;

use super::Tolerance;
use super::lines::{Piece, RecordLines};
use super::parser::FileParser;
use crate::format::{Item, ReadError, Summary};

/// Reads a NACHA file record by record. It holds one buffer, one batch header and one entry, for
/// a file of any size.
pub(in crate::format) struct NachaReader<R> {
    lines: RecordLines<R>,
    parser: FileParser,
    finished: bool,
}

impl<R: Read> NachaReader<R> {
    /// Reads `input`. Days of the year without a year are resolved against the creation
    /// date in the file header, or against `received_on` in a file that has none.
    pub(in crate::format) fn new(input: R, tolerance: Tolerance, received_on: NaiveDate) -> Self {
        Self {
            lines: RecordLines::new(input),
            parser: FileParser::new(tolerance, received_on),
            finished: false,
        }
    }

    pub(in crate::format) fn summary(&self) -> Summary {
        self.parser.summary()
    }

    /// Reads until there is an item, or the file ends.
    fn advance(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            if let Some(item) = self.parser.take() {
                return Ok(Some(item));
            }
            if self.finished {
                return Ok(None);
            }
            match self.lines.next()? {
                Some(Piece::Record(line)) => self.parser.record(line)?,
                Some(Piece::Blank(at)) => self.parser.blank(at),
                Some(Piece::Text { at, says }) => self.parser.text(at, says)?,
                None => {
                    self.finished = true;
                    if let Some(at) = self.lines.nuls_at {
                        self.parser.nuls(at);
                    }
                    self.parser.finish()?;
                }
            }
        }
    }
}

impl<R: Read> Iterator for NachaReader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.advance();
        if item.is_err() {
            self.finished = true;
            self.parser.clear();
        }
        item.transpose()
    }
}
