//! Rows: the bytes cut into cells, within limits that keep the memory flat.

use std::io::Read;

use csv_core::ReadFieldResult;
use encoding_rs::WINDOWS_1252;

use super::profile::{Delimiter, Encoding};
use super::refused;
use super::source::{CHUNK, Source};
use crate::entry::FilePosition;
use crate::format::ReadError;

/// The longest cell, in bytes.
const LONGEST_CELL: usize = 64 * 1024;
/// The longest row, in bytes.
const LONGEST_ROW: usize = 1024 * 1024;
/// The most cells in a row.
pub(super) const MOST_CELLS: usize = 1024;

/// One row of cells, decoded.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Where it begins.
    pub(super) at: Option<FilePosition>,
    /// The line it ends in; cells in quotes may hold line ends.
    pub(super) last_line: u64,
    /// Whether a line end follows it.
    pub(super) is_terminated: bool,
    /// The first cell that goes on behind its closing quote.
    pub(super) misquoted: Option<usize>,
    /// Whether the bytes are not UTF-8.
    pub(super) is_foreign: bool,
    text: String,
    ends: Vec<usize>,
}

impl Row {
    /// How many cells there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at `index`, counted from 0, with its blanks.
    pub(super) fn cell(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// All cells, with their blanks.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.cell(index))
    }

    /// Whether no cell holds anything but blanks.
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether the row goes over more than one line.
    pub(super) fn spans_lines(&self) -> bool {
        self.at.is_some_and(|at| self.last_line > at.line)
    }

    /// Takes the cells over from `bytes`, which are cut at `ends`.
    fn decode(&mut self, bytes: &[u8], ends: &[usize], encoding: Encoding) {
        self.text.clear();
        self.ends.clear();
        let whole = std::str::from_utf8(bytes).ok();
        // Two halves of a character on either side of a delimiter are not UTF-8 either.
        let whole = whole.filter(|text| ends.iter().all(|end| text.is_char_boundary(*end)));
        self.is_foreign = whole.is_none() && encoding != Encoding::Windows1252;
        if let (Some(text), Encoding::Auto | Encoding::Utf8) = (whole, encoding) {
            self.text.push_str(text);
            self.ends.extend_from_slice(ends);
            return;
        }
        let mut start = 0;
        for end in ends {
            let (cell, _) = WINDOWS_1252.decode_without_bom_handling(&bytes[start..*end]);
            self.text.push_str(&cell);
            self.ends.push(self.text.len());
            start = *end;
        }
    }
}

/// Reads rows one by one.
pub(super) struct Rows<R> {
    source: Source<R>,
    csv: csv_core::Reader,
    quoting: bool,
    encoding: Encoding,
    /// The row's cells one after the other. It has room for the longest row and a chunk.
    bytes: Vec<u8>,
    used: usize,
    ends: Vec<usize>,
    /// How many bytes of the file the row has taken so far.
    taken: usize,
}

/// How a cell ended.
enum CellEnd {
    Delimiter,
    Line,
    File,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(input: R, delimiter: Delimiter, quoting: bool, encoding: Encoding) -> Self {
        let mut csv = csv_core::ReaderBuilder::new()
            .delimiter(delimiter.byte())
            .quoting(quoting)
            .build();
        // The source takes a byte order mark off the file's beginning. csv-core would take
        // another off its first input, if it came in one piece; after a line end it does not.
        csv.read_field(b"\n", &mut [0; 1]);
        Self {
            source: Source::new(input),
            csv,
            quoting,
            encoding,
            bytes: vec![0; LONGEST_ROW + CHUNK],
            used: 0,
            ends: Vec::new(),
            taken: 0,
        }
    }

    /// Reads the next row into `row`; `false` at the end of the file. Empty lines are passed
    /// over.
    pub(super) fn read(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        self.pass_line_ends()?;
        if self.source.fill()?.is_empty() {
            return Ok(false);
        }
        let at = self.source.position();
        (self.used, self.taken) = (0, 0);
        self.ends.clear();
        row.at = Some(at);
        row.misquoted = None;
        loop {
            let index = self.ends.len();
            if index == MOST_CELLS {
                return Err(refused(
                    Some(at),
                    None,
                    format!("a row has more than {MOST_CELLS} cells"),
                ));
            }
            let cell_at = self.source.position();
            let (end, well_quoted) = self.cell(at)?;
            self.ends.push(self.used);
            let line = self.source.position().line;
            row.is_terminated = matches!(end, CellEnd::Line);
            row.last_line = line - u64::from(row.is_terminated);
            if !well_quoted {
                self.check_misquoted(cell_at, row.last_line)?;
                row.misquoted = row.misquoted.or(Some(index));
            }
            match end {
                CellEnd::Delimiter => {}
                CellEnd::Line | CellEnd::File => break,
            }
        }
        row.decode(&self.bytes[..self.used], &self.ends, self.encoding);
        Ok(true)
    }

    /// Empty lines stand between rows and are none themselves.
    fn pass_line_ends(&mut self) -> Result<(), ReadError> {
        loop {
            let at_hand = self.source.fill()?;
            let ends = at_hand
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            if ends == 0 {
                return Ok(());
            }
            self.source.take(ends);
        }
    }

    /// Reads one cell behind those read so far. Tells how it ended, and whether its quotes
    /// are as they should be.
    fn cell(&mut self, row_at: FilePosition) -> Result<(CellEnd, bool), ReadError> {
        let at = self.source.position();
        let start = self.used;
        let mut quotes = Quotes::new(self.quoting);
        loop {
            let at_hand = self.source.fill()?;
            // A line end in place of the end of the file closes every cell but one in quotes.
            let is_end = at_hand.is_empty();
            let input = if is_end { b"\n" } else { at_hand };
            let (result, read, written) = self.csv.read_field(input, &mut self.bytes[self.used..]);
            let is_done = matches!(result, ReadFieldResult::Field { .. });
            quotes.see(&input[..read - usize::from(is_done)]);
            self.used += written;
            self.taken += read;
            if !is_end {
                self.source.take(read);
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
                    let why = "a quote opens here and never closes; every line behind it would \
                               be lost, so the file is refused";
                    return Err(refused(Some(at), None, why.to_owned()));
                }
                ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
            }
        }
    }

    fn check_size(
        &self,
        at: FilePosition,
        row_at: FilePosition,
        start: usize,
        in_quotes: bool,
    ) -> Result<(), ReadError> {
        if self.used - start > LONGEST_CELL {
            let why = if in_quotes {
                "a quote opens here and does not close within 64 KiB"
            } else {
                "a cell is longer than 64 KiB: is the delimiter right, and are there line ends?"
            };
            return Err(refused(Some(at), None, why.to_owned()));
        }
        if self.taken > LONGEST_ROW {
            let why = "a row is longer than 1 MiB: are there line ends?";
            return Err(refused(Some(row_at), None, why.to_owned()));
        }
        Ok(())
    }

    /// Text behind a closing quote is the vendor's slip while it stays in its line. Over
    /// several lines it is a quote that was not closed, and whole rows are inside the cell.
    fn check_misquoted(&self, at: FilePosition, last_line: u64) -> Result<(), ReadError> {
        if last_line == at.line {
            return Ok(());
        }
        let why = format!(
            "a quote opens here and closes in line {last_line} in the middle of a cell: \
             it was probably not closed in its own row, and the rows between would be lost"
        );
        Err(refused(Some(at), None, why))
    }
}

/// Follows the quotes of one cell, for the reader of rows takes text behind a closing quote
/// without a word.
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

    /// Whether the closing quote ends the cell: then all other quotes came in pairs, of
    /// which the cell has one each, and nothing but blanks stands behind the last.
    fn are_well_placed(&self, cell: &[u8]) -> bool {
        let kept = memchr::memchr_iter(b'"', cell).count();
        !self.opened || (self.seen == 2 * kept + 2 && self.last == b'"')
    }
}
