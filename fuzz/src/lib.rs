//! The oracles of all targets, beside "no panic": what is kept of an input is a small multiple of
//! it, and memory stays under a cap.

mod memory;

use std::io::Read;

use ach::format::{Format, Item, ReadError};
use chrono::NaiveDate;
use serde::Serialize;

pub use memory::within;

/// The most memory that reading a file takes, whatever its size.
pub const READER_BYTES: usize = 4 << 20;

/// What is kept of a file is at most this many times its bytes.
const MOST_RATIO: usize = 50;

/// A line counts for so many bytes more: what is kept of it has a place and a sentence, and a line
/// may be one byte long.
const LINE_BYTES: usize = 8;

/// What is kept of a file of any size: why it is rejected, and a sentence for each kind of finding.
const FREE_BYTES: usize = 32 << 10;

/// How often the second half of a file is repeated, so that what is kept of each line adds up.
const REPEATED: usize = 40;

/// Reads a whole file, as an import does, and now and then one that goes on and on like it.
pub fn read_file(format: &Format, file: &[u8]) {
    read(format, file);
    if file.len() % 8 == 7 {
        let (head, body) = file.split_at(file.len() / 2);
        read(format, &[head, &body.repeat(REPEATED)].concat());
    }
}

fn read(format: &Format, file: &[u8]) {
    let Some(received_on) = NaiveDate::from_ymd_opt(2026, 11, 20) else {
        return;
    };
    within(READER_BYTES, || {
        let mut reader = format.open(file, received_on);
        let mut kept = 0;
        for item in reader.by_ref() {
            kept += match item {
                Ok(Item::Entry(entry)) => size(&entry),
                Ok(Item::Rejected(line)) => size(&line),
                Err(ReadError::Rejected(file)) => size(&file),
                Err(ReadError::Io(error)) => panic!("{error}"),
            };
        }
        kept += size(&reader.summary());
        let lines = file
            .iter()
            .filter(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        assert_small(kept, file.len() + LINE_BYTES * lines);
    });
}

/// Asserts that what is kept is a small multiple of what came.
pub fn assert_small(kept: usize, came: usize) {
    assert!(
        kept <= FREE_BYTES + MOST_RATIO * came,
        "{kept} bytes are kept of {came}"
    );
}

/// The bytes of a record, as it is stored.
pub fn size(record: &impl Serialize) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, record) {
        Ok(()) => count.0,
        Err(error) => panic!("a record without a form in JSON: {error}"),
    }
}

/// Reads at most `most` bytes; an error ends it like the end of the file.
pub fn drain(from: impl Read, most: u64) -> u64 {
    std::io::copy(&mut from.take(most), &mut std::io::sink()).unwrap_or_default()
}
