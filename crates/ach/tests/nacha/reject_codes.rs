//! What the bank refused before it entered the network: entries with a reject code, and files
//! that have nothing but entries that are left out.

use ach::entry::EntryKind;
use ach::format::Emptiness;
use ach::format::nacha::Tolerance;

use crate::parsed::ParsedFile;

/// A file of these batches: what is in columns 80 to 87 of the file header, then for each batch
/// what is there in its header, and its records. It has no controls.
pub(crate) fn file(file_mark: &str, batches: &[(&str, &[String])]) -> String {
    let mut lines = vec![format!(
        "101 06100005200710003012607060215A094101{:<23}{:<16}{file_mark:<8}",
        "ORCHARD PAYMENTS", "FIRST LAKE BANK"
    )];
    for (number, (mark, records)) in batches.iter().enumerate() {
        lines.push(format!(
            "5225{:<36}1452036987WEB{:<10}2607012607021841{mark:<8}{number:07}",
            "ORCHARD SUPPLY", "FRUIT"
        ));
        lines.extend(records.iter().cloned());
    }
    lines.iter().map(|line| format!("{line:<94}\n")).collect()
}

/// A forward debit of 19.75 whose columns 79 to 94 are these.
pub(crate) fn debit(end: &str) -> String {
    format!(
        "627071000301{:<17}0000001975{:<15}{:<22}  {end}",
        "55501234567", "ORDER-4471", "PAT ORCHARD"
    )
}

fn read(text: &str) -> ParsedFile {
    ParsedFile::of(text.as_bytes(), Tolerance::default().without_controls())
}

#[test]
fn an_entry_with_a_reject_code_is_a_validation_failure_with_its_ids() {
    let outcome = read(&file("", &[("06100005", &[debit("0REJ041170000023")])]));
    assert_eq!(outcome.file_rejected, None);
    let [entry] = &outcome.entries[..] else {
        panic!("{:?}", outcome.rejected)
    };
    assert_eq!(
        entry.kind,
        EntryKind::ValidationFailure {
            code: Some("REJ04117".into())
        }
    );
    assert_eq!(entry.amount.unwrap().minor(), 1_975);
    assert_eq!(entry.direction.as_str(), "debit");
    // The bank is in the batch header, because the code is in its place.
    assert_eq!(
        entry.keys.original_trace.as_deref(),
        Some("061000050000023")
    );
    assert_eq!(entry.keys.individual_id.as_deref(), Some("ORDER-4471"));
    assert_eq!((&entry.keys.return_trace, &entry.odfi), (&None, &None));
    assert_eq!(
        (outcome.summary.debit_minor, outcome.summary.left_out),
        (1_975, 0)
    );
}

#[test]
fn a_rejected_batch_or_file_fails_every_entry_in_it() {
    let trace = "0061000050000024";
    let (one, other) = ([debit(trace)], [debit("0061000050000025")]);
    let batch = read(&file("", &[("REJ02001", &one), ("06100005", &other)]));
    let codes = |outcome: &ParsedFile| -> Vec<_> {
        let entries = outcome.entries.iter();
        entries.map(|entry| entry.kind.code().unwrap().0).collect()
    };
    assert_eq!(codes(&batch), ["REJ02001"]);
    assert_eq!(batch.summary.left_out, 1);
    assert_eq!(
        batch.entries[0].keys.original_trace.as_deref(),
        Some("061000050000024")
    );
    let whole = read(&file(
        "REJ01003",
        &[("06100005", &one), ("06100005", &other)],
    ));
    assert_eq!(codes(&whole), ["REJ01003", "REJ01003"]);
}

#[test]
fn a_reject_beside_an_addenda_99_is_for_a_person() {
    let back = format!("799R01061000050000026{:6}06100005", "");
    let records = [debit("1REJ041170000026"), back];
    let outcome = read(&file("", &[("06100005", &records)]));
    assert_eq!(outcome.entries, []);
    assert!(outcome.rejected[0].why.contains("ask the sender"));
    assert_eq!(outcome.rejected[0].amount_minor, Some(1_975));
}

#[test]
fn a_file_of_entries_that_are_all_left_out_says_so() {
    let records = [debit("0061000050000027"), debit("0061000050000028")];
    let outcome = read(&file("", &[("06100005", &records)]));
    assert_eq!(outcome.entries, []);
    assert_eq!(outcome.summary.left_out, 2);
    assert_eq!(outcome.summary.emptiness, Some(Emptiness::LeftOut));
}
