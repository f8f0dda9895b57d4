//! What a row is, before its fields are read.

use super::cell;
use super::column::Field;
use super::layout::ColumnLayout;
use super::mapping::RowFault;
use super::profile::{DeclaredKind, Profile, RowFilter};
use super::row::Row;
use super::tally::FileTally;
use crate::format::FileRejected;

/// What a row after the header is.
pub(super) enum RowKind {
    /// An entry of this kind.
    Detail(DeclaredKind),
    /// The row of totals.
    Trailer,
    /// A row that is skipped.
    Other,
    /// A row of a type that the profile does not list.
    Unlisted(RowFault),
}

/// The kind of a row, by the row filter and by the record type column.
pub(super) fn of(
    profile: &Profile,
    layout: &ColumnLayout,
    row: &Row,
    tally: &mut FileTally,
) -> Result<RowKind, FileRejected> {
    if let Some(filter) = &profile.row_filter
        && !passes(filter, layout, row)?
    {
        let what = "rows that the filter leaves out";
        tally.leave_out(row.at, "row filter", || what.to_owned());
        return Ok(RowKind::Other);
    }
    let Some(types) = &profile.record_types else {
        return Ok(RowKind::Detail(profile.kind));
    };
    let index = layout.index(Field::RecordType).unwrap_or(0);
    let value = row.value(index);
    let kinds = [
        (&types.detail, profile.kind),
        (&types.returns, DeclaredKind::Returns),
        (&types.corrections, DeclaredKind::Corrections),
        (&types.validation_failures, DeclaredKind::ValidationFailures),
    ];
    for (names, kind) in kinds {
        if cell::is_any_of(value, names) {
            return Ok(RowKind::Detail(kind));
        }
    }
    if cell::is_any_of(value, &types.trailer) {
        return Ok(RowKind::Trailer);
    }
    if cell::is_any_of(value, &types.header) {
        return Ok(RowKind::Other);
    }
    let shown = cell::shown(value);
    if cell::is_any_of(value, &types.ignored) {
        tally.leave_out(row.at, "record types", || {
            format!("rows of types that are ignored; the first is {shown}")
        });
        return Ok(RowKind::Other);
    }
    check_cut_off(row, layout)?;
    Ok(RowKind::Unlisted(RowFault {
        field: layout.name(index),
        why: format!("the profile lists no record type {shown}"),
    }))
}

/// Whether the row is meant for us. A value that the end of the file cut off could be.
fn passes(filter: &RowFilter, layout: &ColumnLayout, row: &Row) -> Result<bool, FileRejected> {
    let Some(index) = layout.place(&filter.column) else {
        let why = "the column of the row filter is not in the header";
        return Err(FileRejected::new(why).at(row.at).in_field(&filter.column));
    };
    let value = row.value(index).to_lowercase();
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
    let joined = match profile.is_aligned() {
        true => cells.concat(),
        false => cells.join(&delimiter.to_string()),
    };
    let said = joined.trim_matches(|c: char| c == delimiter || c.is_whitespace());
    let said = cell::one_spaced(said);
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
pub(super) fn check_cut_off(row: &Row, layout: &ColumnLayout) -> Result<(), FileRejected> {
    let width = layout.width.unwrap_or_else(|| layout.least_width());
    if !row.is_terminated && row.len() < width {
        return Err(cut_off(row));
    }
    Ok(())
}

/// The rejection of a file that ends within `row`.
pub(super) fn cut_off(row: &Row) -> FileRejected {
    let count = row.len();
    let cells = if count == 1 { "cell" } else { "cells" };
    let why = format!(
        "the file ends in the middle of this row, after {count} {cells}: it was probably cut off; \
         fetch it again"
    );
    FileRejected::new(why).at(row.at)
}
