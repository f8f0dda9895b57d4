//! The rows of a sheet of an Excel workbook.
//!
//! A workbook is an archive whose list is at its end, so it is read whole. Its size is limited, packed
//! and unpacked.

use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use chrono::NaiveDate;

use super::profile::Profile;
use super::row::Row;
use super::rows::MOST_CELLS;
use crate::entry::FilePosition;
use crate::format::foreign::{self, Foreign};
use crate::format::{FileRejected, ReadError};

/// The largest workbook, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;
/// The most that it may be when it is unpacked, in bytes.
const LARGEST_UNPACKED: u64 = 128 * 1024 * 1024;
/// The most files in the archive.
const MOST_FILES: usize = 1_000;

/// How a date is written where the profile has no format.
const ISO_DATE: &str = "%Y-%m-%d";

/// The rows of one sheet. The first call reads them all.
pub(super) struct SheetRows<R> {
    input: Option<R>,
    sheet: String,
    date_format: String,
    rows: std::vec::IntoIter<Row>,
    row: Row,
    others: Vec<String>,
}

impl<R: Read> SheetRows<R> {
    pub(super) fn new(input: R, profile: &Profile) -> Self {
        let format = profile.date_formats.first();
        Self {
            input: Some(input),
            sheet: profile.sheet.clone(),
            date_format: format.map_or_else(|| ISO_DATE.to_owned(), String::clone),
            rows: Vec::new().into_iter(),
            row: Row::empty(FilePosition { line: 1, byte: 0 }),
            others: Vec::new(),
        }
    }

    /// The next row; `None` at the end of the sheet. Rows without cells are skipped.
    pub(super) fn next(&mut self) -> Result<Option<&Row>, ReadError> {
        if let Some(input) = self.input.take() {
            self.load(input)?;
        }
        let Some(row) = self.rows.next() else {
            return Ok(None);
        };
        self.row = row;
        Ok(Some(&self.row))
    }

    /// Sheets that were not read.
    pub(super) fn other_sheets(&self) -> Option<(FilePosition, &'static str, String)> {
        let first = self.others.first()?;
        let at = FilePosition { line: 1, byte: 0 };
        let what = format!(
            "not read, {} of them; the first is {}",
            self.others.len(),
            super::cell::shown(first)
        );
        Some((at, "other sheets", what))
    }

    fn load(&mut self, input: R) -> Result<(), ReadError> {
        let mut bytes = Vec::new();
        input.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.trim_ascii().is_empty() {
            return Ok(());
        }
        if bytes.len() as u64 > LARGEST {
            return Err(rejected("the workbook is larger than 16 MiB; ask for CSV"));
        }
        match foreign::named(&bytes) {
            // Some workbooks begin with another part of theirs than the one that is looked for.
            Some(Foreign::Workbook | Foreign::Zip) => {}
            Some(other) => return Err(rejected(&format!("this is no Excel workbook: {other}"))),
            None => return Err(rejected("this is no Excel workbook (.xlsx)")),
        }
        check_unpacked(&bytes)?;
        // The library that reads workbooks panics at some that no spreadsheet writes.
        let read = AssertUnwindSafe(|| self.read(bytes));
        catch_unwind(read).unwrap_or_else(|_| {
            Err(rejected(
                "a part of the workbook is not as spreadsheets write it; ask for it again, or for CSV",
            ))
        })
    }

    fn read(&mut self, bytes: Vec<u8>) -> Result<(), ReadError> {
        let workbook: Result<Xlsx<_>, XlsxError> = Xlsx::new(Cursor::new(bytes));
        let mut workbook = workbook.map_err(|why| unreadable(&why))?;
        let mut names = workbook.sheet_names();
        let wanted = match self.sheet.is_empty() {
            true => (!names.is_empty()).then_some(0),
            false => names.iter().position(|name| *name == self.sheet),
        };
        let Some(wanted) = wanted else {
            let names = names.join(", ");
            let why = format!(
                "the workbook has no sheet {:?}; its sheets are: {names}",
                self.sheet
            );
            return Err(rejected(&why));
        };
        let name = names.remove(wanted);
        self.others = names;
        self.rows = rows(&mut workbook, &name, &self.date_format)?.into_iter();
        Ok(())
    }
}

fn rejected(why: &str) -> ReadError {
    FileRejected::new(why).into()
}

fn unreadable(why: &XlsxError) -> ReadError {
    match why {
        XlsxError::Password => rejected("the workbook is locked with a password"),
        why => rejected(&format!(
            "the workbook cannot be read, and was probably cut off: {why}"
        )),
    }
}

/// Unpacks everything once, to see that it is not more than it may be. What the archive says of
/// itself may be wrong.
fn check_unpacked(bytes: &[u8]) -> Result<(), ReadError> {
    let cut = |why: zip::result::ZipError| {
        rejected(&format!(
            "the workbook cannot be unpacked, and was probably cut off: {why}"
        ))
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(cut)?;
    if archive.len() > MOST_FILES {
        return Err(rejected("the workbook has more than 1,000 parts"));
    }
    let mut left = LARGEST_UNPACKED;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(cut)?;
        let unpacked = std::io::copy(&mut part.take(left), &mut std::io::sink());
        let unpacked = unpacked.map_err(|why| cut(why.into()))?;
        left -= unpacked;
        if left == 0 {
            return Err(rejected(
                "the workbook is larger than 128 MiB when it is unpacked; ask for CSV",
            ));
        }
    }
    Ok(())
}

/// All rows with cells, each as wide as the widest.
fn rows(
    workbook: &mut Xlsx<Cursor<Vec<u8>>>,
    sheet: &str,
    date_format: &str,
) -> Result<Vec<Row>, ReadError> {
    let mut cells = workbook
        .worksheet_cells_reader(sheet)
        .map_err(|why| unreadable(&why))?;
    let mut rows: Vec<SheetRow> = Vec::new();
    let mut widest = 0;
    while let Some(cell) = cells.next_cell().map_err(|why| unreadable(&why))? {
        let (row, column) = cell.get_position();
        let text = text(cell.get_value(), date_format);
        if text == Ok(String::new()) {
            continue;
        }
        let column = column as usize;
        if column >= MOST_CELLS {
            let why = format!("row {} has more than {MOST_CELLS} cells", row + 1);
            return Err(rejected(&why));
        }
        widest = widest.max(column + 1);
        if rows.last().is_none_or(|last| last.number != row) {
            rows.push(SheetRow {
                number: row,
                cells: Vec::new(),
                fault: None,
            });
        }
        if let Some(last) = rows.last_mut() {
            last.set(column, text);
        }
    }
    Ok(rows.into_iter().map(|row| row.padded(widest)).collect())
}

/// A row while it is read.
struct SheetRow {
    /// Counted from 0.
    number: u32,
    cells: Vec<(usize, String)>,
    fault: Option<(usize, &'static str)>,
}

impl SheetRow {
    fn set(&mut self, column: usize, text: Result<String, &'static str>) {
        match text {
            Ok(text) => self.cells.push((column, text)),
            Err(why) => drop(self.fault.get_or_insert((column, why))),
        }
    }

    fn padded(mut self, width: usize) -> Row {
        self.cells.sort_by_key(|(column, _)| *column);
        let at = FilePosition {
            line: u64::from(self.number) + 1,
            byte: 0,
        };
        let mut texts = vec![""; width];
        for (column, text) in &self.cells {
            texts[*column] = text;
        }
        let mut row = Row::of(at, texts);
        row.fault = self.fault;
        row
    }
}

/// A cell as the text that a CSV of the sheet would have.
fn text(value: &DataRef<'_>, date_format: &str) -> Result<String, &'static str> {
    Ok(match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => decimal(*number),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(is) => is.to_string(),
        DataRef::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            let day = NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day));
            let day = day.ok_or("the cell has no valid date")?;
            day.format(date_format).to_string()
        }
        DataRef::DateTime(_) | DataRef::DurationIso(_) => {
            return Err("the cell has a duration where a text, a number or a date is meant");
        }
        DataRef::DateTimeIso(moment) => {
            let day = moment.get(..10).and_then(|day| day.parse().ok());
            let day: NaiveDate = day.ok_or("the cell has no valid date")?;
            day.format(date_format).to_string()
        }
        DataRef::Error(_) => return Err("the cell has an error of the spreadsheet, such as #N/A"),
        DataRef::Empty => String::new(),
    })
}

/// A number with its decimals, as far as a spreadsheet keeps them: 15 digits. One with more lost its
/// last digits, and is written so that this is seen.
fn decimal(number: f64) -> String {
    const FIRST_ROUNDED: f64 = 1e15;
    if number.abs() >= FIRST_ROUNDED {
        return format!("{number:E}").replace('E', "E+");
    }
    let decimals = format!("{number:.10}");
    let decimals = decimals.trim_end_matches('0').trim_end_matches('.');
    decimals.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_it_is_shown_and_a_rounded_id_is_seen() {
        for (number, text) in [
            (123.45, "123.45"),
            (0.300_000_000_000_000_04, "0.3"),
            (-5.0, "-5"),
            (100.0, "100"),
            (999_999_999_999_999.0, "999999999999999"),
        ] {
            assert_eq!(decimal(number), text);
        }
        assert!(super::super::cell::is_rounded(&decimal(
            8.399_765_698_960_988e16
        )));
    }
}
