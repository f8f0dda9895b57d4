//! The live schema of a target's table, and the check that a configured mapping fits it.

mod column;
mod fitting;

pub use column::Column;
pub use fitting::Fitting;

use crate::dialect::Dialect;
use crate::identifier::Identifier;

/// What a column can hold, across dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text of any length.
    Text,
    /// Whole numbers.
    Integer,
    /// Decimal numbers with a scale.
    Decimal,
    /// Floating point numbers.
    Real,
    /// True and false.
    Boolean,
    /// An instant, or date and time.
    Timestamp,
    /// A day.
    Date,
    /// JSON.
    Json,
    /// A UUID.
    Uuid,
    /// Bytes.
    Blob,
    /// Declared without a type (SQLite): keeps whatever is written.
    Untyped,
    /// A type that no mapping can use.
    Other,
}

/// What a mapping needs a column to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// An id. Ids are text to us, kept exactly; a column of integers only ever matches ids
    /// in canonical spelling.
    Id,
    /// Words.
    Text,
    /// A whole number, such as an amount in minor units.
    Integer,
    /// JSON, in a JSON column or as text.
    Json,
    /// An instant.
    Timestamp,
    /// A day, or an instant of which only the day is used.
    Date,
    /// Whatever the configuration says.
    Anything,
}

impl Want {
    const fn accepts(self, kind: Kind) -> bool {
        match self {
            Self::Id => matches!(
                kind,
                Kind::Text | Kind::Uuid | Kind::Integer | Kind::Untyped
            ),
            Self::Text => matches!(kind, Kind::Text | Kind::Untyped),
            Self::Integer => matches!(kind, Kind::Integer | Kind::Untyped),
            Self::Json => matches!(kind, Kind::Json | Kind::Text | Kind::Untyped),
            Self::Anything => true,
            Self::Timestamp | Self::Date => {
                matches!(
                    kind,
                    Kind::Timestamp | Kind::Date | Kind::Text | Kind::Untyped
                )
            }
        }
    }

    const fn described(self) -> &'static str {
        match self {
            Self::Id => "ids (text, UUID or integer)",
            Self::Text => "text",
            Self::Integer => "whole numbers",
            Self::Json => "JSON (or text)",
            Self::Timestamp => "timestamps (or text)",
            Self::Date => "dates (or text)",
            Self::Anything => "anything",
        }
    }
}

/// How a database knows a column's type, where a statement must say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Native {
    /// A statement need not.
    Plain,
    /// PostgreSQL: the quoted name of the type.
    Postgres(String),
    /// MySQL and MariaDB: the character set and collation of a text.
    Mysql {
        /// The character set.
        charset: String,
        /// The collation.
        collation: String,
    },
}

impl Native {
    /// Whether the character set has all letters of a text. MySQL cannot even ask for one
    /// that it cannot write.
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

/// One column of the live table.
#[derive(Debug, Clone)]
pub struct LiveColumn {
    /// Its name, as the database spells it.
    pub name: String,
    /// What it can hold.
    pub kind: Kind,
    /// Its type as declared.
    pub declared: String,
    /// Its type as the database knows it.
    pub native: Native,
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
    pub unique_keys: Vec<Vec<String>>,
    /// The first column of each index.
    pub indexed: Vec<String>,
    /// Why the table cannot be a target at all, each a sentence.
    pub faults: Vec<String>,
}

impl TableSchema {
    /// The live column of that name, by the dialect's rules of upper and lower case.
    #[must_use]
    pub fn column(&self, name: &Identifier) -> Option<&LiveColumn> {
        self.columns
            .iter()
            .find(|column| self.dialect.same_name(&column.name, name.as_str()))
    }

    fn has_unique_key_on(&self, name: &Identifier) -> bool {
        self.unique_keys.iter().any(|key| match key.as_slice() {
            [only] => self.dialect.same_name(only, name.as_str()),
            _ => false,
        })
    }

    fn is_indexed(&self, name: &Identifier) -> bool {
        self.indexed
            .iter()
            .any(|first| self.dialect.same_name(first, name.as_str()))
    }

    fn names(&self) -> String {
        self.columns
            .iter()
            .map(|column| column.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }
}
