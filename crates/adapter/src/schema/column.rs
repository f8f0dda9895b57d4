//! A column that values are bound for.

use serde_json::Value;
use uuid::Uuid;

use super::{Kind, Native};
use crate::dialect::Dialect;
use crate::identifier::Identifier;
use crate::timestamp::TimestampFormat;

/// A column of the target that was found in the live schema, so that values can be bound
/// in the form it takes.
#[derive(Debug, Clone)]
pub struct Column {
    pub(super) name: Identifier,
    pub(super) kind: Kind,
    pub(super) native: Native,
    pub(super) dialect: Dialect,
    pub(super) format: TimestampFormat,
    pub(super) nullable: bool,
    pub(super) unique: bool,
}

impl Column {
    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &Identifier {
        &self.name
    }

    /// What it can hold.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How its database knows its type.
    #[must_use]
    pub fn native(&self) -> &Native {
        &self.native
    }

    /// The database that it is in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether it may be NULL.
    #[must_use]
    pub fn nullable(&self) -> bool {
        self.nullable
    }

    /// Whether no two rows have the same value in it.
    #[must_use]
    pub fn unique(&self) -> bool {
        self.unique
    }

    /// An id in the form the column takes; `None` when it cannot hold it (a column of
    /// integers and an id with leading zeros, say).
    #[must_use]
    pub fn id(&self, id: &str) -> Option<Value> {
        // PostgreSQL has no such text, and cannot even be asked for it.
        if id.contains('\0') {
            return None;
        }
        match self.kind {
            Kind::Integer => {
                let number: i64 = id.parse().ok()?;
                (number.to_string() == id).then(|| Value::from(number))
            }
            // PostgreSQL has other spellings of the same UUID, and refuses what is none.
            Kind::Uuid => {
                let uuid: Uuid = id.parse().ok()?;
                (uuid.to_string() == id).then(|| Value::from(id))
            }
            Kind::Text if !self.native.has_letters_of(id) => None,
            Kind::Text
            | Kind::Decimal
            | Kind::Real
            | Kind::Boolean
            | Kind::Timestamp
            | Kind::Date
            | Kind::Json
            | Kind::Blob
            | Kind::Untyped
            | Kind::Other => Some(Value::from(id)),
        }
    }

    /// An instant in the form the column takes.
    #[must_use]
    pub fn instant(&self, at: chrono::DateTime<chrono::Utc>) -> Value {
        let text = match (self.kind, self.dialect) {
            (Kind::Date, _) => at.date_naive().to_string(),
            // These two have types for it, of which MySQL reads no RFC 3339.
            (Kind::Timestamp, Dialect::Postgres | Dialect::Mysql) => {
                TimestampFormat::Rails.write(at)
            }
            _ => self.format.write(at),
        };
        Value::from(text)
    }
}
