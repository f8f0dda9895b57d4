//! One record of a JSON file: every value in it, by the keys on the way to it.

use std::io::Read;

use struson::reader::{
    JsonReader, JsonStreamReader, JsonSyntaxError, ReaderError, SyntaxErrorKind, ValueType,
};

use super::super::rows::MOST_CELLS;
use crate::entry::FilePosition;
use crate::format::bounded::Passage;
use crate::format::foreign::Foreign;
use crate::format::{FileRejected, ReadError, limits};

/// The longest key of a value, with the keys on the way to it.
const LONGEST_KEY: usize = 8 * limits::FIELD;

/// One record.
pub(super) struct JsonRecord {
    pub(super) at: FilePosition,
    /// Keys and values, as they stand in the file; numbers keep all their digits.
    pub(super) pairs: Vec<(String, String)>,
}

/// Why a record cannot be read.
pub(super) enum RecordError {
    Json(ReaderError),
    /// It has more than a record can have.
    TooMuch(&'static str),
}

impl From<ReaderError> for RecordError {
    fn from(error: ReaderError) -> Self {
        Self::Json(error)
    }
}

/// Reads the object that comes next.
pub(super) fn read<R: Read>(
    json: &mut JsonStreamReader<R>,
    at: FilePosition,
) -> Result<JsonRecord, RecordError> {
    if json.peek()? != ValueType::Object {
        return Err(RecordError::TooMuch("a record is no object"));
    }
    let mut pairs = Vec::new();
    value(json, &mut String::new(), &mut pairs)?;
    Ok(JsonRecord { at, pairs })
}

/// Adds the value that comes next, whose keys are `path`. How deep it goes is limited by the
/// reader's settings.
fn value<R: Read>(
    json: &mut JsonStreamReader<R>,
    path: &mut String,
    pairs: &mut Vec<(String, String)>,
) -> Result<(), RecordError> {
    let text = match json.peek()? {
        ValueType::Object => {
            json.begin_object()?;
            while json.has_next()? {
                let key = json.next_name_owned()?;
                within(path, &key, |path| value(json, path, pairs))?;
            }
            return Ok(json.end_object()?);
        }
        ValueType::Array => {
            json.begin_array()?;
            let mut index = 0_usize;
            while json.has_next()? {
                within(path, &index.to_string(), |path| value(json, path, pairs))?;
                index += 1;
            }
            return Ok(json.end_array()?);
        }
        ValueType::Null => return Ok(json.next_null()?),
        ValueType::String => json.next_string()?,
        ValueType::Number => json.next_number_as_string()?,
        ValueType::Boolean => json.next_bool()?.to_string(),
    };
    if pairs.len() == MOST_CELLS {
        return Err(RecordError::TooMuch("a record has more than 1024 values"));
    }
    pairs.push((path.clone(), text));
    Ok(())
}

fn within(
    path: &mut String,
    key: &str,
    read: impl FnOnce(&mut String) -> Result<(), RecordError>,
) -> Result<(), RecordError> {
    let length = path.len();
    if length + key.len() > LONGEST_KEY {
        return Err(RecordError::TooMuch("a key is longer than 1 KiB"));
    }
    if length > 0 {
        path.push('.');
    }
    path.push_str(key);
    let read = read(path);
    path.truncate(length);
    read
}

/// What an error says of the file.
pub(super) fn fault(error: RecordError, passage: &Passage, at: FilePosition) -> ReadError {
    let error = match error {
        RecordError::TooMuch(why) => return FileRejected::new(why).at(at).into(),
        RecordError::Json(ReaderError::IoError { error, .. }) => return passage.fault(error, at),
        RecordError::Json(error) => error,
    };
    if let Some(foreign) = passage.foreign(Foreign::Json) {
        let why = format!("this is not a JSON file: {foreign}");
        return FileRejected::new(why).at(at).into();
    }
    let why = match error {
        ReaderError::SyntaxError(JsonSyntaxError {
            kind: SyntaxErrorKind::IncompleteDocument,
            ..
        }) => "the file ends in the middle of a record or of the array: it was probably cut off; \
               fetch it again"
            .to_owned(),
        ReaderError::SyntaxError(JsonSyntaxError { kind, location }) => {
            let place = location.line_pos.map_or_else(String::new, |place| {
                format!(" in line {}, column {}", place.line + 1, place.column + 1)
            });
            format!("this is not valid JSON{place}: {}", words(kind))
        }
        ReaderError::MaxNestingDepthExceeded { .. } => {
            "objects and arrays are more than 32 deep in each other".to_owned()
        }
        // Its own text may have the value in it.
        ReaderError::UnsupportedNumberValue { .. } => "a number is too long".to_owned(),
        ReaderError::UnexpectedValueType {
            expected, actual, ..
        } => {
            format!("an {expected} was expected where there is a value of the type {actual}")
        }
        // The library may know more errors one day.
        _ => "the file has another structure than the profile says".to_owned(),
    };
    FileRejected::new(why).at(at).into()
}

/// `MissingComma` as `missing comma`.
fn words(kind: SyntaxErrorKind) -> String {
    let mut words = String::new();
    for letter in kind.to_string().chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
