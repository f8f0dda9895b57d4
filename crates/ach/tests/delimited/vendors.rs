//! Profiles of other vendors, as examples of what a profile can say.

use ach::entry::{Direction, EntryKind};
use ach::format::Emptiness;

use crate::parsed::{profile, read};

const ICHECKGATEWAY: &str = include_str!("icheckgateway.toml");
const ICHECKGATEWAY_MAIN: &str = include_str!("icheckgateway_main.toml");
const CHECKCOMMERCE_NOC: &str = include_str!("checkcommerce_noc.toml");
const INHOUSE_EXPORT: &str = include_str!("inhouse_export.toml");
const NUMERIC_CODES: &str = include_str!("numeric_codes.toml");

/// All of them.
pub(crate) const PROFILES: [&str; 5] = [
    ICHECKGATEWAY,
    ICHECKGATEWAY_MAIN,
    CHECKCOMMERCE_NOC,
    INHOUSE_EXPORT,
    NUMERIC_CODES,
];

#[test]
fn icheckgateways_late_returns_have_no_header_and_no_amount() {
    let profile = profile(ICHECKGATEWAY);
    let outcome = read(&b"ext-77|R01\r\next-78|r10\r\n"[..], &profile);
    let codes: Vec<_> = outcome
        .entries
        .iter()
        .filter_map(|entry| entry.kind.code())
        .collect();
    assert_eq!(codes, [("R01".into(), true), ("R10".into(), true)]);
    let first = &outcome.entries[0];
    assert_eq!(first.keys.payment_id.as_deref(), Some("ext-77"));
    assert_eq!((first.amount, first.direction), (None, Direction::Debit));

    let none = read(&b"NO RETURNS REPORTED"[..], &profile);
    assert_eq!(none.summary.emptiness, Some(Emptiness::Sentence));
    let cut_off = read(&b"ext-77|R01\r\next-7"[..], &profile);
    assert!(cut_off.file_rejection().why.contains("cut off"));
}

#[test]
fn icheckgateways_main_report_is_read_for_its_own_rows_only() {
    let text = "ICHECK21|0105|x|ext-1|R02\nBANKCARD|total\nICHECK21|0105|x|ext-2|C01\n";
    let outcome = read(text.as_bytes(), &profile(ICHECKGATEWAY_MAIN));
    let kinds: Vec<_> = outcome
        .entries
        .iter()
        .map(|entry| entry.kind.as_str())
        .collect();
    assert_eq!(kinds, ["return", "correction"]);
    assert_eq!(outcome.found("row filter"), 1);
}

#[test]
fn checkcommerces_notifications_have_corrected_data_in_columns() {
    let text = include_bytes!("checkcommerce_noc.csv");
    let outcome = read(&text[..], &profile(CHECKCOMMERCE_NOC));
    assert_eq!(outcome.rejected, []);
    let corrected: Vec<Vec<String>> = outcome
        .entries
        .iter()
        .map(|entry| match &entry.kind {
            EntryKind::Correction { corrected, .. } => {
                corrected.iter().map(|piece| format!("{piece:?}")).collect()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        corrected,
        [
            vec!["Routing(\"021000089\")", "Account(AccountTail(\"6789\"))"],
            vec!["TransactionCode(\"37\")"],
            vec!["Account(AccountTail(\"7766\"))"],
        ]
    );
    let first = &outcome.entries[0];
    assert_eq!(first.company_name.as_deref(), Some("Hill, Dale & Co"));
    assert_eq!(first.original_date.unwrap().to_string(), "2024-01-05");
    assert_eq!(first.received_on.unwrap().to_string(), "2024-01-09");
    assert_eq!(first.account_tail.as_ref().unwrap().to_string(), "***6081");
    assert!(
        !format!("{outcome:?}").contains("123456789"),
        "an account number in clear"
    );
    assert_eq!(outcome.summary.findings, []);
}

#[test]
fn the_in_house_export_tells_rows_apart_by_record_type_and_proves_its_totals() {
    let text = include_str!("inhouse_export.csv");
    let outcome = read(text.as_bytes(), &profile(INHOUSE_EXPORT));
    assert_eq!(
        (outcome.file_rejected.as_ref(), outcome.rejected.len()),
        (None, 0)
    );
    let summary = &outcome.summary;
    assert_eq!(
        (summary.debit_minor, summary.credit_minor),
        (15_000, 102_050)
    );
    assert_eq!(outcome.found("record types"), 1);
    assert_eq!(
        outcome.entries[0]
            .account_tail
            .as_ref()
            .unwrap()
            .to_string(),
        "***6789"
    );
    assert_eq!(outcome.entries[1].keys.order_id.as_deref(), Some("ORD-2"));

    let doubled = text.replace(",,,,2,", ",,,,3,");
    let rejected = read(doubled.as_bytes(), &profile(INHOUSE_EXPORT));
    assert!(
        rejected
            .file_rejection()
            .why
            .contains("says 3 rows and the file has 2")
    );
    let off = text.replace("1170.50", "1170.51");
    let rejected = read(off.as_bytes(), &profile(INHOUSE_EXPORT));
    assert!(
        rejected
            .file_rejection()
            .why
            .contains("says 117051 minor units and the file has 117050")
    );
    let (without, _) = text.split_once("Trailer").unwrap();
    let rejected = read(without.as_bytes(), &profile(INHOUSE_EXPORT));
    assert!(
        rejected
            .file_rejection()
            .why
            .contains("without its trailer")
    );
}

#[test]
fn numeric_codes_are_translated_and_the_rest_told_apart() {
    let outcome = read(
        &include_bytes!("numeric_codes.csv")[..],
        &profile(NUMERIC_CODES),
    );
    assert_eq!(outcome.rejected, []);
    let kinds: Vec<_> = outcome
        .entries
        .iter()
        .map(|entry| (entry.kind.as_str(), entry.kind.code().map(|code| code.0)))
        .collect();
    let some = |code: &str| Some(code.to_owned());
    assert_eq!(
        kinds,
        [
            ("return", some("R01")),
            ("correction", some("C01")),
            ("validation_failure", some("900")),
            ("validation_failure", some("X16")),
            ("validation_failure", None),
            ("return", some("R10")),
            ("return", some("2199")),
        ]
    );
    assert_eq!(outcome.entries[0].sec.as_deref(), Some("WEB"));
    assert_eq!(outcome.entries[2].amount.unwrap().minor(), 2_500);
    assert_eq!(
        outcome.summary.debit_minor,
        1500 + 2500 + 300 + 400 + 700 + 800
    );
}
