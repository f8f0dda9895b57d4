//! What must hold for any file.

use std::io::Read;

use ach::format::delimited::{AmountUnit, Profile};
use ach::format::worldpay;
use proptest::prelude::*;

use crate::parsed::{profile, read, small};
use crate::vendors::PROFILES;

/// Gives at most this number of bytes at once.
struct Chunks<R> {
    input: R,
    size: usize,
}

impl<R: Read> Read for Chunks<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = into.len().min(self.size);
        self.input.read(&mut into[..size])
    }
}

/// One row, and how it is to be written.
#[derive(Debug, Clone)]
struct Written {
    id: String,
    code: u8,
    minor: i64,
    text: String,
    quotes: [bool; 4],
    blank_lines: usize,
}

fn written() -> impl Strategy<Value = Written> {
    (
        "[0-9A-Za-z]{1,20}",
        1..54_u8,
        0..1_000_000_000_i64,
        "[a-z ,;|\t\"\r\nüß€]{0,12}",
        any::<[bool; 4]>(),
        0..2_usize,
    )
        .prop_map(|(id, code, minor, text, quotes, blank_lines)| {
            let text = format!("x{text}x");
            Written {
                id,
                code,
                minor,
                text,
                quotes,
                blank_lines,
            }
        })
}

fn cell(text: &str, quote: bool, delimiter: char) -> String {
    if quote || text.contains([delimiter, '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Writes the file. Gives the offset and line of each row beside it.
fn write(rows: &[Written], delimiter: char, end: &str) -> (String, Vec<(u64, u64)>) {
    let mut file = ["id", "code", "amount", "date", "text"].join(&delimiter.to_string());
    file.push_str(end);
    let mut places = Vec::new();
    for row in rows {
        file.push_str(&end.repeat(row.blank_lines));
        let lines = file.replace("\r\n", "\n").matches(['\r', '\n']).count() as u64;
        places.push((lines + 1, file.len() as u64));
        let amount = format!("{}.{:02}", row.minor / 100, row.minor % 100);
        let cells = [
            row.id.clone(),
            format!("R{:02}", row.code),
            amount,
            row.text.clone(),
        ];
        let mut cells: Vec<String> = cells
            .iter()
            .zip(row.quotes)
            .map(|(text, quote)| cell(text, quote, delimiter))
            .collect();
        cells.insert(3, String::new());
        file.push_str(&cells.join(&delimiter.to_string()));
        file.push_str(end);
    }
    (file, places)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_read_as_they_were_written(
        rows in prop::collection::vec(written(), 0..8),
        delimiter in prop::sample::select(vec![',', ';', '|', '\t']),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        size in 1..64_usize,
        has_last_end: bool,
    ) {
        let (file, places) = write(&rows, delimiter, end);
        let file = if has_last_end { &*file } else { file.trim_end_matches(['\r', '\n']) };
        let key = if delimiter == '\t' { "tab".to_owned() } else { delimiter.to_string() };
        let profile = small(&format!("delimiter = \"{key}\""));
        let outcome = read(Chunks { input: file.as_bytes(), size }, &profile);

        prop_assert_eq!(&outcome.file_rejected, &None);
        prop_assert_eq!(&outcome.rejected, &[]);
        prop_assert_eq!(outcome.entries.len(), rows.len());
        for ((entry, row), place) in outcome.entries.iter().zip(&rows).zip(places) {
            prop_assert_eq!((entry.at.line, entry.at.byte), place);
            prop_assert_eq!(entry.keys.payment_id.as_deref(), Some(&*row.id));
            prop_assert_eq!(entry.kind.code().map(|code| code.0), Some(format!("R{:02}", row.code)));
            prop_assert_eq!(entry.amount.map(|amount| amount.minor()), Some(row.minor));
            prop_assert_eq!(entry.description.as_deref(), Some(&*row.text));
        }
        let sum: i64 = rows.iter().map(|row| row.minor).sum();
        prop_assert_eq!(outcome.summary.debit_minor, sum);
    }

    #[test]
    fn a_file_cut_anywhere_gives_no_row_that_was_not_written(
        rows in prop::collection::vec(written(), 1..5),
        part in 0..1000_usize,
    ) {
        let (file, _) = write(&rows, ',', "\n");
        let cut = &file.as_bytes()[..file.len() * part / 1000];
        let outcome = read(cut, &small(""));
        for (entry, row) in outcome.entries.iter().zip(&rows) {
            prop_assert_eq!(entry.keys.payment_id.as_deref(), Some(&*row.id));
            prop_assert_eq!(entry.amount.map(|amount| amount.minor()), Some(row.minor));
        }
        // All rows before the cut are there, or the file is rejected.
        let whole = outcome.entries.len();
        prop_assert!(outcome.rejected.is_empty());
        prop_assert!(outcome.file_rejected.is_some() || write(&rows[..whole], ',', "\n").0.len() + 30 >= cut.len() || whole == rows.len());
    }

    #[test]
    fn any_bytes_are_read_or_rejected_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        size in 1..50_usize,
    ) {
        for profile in every_profile() {
            read(Chunks { input: &bytes[..], size }, &profile);
        }
    }

    #[test]
    fn anything_like_a_file_is_read_or_rejected_in_any_chunks_alike(
        text in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..80),
        size in 1..9_usize,
    ) {
        let text = text.concat();
        for (profile, header) in every_profile().into_iter().zip(HEADERS) {
            let file = [header.as_bytes(), &text].concat();
            let whole = read(&file[..], &profile);
            let chunked = read(Chunks { input: &file[..], size }, &profile);
            prop_assert_eq!(format!("{whole:?}"), format!("{chunked:?}"));
        }
    }
}

const PIECES: &[&[u8]] = &[
    b",",
    b",",
    b",",
    b"|",
    b"\n",
    b"\r\n",
    b"\r",
    b"\"",
    b"\"\"",
    b" ",
    b"a",
    b"R01",
    b"C02",
    b"900",
    b"1.00",
    b"-(1,000)",
    b"01/05/2024",
    b"'12345678901",
    b"=\"01\"",
    b"TRAILER",
    b"END",
    b"Detail",
    b"ICHECK",
    b"NO RETURNS REPORTED",
    b"\xFC",
    b"\xC3",
    b"\xA9",
    b"\xEF\xBB\xBF",
    b"2101",
    b"FISC",
    b"8.3E+16",
    b"\xC2\xA0",
    b"+",
    b"$",
    b"()",
    b".",
];

const HEADERS: [&str; 4] = [
    "id,code,amount,date,text\n",
    "case id,worldpay payment id,reason code,chargeback amt,chargeback currency\n",
    "funds transfer request id,reason code,funds transfer amount,txn type,account number\n",
    "",
];

/// The profiles of `HEADERS`, and then those of other vendors.
fn every_profile() -> Vec<Profile> {
    let mut profiles = vec![
        small(""),
        worldpay::echeck_return(),
        worldpay::funding_reject().with_unit(AmountUnit::Major),
    ];
    profiles.extend(PROFILES.iter().map(|toml| profile(toml)));
    profiles
}
