//! The same entries in the two forms of rows that are no lines: JSON and an Excel workbook. The
//! profiles that read them are in docs/formats.md.

use std::io::{self, Cursor, Write};

use zip::write::SimpleFileOptions;

use super::line::SampleLine;
use super::payment::SampleWorld;
use super::structured::dollars;

/// Writes the entries as an array of objects.
pub(crate) fn json<W: Write>(
    world: SampleWorld,
    lines: impl Iterator<Item = SampleLine>,
    out: &mut W,
) -> io::Result<()> {
    write!(out, "[")?;
    for (index, line) in lines.enumerate() {
        let payment = &line.payment;
        let object = serde_json::json!({
            "payment_id": payment.payment_id,
            "order": { "id": payment.trace_id },
            "trace": payment.ach_trace,
            "return": { "code": line.code },
            "amount": payment.amount_minor,
            "type": "debit",
            "returned_on": world.returned_on(payment).to_string(),
        });
        let comma = if index == 0 { "" } else { "," };
        write!(out, "{comma}\n{object}")?;
    }
    writeln!(out, "\n]")
}

/// Writes the entries as a sheet. The parts of the workbook are the fewest that a spreadsheet opens.
pub(crate) fn excel<W: Write>(
    world: SampleWorld,
    lines: impl Iterator<Item = SampleLine>,
    out: &mut W,
) -> io::Result<()> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in PARTS {
        archive.start_file(name, SimpleFileOptions::default())?;
        archive.write_all(text.as_bytes())?;
    }
    archive.start_file("xl/worksheets/sheet1.xml", SimpleFileOptions::default())?;
    writeln!(
        archive,
        "<?xml version=\"1.0\"?><worksheet xmlns=\"{MAIN}\"><sheetData>"
    )?;
    let header = ["Payment", "Order", "Trace", "Code", "Returned"];
    row(&mut archive, 1, &header.map(str::to_owned), "Amount")?;
    for (index, line) in lines.enumerate() {
        let payment = &line.payment;
        let cells = [
            payment.payment_id.clone(),
            payment.trace_id.clone(),
            payment.ach_trace.clone(),
            line.code.to_owned(),
            world.returned_on(payment).format("%m/%d/%Y").to_string(),
        ];
        row(
            &mut archive,
            index + 2,
            &cells,
            &dollars(payment.amount_minor),
        )?;
    }
    write!(archive, "</sheetData></worksheet>")?;
    out.write_all(&archive.finish()?.into_inner())
}

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

const PARTS: [(&str, &str); 4] = [
    (
        "[Content_Types].xml",
        "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/></Types>",
    ),
    (
        "_rels/.rels",
        "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
    ),
    (
        "xl/workbook.xml",
        "<?xml version=\"1.0\"?><workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"Returns\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
    ),
    (
        "xl/_rels/workbook.xml.rels",
        "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>",
    ),
];

/// Texts, and the amount behind them: a number, but in the header.
fn row(out: &mut impl Write, number: usize, texts: &[String; 5], amount: &str) -> io::Result<()> {
    write!(out, "<row r=\"{number}\">")?;
    let text = |text: &str| format!("t=\"inlineStr\"><is><t>{text}</t></is></c>");
    for (letter, cell) in ('A'..).zip(texts) {
        write!(out, "<c r=\"{letter}{number}\" {}", text(cell))?;
    }
    let amount = match number {
        1 => text(amount),
        _ => format!("><v>{amount}</v></c>"),
    };
    writeln!(out, "<c r=\"F{number}\" {amount}</row>")
}
