//! What a library is given of a file. One record has only so many bytes, and the beginning of the
//! file is kept, to name what is no file of the format.

use std::io::{self, ErrorKind, Read};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use super::foreign::{self, Foreign};
use super::{FileRejected, ReadError};
use crate::entry::FilePosition;

/// The longest record, in bytes.
const LONGEST_RECORD: usize = 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

#[derive(Debug, thiserror::Error)]
#[error("a record is longer than 1 MiB")]
struct TooLong;

/// What a format's reader knows of the bytes that its library reads.
#[derive(Debug, Clone, Default)]
pub(in crate::format) struct Passage(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// How many bytes may still come.
    left: AtomicUsize,
    /// The first bytes, without a byte order mark.
    head: OnceLock<Vec<u8>>,
}

impl Passage {
    /// Allows the bytes of one more record.
    pub(in crate::format) fn renew(&self) {
        self.0.left.store(LONGEST_RECORD, Relaxed);
    }

    /// Allows any number of bytes, which are passed over.
    pub(in crate::format) fn lift(&self) {
        self.0.left.store(usize::MAX, Relaxed);
    }

    /// Whether the file has nothing but blanks, as far as its beginning says.
    pub(in crate::format) fn is_blank(&self) -> bool {
        self.head().trim_ascii().is_empty()
    }

    /// What the file is, if it is of another format.
    pub(in crate::format) fn foreign(&self, own: Foreign) -> Option<Foreign> {
        foreign::named(self.head()).filter(|named| *named != own)
    }

    fn head(&self) -> &[u8] {
        self.0.head.get().map_or(&[], Vec::as_slice)
    }

    /// What an error of the input says of the file.
    pub(in crate::format) fn fault(&self, error: io::Error, at: FilePosition) -> ReadError {
        let why = if error.get_ref().is_some_and(|inner| inner.is::<TooLong>()) {
            "a record is longer than 1 MiB: does the text in it end?"
        } else if error.kind() == ErrorKind::InvalidData {
            "the text is not UTF-8"
        } else {
            return error.into();
        };
        FileRejected::new(why).at(at).into()
    }
}

/// The input of a library.
pub(in crate::format) struct Bounded<R> {
    input: R,
    passage: Passage,
    /// How much of the beginning was given away.
    served: usize,
}

impl<R: Read> Bounded<R> {
    /// The input, and what is known of it. It gives nothing before [`Passage::renew`] or
    /// [`Passage::lift`].
    pub(in crate::format) fn new(input: R) -> (Self, Passage) {
        let passage = Passage::default();
        let bounded = Self {
            input,
            passage: passage.clone(),
            served: 0,
        };
        (bounded, passage)
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.passage.0.head.get().is_some() {
            return Ok(());
        }
        let mut head = vec![0; foreign::HEAD];
        let mut filled = 0;
        while filled < head.len() {
            match self.input.read(&mut head[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        head.truncate(filled);
        if head.starts_with(BYTE_ORDER_MARK) {
            head.drain(..BYTE_ORDER_MARK.len());
        }
        self.passage.0.head.get_or_init(|| head);
        Ok(())
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.begin()?;
        let left = self.passage.0.left.load(Relaxed);
        let most = buffer.len().min(left);
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other(TooLong));
        }
        let buffer = &mut buffer[..most];
        let rest = &self.passage.head()[self.served..];
        let read = match rest.len().min(buffer.len()) {
            0 => self.input.read(buffer)?,
            at_hand => {
                buffer[..at_hand].copy_from_slice(&rest[..at_hand]);
                self.served += at_hand;
                at_hand
            }
        };
        if left != usize::MAX {
            self.passage.0.left.store(left - read, Relaxed);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_never_ends_is_an_error_and_what_is_passed_over_has_no_limit() {
        let (mut input, passage) = Bounded::new(io::repeat(b'x'));
        passage.renew();
        let mut sink = io::sink();
        let error = io::copy(&mut input, &mut sink).unwrap_err();
        let at = FilePosition { line: 1, byte: 0 };
        let ReadError::Rejected(why) = passage.fault(error, at) else {
            panic!("not a rejection")
        };
        assert!(why.why.contains("1 MiB"), "{why}");
        passage.lift();
        let mut passed = vec![0; 3 * LONGEST_RECORD];
        input.read_exact(&mut passed).unwrap();
        passage.renew();
        assert_eq!(input.read(&mut [0; 9]).unwrap(), 9);
    }

    #[test]
    fn a_byte_order_mark_is_left_out_and_the_rest_comes_whole() {
        let (mut input, passage) = Bounded::new(&b"\xEF\xBB\xBF{\"a\": 1}"[..]);
        passage.renew();
        let mut text = String::new();
        input.read_to_string(&mut text).unwrap();
        assert_eq!(text, "{\"a\": 1}");
        assert!(!passage.is_blank());
    }
}
