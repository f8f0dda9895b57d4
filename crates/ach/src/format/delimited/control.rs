//! The row of totals: what the file says of itself must be what was read.

use super::column::Column;
use super::layout::Layout;
use super::profile::{Profile, Trailer};
use super::rows::Row;
use super::tally::Tally;
use super::{amount, cell, refused};
use crate::format::ReadError;

/// Whether the first cell says that the row is a trailer.
pub(super) fn is_trailer(trailer: &Trailer, row: &Row) -> bool {
    let first = row.cell(0).map(cell::clean).unwrap_or_default();
    trailer
        .first_cell
        .iter()
        .any(|text| text.trim().eq_ignore_ascii_case(first))
}

/// Compares the trailer's count and total with the rows before it.
pub(super) fn check(
    profile: &Profile,
    trailer: &Trailer,
    layout: Option<&Layout>,
    row: &Row,
    tally: &mut Tally,
) -> Result<(), ReadError> {
    tally.trailer_at = row.at;
    if let Some(column) = &trailer.count {
        let said: u64 = number(column, layout, row, |text| {
            text.replace(',', "").parse().ok()
        })?;
        let read = tally.entries + tally.rejected;
        if said != read {
            return Err(differs(
                row,
                column,
                "rows",
                &said.to_string(),
                &read.to_string(),
            ));
        }
    }
    if let (Some(column), Some(unit)) = (&trailer.total, profile.amount_unit) {
        let said = number(column, layout, row, |text| amount::read(text, unit).ok())?;
        if tally.unread_amounts > 0 {
            let count = tally.unread_amounts;
            tally.note(row.at, "trailer total", || {
                format!("the total could not be checked: {count} rows have no readable amount")
            });
        } else if said != tally.detail_minor {
            let (said, read) = (said.to_string(), tally.detail_minor.to_string());
            return Err(differs(row, column, "minor units", &said, &read));
        }
    }
    Ok(())
}

/// The number in `column` of the trailer.
fn number<T>(
    column: &Column,
    layout: Option<&Layout>,
    row: &Row,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, ReadError> {
    let index = match (column, layout) {
        (Column::Number(number), _) => number.checked_sub(1),
        (Column::Named(_), Some(layout)) => layout.place(column),
        (Column::Named(_), None) => None,
    };
    let text = index
        .and_then(|index| row.cell(index))
        .map(cell::clean)
        .unwrap_or_default();
    read(text).ok_or_else(|| {
        let why = format!(
            "the trailer has {} where its count or total should stand; the file may be cut off",
            cell::shown(text)
        );
        refused(row.at, Some(column.to_string()), why)
    })
}

fn differs(row: &Row, column: &Column, unit: &str, said: &str, read: &str) -> ReadError {
    let why = format!(
        "the trailer says {said} {unit} and the file holds {read}: rows are missing or doubled; \
         fetch the file again"
    );
    refused(row.at, Some(column.to_string()), why)
}
