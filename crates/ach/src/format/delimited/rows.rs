//! Rows: the bytes cut into cells, within limits that keep the memory flat.

use std::io::Read;

use csv_core::ReadFieldResult;

use super::input::{CHUNK, LineInput};
use super::profile::{Encoding, Profile};
use super::row::Row;
use crate::entry::FilePosition;
use crate::format::{FileRejected, ReadError};

/// The longest cell, in bytes.
const LONGEST_CELL: usize = 64 * 1024;
/// The longest row, in bytes.
const LONGEST_ROW: usize = 1024 * 1024;
/// The most cells in a row.
pub(super) const MOST_CELLS: usize = 1024;

/// Text after a closing quote.
const MISQUOTED: &str = "text follows the closing quote; a quote within a cell is written twice, and \
                         if the vendor does not quote at all, set quoting = false";

/// In files of aligned columns a line is one cell, up to a byte that no text has.
const NO_DELIMITER: u8 = 0x1f;

/// Reads rows one by one.
pub(super) struct CsvRows<R> {
    input: LineInput<R>,
    row: Row,
    csv: csv_core::Reader,
    quoting: bool,
    encoding: Encoding,
    /// Where columns begin, if they are aligned.
    starts: Vec<usize>,
    /// The row's cells one after the other. It has room for the longest row and a chunk.
    bytes: Vec<u8>,
    used: usize,
    ends: Vec<usize>,
    /// How many bytes of the file the row has used so far.
    taken: usize,
}

/// How a cell ended.
enum CellEnd {
    Delimiter,
    Line,
    File,
}

impl<R: Read> CsvRows<R> {
    pub(super) fn new(input: R, profile: &Profile) -> Self {
        let (delimiter, quoting) = match profile.is_aligned() {
            true => (NO_DELIMITER, false),
            false => (profile.delimiter.byte(), profile.quoting),
        };
        let mut csv = csv_core::ReaderBuilder::new()
            .delimiter(delimiter)
            .quoting(quoting)
            .build();
        // The input skips a byte order mark at the file's beginning. csv-core would skip another
        // in its first input, if it came in one piece; after a line end it does not.
        csv.read_field(b"\n", &mut [0; 1]);
        Self {
            input: LineInput::new(input),
            row: Row::empty(FilePosition { line: 1, byte: 0 }),
            csv,
            quoting,
            encoding: profile.encoding,
            starts: profile.starts.clone(),
            bytes: vec![0; LONGEST_ROW + CHUNK],
            used: 0,
            ends: Vec::new(),
            taken: 0,
        }
    }

    /// Where NUL bytes begin that end the file.
    pub(super) fn padding_at(&self) -> Option<FilePosition> {
        self.input.is_padded.then(|| self.input.position())
    }

    /// The next row; `None` at the end of the file. Empty lines are skipped.
    pub(super) fn next(&mut self) -> Result<Option<&Row>, ReadError> {
        self.skip_line_ends()?;
        if self.input.fill()?.is_empty() {
            return Ok(None);
        }
        let at = self.input.position();
        (self.used, self.taken) = (0, 0);
        self.ends.clear();
        self.row.at = at;
        self.row.fault = None;
        loop {
            let index = self.ends.len();
            if index == MOST_CELLS {
                let why = format!("a row has more than {MOST_CELLS} cells");
                return Err(FileRejected::new(why).at(at).into());
            }
            let cell_at = self.input.position();
            let (end, well_quoted) = self.cell(at)?;
            self.ends.push(self.used);
            let line = self.input.position().line;
            self.row.is_terminated = matches!(end, CellEnd::Line);
            self.row.last_line = line - u64::from(self.row.is_terminated);
            if !well_quoted {
                check_misquoted(cell_at, self.row.last_line)?;
                self.row.fault.get_or_insert((index, MISQUOTED));
            }
            match end {
                CellEnd::Delimiter => {}
                CellEnd::Line | CellEnd::File => break,
            }
        }
        self.row
            .decode(&self.bytes[..self.used], &self.ends, self.encoding);
        if !self.starts.is_empty() {
            self.row.rejoin(NO_DELIMITER);
            self.row = self.row.aligned(&self.starts);
        }
        Ok(Some(&self.row))
    }

    /// Empty lines between rows are not rows.
    fn skip_line_ends(&mut self) -> Result<(), ReadError> {
        loop {
            let at_hand = self.input.fill()?;
            let ends = at_hand
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            if ends == 0 {
                return Ok(());
            }
            self.input.take(ends);
        }
    }

    /// Reads one cell after those read so far. Gives how it ended, and whether its quotes are
    /// where they should be.
    fn cell(&mut self, row_at: FilePosition) -> Result<(CellEnd, bool), ReadError> {
        let at = self.input.position();
        let start = self.used;
        let mut quotes = Quotes::new(self.quoting);
        loop {
            let at_hand = self.input.fill()?;
            // A line end in place of the end of the file closes every cell but one in quotes.
            let is_end = at_hand.is_empty();
            let input = if is_end { b"\n" } else { at_hand };
            let (result, read, written) = self.csv.read_field(input, &mut self.bytes[self.used..]);
            let is_done = matches!(result, ReadFieldResult::Field { .. });
            quotes.see(&input[..read - usize::from(is_done)]);
            self.used += written;
            self.taken += read;
            if !is_end {
                self.input.take(read);
            }
            self.check_size(at, row_at, start, quotes.opened)?;
            let well_quoted = || quotes.are_well_placed(&self.bytes[start..self.used]);
            match result {
                ReadFieldResult::Field { record_end: false } => {
                    return Ok((CellEnd::Delimiter, well_quoted()));
                }
                ReadFieldResult::Field { record_end: true } | ReadFieldResult::End => {
                    let end = if is_end { CellEnd::File } else { CellEnd::Line };
                    return Ok((end, well_quoted()));
                }
                ReadFieldResult::InputEmpty if is_end => {
                    let why = "a quote opens here and never closes, so every line after it would \
                               be lost";
                    return Err(FileRejected::new(why).at(at).into());
                }
                ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
            }
        }
    }

    /// Rejects a file with a cell or a row that is too long.
    fn check_size(
        &self,
        at: FilePosition,
        row_at: FilePosition,
        start: usize,
        in_quotes: bool,
    ) -> Result<(), FileRejected> {
        if self.used - start > LONGEST_CELL {
            let why = if in_quotes {
                "a quote opens here and does not close within 64 KiB"
            } else {
                "a cell is longer than 64 KiB: is the delimiter right, and are there line ends?"
            };
            return Err(FileRejected::new(why).at(at));
        }
        if self.taken > LONGEST_ROW {
            let why = "a row is longer than 1 MiB: are there line ends?";
            return Err(FileRejected::new(why).at(row_at));
        }
        Ok(())
    }
}

/// Text after a closing quote is the vendor's slip while it stays in its line. Over several lines
/// it is a quote that was not closed, and whole rows are inside the cell.
fn check_misquoted(at: FilePosition, last_line: u64) -> Result<(), FileRejected> {
    if last_line == at.line {
        return Ok(());
    }
    let why = format!(
        "a quote opens here and closes in line {last_line} in the middle of a cell: it was \
         probably not closed in its own row, and the rows between would be lost"
    );
    Err(FileRejected::new(why).at(at))
}

/// Follows the quotes of one cell, because csv-core accepts text after a closing quote without a
/// word.
struct Quotes {
    quoting: bool,
    begun: bool,
    opened: bool,
    seen: usize,
    last: u8,
}

impl Quotes {
    fn new(quoting: bool) -> Self {
        Self {
            quoting,
            begun: false,
            opened: false,
            seen: 0,
            last: b' ',
        }
    }

    fn see(&mut self, bytes: &[u8]) {
        let Some(first) = bytes.first() else { return };
        if !self.begun {
            self.begun = true;
            self.opened = self.quoting && *first == b'"';
        }
        if self.opened {
            self.seen += memchr::memchr_iter(b'"', bytes).count();
            let last = bytes.iter().rfind(|byte| **byte != b' ');
            self.last = last.copied().unwrap_or(self.last);
        }
    }

    /// Whether the closing quote ends the cell: then all other quotes came in pairs, of which the
    /// cell has one each, and only blanks follow the last.
    fn are_well_placed(&self, cell: &[u8]) -> bool {
        if !self.opened {
            return true;
        }
        let kept = memchr::memchr_iter(b'"', cell).count();
        self.seen == 2 * kept + 2 && self.last == b'"'
    }
}
