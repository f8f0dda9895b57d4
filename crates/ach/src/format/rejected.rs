//! What could not be read: a line, or a whole file.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::limits;
use crate::entry::FilePosition;

/// A line that could not be read. Reading continues after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Its place in the file.
    pub at: FilePosition,
    /// The field that is wrong: a column's name, or a record's field with its positions.
    pub field: Option<String>,
    /// What is wrong and what was expected. Never holds an account number.
    pub why: String,
    /// The amount on the line in minor units, where it could still be read.
    pub amount_minor: Option<i64>,
}

impl Rejected {
    /// A line at `at` with a fault in `field`. `amount_minor` is its amount, if that was read.
    pub(super) fn new(
        at: FilePosition,
        field: impl fmt::Display,
        why: impl Into<String>,
        amount_minor: Option<i64>,
    ) -> Self {
        Self {
            at,
            field: Some(limits::cut(field.to_string(), limits::FIELD)),
            why: limits::cut(why.into(), limits::REASON),
            amount_minor,
        }
    }
}

/// Why a whole file is rejected. Nothing in it has any effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct FileRejected {
    /// Where the fault was seen; `None` when it is not in one place.
    pub at: Option<FilePosition>,
    /// The field that is wrong.
    pub field: Option<String>,
    /// What is wrong, what was expected, and what to do.
    pub why: String,
    /// The format that the file looks like instead. A reader knows only its own format; the
    /// caller that has tried others adds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looks_like: Option<String>,
}

impl FileRejected {
    /// A fault that is not in one place.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self {
            at: None,
            field: None,
            why: limits::cut(why.into(), limits::FILE_REASON),
            looks_like: None,
        }
    }

    /// The same fault, seen at this place.
    pub(super) fn at(mut self, at: FilePosition) -> Self {
        self.at = Some(at);
        self
    }

    /// The same fault, in this field.
    pub(super) fn in_field(mut self, field: impl fmt::Display) -> Self {
        self.field = Some(limits::cut(field.to_string(), limits::FIELD));
        self
    }
}

impl fmt::Display for FileRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(f, "line {}: ", at.line)?;
        }
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.why)?;
        match &self.looks_like {
            Some(format) => write!(f, "; it looks like {format}"),
            None => Ok(()),
        }
    }
}

/// Why reading stopped before the end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is rejected.
    #[error(transparent)]
    Rejected(#[from] FileRejected),
    /// The bytes could not be read; this says nothing about the file itself.
    #[error("the file could not be read")]
    Io(#[from] std::io::Error),
}
