//! The records of a JSON file, as rows. The first row has the keys, as a header has them.
//!
//! A record may lack a key, which is a blank cell. So whether a column is missing shows only at the
//! end. The line of a record is its number in the file, since a whole file may be one line.

mod keys;
mod record;

use std::collections::VecDeque;
use std::io::Read;

use struson::reader::{JsonReader as _, JsonStreamReader, ReaderSettings, ValueType};

use self::keys::Keys;
use self::record::{JsonRecord, fault};
use super::profile::Profile;
use super::row::Row;
use crate::entry::FilePosition;
use crate::format::bounded::{Bounded, Passage};
use crate::format::{FileRejected, ReadError};

/// The most objects and arrays within each other.
const DEEPEST: u32 = 32;

/// Reads records one by one.
pub(super) struct JsonRows<R: Read> {
    json: JsonStreamReader<Bounded<R>>,
    passage: Passage,
    /// The keys on the way to the array of records.
    path: Vec<String>,
    place: Place,
    profile: Profile,
    keys: Option<Keys>,
    /// Rows that were read and not given yet: the first record waits behind its header.
    waiting: VecDeque<Row>,
    row: Row,
    records: u64,
}

/// Where the reader is.
#[derive(Clone, Copy)]
enum Place {
    /// Before everything.
    Beginning,
    /// Between values that stand one after the other.
    Between,
    /// In the array of records.
    Records,
    /// At the end.
    End,
}

impl<R: Read> JsonRows<R> {
    pub(super) fn new(input: R, profile: &Profile) -> Self {
        let (input, passage) = Bounded::new(input);
        let settings = ReaderSettings {
            allow_multiple_top_level: true,
            track_path: false,
            max_nesting_depth: Some(DEEPEST),
            ..ReaderSettings::default()
        };
        let path = profile.records.split('.').filter(|key| !key.is_empty());
        Self {
            json: JsonStreamReader::new_custom(input, settings),
            passage,
            path: path.map(str::to_owned).collect(),
            place: Place::Beginning,
            profile: profile.clone(),
            keys: None,
            waiting: VecDeque::new(),
            row: Row::empty(FilePosition { line: 1, byte: 0 }),
            records: 0,
        }
    }

    /// The next row; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<&Row>, ReadError> {
        if self.waiting.is_empty() {
            self.read()?;
        }
        let Some(row) = self.waiting.pop_front() else {
            return Ok(None);
        };
        self.row = row;
        Ok(Some(&self.row))
    }

    /// The end of the file: some record must have had each key on which money depends.
    pub(super) fn check_keys(&self, profile: &Profile) -> Result<(), FileRejected> {
        match &self.keys {
            Some(keys) if self.records > 0 => keys.check(profile),
            Some(_) | None => Ok(()),
        }
    }

    /// Reads a record, and before the first its header. A file without records has a header too.
    fn read(&mut self) -> Result<(), ReadError> {
        let record = self.record()?;
        let is_blank = record.is_none() && self.passage.is_blank();
        if self.keys.is_none() && !is_blank {
            let keys = Keys::new(&self.profile, record.as_ref());
            self.waiting.push_back(keys.header());
            self.keys = Some(keys);
        }
        if let (Some(record), Some(keys)) = (record, &mut self.keys) {
            self.waiting.push_back(keys.row(&record));
        }
        Ok(())
    }

    /// The next record.
    fn record(&mut self) -> Result<Option<JsonRecord>, ReadError> {
        loop {
            self.passage.renew();
            let is_more = match self.place {
                Place::Beginning => !self.is_empty()?,
                Place::Between | Place::Records => self.rule(|json| json.has_next())?,
                Place::End => return Ok(None),
            };
            match (self.place, is_more) {
                (Place::Records, true) => return self.object().map(Some),
                (Place::Records, false) => self.leave()?,
                (Place::Beginning | Place::Between, true) => {
                    if let Some(alone) = self.value()? {
                        return Ok(Some(alone));
                    }
                }
                (_, false) | (Place::End, _) => self.place = Place::End,
            }
        }
    }

    /// Whether the file has nothing but blanks.
    fn is_empty(&mut self) -> Result<bool, ReadError> {
        let begun = self.json.peek();
        if self.passage.is_blank() {
            return Ok(true);
        }
        begun.map(|_| false).map_err(|why| self.fault(why))
    }

    /// A value outside of any other: a record, or what has the array of records.
    fn value(&mut self) -> Result<Option<JsonRecord>, ReadError> {
        let kind = self.rule(|json| json.peek())?;
        match kind {
            ValueType::Object if self.path.is_empty() => {
                self.place = Place::Between;
                return self.object().map(Some);
            }
            ValueType::Object => self.descend()?,
            ValueType::Array if self.path.is_empty() => {}
            ValueType::Array
            | ValueType::String
            | ValueType::Number
            | ValueType::Boolean
            | ValueType::Null => {
                let why = match self.path.is_empty() {
                    true => "the file is neither objects nor an array of them".to_owned(),
                    false => format!("the file is no object with {}", self.profile.records),
                };
                return Err(FileRejected::new(why).at(self.at()).into());
            }
        }
        self.rule(|json| json.begin_array())?;
        self.place = Place::Records;
        Ok(None)
    }

    /// Goes to the array that the profile names.
    fn descend(&mut self) -> Result<(), ReadError> {
        for key in self.path.clone() {
            self.rule(|json| json.begin_object())?;
            loop {
                self.passage.renew();
                if !self.rule(|json| json.has_next())? {
                    let why = format!(
                        "the file has no {}; set `records` in the profile to the keys on the way \
                         to the array of records",
                        self.profile.records
                    );
                    return Err(FileRejected::new(why).at(self.at()).into());
                }
                if self.rule(|json| json.next_name_owned())? == key {
                    break;
                }
                self.passage.lift();
                self.rule(|json| json.skip_value())?;
            }
        }
        Ok(())
    }

    /// Leaves the array of records, and what is around it.
    fn leave(&mut self) -> Result<(), ReadError> {
        self.passage.lift();
        self.rule(|json| json.end_array())?;
        self.rule(|json| json.skip_to_top_level())?;
        self.place = Place::Between;
        Ok(())
    }

    fn object(&mut self) -> Result<JsonRecord, ReadError> {
        self.records += 1;
        let at = self.at();
        record::read(&mut self.json, at).map_err(|why| self.fault(why))
    }

    /// The place of the record that is read.
    fn at(&self) -> FilePosition {
        FilePosition {
            line: self.records.max(1),
            byte: self.json.current_position(false).data_pos.unwrap_or(0),
        }
    }

    fn rule<T>(
        &mut self,
        step: impl FnOnce(&mut JsonStreamReader<Bounded<R>>) -> Result<T, struson::reader::ReaderError>,
    ) -> Result<T, ReadError> {
        step(&mut self.json).map_err(|why| self.fault(why))
    }

    fn fault(&self, why: impl Into<record::RecordError>) -> ReadError {
        fault(why.into(), &self.passage, self.at())
    }
}
