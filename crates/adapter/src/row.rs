//! Rows as the target returns them, in a form that all dialects share.

use std::sync::Arc;

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// SQL NULL.
    Null,
    /// An integer, or a boolean as 0 and 1.
    Integer(i64),
    /// Text, also JSON as text.
    Text(String),
    /// A value that no mapping can use, by the name of its kind.
    Unusable(&'static str),
}

impl Cell {
    /// The value as text; NULL and unusable values are empty.
    pub fn text(&self) -> String {
        match self {
            Self::Null | Self::Unusable(_) => String::new(),
            Self::Integer(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    /// The value as an integer, when it is one.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Null | Self::Text(_) | Self::Unusable(_) => None,
        }
    }

    /// Whether the value is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The kind of value, for messages that must not show the value.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "text",
            Self::Unusable(kind) => kind,
        }
    }
}

/// One row, read by the names of its columns.
#[derive(Debug, Clone)]
pub struct TargetRow {
    names: Arc<[String]>,
    cells: Vec<Cell>,
}

impl TargetRow {
    /// A row with the given column names, one for each cell.
    pub(crate) fn new(names: Arc<[String]>, cells: Vec<Cell>) -> Self {
        Self { names, cells }
    }

    /// The value of a column; NULL when the row has no such column.
    pub fn cell(&self, name: &str) -> &Cell {
        self.names
            .iter()
            .position(|candidate| candidate == name)
            .and_then(|at| self.cells.get(at))
            .unwrap_or(&Cell::Null)
    }
}
