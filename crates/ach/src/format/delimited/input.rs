//! The bytes of a file, with the line of each.

use std::io::{ErrorKind, Read};

use crate::entry::FilePosition;
use crate::format::{FileRejected, ReadError, foreign};

/// How much is read at once.
pub(super) const CHUNK: usize = 64 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A buffered input that counts lines. A line ends with LF, CR, or both.
pub(super) struct LineInput<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    begun: bool,
    ended: bool,
    /// Offset of the next byte.
    offset: u64,
    line: u64,
    line_start: u64,
    after_cr: bool,
    /// Whether NUL bytes end the file.
    pub(super) is_padded: bool,
}

impl<R: Read> LineInput<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            begun: false,
            ended: false,
            offset: 0,
            line: 1,
            line_start: 0,
            after_cr: false,
            is_padded: false,
        }
    }

    /// The line of the next byte.
    pub(super) fn position(&self) -> FilePosition {
        FilePosition {
            line: self.line,
            byte: self.line_start,
        }
    }

    /// The bytes at hand. There are none only at the end of the file.
    pub(super) fn fill(&mut self) -> Result<&[u8], ReadError> {
        if !self.begun {
            self.begun = true;
            self.begin()?;
        }
        if self.start == self.end && !self.ended {
            (self.start, self.end) = (0, 0);
            self.read_some()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Moves past `count` of the bytes at hand.
    pub(super) fn take(&mut self, count: usize) {
        let taken = &self.buffer[self.start..self.start + count];
        let mut last_end = None;
        for at in memchr::memchr2_iter(b'\r', b'\n', taken) {
            let follows_cr = match at.checked_sub(1) {
                Some(before) => taken[before] == b'\r',
                None => self.after_cr,
            };
            if taken[at] == b'\r' || !follows_cr {
                self.line += 1;
            }
            last_end = Some(at);
        }
        if let Some(at) = last_end {
            self.line_start = self.offset + at as u64 + 1;
        }
        if let Some(last) = taken.last() {
            self.after_cr = *last == b'\r';
        }
        self.offset += count as u64;
        self.start += count;
    }

    /// Looks at the beginning of the file, and skips a byte order mark.
    fn begin(&mut self) -> Result<(), ReadError> {
        while self.end < foreign::HEAD && !self.ended {
            self.read_raw()?;
        }
        if let Some(seen) = foreign::named(&self.buffer[..self.end]) {
            let why = format!("this is not a delimited file: {seen}");
            return Err(FileRejected::new(why).at(self.position()).into());
        }
        if self.buffer[..self.end].starts_with(BYTE_ORDER_MARK) {
            self.take(BYTE_ORDER_MARK.len());
        }
        self.end_at_nuls(self.start)
    }

    /// Reads into the room after the bytes at hand.
    fn read_some(&mut self) -> Result<(), ReadError> {
        let fresh = self.end;
        self.read_raw()?;
        self.end_at_nuls(fresh)
    }

    fn read_raw(&mut self) -> Result<(), ReadError> {
        let read = loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.end += read;
        self.ended = read == 0;
        Ok(())
    }

    /// Ends the file at a NUL byte among those from `fresh` on, if nothing but NUL bytes and line
    /// ends follow it. Mainframes fill their last block with them.
    fn end_at_nuls(&mut self, fresh: usize) -> Result<(), ReadError> {
        let Some(nul) = memchr::memchr(0, &self.buffer[fresh..self.end]) else {
            return Ok(());
        };
        let nul = fresh + nul;
        let is_padding = |byte: &u8| matches!(byte, 0 | b'\r' | b'\n' | b' ' | 0x1A);
        let is_all = self.offset == 0 && nul == self.start;
        let mut only_padding = !is_all && self.buffer[nul..self.end].iter().all(is_padding);
        let end = std::mem::replace(&mut self.end, nul);
        let mut rest = [0; 4096];
        while only_padding && !self.ended {
            let read = match self.input.read(&mut rest) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            };
            self.ended = read == 0;
            only_padding = rest[..read].iter().all(is_padding);
        }
        if only_padding {
            self.is_padded = true;
            return Ok(());
        }
        self.end = end;
        self.take(nul - self.start);
        let why = "a NUL byte: this is not readable text (it may be binary, compressed, \
                   encrypted or UTF-16); ask for the file as UTF-8 text";
        Err(FileRejected::new(why).at(self.position()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end_counts_as_one_line_in_any_chunks() {
        let text = b"a\nb\r\nc\rd\n\ne";
        for chunk in 1..=text.len() {
            let mut input = LineInput::new(&text[..]);
            let mut lines = Vec::new();
            loop {
                let at_hand = input.fill().unwrap().to_vec();
                if at_hand.is_empty() {
                    break;
                }
                for byte in at_hand.chunks(chunk).flat_map(|part| part.chunks(1)) {
                    if byte[0].is_ascii_alphabetic() {
                        let at = input.position();
                        lines.push((at.line, at.byte));
                    }
                    input.take(1);
                }
            }
            assert_eq!(lines, [(1, 0), (2, 2), (3, 5), (4, 7), (6, 10)]);
        }
    }

    #[test]
    fn a_nul_byte_rejects_the_file_and_names_its_line() {
        let mut input = LineInput::new(&b"ab\ncd\0ef"[..]);
        let ReadError::Rejected(rejected) = input.fill().unwrap_err() else {
            panic!("not a rejection")
        };
        assert_eq!(rejected.at, Some(FilePosition { line: 2, byte: 3 }));
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_counted_in_the_offset() {
        let mut input = LineInput::new(&b"\xEF\xBB\xBFa\nb"[..]);
        assert_eq!(input.fill().unwrap(), b"a\nb");
        input.take(2);
        assert_eq!(input.position(), FilePosition { line: 2, byte: 5 });
    }
}
