use ach::format::{Emptiness, Format, bai2};

use crate::{check_cuts, check_damage, read};

fn format() -> Format {
    Format::Bai2(Box::default())
}

/// A report of one account with these transactions, whose amounts add up to `minor` and which have
/// `lines` lines.
fn report(transactions: &str, minor: i64, lines: u64) -> String {
    let account = minor + 150_000;
    format!(
        "01,083400120,5635551234,261120,0710,1,,,2/\n\
         02,5635551234,083400120,1,261119,,USD,2/\n\
         03,4410099001,,010,100000,,,100,50000,2,V,261119,/\n\
         {transactions}49,{account},{}/\n98,{account},1,{}/\n99,{account},1,{}/\n",
        lines + 2,
        lines + 4,
        lines + 6,
    )
}

const RETURNS: &str = "16,557,12345,Z,BK1,MRP-1,ACH RETURN R01 NOT SUFFICIENT FUNDS/\n\
                       16,557,5000,S,5000,0,0,BK2,MRP-2,/\n\
                       88,RETURNED DEBIT, ACCOUNT 4410099002\n\
                       16,257,700,,BK3,,R23/\n\
                       16,475,999,,BK4,,CHECK PAID/\n";

#[test]
fn returns_are_read_by_their_type_with_the_code_that_their_text_names() {
    let parsed = read(&format(), &report(RETURNS, 19_044, 5));
    assert_eq!(
        parsed.rows(),
        [
            ("R01".to_owned(), 12_345, "debit"),
            (bai2::NO_CODE.to_owned(), 5_000, "debit"),
            ("R23".to_owned(), 700, "credit"),
        ]
    );
    let [first, second, _] = &parsed.entries[..] else {
        panic!("{parsed:?}")
    };
    assert_eq!(first.keys.order_id.as_deref(), Some("MRP-1"));
    assert_eq!(first.keys.case_id.as_deref(), Some("BK1"));
    assert_eq!(first.settlement_date.unwrap().to_string(), "2026-11-19");
    assert!(!format!("{second:?}").contains("4410099002"));
    assert_eq!(parsed.summary.left_out, 1);
    assert_eq!((first.at.line, second.at.line), (4, 5));
}

#[test]
fn a_code_is_a_return_only_where_the_text_names_just_one() {
    let parsed = read(&format(), &report("16,557,5,,B,C,R01 OR R09/\n", 5, 1));
    assert_eq!(
        parsed.entries[0].kind.code().unwrap(),
        ("NONE".to_owned(), false)
    );
}

#[test]
fn totals_and_counts_prove_that_nothing_is_missing() {
    let whole = report(RETURNS, 19_044, 5);
    for (old, new, said) in [
        ("49,169044", "49,169045", "control total"),
        ("49,169044,7", "49,169044,8", "number of records"),
        ("98,169044,1", "98,169044,2", "number of its parts"),
        ("16,257,700,,BK3,,R23/\n", "", "control total"),
        ("03,4410099001", "04,4410099001", "no record of BAI2"),
        ("49,169044,7/\n", "", "not where it belongs"),
        ("557,12345,Z", "557,12345,Q", "funds type"),
        ("557,12345,Z", "557,12x45,Z", "not an amount"),
    ] {
        let parsed = read(&format(), &whole.replacen(old, new, 1));
        assert!(parsed.why().contains(said), "{old}: {}", parsed.why());
    }
    check_cuts(&format(), &whole);
    check_damage(&format(), &whole);
}

#[test]
fn a_report_without_returns_is_not_empty_without_a_word() {
    let parsed = read(&format(), &report("16,475,999,,BK4,,CHECK PAID/\n", 999, 1));
    assert_eq!(parsed.summary.emptiness, Some(Emptiness::LeftOut));
    let parsed = read(&format(), &report("", 0, 0));
    assert_eq!(parsed.summary.emptiness, Some(Emptiness::HeaderOnly));
    assert_eq!(
        read(&format(), "").summary.emptiness,
        Some(Emptiness::NoBytes)
    );
    assert!(read(&format(), "id,code\n").why().contains("record 01"));
}
