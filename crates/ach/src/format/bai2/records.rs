//! Records: a line, and the lines with `88` that continue it.

use std::io::{BufRead as _, BufReader, Read};

use encoding_rs::WINDOWS_1252;

use crate::entry::FilePosition;
use crate::format::bounded::{Bounded, Passage};
use crate::format::{ReadError, limits};

/// One record, without its type and its end mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) at: FilePosition,
    /// Its type, such as `16`.
    pub(super) kind: String,
    /// Its fields.
    pub(super) text: String,
    /// How many lines it has.
    pub(super) lines: u64,
    /// Whether the mark of its end was there.
    pub(super) is_ended: bool,
}

impl Record {
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.text.split(',').map(str::trim)
    }
}

/// Reads records one by one.
pub(super) struct Records<R> {
    input: BufReader<Bounded<R>>,
    pub(super) passage: Passage,
    next: FilePosition,
    /// The line after the record that was read.
    ahead: Option<Record>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R) -> Self {
        let (input, passage) = Bounded::new(input);
        Self {
            input: BufReader::new(input),
            passage,
            next: FilePosition { line: 1, byte: 0 },
            ahead: None,
        }
    }

    /// The next record; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Record>, ReadError> {
        self.passage.renew();
        let first = match self.ahead.take() {
            Some(line) => Some(line),
            None => self.line()?,
        };
        let Some(mut record) = first else {
            return Ok(None);
        };
        while let Some(line) = self.line()? {
            if line.kind != "88" {
                self.ahead = Some(line);
                break;
            }
            // A text goes on in the next line; other fields end with theirs.
            let glue = if ended(&mut record.text) { ',' } else { ' ' };
            record.text.push(glue);
            record.text.push_str(&line.text);
            record.lines += 1;
        }
        record.is_ended = ended(&mut record.text);
        Ok(Some(record))
    }

    /// The next line that is not blank.
    fn line(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            let at = self.next;
            let mut bytes = Vec::new();
            let read = self.input.read_until(b'\n', &mut bytes);
            let read = read.map_err(|error| self.passage.fault(error, at))? as u64;
            if read == 0 {
                return Ok(None);
            }
            self.next.line += 1;
            self.next.byte += read;
            let (decoded, _) = WINDOWS_1252.decode_without_bom_handling(&bytes);
            let text = std::str::from_utf8(&bytes).unwrap_or(&decoded).trim();
            if text.is_empty() {
                continue;
            }
            let (kind, text) = text.split_once(',').unwrap_or((text, ""));
            return Ok(Some(Record {
                at,
                kind: limits::cut(kind.to_owned(), limits::FIELD),
                text: text.to_owned(),
                lines: 1,
                is_ended: false,
            }));
        }
    }
}

/// Takes away the mark at the end of a record, if there is one.
fn ended(text: &mut String) -> bool {
    let is_ended = text.ends_with('/');
    if is_ended {
        text.pop();
    }
    is_ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_continued_by_lines_of_88() {
        let file =
            b"16,557,1234,Z,B1,C1,RETURN R01/\n16,557,5,,B2,/\n88,C2,ACH RETURN\n88,OF DEBIT/\n";
        let mut records = Records::new(&file[..]);
        let mut read = Vec::new();
        while let Some(record) = records.next().ok().flatten() {
            read.push((record.at.line, record.text, record.lines));
        }
        assert_eq!(
            read,
            [
                (1, "557,1234,Z,B1,C1,RETURN R01".to_owned(), 1),
                (2, "557,5,,B2,,C2,ACH RETURN OF DEBIT".to_owned(), 3),
            ]
        );
    }
}
