//! Which key of a record is which cell of its row.

use std::collections::BTreeMap;

use super::super::column::{Column, normal};
use super::super::layout::other_columns;
use super::super::profile::Profile;
use super::super::row::Row;
use super::record::JsonRecord;
use crate::entry::FilePosition;
use crate::format::FileRejected;

/// The keys of the first record, and those of the profile.
pub(super) struct Keys {
    names: Vec<String>,
    /// The cell of each key, by its normal spelling.
    places: BTreeMap<String, usize>,
    /// Which cells some record had.
    seen: Vec<bool>,
}

impl Keys {
    pub(super) fn new(profile: &Profile, first: Option<&JsonRecord>) -> Self {
        let mut keys = Self {
            names: Vec::new(),
            places: BTreeMap::new(),
            seen: Vec::new(),
        };
        for (key, _) in first.map_or(&[][..], |record| &record.pairs) {
            keys.place(key);
        }
        let columns = profile.columns.values().chain(&profile.masked);
        for column in columns.chain(other_columns(profile)) {
            let Column::Named(spellings) = column else {
                continue;
            };
            let known = |text: &String| keys.places.get(&normal(text)).copied();
            let place = spellings.iter().find_map(known);
            let place = match (place, spellings.first()) {
                (Some(place), _) => place,
                (None, Some(first)) => keys.place(first),
                (None, None) => continue,
            };
            for spelling in spellings {
                keys.places.entry(normal(spelling)).or_insert(place);
            }
        }
        keys
    }

    fn place(&mut self, key: &str) -> usize {
        let next = self.names.len();
        let place = *self.places.entry(normal(key)).or_insert(next);
        if place == next {
            self.names.push(key.to_owned());
            self.seen.push(false);
        }
        place
    }

    /// The row that names the columns.
    pub(super) fn header(&self) -> Row {
        let at = FilePosition { line: 1, byte: 0 };
        Row::of(at, self.names.iter().map(String::as_str))
    }

    /// The row of a record.
    pub(super) fn row(&mut self, record: &JsonRecord) -> Row {
        let mut cells = vec![""; self.names.len()];
        let mut filled = vec![false; self.names.len()];
        let (mut fault, mut extra) = (None, None);
        for (key, value) in &record.pairs {
            let Some(&place) = self.places.get(&normal(key)) else {
                extra.get_or_insert_with(|| key.clone());
                continue;
            };
            if std::mem::replace(&mut filled[place], true) {
                fault.get_or_insert((place, "the record has this key twice"));
            }
            cells[place] = value;
            self.seen[place] = true;
        }
        let mut row = Row::of(record.at, cells);
        (row.fault, row.extra) = (fault, extra);
        row
    }

    /// Whether a column that is needed was in none of the records.
    pub(super) fn check(&self, profile: &Profile) -> Result<(), FileRejected> {
        let is_seen = |column: &Column| match column {
            Column::Named(spellings) => spellings.iter().any(|spelling| {
                let place = self.places.get(&normal(spelling));
                place.is_some_and(|place| self.seen[*place])
            }),
            Column::Number(_) => true,
        };
        let needed = profile
            .columns
            .iter()
            .filter(|(field, _)| field.decides() || profile.required.contains(field));
        let missing: Vec<String> = needed
            .filter(|(_, column)| !is_seen(column))
            .map(|(field, column)| format!("{field} ({column})"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(FileRejected::new(format!(
            "no record has a key for {}; if the vendor renamed it, add its new name to the profile",
            missing.join(", ")
        )))
    }
}
