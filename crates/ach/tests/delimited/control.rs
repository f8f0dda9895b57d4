//! Rows that are not entries: record types, trailers and filters.

use ach::format::Emptiness;
use ach::format::delimited::Profile;

use crate::parsed::{SMALL, profile, read, read_rows, small};

fn with_trailer(more: &str) -> Profile {
    profile(&format!(
        "{SMALL}\n[trailer]\nfirst_cell = [\"TRAILER\", \"Total\", \"END\"]\n{more}"
    ))
}

#[test]
fn a_trailer_that_agrees_is_skipped() {
    let profile = with_trailer("count = 2\ntotal = 3");
    let rows = "a,R01,-1.00,,\nb,R01,\"2,000.00\",bad date,\nTRAILER,2,\"2,001.00\"\n\n";
    let outcome = read_rows(rows, &profile);
    assert_eq!(outcome.file_rejected, None);
    assert_eq!((outcome.entries.len(), outcome.rejected.len()), (1, 1));
    assert_eq!(outcome.summary.findings, []);
}

#[test]
fn a_trailer_that_differs_rejects_the_file() {
    let profile = with_trailer("count = 2\ntotal = 3");
    let cases = [
        (
            "TRAILER,2,1.00",
            "column 2",
            "says 2 rows and the file has 1",
        ),
        (
            "total,1,1.01",
            "column 3",
            "says 101 minor units and the file has 100",
        ),
        ("END,one,1.00", "column 2", "\"one\""),
        ("END,1", "column 3", "cut off"),
        ("END", "column 2", "cut off"),
    ];
    for (trailer, field, why) in cases {
        let outcome = read_rows(&format!("a,R01,1.00,,\n{trailer}\n"), &profile);
        let rejected = outcome.file_rejection();
        assert_eq!(rejected.at.unwrap().line, 3);
        assert_eq!(rejected.field.as_deref(), Some(field), "{trailer}");
        assert!(rejected.why.contains(why), "{}", rejected.why);
    }
}

#[test]
fn a_total_may_be_larger_than_any_entry() {
    let rows = "a,R01,99999999.99,,\nb,R01,99999999.99,,\nEND,2,199999999.98\n";
    let outcome = read_rows(rows, &with_trailer("count = 2\ntotal = 3"));
    assert_eq!(outcome.file_rejected, None);
    assert_eq!(outcome.summary.debit_minor, 19_999_999_998);
}

#[test]
fn a_file_of_nothing_but_rows_of_totals_is_rejected_after_a_few() {
    let profile = profile(&format!("{SMALL}\n[trailer]\nfirst_cell = [\"Total*\"]\n"));
    let totals = |count: usize| -> String { (0..count).map(|n| format!("Total {n}\n")).collect() };
    let subtotals = read_rows(&format!("a,R01,1.00,,\n{}", totals(16)), &profile);
    assert_eq!(subtotals.file_rejected, None);
    let outcome = read_rows(&format!("a,R01,1.00,,\n{}", totals(17)), &profile);
    let why = &outcome.file_rejection().why;
    assert!(why.contains("a second trailer"), "{why}");
}

#[test]
fn a_trailer_column_can_be_named_by_its_header() {
    let profile = with_trailer("total = \"amount\"\ncount = \"text\"");
    assert_eq!(
        read_rows("a,R01,1.00,,\nTotal,,1.00,,1\n", &profile).file_rejected,
        None
    );
    assert!(
        read_rows("a,R01,1.00,,\nTotal,,1.00,,2\n", &profile)
            .file_rejected
            .is_some()
    );
}

#[test]
fn a_total_over_unreadable_amounts_is_not_checked_but_reported() {
    let rows = "a,R01,1.00,,\nb,R01,x,,\nc,R01\nEND,3,99.00\n";
    let outcome = read_rows(rows, &with_trailer("count = 2\ntotal = 3"));
    assert_eq!(outcome.file_rejected, None);
    assert_eq!(outcome.found("trailer total"), 1);
    assert!(outcome.summary.findings[0].what.contains("amount: 2"));
}

#[test]
fn nothing_but_blank_lines_may_follow_a_trailer() {
    let profile = with_trailer("");
    for row in ["b,R01,1.00,,", "END"] {
        let outcome = read_rows(&format!("a,R01,1.00,,\nEND\n\n{row}\n"), &profile);
        assert_eq!(outcome.file_rejection().at.unwrap().line, 5, "{row}");
        assert!(
            outcome.file_rejection().why.contains("line 3"),
            "{}",
            outcome.file_rejection().why
        );
    }
}

#[test]
fn a_required_trailer_that_is_missing_rejects_the_file() {
    let profile = with_trailer("required = true");
    assert!(
        read_rows("a,R01,1.00,,\n", &profile)
            .file_rejection()
            .why
            .contains("cut off")
    );
    assert!(
        read_rows("", &profile)
            .file_rejection()
            .why
            .contains("trailer")
    );
    assert_eq!(read_rows("a,R01,1.00,,\nEND", &profile).file_rejected, None);
    assert_eq!(
        read_rows("a,R01,1.00,,\n", &with_trailer("")).file_rejected,
        None
    );
    let nothing = read(&b""[..], &profile);
    assert_eq!(nothing.summary.emptiness, Some(Emptiness::NoBytes));
    let only_trailer = read_rows("END\n", &profile);
    assert_eq!(only_trailer.summary.emptiness, Some(Emptiness::HeaderOnly));
}

fn with_types() -> Profile {
    profile(&format!(
        "{SMALL}\nrecord_type = \"type\"\n[record_types]\ndetail = [\"Detail\"]\n\
         header = [\"Header\"]\ntrailer = [\"Summary\"]\nignored = [\"Fee\"]\n\
         [trailer]\ncount = 1\ntotal = \"amount\"\n"
    ))
}

#[test]
fn rows_are_told_apart_by_their_record_type() {
    let text = "id,code,amount,date,text,type\nx,,,,,Header\na,R01,1.00,,,DETAIL\nb,,9.00,,,Fee\n\
                c,,9.00,,,fee\nd,R01,3.00,,,detail\n2,,4.00,,,Summary\n";
    let outcome = read(text.as_bytes(), &with_types());
    assert_eq!(outcome.file_rejected, None);
    assert_eq!(outcome.entries.len(), 2);
    assert_eq!(outcome.summary.debit_minor, 400);
    assert_eq!(outcome.found("record types"), 2);
    let wrong = text.replace("2,,4.00", "3,,4.00");
    let rejected = read(wrong.as_bytes(), &with_types());
    assert!(
        rejected
            .file_rejection()
            .why
            .contains("says 3 rows and the file has 2")
    );
}

#[test]
fn a_row_of_an_unlisted_record_type_is_rejected() {
    let text = "id,code,amount,date,text,type\na,R01,1.00,,,Detail\nb,R01,1.00,,,Other\n\
                c,R01,1.00,,,\n";
    let outcome = read(text.as_bytes(), &with_types());
    assert_eq!(outcome.entries.len(), 1);
    assert_eq!(outcome.rejected.len(), 2);
    assert_eq!(outcome.rejected[0].field.as_deref(), Some("type"));
    assert!(outcome.rejected[0].why.contains("\"Other\""));
}

#[test]
fn a_row_cut_off_before_its_record_type_rejects_the_file() {
    let text = "id,code,amount,date,text,type\na,R01,1.00,,,Detail\nb,R01,1.0";
    assert_eq!(
        read(text.as_bytes(), &with_types())
            .file_rejection()
            .at
            .unwrap()
            .line,
        3
    );
}

#[test]
fn the_row_filter_counts_what_it_leaves_out() {
    let profile = small("row_filter = { column = \"id\", starts_with = [\"ICHECK\"] }");
    let rows = "ICHECK1,R01,1.00,,\nOTHER,x\nicheck2,R02,1.00,,\nICHEC,R01,1.00,,\n";
    let outcome = read_rows(rows, &profile);
    assert_eq!((outcome.entries.len(), outcome.rejected.len()), (2, 0));
    assert_eq!(outcome.found("row filter"), 2);
    let all_out = read_rows("OTHER,R01,1.00,,\n", &profile);
    assert_eq!(all_out.summary.emptiness, Some(Emptiness::LeftOut));
}

#[test]
fn a_row_cut_off_within_what_the_filter_looks_for_rejects_the_file() {
    let profile = small("row_filter = { starts_with = [\"ICHECK\"] }");
    let cut_off = read_rows("ICHECK1,R01,1.00,,\nICH", &profile);
    assert_eq!(cut_off.file_rejection().at.unwrap().line, 3);
    assert_eq!(
        read_rows("ICHECK1,R01,1.00,,\nOTHER", &profile).file_rejected,
        None
    );
}
