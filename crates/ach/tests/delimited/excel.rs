//! Sheets of workbooks.

use std::io::{Cursor, Write as _};

use ach::format::Emptiness;
use ach::format::delimited::Profile;
use zip::write::SimpleFileOptions;

use crate::parsed::{profile, read};

/// A cell as it stands in the file of a sheet.
enum Cell<'a> {
    Text(&'a str),
    Number(&'a str),
    Date(u32),
    Error,
    None,
}

use Cell::{Date, Error, None as Blank, Number, Text};

/// Rows of a sheet: the number and the cells of each.
type Rows<'a> = &'a [(u64, &'a [Cell<'a>])];

/// A workbook with these sheets.
fn workbook(sheets: &[(&str, Rows<'_>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut part = |name: &str, text: &str| {
        archive
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    };
    let (mut list, mut relations) = (String::new(), String::new());
    for (index, (name, rows)) in sheets.iter().enumerate() {
        let number = index + 1;
        list += &format!("<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>");
        relations += &format!(
            "<Relationship Id=\"rId{number}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>"
        );
        part(&format!("xl/worksheets/sheet{number}.xml"), &sheet(rows));
    }
    part(
        "[Content_Types].xml",
        "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>",
    );
    part(
        "_rels/.rels",
        "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
    );
    part(
        "xl/workbook.xml",
        &format!(
            "<?xml version=\"1.0\"?><workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>{list}</sheets></workbook>"
        ),
    );
    part(
        "xl/_rels/workbook.xml.rels",
        &format!(
            "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{relations}</Relationships>"
        ),
    );
    // The second format is the one of dates.
    part(
        "xl/styles.xml",
        "<?xml version=\"1.0\"?><styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>",
    );
    archive.finish().unwrap().into_inner()
}

fn sheet(rows: &[(u64, &[Cell<'_>])]) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>",
    );
    for (number, cells) in rows {
        text += &format!("<row r=\"{number}\">");
        for (column, cell) in cells.iter().enumerate() {
            let place = format!(
                "{}{number}",
                char::from(b'A' + u8::try_from(column).unwrap())
            );
            text += &match cell {
                Text(value) => {
                    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{value}</t></is></c>")
                }
                Number(value) => format!("<c r=\"{place}\"><v>{value}</v></c>"),
                Date(days) => format!("<c r=\"{place}\" s=\"1\"><v>{days}</v></c>"),
                Error => format!("<c r=\"{place}\" t=\"e\"><v>#N/A</v></c>"),
                Blank => String::new(),
            };
        }
        text += "</row>";
    }
    text + "</sheetData></worksheet>"
}

fn excel(more: &str) -> Profile {
    profile(&format!(
        r#"
        name = "returns_workbook"
        syntax = "excel"
        amount_unit = "major"
        direction = "debit"
        date_formats = ["%m/%d/%Y"]
        {more}
        [columns]
        payment_id = "Payment"
        code = "Code"
        amount = "Amount"
        issued_on = "Date"
        "#
    ))
}

const HEADER: &[Cell<'_>] = &[Text("Payment"), Text("Code"), Text("Amount"), Text("Date")];

#[test]
fn a_sheet_is_read_as_its_cells_are_shown() {
    let bytes = workbook(&[
        (
            "Returns",
            &[
                (1, &[Text("Returns of the day")]),
                (3, HEADER),
                // 46209 is 2026-07-06.
                (
                    4,
                    &[Text("P1"), Text("R01"), Number("123.45"), Date(46_209)],
                ),
                (
                    6,
                    &[
                        Number("71"),
                        Text("R02"),
                        Number("0.30000000000000004"),
                        Text("07/06/2026"),
                    ],
                ),
            ],
        ),
        ("Notes", &[(1, &[Text("nothing")])]),
    ]);
    let parsed = read(&bytes[..], &excel(""));
    assert_eq!(parsed.file_rejected, None);
    assert_eq!(parsed.rejected, []);
    let [first, second] = &parsed.entries[..] else {
        panic!("{parsed:?}")
    };
    assert_eq!(first.amount.unwrap().minor(), 12_345);
    assert_eq!(first.issued_on.unwrap().to_string(), "2026-07-06");
    assert_eq!(second.keys.payment_id.as_deref(), Some("71"));
    assert_eq!(second.amount.unwrap().minor(), 30);
    assert_eq!(second.issued_on, first.issued_on);
    assert_eq!((first.at.line, second.at.line), (4, 6));
    assert_eq!(parsed.found("other sheets"), 1);
}

#[test]
fn a_sheet_is_chosen_by_its_name_and_a_missing_one_is_told_with_the_others() {
    let bytes = workbook(&[
        ("Notes", &[]),
        (
            "Returns",
            &[
                (1, HEADER),
                (2, &[Text("P1"), Text("R01"), Number("1"), Blank]),
            ],
        ),
    ]);
    let parsed = read(&bytes[..], &excel("sheet = \"Returns\""));
    assert_eq!(parsed.entry().amount.unwrap().minor(), 100);
    let why = read(&bytes[..], &excel("sheet = \"Today\""));
    assert!(
        why.file_rejection().why.contains("Notes, Returns"),
        "{why:?}"
    );
}

#[test]
fn an_error_of_the_spreadsheet_and_an_id_that_it_rounded_stop_just_their_rows() {
    let bytes = workbook(&[(
        "Returns",
        &[
            (1, HEADER),
            (2, &[Text("P1"), Text("R01"), Error, Blank]),
            (
                3,
                &[Number("83997656989609888"), Text("R01"), Number("1"), Blank],
            ),
            (4, &[Text("P3"), Text("R01"), Number("1"), Blank]),
        ],
    )]);
    let parsed = read(&bytes[..], &excel(""));
    assert_eq!(parsed.entries.len(), 1);
    let whys: Vec<&str> = parsed.rejected.iter().map(|one| one.why.as_str()).collect();
    assert!(whys[0].contains("#N/A"), "{whys:?}");
    assert!(whys[1].contains("rounded by a spreadsheet"), "{whys:?}");
}

#[test]
fn a_workbook_that_is_cut_off_and_what_is_none_are_rejected() {
    let bytes = workbook(&[("Returns", &[(1, HEADER)])]);
    assert_eq!(
        read(&bytes[..], &excel("")).summary.emptiness,
        Some(Emptiness::HeaderOnly)
    );
    for end in 1..bytes.len() {
        assert!(
            read(&bytes[..end], &excel("")).file_rejected.is_some(),
            "cut at {end}"
        );
    }
    let why = |bytes: &[u8]| read(bytes, &excel("")).file_rejection().why.clone();
    assert!(why(b"%PDF-1.7").contains("it is a PDF"));
    assert!(why(b"Payment,Code\n").contains("no Excel workbook"));
    assert_eq!(
        read(&b""[..], &excel("")).summary.emptiness,
        Some(Emptiness::NoBytes)
    );
}

#[test]
fn a_workbook_that_unpacks_to_more_than_it_may_be_is_not_read() {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive
        .start_file("xl/workbook.xml", SimpleFileOptions::default())
        .unwrap();
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..130 {
        archive.write_all(&blanks).unwrap();
    }
    let bytes = archive.finish().unwrap().into_inner();
    assert!(bytes.len() < 1 << 20);
    let why = read(&bytes[..], &excel(""));
    assert!(why.file_rejection().why.contains("128 MiB"), "{why:?}");
}

#[test]
fn a_cell_far_away_takes_no_memory_for_those_between() {
    let far = "<?xml version=\"1.0\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row></sheetData></worksheet>";
    let bytes = workbook(&[("Returns", &[(1, HEADER)])]);
    let mut from = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..from.len() {
        let mut part = from.by_index(index).unwrap();
        let name = part.name().unwrap().into_owned();
        to.start_file(name.as_str(), SimpleFileOptions::default())
            .unwrap();
        if name.ends_with("sheet1.xml") {
            to.write_all(far.as_bytes()).unwrap();
        } else {
            std::io::copy(&mut part, &mut to).unwrap();
        }
    }
    let bytes = to.finish().unwrap().into_inner();
    let why = read(&bytes[..], &excel(""));
    assert!(
        why.file_rejection().why.contains("more than 1024 cells"),
        "{why:?}"
    );
}

#[test]
fn a_workbook_that_no_spreadsheet_writes_is_rejected() {
    let far = u64::MAX;
    let bytes = workbook(&[("Returns", &[(1, HEADER), (far, &[Text("P1"), Text("R01")])])]);
    let why = read(&bytes[..], &excel("")).file_rejection().why.clone();
    assert!(why.contains("not as spreadsheets write it"), "{why}");
}
