//! One row of cells, wherever it comes from.

use encoding_rs::WINDOWS_1252;

use super::cell;
use super::profile::Encoding;
use crate::entry::FilePosition;

/// One row of cells, decoded.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Where it begins.
    pub(super) at: FilePosition,
    /// The line it ends in; cells in quotes may hold line ends.
    pub(super) last_line: u64,
    /// Whether a line end follows it.
    pub(super) is_terminated: bool,
    /// The first cell that is wrong as it stands, and why.
    pub(super) fault: Option<(usize, &'static str)>,
    /// A value that belongs to none of the columns.
    pub(super) extra: Option<String>,
    /// Whether the bytes are not UTF-8.
    pub(super) is_foreign: bool,
    text: String,
    ends: Vec<usize>,
}

impl Row {
    /// A row without cells.
    pub(super) fn empty(at: FilePosition) -> Self {
        Self {
            at,
            last_line: at.line,
            is_terminated: true,
            fault: None,
            extra: None,
            is_foreign: false,
            text: String::new(),
            ends: Vec::new(),
        }
    }

    /// A row of these cells.
    pub(super) fn of<'a>(at: FilePosition, cells: impl IntoIterator<Item = &'a str>) -> Self {
        let mut row = Self::empty(at);
        for cell in cells {
            row.text.push_str(cell);
            row.ends.push(row.text.len());
        }
        row
    }

    /// How many cells there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes it has, with its delimiters and its line end.
    pub(super) fn size(&self) -> usize {
        self.text.len() + self.ends.len()
    }

    /// The cell at `index`, counted from 0, with its blanks.
    pub(super) fn cell(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// The cell at `index`, cleaned; empty where the row has none.
    pub(super) fn value(&self, index: usize) -> &str {
        self.cell(index).map_or("", cell::clean)
    }

    /// All cells, with their blanks.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.cell(index))
    }

    /// Whether no cell holds anything but blanks.
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether the row is a line that somebody drew.
    pub(super) fn is_rule(&self) -> bool {
        let is_drawn = |letter: char| matches!(letter, '-' | '=' | '_' | ' ');
        self.text.chars().all(is_drawn)
    }

    /// The same row, cut where each column begins, in characters from 1. Blanks at the end of a
    /// line may be missing, unless the file ends there.
    pub(super) fn aligned(&self, starts: &[usize]) -> Self {
        let mut row = self.clone();
        let mut places = row.text.char_indices().map(|(place, _)| place);
        let mut passed = 1;
        row.ends.clear();
        for start in starts.iter().skip(1) {
            let place = places.nth(start - passed);
            passed = start + 1;
            match place {
                Some(place) => row.ends.push(place),
                None if self.is_terminated => row.ends.push(row.text.len()),
                None => break,
            }
        }
        row.ends.push(row.text.len());
        row
    }

    /// Makes one cell of all, as the line was before a byte in it, `delimiter`, was taken for one.
    pub(super) fn rejoin(&mut self, delimiter: u8) {
        let last = self.ends.pop();
        while let Some(end) = self.ends.pop() {
            self.text.insert(end, char::from(delimiter));
        }
        self.ends.extend(last.map(|_| self.text.len()));
    }

    /// Whether the row covers more than one line.
    pub(super) fn spans_lines(&self) -> bool {
        self.last_line > self.at.line
    }

    /// Takes the cells from `bytes`, which are cut at `ends`.
    pub(super) fn decode(&mut self, bytes: &[u8], ends: &[usize], encoding: Encoding) {
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
