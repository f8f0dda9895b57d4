//! What is kept of a file is a small multiple of it, whatever stands in its cells.

use crate::parsed::{read, read_rows, small};

/// Bytes of what is recorded of all items.
fn recorded(text: &str, keys: &str) -> usize {
    let profile = small(keys);
    let outcome = read(text.as_bytes(), &profile);
    assert_eq!(outcome.file_rejected, None);
    let entries = outcome
        .entries
        .iter()
        .map(|entry| serde_json::to_string(entry).unwrap().len());
    let rejected = outcome
        .rejected
        .iter()
        .map(|line| serde_json::to_string(line).unwrap().len());
    entries.chain(rejected).sum()
}

#[test]
fn a_long_header_is_not_copied_into_every_row() {
    let header = format!("id,code,amount,date,text,{}", "h".repeat(60_000));
    let good = "p1,R01,1.00,,nsf,x\n".repeat(500);
    let bad = "p1,R01,1.00,,nsf,x,y\n".repeat(500);
    for rows in [good, bad] {
        let text = format!("{header}\n{rows}");
        let recorded = recorded(&text, "raw = true");
        assert!(recorded < 50 * text.len(), "{recorded} of {}", text.len());
    }
}

#[test]
fn the_headers_of_many_columns_are_bounded_together() {
    let headers: Vec<String> = (0..1_000).map(|n| format!("{:h<50}{n}", "")).collect();
    let header = format!("id,code,amount,date,text,{}", headers.join(","));
    let row = format!("p1,R01,1.00,,nsf{}\n", ",".repeat(1_000));
    let text = format!("{header}\n{}", row.repeat(200));
    let recorded = recorded(&text, "raw = true");
    assert!(recorded < 50 * text.len(), "{recorded} of {}", text.len());
}

#[test]
fn long_headers_over_short_rows_are_cut_to_the_length_of_the_rows() {
    let more: String = (0..40).map(|n| format!(",{n:h<120}")).collect();
    let row = format!("p1,R01,1.00,,{}\n", ",".repeat(40));
    let text = format!("id,code,amount,date,text{more}\n{}", row.repeat(500));
    let recorded = recorded(&text, "raw = true");
    assert!(recorded < 50 * text.len(), "{recorded} of {}", text.len());

    let header = "Attempted Funds Transfer Date";
    let text = format!("id,code,amount,date,text,{header}\np1,R01,1.00,,nsf,\n");
    let outcome = read(text.as_bytes(), &small("raw = true"));
    assert_eq!(outcome.entries[0].raw[5].0, header);
}

#[test]
fn a_long_text_is_cut_and_a_long_id_is_none() {
    let long = "word ".repeat(10_000);
    let rows = format!("p1,R01,1.00,,{long}\n{long},R01,1.00,,nsf\np2,R01,{long},,nsf\n");
    let outcome = read_rows(&rows, &small(""));
    let [entry] = &outcome.entries[..] else {
        panic!("{:?}", outcome.rejected)
    };
    assert!(entry.description.as_ref().unwrap().len() <= 1_024);
    assert_eq!(outcome.rejected.len(), 2);
    assert!(outcome.rejected[0].why.contains("an id has at most 256"));
    for line in &outcome.rejected {
        assert!(line.why.len() <= 512, "{}", line.why.len());
    }
}

#[test]
fn the_names_of_long_headers_still_say_what_their_columns_are() {
    let name = format!("{}account", "h".repeat(500));
    let text = format!("id,code,amount,date,text,{name}\np1,R01,1.00,,nsf,730284615509\n");
    let outcome = read(text.as_bytes(), &small("raw = true"));
    let (shown, value) = &outcome.entries[0].raw[5];
    assert!(shown.len() <= 128 && value == "***5509", "{shown}: {value}");
}

#[test]
fn nul_bytes_that_fill_up_the_file_are_skipped() {
    for filler in [&b"\0\0\0"[..], b"\0\0\r\n\0\0", &[0; 200_000]] {
        let mut bytes = b"id,code,amount,date,text\np1,R01,1.00,,nsf\n".to_vec();
        bytes.extend_from_slice(filler);
        let outcome = read(bytes.as_slice(), &small(""));
        assert_eq!(outcome.file_rejected, None);
        assert_eq!(outcome.entries.len(), 1);
        assert_eq!(outcome.found("NUL bytes at the end"), 1);
    }
}

#[test]
fn what_is_no_delimited_file_is_called_by_its_name() {
    for (bytes, name) in [
        (&b"%PDF-1.4\n\0\0"[..], "PDF"),
        (b"<!doctype html><title>Sign in</title>", "login"),
        (b"PK\x03\x04\0\0\0\0xl/workbook.xml", "Excel"),
        (b"[{\"code\":\"R01\"}]", "JSON"),
    ] {
        let why = read(bytes, &small("")).file_rejection().why.clone();
        assert!(
            why.contains("not a delimited file") && why.contains(name),
            "{why}"
        );
    }
}
