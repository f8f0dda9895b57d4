//! The stream of bytes cut into records, in one buffer of fixed size.
//!
//! Lines may end with LF, CR or CRLF, mixed; a line may hold one record or many, and a
//! file may have no line ends at all.

use std::io::{ErrorKind, Read};

use memchr::memchr2;

use super::encoding::{self, CharacterLayout, Measure, NotText};
use super::not_records::{Says, is_text, says};
use super::record::{Record, WIDTH};
use crate::entry::FilePosition;
use crate::format::{FileRejected, ReadError, foreign};

/// Bytes read at a time.
const BUFFER: usize = 64 * 1024;

/// Bytes that are held at hand. It is more than a record can take, so a record is never cut in
/// two, and it bounds a line of text outside the records.
const AT_HAND: usize = 1024;

/// The shortest record that may follow another in the same line: a file control whose
/// trailing blanks are cut off.
const SHORTEST_FOLLOWER: usize = 55;

/// What to do about a file that was damaged on its way.
pub(super) const SEND_AGAIN: &str = "fetch the file again or ask its sender for a complete one";

/// How records differ from other lines.
pub(super) const RECORDS_BEGIN: &str = "records begin with 1, 5, 6, 7, 8 or 9";

/// A file that is not a NACHA file at all; `seen` says what it looks like.
pub(super) fn not_nacha(at: FilePosition, seen: impl std::fmt::Display) -> FileRejected {
    FileRejected::new(format!("this is not a NACHA file: {seen}")).at(at)
}

/// One record as it was in the file.
#[derive(Debug)]
pub(super) struct RecordLine {
    pub(super) at: FilePosition,
    pub(super) record: Record,
    /// How many characters it had; blanks beyond 94 do not count.
    pub(super) width: usize,
    /// Whether a line end (or another record) follows it.
    pub(super) ended: bool,
}

impl RecordLine {
    /// Rejects a file with a record that does not have 94 characters.
    pub(super) fn require_width(&self) -> Result<(), FileRejected> {
        self.require_at_least(WIDTH)
    }

    /// Rejects a file with a record that is too long, or shorter than cut-off blanks explain.
    pub(super) fn require_at_least(&self, shortest: usize) -> Result<(), FileRejected> {
        if (shortest..=WIDTH).contains(&self.width) {
            return Ok(());
        }
        let (record_type, width) = (char::from(self.record.record_type()), self.width);
        let why = if !self.ended && width < WIDTH {
            format!("the last record ends after {width} of 94 characters, so the file is cut off")
        } else {
            format!("the record has {width} characters instead of 94")
        };
        let rejected = FileRejected::new(format!("{why}; {SEND_AGAIN}")).at(self.at);
        Err(rejected.in_field(format!("record type {record_type}")))
    }
}

/// What the stream is cut into.
#[derive(Debug)]
pub(super) enum Piece {
    Record(RecordLine),
    /// An empty line, or one of blanks.
    Blank(FilePosition),
    /// A line that is not a record.
    Text {
        at: FilePosition,
        says: Says,
    },
}

/// Cuts the stream.
pub(super) struct RecordLines<R> {
    input: R,
    buffer: Box<[u8]>,
    /// The bytes not yet used are `buffer[start..end]`.
    start: usize,
    end: usize,
    at_end_of_input: bool,
    /// Offset in the file of `buffer[start]`.
    offset: u64,
    line: u64,
    /// Whether the bytes at `start` continue a line that has already given a record.
    within_line: bool,
    /// Whether the byte before `start` was a CR, whose LF belongs to the same line end.
    after_cr: bool,
    /// The next line end, or how far there is none.
    line_end: Option<usize>,
    searched: usize,
    /// Where NUL bytes begin; nothing but blanks may follow them.
    pub(super) nuls_at: Option<FilePosition>,
}

impl<R: Read> RecordLines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            at_end_of_input: false,
            offset: 0,
            line: 1,
            within_line: false,
            after_cr: false,
            line_end: None,
            searched: 0,
            nuls_at: None,
        }
    }

    /// The next piece; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, ReadError> {
        loop {
            self.fill()?;
            if self.offset == 0 && self.start == 0 {
                self.open()?;
            }
            if std::mem::take(&mut self.after_cr)
                && self.buffer[self.start..self.end].first() == Some(&b'\n')
            {
                self.advance(1);
                continue;
            }
            if self.start == self.end {
                return Ok(None);
            }
            if let Some(piece) = self.cut()? {
                return Ok(Some(piece));
            }
        }
    }

    /// Uses up the next record, line or run of blanks. A run of blanks after a record gives
    /// no piece.
    fn cut(&mut self) -> Result<Option<Piece>, FileRejected> {
        let line_end = self.find_line_end();
        let whole = line_end.is_some() || self.at_end_of_input;
        let stop = line_end.unwrap_or(self.end);
        let filled = self.start + without_trailing_blanks(&self.buffer[self.start..stop]).len();
        if let Some(at) = self.nuls_at.filter(|_| filled > self.start) {
            return Err(unreadable(at));
        }
        if self.buffer[filled..stop].contains(&0) {
            if self.offset == 0 && filled == self.start {
                return Err(unreadable(self.at()));
            }
            self.nuls_at.get_or_insert(self.at());
        }
        if filled == self.start {
            let blank = (line_end.is_some() && !self.within_line).then(|| Piece::Blank(self.at()));
            self.finish_line(stop, line_end);
            return Ok(blank);
        }
        if !encoding::opens_record(self.buffer[self.start]) {
            return self.text(filled, stop, line_end).map(Some);
        }
        if self.within_line {
            self.line += 1;
        }
        let at = self.at();
        let rest = &self.buffer[self.start..filled];
        let Measure { bytes, layout } =
            encoding::measure(rest).map_err(|NotText| unreadable(at))?;
        let record = Record::new(&rest[..bytes], layout);
        let beyond = if whole { &rest[bytes..] } else { &[] };
        let excess = excess(beyond, layout);
        // Blanks that fill the record up belong to it.
        let blanks = &self.buffer[filled..stop];
        let blanks = blanks.iter().take_while(|byte| **byte == b' ').count();
        let width = layout.width(&rest[..bytes]);
        let line = RecordLine {
            at,
            record,
            width: excess.map_or((width + blanks).min(WIDTH), |excess| width + excess),
            ended: line_end.is_some() || self.start + bytes < filled,
        };
        if excess.is_some() || (whole && self.start + bytes == filled) {
            self.finish_line(stop, line_end);
        } else {
            self.advance(bytes);
            self.within_line = true;
        }
        Ok(Some(Piece::Record(line)))
    }

    /// A line that does not begin like a record.
    fn text(
        &mut self,
        filled: usize,
        stop: usize,
        line_end: Option<usize>,
    ) -> Result<Piece, FileRejected> {
        let at = self.at();
        let line = &self.buffer[self.start..filled];
        if !is_text(&line[..line.len().min(AT_HAND)]) {
            return Err(unreadable(at));
        }
        if self.within_line {
            let why = format!(
                "the line continues after 94 characters, but not with a record; {RECORDS_BEGIN}"
            );
            return Err(FileRejected::new(why).at(at));
        }
        if line.len() > AT_HAND {
            return Err(not_nacha(at, "its line is long and has no records"));
        }
        let says = says(line);
        self.finish_line(stop, line_end);
        Ok(Piece::Text { at, says })
    }

    fn at(&self) -> FilePosition {
        FilePosition {
            line: self.line,
            byte: self.offset,
        }
    }

    /// Reads until enough bytes are at hand, or the input ends.
    fn fill(&mut self) -> Result<(), ReadError> {
        if self.at_end_of_input || self.end - self.start >= AT_HAND {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.line_end = self.line_end.and_then(|at| at.checked_sub(self.start));
        self.searched = self.searched.saturating_sub(self.start);
        self.end -= self.start;
        self.start = 0;
        while self.end < AT_HAND {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end_of_input = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Checks the first bytes of the file: skips a byte order mark, and rejects what is wrapped or
    /// encoded in a way that must be undone first.
    fn open(&mut self) -> Result<(), FileRejected> {
        let head = &self.buffer[..self.end];
        if let Some(seen) = foreign::named(head) {
            return Err(not_nacha(self.at(), seen));
        }
        if head.starts_with(b"\xEF\xBB\xBF") {
            self.advance(3);
        }
        Ok(())
    }

    fn find_line_end(&mut self) -> Option<usize> {
        if let Some(at) = self.line_end.filter(|at| *at >= self.start) {
            return Some(at);
        }
        let from = self.searched.max(self.start);
        self.line_end =
            memchr2(b'\r', b'\n', &self.buffer[from..self.end]).map(|found| from + found);
        self.searched = self.line_end.map_or(self.end, |at| at + 1);
        self.line_end
    }

    /// Uses up everything to `stop` and the line end there.
    fn finish_line(&mut self, stop: usize, line_end: Option<usize>) {
        self.advance(stop - self.start);
        if line_end.is_some() {
            self.after_cr = self.buffer[self.start] == b'\r';
            self.advance(1);
            self.line += 1;
            self.within_line = false;
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }
}

/// How many characters a record is too long, when what follows it in its line cannot be
/// records of their own.
fn excess(beyond: &[u8], layout: CharacterLayout) -> Option<usize> {
    if beyond.is_empty() || beyond.len() > WIDTH * 4 {
        return None;
    }
    let width = layout.width(beyond);
    let follows = width >= WIDTH || (width >= SHORTEST_FOLLOWER && beyond[0] == b'9');
    (!follows).then_some(width)
}

/// Blanks of any kind, the page and file ends of printers and DOS, and the NUL bytes with which
/// mainframes fill their last block.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0C | 0x1A | 0)
}

fn without_trailing_blanks(bytes: &[u8]) -> &[u8] {
    let kept = bytes
        .iter()
        .rposition(|byte| !is_blank(*byte))
        .map_or(0, |last| last + 1);
    &bytes[..kept]
}

fn unreadable(at: FilePosition) -> FileRejected {
    not_nacha(
        at,
        "it has bytes that are not text; check that it is not compressed or encrypted",
    )
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
