//! Reports as portals make them: titles before the header, totals in words, codes in sentences,
//! signs that are directions.

use crate::parsed::{HEADER, SMALL, profile, read, read_rows, small};

#[test]
fn a_sign_that_the_profile_does_not_explain_is_no_direction() {
    let rows = "a,R01,-3.20,,\nb,R01,4.10,,\nc,R01,(5.00),,\n";
    let directions = |keys: &str| {
        let outcome = read_rows(rows, &small(keys));
        let directions = outcome.entries.iter().map(|entry| entry.direction.as_str());
        (
            directions.collect::<Vec<_>>().join(" "),
            outcome.summary.findings.len(),
        )
    };
    assert_eq!(directions(""), ("debit unknown debit".to_owned(), 1));
    assert_eq!(
        directions("negative_is = \"credit\""),
        ("credit debit credit".to_owned(), 0)
    );
}

#[test]
fn rows_with_a_success_code_are_left_out_and_counted() {
    let rows = "a,R01,3.20,,\nb,00,4.10,,ok\nc,,5.00,,\n";
    let outcome = read_rows(rows, &small("success_codes = [\"00\", \"\"]"));
    assert_eq!((outcome.entries.len(), outcome.rejected.len()), (1, 0));
    assert_eq!(outcome.summary.left_out, 2);
}

#[test]
fn rows_before_the_header_are_skipped_unless_they_are_entries() {
    let body = "a,R01,3.20,,\n";
    let text = format!("Returns of the day,07/02/2026\nmade by ORCHARD,,,,\n{HEADER}{body}");
    let outcome = read(text.as_bytes(), &small(""));
    assert_eq!(outcome.entries.len(), 1);
    assert_eq!(outcome.found("rows before the header"), 2);
    // An entry whose header is lost, a header with other names, and no header at all.
    for text in [
        format!("z,R03,1.00,,\n{HEADER}{body}"),
        format!("id,return code,total,text\n{HEADER}{body}"),
        "only a title\nand a name\n".to_owned(),
        "title\n".repeat(30) + HEADER + body,
    ] {
        let rejected = read(text.as_bytes(), &small(""));
        let at = rejected.file_rejection().at;
        assert_eq!(at.map(|at| at.line), Some(1), "{text}");
    }
}

#[test]
fn totals_may_be_in_words_and_in_two_rows() {
    let keys = "[trailer]\nfirst_cell = [\"Rows: *\", \"Subtotal\", \"Total\"]\n";
    let of = |keys: &str| profile(&format!("{SMALL}\n{keys}"));
    let rows = "a,R01,3.20,,\nb,R01,4.10,,\n";
    let read = |end: &str, keys: &str| read_rows(&format!("{rows}{end}"), &of(keys));
    let counted = format!("{keys}count = 1\n");
    assert_eq!(read("rows: 2\n", &counted).file_rejected, None);
    let why = &read("Rows: 3\n", &counted).file_rejection().why.clone();
    assert!(why.contains("3 rows"), "{why}");
    let total = format!("{keys}total = 3\n");
    let both = "Subtotal,,7.30,,\nTotal,,7.30,,\n";
    assert_eq!(read(both, &total).file_rejected, None);
    for wrong in [
        "Total,,7.30,,\nTotal,,7.30,,\n",
        "Total,,7.30,,\nc,R01,1.00,,\n",
    ] {
        assert!(read(wrong, &total).file_rejected.is_some(), "{wrong}");
    }
}

#[test]
fn an_amount_may_name_its_currency_and_a_column_may_be_named_by_its_number() {
    let rows = "a,R01,USD 3.20,,\nb,R01,4.10 USD,,\nc,R01,CAD 5.00,,\n";
    let outcome = read_rows(rows, &small(""));
    assert_eq!((outcome.entries.len(), outcome.rejected.len()), (2, 1));
    let profile = profile(&SMALL.replace("amount = \"amount\"", "amount = 3"));
    let text = "id,code,Amount,date,text,Amount\na,R01,3.20,,,9.99\n";
    let outcome = read(text.as_bytes(), &profile);
    assert_eq!(outcome.entry().amount.unwrap().minor(), 320);
}
