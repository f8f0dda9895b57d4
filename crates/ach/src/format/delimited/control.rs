//! The row of totals: what the file says of itself must be what was read.

use super::column::Column;
use super::layout::ColumnLayout;
use super::profile::{Profile, Trailer};
use super::row::Row;
use super::tally::FileTally;
use super::{amount, cell};
use crate::format::FileRejected;

/// Whether the first cell says that the row is a trailer.
pub(super) fn is_trailer(trailer: &Trailer, row: &Row) -> bool {
    said_by(trailer, row).is_some()
}

/// What follows the beginning of the first cell, when the row is a trailer. A text of the profile
/// that ends with `*` says only how the cell begins, as in `Total records: *`.
fn said_by<'a>(trailer: &Trailer, row: &'a Row) -> Option<&'a str> {
    let cell = row.value(0);
    trailer.first_cell.iter().find_map(|text| {
        let text = text.trim();
        let Some(start) = text.strip_suffix('*') else {
            return cell.eq_ignore_ascii_case(text).then_some(cell);
        };
        let (before, said) = cell.split_at_checked(start.len())?;
        before.eq_ignore_ascii_case(start).then(|| said.trim())
    })
}

/// Compares the trailer's count and total with the rows before it. The layout is not known where
/// the trailer comes before the header.
pub(super) fn check(
    profile: &Profile,
    layout: Option<&ColumnLayout>,
    row: &Row,
    tally: &mut FileTally,
) -> Result<(), FileRejected> {
    tally.see_trailer(row.at, row.value(0))?;
    let Some(trailer) = &profile.trailer else {
        return Ok(());
    };
    let own = (!trailer.starts.is_empty()).then(|| row.aligned(&trailer.starts));
    let row = own.as_ref().unwrap_or(row);
    if let Some(column) = &trailer.count {
        // A count in the first cell follows the words there.
        let text = match (column, said_by(trailer, row)) {
            (Column::Number(1), Some(said)) => said,
            (Column::Number(_) | Column::Named(_), _) => text(column, layout, row),
        };
        let said = text.replace(',', "").parse::<u64>();
        let said = said.map_err(|_| unreadable(row, column, text))?;
        let read = tally.summary.entries + tally.summary.rejected;
        if said != read {
            let (said, read) = (format!("{said} rows"), read.to_string());
            return Err(differs(row, column, &said, &read));
        }
    }
    if let (Some(column), Some(unit)) = (&trailer.total, profile.amount_unit) {
        let text = text(column, layout, row);
        let said = amount::read(text, unit).map_err(|_| unreadable(row, column, text))?;
        if tally.unread_amounts > 0 {
            let count = tally.unread_amounts;
            tally.note(row.at, "trailer total", || {
                format!("the total could not be checked; rows without a readable amount: {count}")
            });
        } else if said != tally.detail_minor {
            let (said, read) = (
                format!("{said} minor units"),
                tally.detail_minor.to_string(),
            );
            return Err(differs(row, column, &said, &read));
        }
    }
    Ok(())
}

/// What `column` of the trailer says.
fn text<'a>(column: &Column, layout: Option<&ColumnLayout>, row: &'a Row) -> &'a str {
    let index = match (column, layout) {
        (Column::Number(number), _) => number.checked_sub(1),
        (Column::Named(_), Some(layout)) => layout.place(column),
        (Column::Named(_), None) => None,
    };
    index.map_or("", |index| row.value(index))
}

fn unreadable(row: &Row, column: &Column, text: &str) -> FileRejected {
    let shown = cell::shown(text);
    let why = format!("the trailer has {shown} as its count or total; the file may be cut off");
    FileRejected::new(why).at(row.at).in_field(column)
}

fn differs(row: &Row, column: &Column, said: &str, read: &str) -> FileRejected {
    let why = format!(
        "the trailer says {said} and the file has {read}: rows are missing or doubled; fetch the \
         file again"
    );
    FileRejected::new(why).at(row.at).in_field(column)
}
