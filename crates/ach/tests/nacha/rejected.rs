//! Lines that are rejected one by one, and files that are rejected whole.

use ach::format::nacha::Tolerance;

use crate::parsed::{ParsedFile, file};

#[test]
fn lines_that_cannot_be_read_are_rejected_one_by_one_and_reading_continues() {
    let outcome = ParsedFile::of_file("bad_lines.ach");
    assert_eq!(
        outcome.lines(),
        [
            "3 return R01 debit 12354 061000050000001",
            "17 return R01 debit 100 061000050000009"
        ]
    );
    let rejected: Vec<_> = outcome
        .rejected
        .iter()
        .map(|line| {
            (
                line.at.line,
                line.field.as_deref().unwrap(),
                line.amount_minor,
            )
        })
        .collect();
    assert_eq!(
        rejected,
        [
            (5, "amount (30-39)", None),
            (8, "record length", Some(300)),
            (10, "reason code (4-6)", Some(400)),
            (11, "addenda record indicator (79)", Some(500)),
            (12, "addenda record indicator (79)", Some(600)),
            (14, "addenda type code (2-3)", Some(700)),
            (16, "record length", Some(800)),
        ]
    );
    assert_eq!((outcome.summary.entries, outcome.summary.rejected), (2, 7));
    assert_eq!(outcome.summary.debit_minor, 12454);
    assert_eq!(outcome.findings(), ["totals that could not be checked"]);
}

#[test]
fn an_addenda_without_an_entry_is_rejected() {
    let outcome = ParsedFile::of_file("orphan_addenda.ach");
    assert_eq!(outcome.lines(), ["4 return R01 debit 100 061000050000002"]);
    assert_eq!(outcome.rejected[0].at.line, 3);
}

#[test]
fn an_unreadable_routing_number_leaves_only_the_hash_unchecked() {
    let outcome = ParsedFile::of_file("unreadable_routing.ach");
    assert_eq!(
        outcome.lines(),
        ["3 return R01 debit 12354 061000050000001"]
    );
    assert_eq!(outcome.findings(), ["totals that could not be checked"]);
}

#[test]
fn controls_that_do_not_fit_reject_the_file_and_name_line_and_field() {
    for (name, line, field) in [
        ("wrong_entry_count.ach", 7, "entry and addenda count (5-10)"),
        ("wrong_entry_hash.ach", 7, "entry hash (11-20)"),
        ("wrong_debit_total.ach", 7, "total debit amount (21-32)"),
        ("wrong_credit_total.ach", 7, "total credit amount (33-44)"),
        ("wrong_file_total.ach", 12, "total debit amount (32-43)"),
        (
            "wrong_file_count.ach",
            12,
            "entry and addenda count (14-21)",
        ),
        ("wrong_file_hash.ach", 12, "entry hash (22-31)"),
        ("wrong_batch_count.ach", 12, "batch count (2-7)"),
    ] {
        assert_eq!(
            ParsedFile::of_file(name).file_rejection(),
            (Some(line), field),
            "{name}"
        );
    }
}

#[test]
fn a_rejection_says_what_was_found_what_was_expected_and_what_to_do() {
    let rejected = ParsedFile::of_file("wrong_file_total.ach")
        .file_rejected
        .unwrap();
    assert_eq!(
        rejected.to_string(),
        "line 12: total debit amount (32-43): says USD 23.54, but the records add up to \
         USD 123.54; ask the sender for a correct file, or tolerate it with the source's setting \
         `money_totals`"
    );
}

#[test]
fn a_source_may_tolerate_each_difference() {
    let all = Tolerance {
        entry_counts: true,
        entry_hash: true,
        money_totals: true,
        batch_count: true,
        ..Tolerance::default()
    };
    for (name, finding) in [
        ("wrong_entry_count.ach", "entry_counts"),
        ("wrong_entry_hash.ach", "entry_hash"),
        ("wrong_debit_total.ach", "money_totals"),
        ("wrong_file_total.ach", "money_totals"),
        ("wrong_batch_count.ach", "batch_count"),
    ] {
        let outcome = ParsedFile::of(file(name).as_slice(), all);
        assert_eq!(outcome.lines().len(), 3, "{name}");
        assert_eq!(outcome.findings(), [finding], "{name}");
    }
}

#[test]
fn a_source_may_tolerate_no_difference() {
    let none = Tolerance {
        block_count: false,
        missing_filler: false,
        missing_file_header: false,
        missing_file_control: false,
        missing_batch_header: false,
        missing_batch_control: false,
        batch_order: false,
        batch_fields: false,
        check_digits: false,
        surrounding_text: false,
        ..Tolerance::default()
    };
    for name in [
        "wrong_block_count.ach",
        "no_filler.ach",
        "no_file_header.ach",
        "no_file_control.ach",
        "only_entries.ach",
        "no_batch_controls.ach",
        "batches_out_of_order.ach",
        "batch_fields_differ.ach",
        "wrong_check_digit.ach",
        "banners.ach",
    ] {
        let outcome = ParsedFile::of(file(name).as_slice(), none);
        assert!(outcome.file_rejected.is_some(), "{name}");
    }
    assert_eq!(
        ParsedFile::of(file("plain.ach").as_slice(), none)
            .lines()
            .len(),
        3
    );
}

#[test]
fn a_record_of_the_wrong_length_rejects_the_file() {
    for (name, length) in [("entry_too_short.ach", "93"), ("entry_too_long.ach", "95")] {
        let rejected = ParsedFile::of_file(name).file_rejected.unwrap();
        assert_eq!(rejected.at.unwrap().line, 3, "{name}");
        assert!(rejected.why.contains(length), "{name}: {}", rejected.why);
    }
}

#[test]
fn a_file_that_is_cut_off_is_rejected() {
    for (name, line) in [
        ("truncated_entry.ach", 5),
        ("truncated_addenda.ach", 4),
        ("truncated_before_addenda.ach", 3),
        ("truncated_in_second_batch.ach", 9),
        ("truncated_filler.ach", 20),
    ] {
        let rejected = ParsedFile::of_file(name).file_rejected.unwrap();
        assert_eq!(rejected.at.unwrap().line, line, "{name}");
        assert!(rejected.why.contains("cut off"), "{name}: {}", rejected.why);
    }
}

#[test]
fn a_file_cut_off_within_a_record_is_never_accepted() {
    let bytes = file("plain.ach");
    // Beyond the file control there is only filler, which is rejected when it is cut too.
    for end in 1..bytes.len() - 1 {
        let within = end % 95;
        let rejected = ParsedFile::of(&bytes[..end], Tolerance::default())
            .file_rejected
            .is_some();
        // A header up to its names and a control up to its totals may be short of blanks.
        let may_be_whole = match end / 95 {
            0 => within >= 40,
            11 => within >= 55,
            _ => false,
        };
        assert!(
            rejected || within == 0 || within == 94 || may_be_whole,
            "cut at byte {end}"
        );
    }
}

#[test]
fn files_one_behind_the_other_are_each_checked_by_their_own_control() {
    let whole = ParsedFile::of_file("two_files.ach");
    assert_eq!(whole.lines().len(), 6);
    assert_eq!(whole.findings(), ["several files one behind the other"]);
    let lines = String::from_utf8(file("two_files.ach")).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let rejection = |lines: &[&str]| {
        let outcome = ParsedFile::of(lines.join("\n").as_bytes(), Tolerance::default());
        outcome.file_rejection().0
    };
    // One amount more in the second file.
    let other = lines[22].replace("0000012354", "0000012355");
    let mut wrong = lines.clone();
    wrong[22] = &other;
    assert_eq!(rejection(&wrong), Some(27));
    // The first file without its control, and the second cut off.
    assert_eq!(rejection(&[&lines[..11], &lines[20..]].concat()), Some(12));
    assert_eq!(rejection(&lines[..28]), Some(28));
}

#[test]
fn text_between_records_rejects_the_file() {
    assert_eq!(
        ParsedFile::of_file("text_between_records.ach").file_rejection(),
        (Some(5), "record type (1)")
    );
}

#[test]
fn what_is_not_a_nacha_file_is_rejected() {
    let csv = "Case ID,Amount\n".to_owned() + &"83997656989609888,12.00\n".repeat(1000);
    let random: Vec<u8> = (0..5000_u32).map(|n| (n * 7919 % 251) as u8).collect();
    for (bytes, word) in [
        (csv.as_bytes(), "NACHA"),
        (b"hello\n", "no line of it is a record"),
        (b"\x1F\x8B\x08\x00\x00", "gzip"),
        (b"PK\x03\x04\x14\x00", "zip"),
        (b"-----BEGIN PGP MESSAGE-----\n\nhQEMA", "PGP"),
        (b"\xFF\xFE1\x000\x001\x00", "UTF-16"),
        (b"1 return came in today\n", "not a file header"),
        (b"<html><body>503</body></html>", "web page"),
        ("9".repeat(940).as_bytes(), "filler"),
        (&[0; 500], "not text"),
        (&random, "NACHA"),
    ] {
        let outcome = ParsedFile::of(bytes, Tolerance::default());
        let rejected = outcome
            .file_rejected
            .unwrap_or_else(|| panic!("{word}: it was read"));
        assert!(rejected.why.contains(word), "{}", rejected.why);
    }
}

#[test]
fn no_account_number_is_in_a_rejection() {
    for name in [
        "bad_lines.ach",
        "entry_too_short.ach",
        "truncated_entry.ach",
        "wrong_debit_total.ach",
    ] {
        let outcome = ParsedFile::of_file(name);
        let shown = format!(
            "{:?} {:?} {:?}",
            outcome.file_rejected, outcome.rejected, outcome.summary
        );
        assert!(!shown.contains("987654321012"), "{name}: {shown}");
    }
}
