//! Deviations of form: each file says the same as `plain.ach`, or nearly, and is read.

use ach::format::Emptiness;
use ach::format::nacha::Tolerance;

use crate::parsed::{ParsedFile, file};

/// The entries of `plain.ach` without their lines.
const PLAIN: [&str; 3] = [
    "return R01 debit 12354 061000050000001",
    "return R03 credit 4565 061000050000002",
    "correction C01 debit 0 061000050000003",
];

fn without_line(text: &str) -> &str {
    text.split_once(' ').unwrap().1
}

/// Reads a file that says the same as `plain.ach` and compares its findings.
fn same_as_plain(name: &str, findings: &[&str]) {
    let outcome = ParsedFile::of_file(name);
    let lines = outcome.lines();
    let entries: Vec<_> = lines.iter().map(|line| without_line(line)).collect();
    assert_eq!(entries, PLAIN, "{name}");
    assert_eq!(outcome.findings(), findings, "{name}");
    assert_eq!(outcome.rejected, [], "{name}");
    assert_eq!(
        (outcome.summary.entries, outcome.summary.emptiness),
        (3, None),
        "{name}"
    );
    assert_eq!(
        (outcome.summary.debit_minor, outcome.summary.credit_minor),
        (12354, 4565)
    );
    points_at_its_records(name, &outcome);
}

/// Every position points at the first byte of an entry detail.
fn points_at_its_records(name: &str, outcome: &ParsedFile) {
    let bytes = file(name);
    for entry in &outcome.entries {
        let start = usize::try_from(entry.at.byte).unwrap();
        assert_eq!(bytes[start], b'6', "{name}: {:?}", entry.at);
        let amount = std::str::from_utf8(&bytes[start + 29..start + 39]).unwrap();
        assert_eq!(amount.parse(), Ok(entry.amount.unwrap().minor()), "{name}");
    }
}

#[test]
fn a_file_by_the_rules_is_read_without_findings() {
    same_as_plain("plain.ach", &[]);
}

#[test]
fn every_way_to_end_lines_is_read() {
    for name in [
        "cr.ach",
        "crlf.ach",
        "mixed_line_ends.ach",
        "no_final_line_end.ach",
        "no_line_ends.ach",
        "blocks_of_940.ach",
        "byte_order_mark.ach",
    ] {
        same_as_plain(name, &[]);
    }
}

#[test]
fn records_are_numbered_where_there_are_no_lines() {
    let lines = |name| {
        ParsedFile::of_file(name)
            .entries
            .iter()
            .map(|e| e.at.line)
            .collect::<Vec<_>>()
    };
    for name in [
        "plain.ach",
        "no_line_ends.ach",
        "blocks_of_940.ach",
        "mixed_line_ends.ach",
    ] {
        assert_eq!(lines(name), [3, 5, 9], "{name}");
    }
    assert_eq!(lines("blank_lines.ach"), [5, 9, 16]);
}

#[test]
fn blanks_cut_off_or_added_do_not_matter() {
    same_as_plain("trailing_blanks_cut.ach", &[]);
    same_as_plain("trailing_blanks_cut_no_filler.ach", &["missing_filler"]);
    same_as_plain("blanks_beyond_94.ach", &[]);
    same_as_plain("blank_lines.ach", &["blank lines"]);
}

#[test]
fn blocks_need_not_be_right() {
    same_as_plain("no_filler.ach", &["missing_filler"]);
    same_as_plain("too_much_filler.ach", &[]);
    same_as_plain("wrong_block_count.ach", &["block_count"]);
}

#[test]
fn headers_and_controls_may_be_missing() {
    same_as_plain(
        "no_file_header.ach",
        &["missing_file_header", "missing_filler"],
    );
    same_as_plain("no_file_control.ach", &["missing_file_control"]);
    same_as_plain(
        "no_batch_controls.ach",
        &["missing_batch_control", "missing_filler"],
    );
    same_as_plain(
        "no_headers_and_controls.ach",
        &[
            "missing_batch_control",
            "missing_file_control",
            "missing_file_header",
        ],
    );
    same_as_plain(
        "only_entries.ach",
        &[
            "missing_batch_header",
            "missing_file_control",
            "missing_file_header",
        ],
    );
}

#[test]
fn a_batch_control_may_repeat_its_header_differently() {
    same_as_plain("batch_fields_differ.ach", &["batch_fields"]);
    let outcome = ParsedFile::of_file("batch_fields_differ.ach");
    assert_eq!(outcome.summary.findings[0].count, 3);
}

#[test]
fn text_of_the_bank_around_the_records_is_skipped() {
    same_as_plain("banners.ach", &["blank lines", "surrounding_text"]);
}

#[test]
fn codes_and_classes_in_lower_case_are_read() {
    same_as_plain("lower_case.ach", &[]);
    let outcome = ParsedFile::of_file("lower_case.ach");
    let classes: Vec<_> = outcome
        .entries
        .iter()
        .map(|e| e.sec.as_deref().unwrap())
        .collect();
    assert_eq!(classes, ["WEB", "WEB", "COR"]);
}

#[test]
fn batch_numbers_need_not_ascend() {
    let outcome = ParsedFile::of_file("batches_out_of_order.ach");
    assert_eq!(outcome.lines().len(), 3);
    assert_eq!(outcome.findings(), ["batch_order"]);
}

#[test]
fn a_wrong_check_digit_is_reported() {
    let outcome = ParsedFile::of_file("wrong_check_digit.ach");
    assert_eq!(
        outcome.lines(),
        ["3 return R01 debit 12354 061000050000001"]
    );
    assert_eq!(outcome.findings(), ["check_digits"]);
}

#[test]
fn trace_numbers_get_back_the_zeros_that_were_lost() {
    let outcome = ParsedFile::of_file("short_traces.ach");
    assert_eq!(
        outcome.lines(),
        [
            "3 return R01 debit 12354 061000050000001",
            "5 return R02 debit 100 061000050000002"
        ]
    );
    let traces: Vec<_> = outcome
        .entries
        .iter()
        .map(|e| e.keys.return_trace.clone())
        .collect();
    assert_eq!(traces[0].as_deref(), Some("071000300000001"));
    assert_eq!(outcome.findings(), Vec::<&str>::new());
}

#[test]
fn trace_numbers_that_are_no_numbers_are_kept() {
    let outcome = ParsedFile::of_file("custom_trace.ach");
    assert_eq!(
        outcome.entries[0].keys.original_trace.as_deref(),
        Some("ORCHARD-17")
    );
    assert_eq!(
        outcome.entries[0].keys.return_trace.as_deref(),
        Some("TR-9")
    );
}

#[test]
fn an_addenda_without_its_own_trace_has_the_one_of_its_entry() {
    let outcome = ParsedFile::of_file("zero_addenda_trace.ach");
    let traces: Vec<_> = outcome
        .entries
        .iter()
        .map(|e| {
            (
                e.keys.original_trace.as_deref(),
                e.keys.return_trace.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        traces,
        [
            (Some("061000050000001"), Some("071000300000001")),
            (None, Some("071000300000002")),
        ]
    );
}

#[test]
fn names_outside_ascii_are_read_in_every_encoding() {
    for (name, company, words) in [
        ("windows_1252.ach", "CAFÉ ORCHARD", "NAME – ÖBERG"),
        ("utf8_characters.ach", "CAFÉ ORCHARD", "NAME – ŻANETA"),
        ("utf8_no_line_ends.ach", "CAFÉ ORCHARD", "NAME – ŻANETA"),
        ("utf8_bytes.ach", "CAFÉ", "NAME ÖBERG"),
    ] {
        let outcome = ParsedFile::of_file(name);
        assert_eq!(
            outcome.lines(),
            ["3 return R17 debit 12354 061000050000001"],
            "{name}"
        );
        let entry = &outcome.entries[0];
        assert_eq!(entry.company_name.as_deref(), Some(company), "{name}");
        assert_eq!(entry.description.as_deref(), Some(words), "{name}");
        assert_eq!(outcome.findings(), Vec::<&str>::new(), "{name}");
        points_at_its_records(
            name,
            &ParsedFile {
                entries: Vec::new(),
                ..outcome
            },
        );
    }
}

#[test]
fn control_characters_are_reported_and_skipped() {
    let outcome = ParsedFile::of_file("control_characters.ach");
    assert_eq!(
        outcome.lines(),
        ["3 return R01 debit 12354 061000050000001"]
    );
    assert_eq!(outcome.entries[0].description.as_deref(), Some("A B"));
    assert_eq!(outcome.findings(), ["control characters"]);
}

#[test]
fn a_file_without_entries_says_how_it_is_empty() {
    let emptiness = |bytes: &[u8]| {
        let outcome = ParsedFile::of(bytes, ach::format::nacha::Tolerance::default());
        assert_eq!((outcome.file_rejected, outcome.summary.entries), (None, 0));
        outcome.summary.emptiness
    };
    assert_eq!(emptiness(b""), Some(Emptiness::NoBytes));
    assert_eq!(
        emptiness(b"\xEF\xBB\xBF \r\n\r\n   "),
        Some(Emptiness::NoBytes)
    );
    assert_eq!(
        emptiness(&file("zero_batches.ach")),
        Some(Emptiness::HeaderOnly)
    );
    assert_eq!(
        emptiness(&file("zero_batches_short.ach")),
        Some(Emptiness::HeaderOnly)
    );
    assert_eq!(
        emptiness(b"*** NO RETURNS REPORTED ***\r\n"),
        Some(Emptiness::Sentence)
    );
    assert_eq!(
        emptiness(&file("consolidated_without_returns.ach")),
        Some(Emptiness::LeftOut)
    );
}

#[test]
fn data_or_a_failure_in_words_is_never_a_file_without_entries() {
    for text in [
        "ref,code,amount,reason\nMRP-1,R03,88.00,No Account - item returned\nMRP-2,R01,5.00,NSF\n",
        "NO RETURNS REPORTED\nMRP-1;88.00;3;NSF\n",
        "ERROR 503: no data connection to server\n",
        "There was no file transfer possible\n",
    ] {
        let outcome = ParsedFile::of(text.as_bytes(), Tolerance::default());
        let rejected = outcome.file_rejected.unwrap_or_else(|| panic!("{text}"));
        assert!(rejected.why.contains("not a NACHA file"), "{rejected:?}");
    }
}

#[test]
fn nul_bytes_that_fill_up_the_file_are_skipped() {
    let expected = ParsedFile::of_file("plain.ach").lines();
    for filler in [&b"\0"[..], &[0; 5_000], b"\0\0\r\n\0\0\r\n", &[0; 200_000]] {
        let mut bytes = file("plain.ach");
        bytes.extend_from_slice(filler);
        let outcome = ParsedFile::of(bytes.as_slice(), Tolerance::default());
        assert_eq!(outcome.lines(), expected);
        assert!(outcome.findings().contains(&"NUL bytes at the end"));
    }
    let mut within = file("plain.ach");
    within.truncate(190);
    within.extend_from_slice(b"\0\0\0\0\n");
    within.extend_from_slice(&file("plain.ach")[190..]);
    let outcome = ParsedFile::of(within.as_slice(), Tolerance::default());
    assert!(outcome.file_rejected.is_some());
}

#[test]
fn filler_with_zeros_in_it_is_filler() {
    let text = String::from_utf8(file("plain.ach")).unwrap();
    let nines = "9".repeat(94);
    assert!(text.contains(&nines));
    let stray = format!("{}00{}0{}", "9".repeat(30), "9".repeat(40), "9".repeat(21));
    let outcome = ParsedFile::of(
        text.replacen(&nines, &stray, 1).as_bytes(),
        Tolerance::default(),
    );
    assert_eq!(outcome.lines(), ParsedFile::of_file("plain.ach").lines());
    assert_eq!(outcome.findings(), ["filler with zeros"]);
    let control = "9000000000000000000000000000000000000000000000000000000";
    let second = text.replacen(&nines, &format!("{control:<94}"), 1);
    let outcome = ParsedFile::of(second.as_bytes(), Tolerance::default());
    assert!(outcome.file_rejected.is_some());
}

#[test]
fn what_is_no_nacha_file_is_called_by_its_name() {
    for (bytes, name) in [
        (&b"%PDF-1.4\nreturns"[..], "PDF"),
        (b"<html><body>Please sign in</body></html>", "login"),
        (b"{\"returns\": []}", "JSON"),
    ] {
        let outcome = ParsedFile::of(bytes, Tolerance::default());
        let why = outcome.file_rejected.unwrap().why;
        assert!(
            why.contains("not a NACHA file") && why.contains(name),
            "{why}"
        );
    }
}
