//! Memory stays bounded for every input.

use std::io::{self, Read};

use ach::format::nacha::Tolerance;
use ach::format::{Emptiness, Format, ReadError};

use crate::parsed::ParsedFile;

/// Repeats a pattern up to a size, and counts how much of it was taken.
struct Endless<'a> {
    pattern: &'a [u8],
    left: usize,
    taken: &'a mut usize,
}

impl Read for Endless<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = into.len().min(self.left);
        for (index, byte) in into[..size].iter_mut().enumerate() {
            *byte = self.pattern[(*self.taken + index) % self.pattern.len()];
        }
        *self.taken += size;
        self.left -= size;
        Ok(size)
    }
}

/// Reads ten megabytes of `pattern`; gives what came of it and how many bytes were taken.
fn ten_megabytes(pattern: &[u8]) -> (ParsedFile, usize) {
    let mut taken = 0;
    let input = Endless {
        pattern,
        left: 10_000_000,
        taken: &mut taken,
    };
    (ParsedFile::of(input, Tolerance::default()), taken)
}

#[test]
fn ten_megabytes_in_one_line_are_rejected_after_the_first_look() {
    for pattern in [
        &b"x"[..],
        b"account 12345;",
        b"1",
        b"5",
        b"101 ",
        b"\0",
        b"\xFF",
        "é".as_bytes(),
    ] {
        let (outcome, taken) = ten_megabytes(pattern);
        assert!(outcome.file_rejected.is_some(), "{pattern:?}");
        assert!(taken <= 64 * 1024, "{pattern:?}: {taken} bytes were read");
    }
}

#[test]
fn records_without_sense_never_pass_for_an_empty_file() {
    for pattern in [&b"6"[..], b"7", b"8", b"9"] {
        let (outcome, _) = ten_megabytes(pattern);
        let rejected = outcome.file_rejected.is_some() || outcome.summary.rejected > 100_000;
        assert!(rejected && outcome.entries.is_empty(), "{pattern:?}");
    }
}

#[test]
fn ten_megabytes_of_text_lines_are_rejected_after_a_few() {
    let (outcome, taken) = ten_megabytes(b"Case ID,Amount\n");
    assert!(outcome.file_rejected.is_some());
    assert!(taken <= 64 * 1024);
}

#[test]
fn ten_megabytes_of_blanks_are_no_file() {
    for pattern in [&b" "[..], b"\r\n", b"   \n"] {
        let (outcome, _) = ten_megabytes(pattern);
        assert_eq!(outcome.summary.emptiness, Some(Emptiness::NoBytes));
    }
}

#[test]
fn a_fault_of_the_input_is_not_a_fault_of_the_file() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let received_on = chrono::NaiveDate::from_ymd_opt(2026, 7, 6).unwrap();
    let mut reader = Format::Nacha(Tolerance::default()).open(Broken, received_on);
    assert!(matches!(reader.next(), Some(Err(ReadError::Io(_)))));
    assert!(reader.next().is_none());
}
