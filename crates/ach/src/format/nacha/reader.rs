//! The reader: an iterator over what a file says.

use std::io::Read;

use chrono::NaiveDate;

use super::Tolerance;
use super::lines::{Lines, Piece};
use super::state::State;
use crate::format::{Item, ReadError, Summary};

/// Reads a NACHA file record by record. It holds one buffer, one batch header and one
/// entry, whatever the size of the file.
///
/// Control totals stand behind what they control, so a file can be refused after some of
/// its entries were yielded: whoever acts on entries first reads to the end.
pub struct Reader<R> {
    lines: Lines<R>,
    state: State,
    finished: bool,
}

impl<R: Read> Reader<R> {
    /// Reads `input`. Days of the year without a year are resolved against the creation
    /// date in the file header, or against `received_on` in a file that has none.
    pub fn new(input: R, tolerance: Tolerance, received_on: NaiveDate) -> Self {
        Self {
            lines: Lines::new(input),
            state: State::new(tolerance, received_on),
            finished: false,
        }
    }

    /// What has been read so far; whole once the iterator is at its end.
    pub fn summary(&self) -> Summary {
        self.state.summary()
    }

    /// Reads on until there is an item, or the file ends.
    fn advance(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            if let Some(item) = self.state.take() {
                return Ok(Some(item));
            }
            if self.finished {
                return Ok(None);
            }
            match self.lines.next()? {
                Some(Piece::Record(line)) => self.state.record(line)?,
                Some(Piece::Blank(at)) => self.state.blank(at),
                Some(Piece::Text { at, says_empty }) => self.state.text(at, says_empty)?,
                None => {
                    self.finished = true;
                    self.state.finish()?;
                }
            }
        }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Item, ReadError>;

    /// The next entry or rejected line. After an error there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        let item = self.advance();
        if item.is_err() {
            self.finished = true;
            self.state.drop_pending();
        }
        item.transpose()
    }
}
