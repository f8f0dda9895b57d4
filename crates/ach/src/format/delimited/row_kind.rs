//! What a row is, before its fields are looked at.

use super::column::Field;
use super::layout::Layout;
use super::mapping::Fault;
use super::profile::{Profile, RowFilter};
use super::rows::Row;
use super::tally::Tally;
use super::{cell, refused};
use crate::entry::FilePosition;
use crate::format::ReadError;

/// What a row behind the header is.
pub(super) enum RowKind {
    /// An entry.
    Detail,
    /// The row of totals.
    Trailer,
    /// A row that is passed over.
    Other,
    /// A row of a type that the profile does not list.
    Unlisted(Fault),
}

/// Tells rows apart by the row filter and by the record type column.
pub(super) fn of(
    profile: &Profile,
    layout: &Layout,
    row: &Row,
    at: FilePosition,
    tally: &mut Tally,
) -> Result<RowKind, ReadError> {
    if let Some(filter) = &profile.row_filter
        && !passes(filter, layout, row)?
    {
        let what = "rows that the filter leaves out";
        tally.note(Some(at), "row filter", || what.to_owned());
        return Ok(RowKind::Other);
    }
    let Some(types) = &profile.record_types else {
        return Ok(RowKind::Detail);
    };
    let index = layout.index(Field::RecordType).unwrap_or(0);
    let value = row.cell(index).map(cell::clean).unwrap_or_default();
    let is = |list: &[String]| {
        list.iter()
            .any(|name| name.trim().eq_ignore_ascii_case(value))
    };
    if is(&types.detail) {
        return Ok(RowKind::Detail);
    }
    if is(&types.trailer) {
        return Ok(RowKind::Trailer);
    }
    if is(&types.header) {
        return Ok(RowKind::Other);
    }
    if is(&types.ignored) {
        tally.note(Some(at), "record types", || {
            format!(
                "rows of types that are passed over, the first is {}",
                cell::shown(value)
            )
        });
        return Ok(RowKind::Other);
    }
    check_cut_off(row, layout)?;
    let why = format!(
        "{} is not a record type the profile lists",
        cell::shown(value)
    );
    Ok(RowKind::Unlisted(Fault {
        field: layout.name(index),
        why,
    }))
}

/// Whether the row is meant for us. A value that the end of the file cut off could be.
fn passes(filter: &RowFilter, layout: &Layout, row: &Row) -> Result<bool, ReadError> {
    let Some(index) = layout.place(&filter.column) else {
        let why = "the column of the row filter is not in the header".to_owned();
        return Err(refused(row.at, Some(filter.column.to_string()), why));
    };
    let value = row
        .cell(index)
        .map(cell::clean)
        .unwrap_or_default()
        .to_lowercase();
    let mut starts = filter.starts_with.iter().map(|start| start.to_lowercase());
    let is_cut = |start: String| start.starts_with(&value) && start != value;
    if !row.is_terminated && row.len() <= index + 1 && starts.clone().any(is_cut) {
        return Err(cut_off(row));
    }
    Ok(starts.any(|start| value.starts_with(&start)))
}

/// Whether the row is one of the sentences that say there are no entries. A comma in the
/// sentence may have cut it into cells.
pub(super) fn says_no_records(profile: &Profile, row: &Row) -> bool {
    if profile.no_records.is_empty() {
        return false;
    }
    let delimiter = char::from(profile.delimiter.byte());
    let cells: Vec<&str> = row.cells().collect();
    let joined = cells.join(&delimiter.to_string());
    let said = joined.trim_matches(|c: char| c == delimiter || c.is_whitespace());
    let said = said
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    profile.no_records.iter().any(|sentence| {
        let sentence = sentence.to_lowercase();
        match sentence.trim().strip_suffix('*') {
            Some(start) => said.starts_with(start.trim_end()),
            None => said == sentence.trim(),
        }
    })
}

/// A last row with too few cells and no line end was cut off on its way, and nobody knows
/// how much of the file is missing with it.
pub(super) fn check_cut_off(row: &Row, layout: &Layout) -> Result<(), ReadError> {
    let width = layout.width.unwrap_or_else(|| layout.least_width());
    if !row.is_terminated && row.len() < width {
        return Err(cut_off(row));
    }
    Ok(())
}

/// The refusal of a file that ends within `row`.
pub(super) fn cut_off(row: &Row) -> ReadError {
    let why = format!(
        "the file ends in the middle of this row, behind {} cells: it looks cut off; fetch it \
         again",
        row.len()
    );
    refused(row.at, None, why)
}
