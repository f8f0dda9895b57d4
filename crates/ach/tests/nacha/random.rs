//! Random files, in random pieces, give back what was written; random bytes never panic.

use std::io::{self, Read};

use ach::format::nacha::Tolerance;
use proptest::prelude::*;

use crate::parsed::{ParsedFile, file};
use crate::writer::{Written, records};

/// Gives the bytes in pieces of the sizes given, over and over.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: &'a [usize],
    next: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.next % self.sizes.len()].min(into.len());
        self.next += 1;
        self.bytes.read(&mut into[..size])
    }
}

/// Words without digits: what may be an account number is masked, and that has its own tests.
fn words(longest: usize) -> impl Strategy<Value = String> {
    let pattern = format!("[A-Z]([A-Z .é–]{{0,{}}}[A-Z])?", longest - 2);
    proptest::string::string_regex(&pattern).unwrap()
}

fn written() -> impl Strategy<Value = Written> {
    let codes = prop_oneof![
        Just("26"),
        Just("21"),
        Just("36"),
        Just("31"),
        Just("46"),
        Just("56")
    ];
    let reasons = prop_oneof!["R0[1-9]", "R1[0-9]", "R97", "X[0-9]{2}"];
    (
        codes,
        0..100_000_000_u32,
        reasons,
        1..10_000_000_u32,
        "[A-Z0-9]{1,15}",
        words(22),
        words(44),
    )
        .prop_map(
            |(transaction_code, amount_minor, code, sequence, individual_id, name, information)| {
                Written {
                    transaction_code,
                    amount_minor,
                    code,
                    sequence,
                    individual_id,
                    name,
                    information,
                }
            },
        )
}

/// Writes the records with the given line ends, over and over.
fn join(records: &[String], line_ends: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, record) in records.iter().enumerate() {
        bytes.extend_from_slice(record.as_bytes());
        bytes.extend_from_slice(line_ends[index % line_ends.len()].as_bytes());
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_written_is_read_with_any_line_ends_and_in_any_pieces(
        batches in prop::collection::vec(prop::collection::vec(written(), 0..40), 0..6),
        line_ends in prop::collection::vec(
            prop_oneof![Just("\n"), Just("\r"), Just("\r\n"), Just(""), Just("  \n")], 1..4),
        sizes in prop::collection::vec(1..3000_usize, 1..5),
    ) {
        let bytes = join(&records(&batches), &line_ends);
        let input = Pieces { bytes: &bytes, sizes: &sizes, next: 0 };
        let outcome = ParsedFile::of(input, Tolerance::default());
        prop_assert_eq!(&outcome.file_rejected, &None);
        prop_assert_eq!(&outcome.rejected, &vec![]);
        prop_assert_eq!(&outcome.summary.findings, &vec![]);
        let all: Vec<_> = batches.iter().flatten().collect();
        prop_assert_eq!(outcome.entries.len(), all.len());
        for (entry, written) in outcome.entries.iter().zip(all) {
            let code = entry.kind.code().map(|(code, _)| code);
            prop_assert_eq!(code.as_deref(), Some(written.code.as_str()));
            prop_assert_eq!(entry.amount.unwrap().minor(), i64::from(written.amount_minor));
            prop_assert_eq!(entry.direction.as_str(), if written.is_debit() { "debit" } else { "credit" });
            prop_assert_eq!(entry.keys.original_trace.clone(), Some(written.original_trace()));
            prop_assert_eq!(entry.keys.individual_id.as_ref(), Some(&written.individual_id));
            prop_assert_eq!(entry.description.as_ref(), Some(&written.information));
            let start = usize::try_from(entry.at.byte).unwrap();
            let head = format!("6{}061000052", written.transaction_code);
            prop_assert!(bytes[start..].starts_with(head.as_bytes()), "{:?}", entry.at);
        }
        let debits: i64 = batches.iter().flatten().filter(|entry| entry.is_debit())
            .map(|entry| i64::from(entry.amount_minor)).sum();
        prop_assert_eq!(outcome.summary.debit_minor, debits);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let _ = ParsedFile::of(bytes.as_slice(), Tolerance::default());
    }

    #[test]
    fn random_records_never_panic(
        lines in prop::collection::vec("[156789][ 0-9A-Zé]{60,110}|7(98|99)[RC][0-9]{2}[ 0-9A-Zé\u{1}]{88}", 0..40),
    ) {
        let _ = ParsedFile::of(lines.join("\n").as_bytes(), Tolerance::default());
        let _ = ParsedFile::of(lines.concat().as_bytes(), Tolerance::default());
    }
}

#[test]
fn a_changed_byte_never_changes_money_unseen() {
    let original = file("plain.ach");
    for place in 0..original.len() {
        for byte in *b"019X \n\xE9" {
            let mut bytes = original.clone();
            bytes[place] = byte;
            let ParsedFile {
                entries,
                rejected,
                summary,
                file_rejected,
            } = ParsedFile::of(bytes.as_slice(), Tolerance::default());
            let same = (summary.debit_minor, summary.credit_minor) == (12354, 4565);
            let seen = file_rejected.is_some()
                || !rejected.is_empty()
                || summary.unknown_minor > 0
                || !summary.findings.is_empty();
            assert!(
                same && entries.len() == 3 || seen,
                "byte {place} changed to {byte}"
            );
        }
    }
}
