//! A sheet of an Excel workbook: the input is the XML of the sheet, packed as a workbook.

#![no_main]

use std::io::{Cursor, Write as _};
use std::sync::LazyLock;

use ach::format::Format;
use ach::format::delimited::Profile;
use chrono::NaiveDate;
use libfuzzer_sys::fuzz_target;
use zip::write::SimpleFileOptions;

const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

static FORMAT: LazyLock<Format> = LazyLock::new(|| {
    let text = "name = \"fuzz\"\nsyntax = \"excel\"\namount_unit = \"major\"\n[columns]\n\
                payment_id = \"id\"\ncode = \"code\"\namount = \"amount\"\n";
    match toml::from_str::<Profile>(text) {
        Ok(profile) => Format::Delimited(Box::new(profile)),
        Err(error) => panic!("{error}"),
    }
});

/// A panic of the library that reads workbooks is the reader's to contain. Any other one is a failure,
/// as it is in all targets.
static PANICS: LazyLock<()> = LazyLock::new(|| {
    let fails = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_library = |file: &str| file.contains("/calamine-");
        if !panic.location().is_some_and(|at| is_library(at.file())) {
            fails(panic);
        }
    }));
});

fn workbook(sheet: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"{package}\"><Relationship Id=\"rId1\" Type=\"{RELATIONS}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let parts = [
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            relation("worksheet", "worksheets/sheet1.xml"),
        ),
    ];
    for (name, text) in parts {
        archive.start_file(name, SimpleFileOptions::default())?;
        archive.write_all(text.as_bytes())?;
    }
    archive.start_file("xl/worksheets/sheet1.xml", SimpleFileOptions::default())?;
    archive.write_all(sheet)?;
    Ok(archive.finish()?.into_inner())
}

fuzz_target!(|sheet: &[u8]| {
    const MOST_MEMORY: usize = 64 << 20;
    LazyLock::force(&PANICS);
    let (Ok(bytes), Some(day)) = (workbook(sheet), NaiveDate::from_ymd_opt(2026, 11, 20)) else {
        return;
    };
    echeck_fuzz::within(MOST_MEMORY, || {
        for item in FORMAT.open(&bytes[..], day) {
            drop(item);
        }
    });
});
