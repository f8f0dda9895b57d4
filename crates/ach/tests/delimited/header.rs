//! Headers: order, spelling, what is missing, what is new; and files without any.

use ach::format::Emptiness;

use crate::parsed::{HEADER, SMALL, profile, read, read_rows, small};

#[test]
fn columns_are_found_in_any_order_and_spelling() {
    let text = "text, AMOUNT ,Code,new column,Date,_ID_\nx,5.00,R01,?,01/05/2024,a\n";
    let outcome = read(text.as_bytes(), &small(""));
    let entry = outcome.entry();
    assert_eq!(entry.keys.payment_id.as_deref(), Some("a"));
    assert_eq!(entry.amount.unwrap().minor(), 500);
    assert_eq!(entry.description.as_deref(), Some("x"));
    assert_eq!(entry.issued_on.unwrap().to_string(), "2024-01-05");
}

#[test]
fn columns_that_the_profile_does_not_name_are_one_finding() {
    let text = "id,code,amount,date,text,new,newer,known,\na,R01,1.00,,,,,,\n";
    let outcome = read(text.as_bytes(), &small("ignore = [\"KNOWN\"]"));
    outcome.entry();
    assert_eq!(outcome.summary.findings.len(), 1);
    let finding = &outcome.summary.findings[0];
    assert_eq!((&*finding.field, finding.count), ("unknown columns", 2));
    assert!(finding.what.contains("\"new\""), "{}", finding.what);
}

#[test]
fn a_missing_required_column_rejects_the_file_and_lists_the_headers() {
    let outcome = read(
        &b"ident,code,amount,date,text\na,R01,1.00,,\n"[..],
        &small(""),
    );
    let rejected = outcome.file_rejection();
    assert_eq!(rejected.field.as_deref(), Some("id"));
    for part in [
        "payment_id (id)",
        "\"ident\", \"code\", \"amount\"",
        "renamed",
    ] {
        assert!(rejected.why.contains(part), "{}", rejected.why);
    }
    assert_eq!(outcome.entries.len(), 0);
}

#[test]
fn a_column_on_which_money_hangs_is_needed_without_being_required() {
    let more = "directions = { D = \"debit\" }\n";
    let profile = profile(&format!(
        "{more}{SMALL}\ndirection = \"type\"\ncurrency = \"cur\""
    ));
    let good = "id,code,amount,date,text,type,cur\na,R01,1.00,,,D,USD\n";
    assert_eq!(read(good.as_bytes(), &profile).file_rejected, None);
    for gone in ["type", "cur", "code", "amount"] {
        let text = good.replacen(gone, "renamed", 1);
        let outcome = read(text.as_bytes(), &profile);
        assert_eq!(outcome.file_rejection().field.as_deref(), Some(gone));
    }
}

#[test]
fn a_missing_optional_column_is_a_finding() {
    let outcome = read(&b"id,code,amount\na,R01,1.00\n"[..], &small(""));
    outcome.entry();
    assert_eq!(outcome.found("absent columns"), 2);
}

#[test]
fn a_header_that_is_a_row_of_data_shows_no_account_number() {
    let outcome = read(&b"123456789012,R01,1.00\n"[..], &small(""));
    let why = &outcome.file_rejection().why;
    assert!(
        why.contains("***9012") && !why.contains("123456789012"),
        "{why}"
    );
}

#[test]
fn a_duplicate_header_rejects_the_file() {
    for header in [
        "id,code,amount,date,text,ID",
        "id,code,amount,date,text,new_x,new x",
    ] {
        let outcome = read(format!("{header}\n").as_bytes(), &small(""));
        assert!(
            outcome.file_rejection().why.contains("two columns"),
            "{}",
            outcome.file_rejection()
        );
    }
    // Columns without a header are not duplicates.
    let blank = read(
        &b"id,code,amount,date,text,,\na,R01,1.00,,,,\n"[..],
        &small(""),
    );
    blank.entry();
}

#[test]
fn text_after_a_closing_quote_in_the_header_rejects_the_file() {
    let outcome = read(
        &b"id,code,\"amount\"x,date,text\na,R01,1.00,,\n"[..],
        &small(""),
    );
    let rejected = outcome.file_rejection();
    assert_eq!(rejected.at.unwrap().line, 1);
    assert!(rejected.why.contains("closing quote"), "{rejected}");
}

#[test]
fn two_spellings_of_one_field_reject_the_file() {
    let toml = SMALL.replace("payment_id = \"id\"", "payment_id = [\"id\", \"old id\"]");
    let profile = profile(&toml);
    assert_eq!(read(HEADER.as_bytes(), &profile).file_rejected, None);
    let renamed = HEADER.replace("id,", "Old_Id,");
    assert_eq!(read(renamed.as_bytes(), &profile).file_rejected, None);
    let both = HEADER.replace("id,", "id,old id,");
    assert!(
        read(both.as_bytes(), &profile)
            .file_rejection()
            .why
            .contains("payment_id")
    );
}

#[test]
fn the_ways_to_be_empty_are_told_apart() {
    let profile = small("no_records = [\"NO RETURNS REPORTED\", \"No records found*\"]");
    let cases = [
        ("", Some(Emptiness::NoBytes)),
        (" \r\n\t\n \n", Some(Emptiness::NoBytes)),
        ("\u{FEFF}", Some(Emptiness::NoBytes)),
        (HEADER, Some(Emptiness::HeaderOnly)),
        (
            "id,code,amount,date,text\n\n,,,,\n",
            Some(Emptiness::HeaderOnly),
        ),
        ("NO RETURNS REPORTED", Some(Emptiness::Sentence)),
        ("no  returns reported\r\n", Some(Emptiness::Sentence)),
        (
            "No records found, sorry, for 01/05/2024\n",
            Some(Emptiness::Sentence),
        ),
        (
            "id,code,amount,date,text\nNo Returns Reported,,,,\n",
            Some(Emptiness::Sentence),
        ),
        (
            "No returns reported\nid,code,amount,date,text\n",
            Some(Emptiness::Sentence),
        ),
        ("id,code,amount,date,text\na,R01,1.00,,\n", None),
    ];
    for (text, emptiness) in cases {
        let outcome = read(text.as_bytes(), &profile);
        assert_eq!(outcome.file_rejected, None, "{text:?}");
        assert_eq!(outcome.summary.emptiness, emptiness, "{text:?}");
    }
    let exact = read(&b"NO RETURNS REPORTED YET"[..], &profile);
    assert!(
        exact.file_rejected.is_some(),
        "an exact sentence does not continue"
    );
}

#[test]
fn a_sentence_among_rows_is_a_finding() {
    let outcome = read_rows("a,R01,1.00,,\nnone\n", &small("no_records = [\"none\"]"));
    outcome.entry();
    assert_eq!(outcome.summary.emptiness, None);
    assert_eq!(outcome.found("no records"), 1);
}

const BY_NUMBER: &str = r#"
    name = "by_number"
    header = false
    [columns]
    payment_id = 1
    code = 3
"#;

#[test]
fn without_a_header_columns_go_by_number_and_the_first_row_sets_the_width() {
    let profile = profile(BY_NUMBER);
    let outcome = read(&b"a,x,R01,\nb,y,R02\nc,z,R03,\n"[..], &profile);
    let lines: Vec<_> = outcome.entries.iter().map(|entry| entry.at.line).collect();
    assert_eq!(lines, [1, 3]);
    assert_eq!(outcome.rejection().why, "the row has 3 cells instead of 4");

    let too_few = read(&b"a,x\nb,y,R02\n"[..], &profile);
    assert_eq!(
        too_few.rejection().at.line,
        1,
        "the columns of the profile must be there"
    );
    assert_eq!(too_few.entries.len(), 1);

    let cut_off = read(&b"a,x,R01\nb,y"[..], &profile);
    assert_eq!(cut_off.file_rejection().at.unwrap().line, 2);
}

#[test]
fn without_a_header_a_width_can_be_set() {
    let mut profile = profile(BY_NUMBER);
    profile.width = Some(3);
    assert_eq!(read(&b"a,x,R01,\n"[..], &profile).rejected.len(), 1);
    assert_eq!(read(&b"a,x,R01\n"[..], &profile).entry().at.byte, 0);
    let rejected = read(&b"a,x,,\n"[..], &profile);
    assert_eq!(rejected.rejection().field.as_deref(), Some("column 4"));
}
