//! The layouts of entry classes and of corrections, and dates that nobody gave.

use ach::entry::{Corrected, EntryKind};
use ach::format::nacha::Tolerance;
use chrono::NaiveDate;

use crate::parsed::ParsedFile;
use crate::reject_codes::{debit, file};

fn date(text: &str) -> Option<NaiveDate> {
    Some(text.parse().unwrap())
}

#[test]
fn what_stands_in_place_of_the_individual_id_is_read_as_its_class_says() {
    let keys = |class: &str, columns: &str| {
        let record = format!(
            "626061000052{:<17}0000001975{columns:<39}1071000300000029",
            "55501234567"
        );
        let records = [record, format!("799R03061000050000029{:6}06100005", "")];
        let text = file("", &[("07100030", &records)])
            .replace("1452036987WEB", &format!("1452036987{class}"));
        let outcome = ParsedFile::of(text.as_bytes(), Tolerance::default().without_controls());
        let keys = &outcome.entries[0].keys;
        let shown = |key: &Option<String>| key.clone().unwrap_or_default();
        (shown(&keys.individual_id), shown(&keys.check_serial_number))
    };
    let id = |individual: &str, check: &str| (individual.to_owned(), check.to_owned());
    for class in ["ARC", "BOC", "RCK", "TRC", "XCK"] {
        assert_eq!(
            keys(class, "000000000003318PAT ORCHARD"),
            id("", "000000000003318"),
            "{class}"
        );
    }
    assert_eq!(keys("POP", "     3318ELKGWIPAT ORCHARD"), id("", "3318"));
    assert_eq!(keys("SHR", "112900000044719999888877776666"), id("", ""));
    for class in ["PPD", "WEB", "TEL", "CCD", "CTX", "POS", "COR"] {
        assert_eq!(
            keys(class, "ORDER-3318     PAT ORCHARD"),
            id("ORDER-3318", ""),
            "{class}"
        );
    }
}

#[test]
fn a_change_code_in_an_addenda_99_is_a_correction() {
    let detail = format!(
        "626061000052{:<17}0000000000{:<15}{:<24}1071000300000031",
        "55501234567", "ORDER-4471", "PAT ORCHARD"
    );
    let records = [
        detail,
        format!("799C02061000050000031{:6}0610000507100030", ""),
    ];
    let text = file("", &[("07100030", &records)]);
    let outcome = ParsedFile::of(text.as_bytes(), Tolerance::default().without_controls());
    assert_eq!(
        outcome.lines(),
        ["3 correction C02 debit 0 061000050000031"]
    );
    let EntryKind::Correction { corrected, .. } = &outcome.entries[0].kind else {
        panic!()
    };
    assert_eq!(corrected[..], [Corrected::Routing("071000301".into())]);
    assert_eq!(outcome.entries[0].description, None);
    assert!(outcome.findings().contains(&"corrections in an addenda 99"));
    assert!(outcome.findings().contains(&"completed routing numbers"));
    let wrong = text.replace("0610000507100030", "06100005071000302");
    let outcome = ParsedFile::of(wrong.as_bytes(), Tolerance::default().without_controls());
    assert!(matches!(
        &outcome.entries[0].kind,
        EntryKind::Correction { corrected, .. } if matches!(corrected[..], [Corrected::Unreadable(_)])
    ));
    assert!(
        outcome
            .findings()
            .contains(&"corrected data that cannot be read")
    );
}

#[test]
fn a_date_that_nobody_gave_is_unknown() {
    let back = format!("799R01061000050000033{:6}06100005", "");
    let records = [debit("1071000300000033"), back];
    let text = file("", &[("07100030", &records)]);
    let read = |from: &str, to: &str| {
        let text = text.replacen(from, to, 1);
        let outcome = ParsedFile::of(text.as_bytes(), Tolerance::default().without_controls());
        let entry = &outcome.entries[0];
        let dates = (entry.original_date, entry.settlement_date);
        (dates, outcome.findings().contains(&"implausible dates"))
    };
    let settled = date("2026-07-03");
    // The effective date of the batch.
    assert_eq!(
        read("260702184", "260702184"),
        ((date("2026-07-02"), settled), false)
    );
    for placeholder in ["000101", "010101", "111111", "700101", "990101", "220702"] {
        let batch = format!("{placeholder}184");
        assert_eq!(
            read("260702184", &batch),
            ((None, settled), true),
            "{placeholder}"
        );
    }
    assert_eq!(
        read("260702184", "250102184"),
        ((date("2025-01-02"), settled), false)
    );
    // Days of the year are resolved against the day of receipt when the file has no day of its own.
    assert_eq!(
        read("260702184", "260702184"),
        ((date("2026-07-02"), settled), false)
    );
    assert_eq!(
        read("2607060215A", "0001010215A"),
        ((date("2026-07-02"), settled), true)
    );
}
