//! Rows, quotes, line ends, encodings, limits and positions.

use std::io::Read;

use ach::entry::FilePosition;
use ach::format::Emptiness;

use crate::parsed::{HEADER, open, read, read_rows, small};

/// Gives `count` bytes of `byte`, and never holds them.
fn long(byte: u8, count: u64) -> impl Read {
    std::io::repeat(byte).take(count)
}

#[test]
fn every_line_end_is_read_and_counted() {
    for end in ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n  \r\n"] {
        let text = ["id,code,amount,date,text", "a,R01,1.00,,", "b,R02,2.00,,"].join(end);
        let outcome = read(text.as_bytes(), &small(""));
        let ids: Vec<_> = outcome
            .entries
            .iter()
            .map(|e| e.keys.payment_id.clone())
            .collect();
        assert_eq!(ids, [Some("a".into()), Some("b".into())], "{end:?}");
        for (row, entry) in text.match_indices(",R0").zip(&outcome.entries) {
            let byte = row.0 - 1;
            let before = text[..byte].replace("\r\n", "\n");
            let line = before.matches(['\n', '\r']).count() + 1;
            let wanted = FilePosition {
                line: line as u64,
                byte: byte as u64,
            };
            assert_eq!(entry.at, wanted, "{end:?}");
        }
    }
}

#[test]
fn quoted_cells_hold_delimiters_quotes_and_line_ends() {
    let rows = "a,R01,\"1,000.00\",,\"no \"\"funds\"\",\r\nsays the bank\"\nb,R02,2.00,,\n";
    let outcome = read_rows(rows, &small(""));
    assert_eq!(outcome.entries.len(), 2);
    let first = &outcome.entries[0];
    assert_eq!(first.amount.unwrap().minor(), 100_000);
    assert_eq!(
        first.description.as_deref(),
        Some("no \"funds\",\r\nsays the bank")
    );
    assert_eq!(outcome.entries[1].at.line, 4, "the physical line counts");
}

#[test]
fn without_quoting_a_quote_is_a_character() {
    let outcome = read_rows("a,R01,1.00,,\"Big\" Joe\n", &small("quoting = false"));
    assert_eq!(outcome.entry().description.as_deref(), Some("\"Big\" Joe"));
}

#[test]
fn every_delimiter_is_read() {
    for (delimiter, key) in [
        (",", ","),
        ("|", "|"),
        (";", ";"),
        ("\t", "\\t"),
        ("\t", "tab"),
    ] {
        let text = format!("{HEADER}a,R01,1.00,01/05/2024,x\n").replace(',', delimiter);
        let outcome = read(text.as_bytes(), &small(&format!("delimiter = \"{key}\"")));
        assert_eq!(outcome.entry().amount.unwrap().minor(), 100);
    }
}

#[test]
fn a_quote_that_never_closes_rejects_the_file_and_names_where_it_opened() {
    let rows = "a,R01,1.00,,x\nb,R02,2.00,,\"open\nc,R03,3.00,,x\nd,R04,4.00,,x\n";
    let outcome = read_rows(rows, &small(""));
    assert_eq!(outcome.file_rejection().at.unwrap().line, 3);
    assert!(outcome.file_rejection().why.contains("never closes"));
    assert_eq!(outcome.entries.len(), 1);
}

#[test]
fn a_quote_opened_within_a_row_of_several_lines_is_named_by_its_own_line() {
    let rows = "\"a\n1\",R01,1.00,,\"open\nb,R02,2.00,,x\n";
    assert_eq!(
        read_rows(rows, &small(""))
            .file_rejection()
            .at
            .unwrap()
            .line,
        3
    );
}

#[test]
fn an_open_quote_that_swallows_rows_up_to_the_next_quote_rejects_the_file() {
    // The cells come out right in number: without this check row b would be lost unseen.
    let rows = "a,R01,1.00,,\"open\nb,R02,2.00,,\"text\"\nc,R03,3.00,,x\n";
    let outcome = read_rows(rows, &small(""));
    assert_eq!(outcome.file_rejection().at.unwrap().line, 2);
    assert!(
        outcome.file_rejection().why.contains("closes in line 3"),
        "{:?}",
        outcome.file_rejection()
    );
    assert_eq!(outcome.entries.len(), 0);

    // Here the quote closes neatly at the end of a line, with too few cells in the row.
    let rows = "a,R01,\"1.00,,\nb,R02,2.00,,text\"\nc,R03,3.00,,x\n";
    let outcome = read_rows(rows, &small(""));
    assert_eq!(outcome.file_rejection().at.unwrap().line, 2);
    assert!(
        outcome.file_rejection().why.contains("continues to line 3"),
        "{:?}",
        outcome.file_rejection()
    );
}

#[test]
fn text_behind_a_closing_quote_in_one_line_rejects_the_row_alone() {
    let rows = "a,R01,1.00,,\"ACME \"BEST\" LLC\"\nb,R02,2.00,,\"x\"  \n";
    let outcome = read_rows(rows, &small(""));
    assert_eq!(outcome.rejection().at.line, 2);
    assert_eq!(outcome.rejection().field.as_deref(), Some("text"));
    assert_eq!(outcome.entries.len(), 1);
}

#[test]
fn ten_megabytes_in_one_line_are_rejected() {
    let size = 10 * 1024 * 1024;
    let header = HEADER.as_bytes();
    for (start, byte, why) in [
        (&b"a,"[..], b'x', "a cell is longer than 64 KiB"),
        (b"\"", b'x', "does not close within 64 KiB"),
        (b"\"", b'\n', "does not close within 64 KiB"),
        (b"a", b',', "more than 1024 cells"),
        (b"", b'"', "does not close within 64 KiB"),
    ] {
        let outcome = read(header.chain(start).chain(long(byte, size)), &small(""));
        let rejected = outcome.file_rejection();
        assert!(
            rejected.why.contains(why),
            "{} {rejected}",
            char::from(byte)
        );
        assert_eq!(rejected.at.unwrap().line, 2);
    }
    let row = "y".repeat(60_000) + ",";
    let text = format!("{HEADER}{}", row.repeat(200));
    let rejected = read(text.as_bytes(), &small(""));
    assert!(
        rejected
            .file_rejection()
            .why
            .contains("a row is longer than 1 MiB")
    );
}

#[test]
fn a_cell_of_64_kib_is_read_and_one_byte_more_is_rejected() {
    for (size, is_read) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        for quote in ["", "\""] {
            let text = "x".repeat(size);
            let rows = format!("a,R01,1.00,,{quote}{text}{quote}\n");
            let outcome = read_rows(&rows, &small(""));
            assert_eq!(outcome.file_rejected.is_none(), is_read, "{size} {quote}");
            assert_eq!(outcome.entries.len(), usize::from(is_read));
        }
    }
}

#[test]
fn endless_blank_lines_are_skipped() {
    let blanks = long(b'\n', 3_000_000);
    let outcome = read(
        HEADER
            .as_bytes()
            .chain(blanks)
            .chain(&b"a,R01,1.00,,\n"[..]),
        &small(""),
    );
    assert_eq!(
        outcome.entry().at,
        FilePosition {
            line: 3_000_002,
            byte: 3_000_025
        }
    );
}

#[test]
fn rows_of_empty_cells_are_skipped_and_reported() {
    let outcome = read_rows("a,R01,1.00,,\n,,,,\n , ,,,\n", &small(""));
    assert_eq!(outcome.entry().at.line, 2);
    assert_eq!(outcome.found("blank rows"), 2);
}

#[test]
fn nul_bytes_reject_the_file_and_name_the_line() {
    let outcome = read_rows("a,R01,1.00,,\nb,R0\x001,2.00,,\n", &small(""));
    assert_eq!(outcome.file_rejection().at.unwrap().line, 3);
    assert!(outcome.file_rejection().why.contains("NUL"));
    let utf16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(
        read(&utf16[..], &small(""))
            .file_rejection()
            .why
            .contains("UTF-16")
    );
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_first_header() {
    let text = format!("\u{FEFF}{HEADER}a,R01,1.00,,Müller\n");
    let outcome = read(text.as_bytes(), &small(""));
    assert_eq!(outcome.entry().description.as_deref(), Some("Müller"));
    assert_eq!(outcome.entry().at, FilePosition { line: 2, byte: 28 });
    assert_eq!(outcome.found("encoding"), 0);
}

#[test]
fn a_row_that_is_not_utf_8_is_read_as_windows_1252() {
    let mut text = format!("{HEADER}a,R01,1.00,,M").into_bytes();
    text.extend_from_slice(b"\xFCller \x80\n");
    text.extend_from_slice("b,R02,2.00,,Müller\n".as_bytes());
    // Two cells that make one character together are not UTF-8 either.
    text.extend_from_slice(b"c,R03,3.00,,\xC3\nd\xC3,\xA901,4.00,,\n");

    let outcome = read(&text[..], &small(""));
    let words: Vec<_> = outcome
        .entries
        .iter()
        .map(|e| e.description.as_deref())
        .collect();
    assert_eq!(words, [Some("Müller €"), Some("Müller"), Some("Ã"), None]);
    assert_eq!(outcome.found("encoding"), 3);

    let strict = read(&text[..], &small("encoding = \"utf-8\""));
    assert_eq!((strict.entries.len(), strict.rejected.len()), (1, 3));
    let western = read(&text[..], &small("encoding = \"windows-1252\""));
    assert_eq!(western.entries[1].description.as_deref(), Some("MÃ¼ller"));
    assert_eq!(western.found("encoding"), 0);
}

#[test]
fn a_row_with_too_few_or_too_many_cells_is_rejected_and_reading_continues() {
    let outcome = read_rows("a,R01,1.00\nb,R02,2.00,,,x\nc,R03,3.00,,\n", &small(""));
    let whys: Vec<_> = outcome
        .rejected
        .iter()
        .map(|row| (row.at.line, &*row.why))
        .collect();
    assert_eq!(
        whys,
        [
            (2, "the row has 3 cells instead of 5"),
            (3, "the row has 6 cells instead of 5"),
        ]
    );
    assert_eq!(outcome.entries.len(), 1);
    assert_eq!(outcome.summary.debit_minor, 300);
}

#[test]
fn a_last_row_that_was_cut_off_rejects_the_file() {
    let whole = "a,R01,1.00,01/05/2024,x\nb,R02,2.00,01/05/2024,x";
    let ends = read_rows(whole, &small(""));
    assert_eq!(
        (ends.entries.len(), &ends.file_rejected),
        (2, &None),
        "a whole row needs no line end"
    );
    for length in 25..whole.len() - 1 {
        let cut = &whole[..length];
        let outcome = read_rows(cut, &small(""));
        let is_whole_row = cut.matches(',').count() == 8;
        assert_eq!(outcome.file_rejected.is_none(), is_whole_row, "{cut:?}");
        if !is_whole_row {
            assert_eq!(outcome.file_rejection().at.unwrap().line, 3);
            assert!(
                outcome.file_rejection().why.contains("cut off"),
                "{}",
                outcome.file_rejection()
            );
        }
    }
}

#[test]
fn a_header_that_was_cut_off_is_not_an_empty_file() {
    let whole = read(HEADER.trim_end().as_bytes(), &small(""));
    assert_eq!(whole.summary.emptiness, Some(Emptiness::HeaderOnly));
    for cut in [
        "id,code,amount,date,te",
        "id,code,amount",
        "id,code,amou",
        "id",
    ] {
        let outcome = read(cut.as_bytes(), &small(""));
        assert!(outcome.file_rejected.is_some(), "{cut}");
        assert_eq!(outcome.summary.emptiness, None);
    }
}

#[test]
fn an_input_that_fails_is_not_a_fault_of_the_file() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    let input = HEADER.as_bytes().chain(Broken);
    let mut reader = open(input, &small(""));
    assert!(matches!(
        reader.next(),
        Some(Err(ach::format::ReadError::Io(_)))
    ));
    assert!(reader.next().is_none());
    assert_eq!(
        reader.summary().emptiness,
        None,
        "what was not read to its end is not empty"
    );
}
