//! Whole files in shapes that people who do this job reported in public, each with the profile
//! that reads it.

use ach::entry::Direction;
use ach::format::delimited::Profile;

use crate::parsed::{ParsedFile, profile, read};

/// Code, amount in cents and direction of each entry of a file in which nothing was wrong.
fn entries(outcome: &ParsedFile) -> Vec<(String, i64, Direction)> {
    assert_eq!(outcome.file_rejected, None);
    assert_eq!(outcome.rejected, []);
    let entries = outcome.entries.iter();
    entries
        .map(|entry| {
            let minor = entry.amount.unwrap().minor();
            (entry.kind.code().unwrap().0, minor, entry.direction)
        })
        .collect()
}

fn entry(code: &str, minor: i64, direction: Direction) -> (String, i64, Direction) {
    (code.to_owned(), minor, direction)
}

#[test]
fn the_number_in_a_total_line_of_words_is_checked() {
    const FILE: &str = include_str!("files/total_line_in_words.csv");
    let profile = profile(
        r#"
        name = "events_report"
        date_formats = ["%m/%d/%Y"]
        amount_unit = "major"
        direction = "debit"
        ignore = ["event"]
        [columns]
        order_id = "merchant_ref"
        payment_id = "request_id"
        code = "code"
        issued_on = "event_date"
        amount = "amount"
        [trailer]
        first_cell = ["Total Records: *"]
        count = 1
        "#,
    );
    let both = [
        entry("R01", 12_345, Direction::Debit),
        entry("R02", 5_000, Direction::Debit),
    ];
    assert_eq!(entries(&read(FILE.as_bytes(), &profile)), both);
    let other = FILE.replace("Total Records: 2", "Total Records: 12");
    let why = &read(other.as_bytes(), &profile)
        .file_rejection()
        .why
        .clone();
    assert!(why.contains("12 rows and the file has 2"), "{why}");
}

#[test]
fn the_sign_of_an_amount_is_its_direction_where_the_profile_says_so() {
    let profile = profile(
        r#"
        name = "signed"
        amount_unit = "major"
        negative_is = "debit"
        [columns]
        order_id = "ref"
        original_trace = "trace"
        code = "code"
        amount = "amount"
        "#,
    );
    let outcome = read(
        include_bytes!("files/sign_is_the_direction.csv").as_slice(),
        &profile,
    );
    let both = [
        entry("R01", 12_345, Direction::Debit),
        entry("R03", 5_000, Direction::Credit),
    ];
    assert_eq!(entries(&outcome), both);
}

#[test]
fn rows_of_payments_that_went_through_are_passed_over() {
    let profile = profile(
        r#"
        name = "all_outcomes"
        date_formats = ["%Y-%m-%d"]
        amount_unit = "major"
        direction = "debit"
        success_codes = ["0000", ""]
        [columns]
        order_id = "name"
        issued_on = "date"
        amount = "amount"
        case_id = "unique_import_id"
        code = "reason_code"
        description = "reason"
        "#,
    );
    let outcome = read(
        include_bytes!("files/success_rows.csv").as_slice(),
        &profile,
    );
    assert_eq!(entries(&outcome), [entry("R01", 12_345, Direction::Debit)]);
    assert_eq!(outcome.summary.left_out, 2);
}

#[test]
fn a_report_in_aligned_columns_is_read_out_of_a_mail() {
    let profile = profile(
        r#"
        name = "aligned"
        starts = [1, 14, 37, 59, 79, 87]
        amount_unit = "major"
        direction = "debit"
        code_map = { "51" = "R01", "62" = "R03" }
        ignore = ["NAME"]
        [columns]
        payment_id = "REF_ID"
        account = "BANK_ACCOUNT"
        amount = "AMOUNT"
        code = "REJ_CODE"
        description = "REJECT_REASON"
        "#,
    );
    let outcome = read(
        include_bytes!("files/aligned_columns.txt").as_slice(),
        &profile,
    );
    let both = [
        entry("R03", 12_345, Direction::Debit),
        entry("R01", 5_000, Direction::Debit),
    ];
    assert_eq!(entries(&outcome), both);
    let [first, second] = &outcome.entries[..] else {
        panic!("{:?}", outcome.entries)
    };
    assert_eq!(first.keys.payment_id.as_deref(), Some("MR00001A"));
    assert_eq!(first.account_tail.as_ref().unwrap().to_string(), "***7725");
    assert_eq!(second.description.as_deref(), Some("INSUFFICIENT_FUNDS"));
}

/// Records of fixed width, of which the last has columns of its own.
fn fixed_width() -> Profile {
    profile(
        r#"
        name = "fixed"
        header = false
        starts = [1, 2, 17, 32, 35, 45, 46]
        amount_unit = "minor"
        directions = { D = "debit", C = "credit" }
        [columns]
        record_type = 1
        original_trace = 2
        return_trace = 3
        code = 4
        amount = 5
        direction = 6
        order_id = 7
        [record_types]
        header = ["H"]
        detail = ["D"]
        trailer = ["T"]
        [trailer]
        starts = [1, 2, 7]
        count = 2
        total = 3
        required = true
        "#,
    )
}

const FIXED_WIDTH: &str = include_str!("files/fixed_width.txt");

#[test]
fn records_of_fixed_width_are_read_and_their_trailer_is_checked() {
    let outcome = read(FIXED_WIDTH.as_bytes(), &fixed_width());
    let both = [
        entry("R01", 12_345, Direction::Debit),
        entry("R02", 5_000, Direction::Debit),
    ];
    assert_eq!(entries(&outcome), both);
    let keys = &outcome.entries[1].keys;
    assert_eq!(keys.original_trace.as_deref(), Some("083400120000992"));
    assert_eq!(keys.return_trace.as_deref(), Some("072900450000002"));
    assert_eq!(keys.order_id.as_deref(), Some("MRP-000000105"));
    for (right, wrong) in [("T00002", "T00003"), ("017345", "017346")] {
        let other = FIXED_WIDTH.replace(right, wrong);
        let rejected = read(other.as_bytes(), &fixed_width());
        assert!(rejected.file_rejection().why.contains("the trailer says"));
    }
}

#[test]
fn a_record_of_fixed_width_that_is_cut_off_rejects_the_file() {
    let end = FIXED_WIDTH.find("0000005000D").unwrap();
    let rejected = read(&FIXED_WIDTH.as_bytes()[..end], &fixed_width());
    let why = &rejected.file_rejection().why;
    assert!(why.contains("ends in the middle of this row"), "{why}");
}

#[test]
fn columns_are_cut_by_characters_and_a_short_row_has_blanks_at_its_end() {
    let profile = profile(
        r#"
        name = "aligned"
        header = false
        starts = [1, 6, 10, 14]
        amount_unit = "major"
        direction = "debit"
        [columns]
        payment_id = 1
        code = 2
        amount = 3
        description = 4
        "#,
    );
    let outcome = read(
        "äöü1 R01 3.20né\n====\nb    R02 4.10\n".as_bytes(),
        &profile,
    );
    let both = [
        entry("R01", 320, Direction::Debit),
        entry("R02", 410, Direction::Debit),
    ];
    assert_eq!(entries(&outcome), both);
    assert_eq!(outcome.entries[0].description.as_deref(), Some("né"));
    assert_eq!(outcome.entries[1].description, None);
    // A byte that is not text does not move the columns after it.
    let moved = read("a\u{1f}   R01 3.20x\n".as_bytes(), &profile);
    assert_eq!(moved.entry().amount.unwrap().minor(), 320);
}
