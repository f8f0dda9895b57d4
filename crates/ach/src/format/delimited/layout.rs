//! Where each field is in this file.

use std::collections::{BTreeMap, BTreeSet};

use super::column::{Column, Field, normal};
use super::profile::Profile;
use super::row::Row;
use super::tally::FileTally;
use super::{cell, row_kind};
use crate::entry::FilePosition;
use crate::format::{FileRejected, limits};

/// The columns of a file, found by its header or given by number.
#[derive(Debug)]
pub(super) struct ColumnLayout {
    /// The header's cells; none without a header. Long ones are cut, because faults and raw rows
    /// repeat them.
    headers: Vec<String>,
    fields: BTreeMap<Field, usize>,
    /// The same by the field's number: each row asks for each field.
    place_of: Vec<Option<usize>>,
    /// How many cells a detail row has, once that is known.
    pub(super) width: Option<usize>,
    /// To how many digits a column is filled with zeros.
    pads: BTreeMap<usize, usize>,
    /// Columns that hold account numbers.
    masked: BTreeSet<usize>,
    /// Columns that are no field, and whose numbers are no accounts.
    ignored: BTreeSet<usize>,
    /// Where the columns are that are no field, found while the headers were whole.
    others: Vec<(Column, usize)>,
    /// Columns that are called like one of account numbers.
    called_account: BTreeSet<usize>,
}

impl ColumnLayout {
    /// The columns of a file without a header.
    pub(super) fn by_number(profile: &Profile) -> Self {
        let fields = profile.columns.iter();
        let fields = fields.filter_map(|(field, column)| Some((*field, place(column, &[])?)));
        let aligned = profile.is_aligned().then_some(profile.starts.len());
        let width = profile.width.or(aligned);
        Self::new(profile, Vec::new(), fields.collect(), width)
    }

    /// The columns that the header row names.
    pub(super) fn by_header(
        profile: &Profile,
        row: &Row,
        tally: &mut FileTally,
    ) -> Result<Self, FileRejected> {
        if let Some((_, why)) = row.fault {
            return Err(FileRejected::new(format!("in the header: {why}")).at(row.at));
        }
        let headers: Vec<String> = row
            .cells()
            .map(|cell| cell::clean(cell).to_owned())
            .collect();
        check_duplicates(profile, &headers, row.at)?;
        let mut fields = BTreeMap::new();
        let mut missing = Vec::new();
        for (field, column) in &profile.columns {
            match places(column, &headers).as_slice() {
                [index] => drop(fields.insert(*field, *index)),
                [] => missing.push(*field),
                [one, other, ..] => {
                    let why = format!(
                        "{:?} and {:?} are both spellings of {field}: remove one of them from \
                         the profile",
                        headers[*one], headers[*other]
                    );
                    return Err(FileRejected::new(why).at(row.at).in_field(&headers[*one]));
                }
            }
        }
        check_missing(profile, &missing, &headers, row.at)?;
        if !row.is_terminated && !missing.is_empty() {
            return Err(row_kind::cut_off(row));
        }
        note_differences(profile, &missing, &headers, row.at, tally);
        let width = Some(headers.len());
        Ok(Self::new(profile, headers, fields, width))
    }

    fn new(
        profile: &Profile,
        headers: Vec<String>,
        fields: BTreeMap<Field, usize>,
        width: Option<usize>,
    ) -> Self {
        let mut pads = BTreeMap::new();
        for (key, width) in &profile.pad {
            let field = Field::ALL.iter().find(|field| field.as_str() == key);
            let index = match field {
                Some(field) => fields.get(field).copied(),
                None => place(&Column::named([key]), &headers),
            };
            pads.extend(index.map(|index| (index, *width)));
        }
        let of_fields = fields.iter().filter(|(field, _)| field.holds_account());
        let mut masked: BTreeSet<usize> = of_fields.map(|(_, index)| *index).collect();
        masked.extend(
            profile
                .masked
                .iter()
                .flat_map(|column| places(column, &headers)),
        );
        let ignored = profile.ignore.iter();
        let ignored = ignored.flat_map(|name| places(&Column::named([name.as_str()]), &headers));
        // Routing numbers are public.
        let routing = headers.iter().enumerate();
        let routing = routing.filter(|(_, header)| header.to_lowercase().contains("routing"));
        let ignored = ignored.chain(routing.map(|(index, _)| index)).collect();
        let others = other_columns(profile);
        let others = others.filter_map(|column| Some((column.clone(), place(column, &headers)?)));
        let others = others.collect();
        let called_account = headers.iter().enumerate();
        let called_account = called_account.filter(|(_, header)| is_called_account(header));
        let called_account = called_account.map(|(index, _)| index).collect();
        let longest = limits::HEADERS / headers.len().max(1);
        let shortened = |header| limits::cut(header, longest.min(limits::FIELD));
        let mut place_of = vec![None; Field::ALL.len()];
        for (field, index) in &fields {
            place_of[*field as usize] = Some(*index);
        }
        Self {
            headers: headers.into_iter().map(shortened).collect(),
            fields,
            place_of,
            width,
            pads,
            masked,
            ignored,
            others,
            called_account,
        }
    }

    /// The column of `field`, counted from 0.
    pub(super) fn index(&self, field: Field) -> Option<usize> {
        self.place_of.get(field as usize).copied().flatten()
    }

    /// The place of a column that is not a field, counted from 0.
    pub(super) fn place(&self, column: &Column) -> Option<usize> {
        let mut others = self.others.iter();
        others
            .find(|(other, _)| other == column)
            .map(|(_, index)| *index)
    }

    /// The last column that a field needs, as a number of cells.
    pub(super) fn least_width(&self) -> usize {
        self.fields.values().max().map_or(1, |index| index + 1)
    }

    /// To how many digits the column is filled with zeros; 0 for not at all.
    pub(super) fn pad(&self, index: usize) -> usize {
        self.pads.get(&index).copied().unwrap_or(0)
    }

    /// The header as in the file, or `column 3`.
    pub(super) fn name(&self, index: usize) -> String {
        match self.headers.get(index) {
            Some(header) if !header.is_empty() => header.clone(),
            Some(_) | None => format!("column {}", index + 1),
        }
    }

    /// Whether `value` is words that anybody wrote as they liked, not an id or a date: of such a
    /// field, or words in a column that no field has. What a column holds that the profile does not
    /// know, nobody can say.
    pub(super) fn is_free_text(&self, index: usize, value: &str) -> bool {
        let mut of_fields = self.fields.iter().filter(|(_, place)| **place == index);
        match of_fields.next() {
            Some((field, _)) => FREE_TEXT.contains(field),
            None => {
                let is_known = self.ignored.contains(&index) || self.pads.contains_key(&index);
                !is_known || value.contains(|letter: char| !letter.is_ascii_digit())
            }
        }
    }

    /// Whether `value` must be hidden: its column is one of accounts, or has a name like one and
    /// enough digits. That holds for columns that the profile does not name, too.
    pub(super) fn hides(&self, index: usize, value: &str) -> bool {
        let is_called_account = self.called_account.contains(&index);
        self.masked.contains(&index) || (is_called_account && cell::may_be_account(value))
    }
}

fn is_called_account(header: &str) -> bool {
    let header = header.to_lowercase();
    let words = ["account", "acct", "iban"];
    words.iter().any(|word| header.contains(word))
}

/// The fields whose values anybody writes as they like, or that have no long number where they are
/// what they are called.
const FREE_TEXT: [Field; 4] = [
    Field::Description,
    Field::CompanyName,
    Field::Sec,
    Field::Direction,
];

/// The places of the column, one for each header that is one of its spellings.
fn places(column: &Column, headers: &[String]) -> Vec<usize> {
    match column {
        Column::Number(number) => {
            let index = number.checked_sub(1);
            index
                .filter(|index| headers.is_empty() || *index < headers.len())
                .into_iter()
                .collect()
        }
        Column::Named(_) => {
            let all = headers.iter().enumerate();
            all.filter(|(_, header)| column.is(header))
                .map(|(index, _)| index)
                .collect()
        }
    }
}

fn place(column: &Column, headers: &[String]) -> Option<usize> {
    places(column, headers).first().copied()
}

/// A header that stands there twice is unclear, unless the profile says by number which is meant.
fn check_duplicates(
    profile: &Profile,
    headers: &[String],
    at: FilePosition,
) -> Result<(), FileRejected> {
    let mut seen = BTreeSet::new();
    let columns = profile.columns.values().chain(&profile.masked);
    let columns: Vec<&Column> = columns.chain(other_columns(profile)).collect();
    let is_named = |header: &String| columns.iter().any(|column| column.is(header));
    let numbered = columns.iter().filter_map(|column| match column {
        Column::Number(number) => headers.get(number.checked_sub(1)?).map(|name| normal(name)),
        Column::Named(_) => None,
    });
    let numbered: BTreeSet<String> = numbered.collect();
    for header in headers.iter().filter(|header| !header.is_empty()) {
        let is_told = numbered.contains(&normal(header)) && !is_named(header);
        if !seen.insert(normal(header)) && !is_told {
            let header = cell::shown(header);
            let why =
                format!("two columns have the header {header}, so it is unclear which is meant");
            return Err(FileRejected::new(why).at(at));
        }
    }
    Ok(())
}

/// A column is needed if the profile says so, or if money depends on it.
fn check_missing(
    profile: &Profile,
    missing: &[Field],
    headers: &[String],
    at: FilePosition,
) -> Result<(), FileRejected> {
    let is_needed = |field: &&Field| field.decides() || profile.required.contains(field);
    let needed: Vec<&Field> = missing.iter().filter(is_needed).collect();
    let Some(first) = needed.first() else {
        return Ok(());
    };
    let named = needed
        .iter()
        .map(|field| format!("{field} ({})", profile.column_name(**field)));
    let named: Vec<String> = named.collect();
    let why = format!(
        "no column for {}; the file's headers are: {}. If the vendor renamed a column, add its \
         new name to the profile",
        named.join(", "),
        listed(headers)
    );
    Err(FileRejected::new(why)
        .at(at)
        .in_field(profile.column_name(**first)))
}

fn note_differences(
    profile: &Profile,
    missing: &[Field],
    headers: &[String],
    at: FilePosition,
    tally: &mut FileTally,
) {
    let known = known_places(profile, headers);
    for (index, header) in headers.iter().enumerate() {
        if !header.is_empty() && !known.contains(&index) {
            note_unknown(profile, header, at, tally);
        }
    }
    for field in missing {
        tally.note(at, "absent columns", || {
            let column = profile.column_name(*field);
            format!(
                "columns that the profile names and the file lacks; the first is {field} ({column})"
            )
        });
    }
}

/// Counts a column that nobody asked for, unless the profile ignores it.
pub(super) fn note_unknown(
    profile: &Profile,
    header: &str,
    at: FilePosition,
    tally: &mut FileTally,
) {
    let mut ignored = profile.ignore.iter();
    if ignored.any(|name| normal(name) == normal(header)) {
        return;
    }
    tally.note(at, "unknown columns", || {
        let shown = cell::shown(header);
        format!("columns that the profile does not name; the first is {shown}")
    });
}

/// The columns of the trailer and of the row filter.
pub(super) fn other_columns(profile: &Profile) -> impl Iterator<Item = &Column> {
    let trailer = profile.trailer.iter();
    let trailer = trailer.flat_map(|trailer| [&trailer.count, &trailer.total]);
    let filter = profile.row_filter.iter().map(|filter| &filter.column);
    trailer.flatten().chain(filter)
}

/// Every column that some key of the profile names.
fn known_places(profile: &Profile, headers: &[String]) -> BTreeSet<usize> {
    let mut known = BTreeSet::new();
    let columns = profile.columns.values().chain(&profile.masked);
    for column in columns.chain(other_columns(profile)) {
        known.extend(places(column, headers));
    }
    for key in profile.pad.keys() {
        known.extend(places(&Column::named([key]), headers));
    }
    known
}

/// The headers for an error. They may be a row of data.
fn listed(headers: &[String]) -> String {
    const MOST: usize = 60;
    let mut shown: Vec<String> = headers
        .iter()
        .take(MOST)
        .map(|header| cell::shown(header))
        .collect();
    if headers.len() > MOST {
        shown.push(format!("and {} more", headers.len() - MOST));
    }
    shown.join(", ")
}
