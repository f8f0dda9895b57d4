//! Records are found, numbered and located with every kind of line end.

use super::*;

/// Line, byte offset and width of each record of `bytes`, read `chunk` bytes at a time.
fn cut(bytes: &[u8], chunk: usize) -> Vec<(u64, u64, usize)> {
    struct Chunks<'a>(&'a [u8], usize);
    impl Read for Chunks<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let limit = into.len().min(self.1);
            self.0.read(&mut into[..limit])
        }
    }
    let mut lines = RecordLines::new(Chunks(bytes, chunk));
    let mut found = Vec::new();
    while let Some(piece) = lines.next().unwrap() {
        if let Piece::Record(line) = piece {
            found.push((line.at.line, line.at.byte, line.width));
        }
    }
    found
}

fn record(kind: &str) -> String {
    kind.repeat(WIDTH)
}

#[test]
fn lines_are_numbered_and_located_with_every_kind_of_end() {
    for (end, step) in [("\n", 95), ("\r", 95), ("\r\n", 96)] {
        let bytes = [record("5"), record("6"), record("7")].join(end);
        for chunk in [1, 7, 95, 100_000] {
            let expected = vec![(1, 0, 94), (2, step, 94), (3, step * 2, 94)];
            assert_eq!(cut(bytes.as_bytes(), chunk), expected, "{end:?} {chunk}");
        }
    }
}

#[test]
fn without_line_ends_the_number_of_the_record_is_its_line() {
    let bytes = [record("5"), record("6"), record("7")].concat();
    assert_eq!(
        cut(bytes.as_bytes(), 50),
        vec![(1, 0, 94), (2, 94, 94), (3, 188, 94)]
    );
}

#[test]
fn blank_lines_count_as_lines() {
    let bytes = format!("\r\n\r\n{}\r\n  \r\n{}", record("5"), record("6"));
    assert_eq!(cut(bytes.as_bytes(), 3), vec![(3, 4, 94), (5, 104, 94)]);
}

#[test]
fn blanks_beyond_94_characters_are_not_a_record() {
    let blanks = " ".repeat(3000);
    let bytes = format!(
        "{}{blanks}\n{}    \n{}",
        record("5"),
        record("6"),
        record("7")
    );
    let found = cut(bytes.as_bytes(), 4096);
    assert_eq!(found, vec![(1, 0, 94), (2, 3095, 94), (3, 3194, 94)]);
}

#[test]
fn a_record_that_is_too_long_is_measured_whole() {
    let bytes = format!("{}1\n{}", record("6"), record("7"));
    assert_eq!(cut(bytes.as_bytes(), 4096), vec![(1, 0, 95), (2, 96, 94)]);
}

#[test]
fn a_line_end_split_between_two_reads_is_one() {
    let bytes = format!("{}\r\n{}\r\n", record("5"), record("6"));
    assert_eq!(cut(bytes.as_bytes(), 95), vec![(1, 0, 94), (2, 96, 94)]);
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let bytes = format!("\u{FEFF}{}", record("5"));
    assert_eq!(cut(bytes.as_bytes(), 4096), vec![(1, 3, 94)]);
}
