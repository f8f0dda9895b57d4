//! Segments: what stands between two terminators, cut into elements.

use std::io::{BufRead as _, BufReader, Read};

use encoding_rs::WINDOWS_1252;

use crate::entry::FilePosition;
use crate::format::bounded::{Bounded, Passage};
use crate::format::foreign::Foreign;
use crate::format::{FileRejected, ReadError};

/// The header has this many elements, and is never longer than this.
const HEADER_ELEMENTS: usize = 16;
const LONGEST_HEADER: usize = 512;

/// One segment. Its line is its number in the file, since a whole file may be one line.
pub(super) struct Segment {
    pub(super) at: FilePosition,
    text: String,
    separator: char,
}

impl Segment {
    /// The element at `index`; the segment's name is at 0. One that is missing is blank.
    pub(super) fn element(&self, index: usize) -> &str {
        let mut elements = self.text.split(self.separator);
        elements.nth(index).unwrap_or_default().trim()
    }

    pub(super) fn name(&self) -> &str {
        self.element(0)
    }
}

/// Reads segments one by one. The header of an interchange says how they are separated.
pub(super) struct Segments<R> {
    input: BufReader<Bounded<R>>,
    passage: Passage,
    /// The separator of elements and the terminator of segments.
    marks: Option<(u8, u8)>,
    number: u64,
    offset: u64,
}

impl<R: Read> Segments<R> {
    pub(super) fn new(input: R) -> Self {
        let (input, passage) = Bounded::new(input);
        Self {
            input: BufReader::new(input),
            passage,
            marks: None,
            number: 0,
            offset: 0,
        }
    }

    /// The next segment; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Segment>, ReadError> {
        self.passage.renew();
        self.skip_blanks()?;
        let at = FilePosition {
            line: self.number + 1,
            byte: self.offset,
        };
        if self.rest(at)?.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let (bytes, separator) = match self.marks {
            None => self.header(at)?,
            Some((separator, terminator)) => {
                let mut bytes = Vec::new();
                let read = self.input.read_until(terminator, &mut bytes);
                self.offset += read.map_err(|error| self.passage.fault(error, at))? as u64;
                if bytes.pop() != Some(terminator) {
                    return Err(cut_off(at).into());
                }
                (bytes, separator)
            }
        };
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(&bytes);
        let text = String::from_utf8(bytes.clone()).unwrap_or_else(|_| text.into_owned());
        let segment = Segment {
            at,
            text,
            separator: char::from(separator),
        };
        if segment.name() == "IEA" {
            // The next interchange has marks of its own.
            self.marks = None;
        }
        Ok(Some(segment))
    }

    /// The bytes at hand.
    fn rest(&mut self, at: FilePosition) -> Result<&[u8], ReadError> {
        let passage = self.passage.clone();
        self.input
            .fill_buf()
            .map_err(|error| passage.fault(error, at))
    }

    fn skip_blanks(&mut self) -> Result<(), ReadError> {
        let at = FilePosition {
            line: self.number + 1,
            byte: self.offset,
        };
        loop {
            let rest = self.rest(at)?;
            let blanks = rest.len() - rest.trim_ascii_start().len();
            if blanks == 0 {
                return Ok(());
            }
            self.input.consume(blanks);
            self.offset += blanks as u64;
            self.passage.renew();
        }
    }

    /// Reads the header of an interchange, whose last byte is the terminator.
    fn header(&mut self, at: FilePosition) -> Result<(Vec<u8>, u8), ReadError> {
        let mut bytes = Vec::new();
        let mut elements = 0;
        let mut after = 0;
        while after < 2 && bytes.len() < LONGEST_HEADER {
            let Some(byte) = self.rest(at)?.first().copied() else {
                break;
            };
            self.input.consume(1);
            self.offset += 1;
            bytes.push(byte);
            if elements == HEADER_ELEMENTS {
                after += 1;
            } else if bytes.len() > 3 && bytes.get(3) == Some(&byte) {
                elements += 1;
            }
        }
        let separator = bytes.get(3).copied().unwrap_or(b'*');
        if !bytes.starts_with(b"ISA") || after < 2 || separator.is_ascii_alphanumeric() {
            let why = match self.passage.foreign(Foreign::X12) {
                Some(foreign) => format!("this is not an X12 file: {foreign}"),
                None => "this is not an X12 file: it does not begin with an ISA segment of 16 \
                         elements"
                    .to_owned(),
            };
            return Err(FileRejected::new(why).at(at).into());
        }
        let terminator = bytes.pop().unwrap_or(b'~');
        self.marks = Some((separator, terminator));
        Ok((bytes, separator))
    }
}

/// The rejection of a file that ends where it must not.
pub(super) fn cut_off(at: FilePosition) -> FileRejected {
    let why =
        "the file ends in the middle of an interchange: it was probably cut off; fetch it again";
    FileRejected::new(why).at(at)
}
