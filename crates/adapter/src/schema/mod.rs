//! The live schema of a target's table, and the check that a configured mapping fits it.

mod fitting;
mod mapped_column;

pub use fitting::{ColumnSpec, Fitting};
pub use mapped_column::MappedColumn;

use crate::dialect::Dialect;
use crate::identifier::Identifier;
use crate::timestamp::TimestampFormat;

/// What a column can hold, across dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Text,
    Integer,
    Decimal,
    Real,
    Boolean,
    /// An instant, or date and time.
    Timestamp,
    Date,
    Json,
    Uuid,
    Blob,
    /// Declared without a type (SQLite): stores the written value as it is.
    Untyped,
    /// A type that no mapping can use.
    Other,
}

/// What a mapping needs a column to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnContent {
    /// An id. Ids are text and stored exactly; a column of integers only matches ids in canonical
    /// spelling.
    Id,
    /// Words.
    Text,
    /// A word of the configuration, or the number that stands for it.
    Word,
    /// An amount: a whole number, or a decimal one.
    Amount,
    /// A whole number.
    Integer,
    /// JSON, in a JSON column or as text.
    Json,
    /// An instant.
    Timestamp,
    /// A day, or an instant of which only the day is used.
    Date,
    /// What the configuration says.
    Anything,
}

impl ColumnContent {
    pub(crate) fn fits(self, kind: ColumnKind, format: TimestampFormat) -> bool {
        use ColumnKind::{Date, Decimal, Integer, Json, Text, Timestamp, Untyped, Uuid};
        match self {
            Self::Word => matches!(kind, Text | Integer | Untyped),
            Self::Amount => matches!(kind, Integer | Decimal | Untyped),
            Self::Id => matches!(kind, Text | Uuid | Integer | Untyped),
            Self::Text => matches!(kind, Text | Untyped),
            Self::Integer => matches!(kind, Integer | Untyped),
            Self::Json => matches!(kind, Json | Text | Untyped),
            Self::Timestamp if format.is_number() => {
                matches!(kind, Timestamp | Date | Integer | Untyped)
            }
            Self::Timestamp | Self::Date => matches!(kind, Timestamp | Date | Text | Untyped),
            Self::Anything => true,
        }
    }

    const fn described(self) -> &'static str {
        match self {
            Self::Id => "ids (text, UUID or integer)",
            Self::Text => "text",
            Self::Word => "words (text), or numbers",
            Self::Amount => "amounts (whole or decimal numbers)",
            Self::Integer => "whole numbers",
            Self::Json => "JSON (or text)",
            Self::Timestamp => {
                "timestamps (or text; whole numbers with timestamp_format unix_s or unix_ms, and then no \
                 text)"
            }
            Self::Date => "dates (or text)",
            Self::Anything => "anything",
        }
    }
}

/// How a database knows a column's type, where a statement must name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NativeType {
    /// A statement need not name it.
    Plain,
    /// PostgreSQL: the quoted name of the type that the values have. For a domain that is the type
    /// below it, since a comparison with a value that the domain forbids must not fail.
    Postgres { name: String, is_enum: bool },
    /// MySQL and MariaDB: the character set and collation of a text.
    Mysql { charset: String, collation: String },
    /// MySQL and MariaDB: the sixteen bytes of a UUID, in its own order.
    MysqlUuidBytes,
}

impl NativeType {
    /// Whether the character set has all letters of a text. MySQL cannot even compare with a
    /// letter that it cannot write.
    pub(crate) fn has_letters_of(&self, text: &str) -> bool {
        let Self::Mysql { charset, .. } = self else {
            return true;
        };
        text.chars().all(|letter| match charset.as_str() {
            "utf8mb4" | "utf16" | "utf32" => true,
            "utf8mb3" | "utf8" | "ucs2" => letter <= '\u{ffff}',
            "latin1" => letter.is_ascii() || ('\u{a0}'..='\u{ff}').contains(&letter),
            _ => letter.is_ascii(),
        })
    }
}

/// What the account may do with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ColumnRights {
    pub(crate) select: bool,
    pub(crate) insert: bool,
    pub(crate) update: bool,
}

/// One column of the live table.
#[derive(Debug, Clone)]
pub struct LiveColumn {
    /// Its name, as the database spells it.
    pub name: String,
    pub(crate) kind: ColumnKind,
    /// Its type as declared.
    pub(crate) declared: String,
    pub(crate) native: NativeType,
    pub(crate) rights: ColumnRights,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Whether a row may leave it out: it has a default, or the database numbers it.
    pub has_default: bool,
    /// Whether the database computes it, so that it cannot be written.
    pub generated: bool,
}

/// The live table, as the database describes it.
#[derive(Debug, Clone)]
pub struct TableSchema {
    /// The dialect it was read from.
    pub dialect: Dialect,
    /// Its columns, in their order.
    pub columns: Vec<LiveColumn>,
    /// The columns of each unique key that covers all rows, primary key included.
    pub(crate) unique_keys: Vec<Vec<String>>,
    /// The first column of each index.
    pub(crate) indexed: Vec<String>,
    /// Whether policies decide which rows this account sees and writes.
    pub(crate) row_security: bool,
    /// Why the table cannot be a target at all, each a sentence.
    pub(crate) faults: Vec<String>,
}

impl TableSchema {
    /// The live column of that name, by the dialect's rules of upper and lower case.
    pub fn column(&self, name: &Identifier) -> Option<&LiveColumn> {
        let mut columns = self.columns.iter();
        columns.find(|column| self.is_named(&column.name, name))
    }

    /// The columns of each unique key that covers all rows, primary key included.
    pub fn unique_keys(&self) -> impl Iterator<Item = &[String]> {
        self.unique_keys.iter().map(Vec::as_slice)
    }

    /// Whether no two rows have the same value in a column, of those rows that have the same in the
    /// `fixed` ones.
    fn is_unique(&self, name: &Identifier, fixed: &[Identifier]) -> bool {
        let is = |live: &String, name: &Identifier| self.is_named(live, name);
        self.unique_keys.iter().any(|key| {
            key.iter().any(|live| is(live, name))
                && key
                    .iter()
                    .all(|live| is(live, name) || fixed.iter().any(|fixed| is(live, fixed)))
        })
    }

    fn is_indexed(&self, name: &Identifier) -> bool {
        self.indexed.iter().any(|first| self.is_named(first, name))
    }

    fn is_named(&self, live: &str, name: &Identifier) -> bool {
        self.dialect.same_name(live, name.as_str())
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        names.join(", ")
    }
}
