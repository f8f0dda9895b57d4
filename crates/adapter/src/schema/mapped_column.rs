//! A column that values are bound for.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use uuid::Uuid;

use super::{ColumnKind, ColumnRights, NativeType};
use crate::amount::AmountUnit;
use crate::dialect::Dialect;
use crate::identifier::Identifier;
use crate::row::{Cell, TargetRow};
use crate::timestamp::{self, TimestampFormat};

/// What our own ids, which are no UUIDs, become in a column of UUIDs: always the same one.
const OWN_IDS: Uuid = Uuid::from_u128(0x8f6d_5c1e_0a3b_4d27_9e58_71c4_2b90_6af3);

/// The UUID of an id, in any spelling that PostgreSQL would not take for another.
fn uuid(id: &str) -> Option<Uuid> {
    match id.parse::<Uuid>() {
        Ok(uuid) => (uuid.to_string() == id).then_some(uuid),
        Err(_) => Some(Uuid::new_v5(&OWN_IDS, id.as_bytes())),
    }
}

/// A column of the mapping that was found in the live schema, so that values can be bound in the
/// form it takes.
#[derive(Debug, Clone)]
pub struct MappedColumn {
    /// The key of the configuration that names it, with its section.
    pub(super) key: String,
    pub(super) name: Identifier,
    pub(super) declared: String,
    pub(super) rights: ColumnRights,
    pub(super) kind: ColumnKind,
    pub(super) native: NativeType,
    pub(super) dialect: Dialect,
    pub(super) format: TimestampFormat,
    pub(super) nullable: bool,
    pub(super) unique: bool,
}

impl MappedColumn {
    /// The column's name, as the database spells it.
    pub fn name(&self) -> &Identifier {
        &self.name
    }

    /// The key of the configuration that names it, such as `transfers.columns.state`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its type as declared.
    pub(crate) fn declared(&self) -> &str {
        &self.declared
    }

    pub(crate) fn rights(&self) -> ColumnRights {
        self.rights
    }

    /// The most letters that it holds, where its type limits them: `varchar(20)`. SQLite ignores
    /// such a limit.
    pub(crate) fn max_chars(&self) -> Option<usize> {
        if self.kind != ColumnKind::Text || self.dialect == Dialect::Sqlite {
            return None;
        }
        let (_, limit) = self.declared.split_once('(')?;
        limit.split_once(')')?.0.parse().ok()
    }

    pub(crate) fn kind(&self) -> ColumnKind {
        self.kind
    }

    pub(crate) fn native(&self) -> &NativeType {
        &self.native
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether it may be NULL.
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// Whether no two rows have the same value in it.
    pub fn is_unique(&self) -> bool {
        self.unique
    }

    /// The column's value in a row that was read.
    pub fn of<'r>(&self, row: &'r TargetRow) -> &'r Cell {
        row.cell(self.name.as_str())
    }

    /// An id in the form the column takes; `None` when it cannot hold it, such as a column of
    /// integers an id with leading zeros.
    pub fn id(&self, id: &str) -> Option<Value> {
        // PostgreSQL has no such text, and refuses even to compare with it.
        if id.contains('\0') {
            return None;
        }
        match self.kind {
            ColumnKind::Integer => {
                let number: i64 = id.parse().ok()?;
                (number.to_string() == id).then(|| Value::from(number))
            }
            // PostgreSQL has other spellings of the same UUID, and refuses all other texts.
            ColumnKind::Uuid => Some(Value::from(uuid(id)?.to_string())),
            ColumnKind::Text if !self.native.has_letters_of(id) => None,
            ColumnKind::Text
            | ColumnKind::Decimal
            | ColumnKind::Real
            | ColumnKind::Boolean
            | ColumnKind::Timestamp
            | ColumnKind::Date
            | ColumnKind::Json
            | ColumnKind::Blob
            | ColumnKind::Untyped
            | ColumnKind::Other => Some(Value::from(id)),
        }
    }

    /// An id as a row shows it that has this id.
    pub fn shown_id(&self, id: &str) -> String {
        let shown = self.id(id).filter(|_| self.kind == ColumnKind::Uuid);
        let shown = shown.as_ref().and_then(Value::as_str);
        shown.unwrap_or(id).to_owned()
    }

    /// A word of the configuration in the form the column takes; `None` for a column of numbers and
    /// a word that is none, as a row would show it.
    pub fn word(&self, word: &str) -> Option<Value> {
        match self.kind {
            ColumnKind::Integer => {
                let number: i64 = word.parse().ok()?;
                (number.to_string() == word).then(|| Value::from(number))
            }
            ColumnKind::Boolean => match word {
                "true" | "1" => Some(Value::from(1)),
                "false" | "0" => Some(Value::from(0)),
                _ => None,
            },
            ColumnKind::Text
            | ColumnKind::Decimal
            | ColumnKind::Real
            | ColumnKind::Timestamp
            | ColumnKind::Date
            | ColumnKind::Json
            | ColumnKind::Uuid
            | ColumnKind::Blob
            | ColumnKind::Untyped
            | ColumnKind::Other => Some(Value::from(word)),
        }
    }

    /// An amount in the form the column takes.
    pub fn amount(&self, minor: i64, unit: AmountUnit) -> Value {
        match (self.kind, unit) {
            (ColumnKind::Integer | ColumnKind::Untyped, AmountUnit::Minor) => Value::from(minor),
            (_, unit) => Value::from(unit.decimal(minor)),
        }
    }

    /// Whether it holds decimal numbers.
    pub fn is_decimal(&self) -> bool {
        self.kind == ColumnKind::Decimal
    }

    /// Whether its instants are numbers.
    pub(crate) fn has_instants_as_numbers(&self) -> bool {
        match self.kind {
            ColumnKind::Integer => true,
            ColumnKind::Untyped => self.format.is_number(),
            ColumnKind::Text
            | ColumnKind::Decimal
            | ColumnKind::Real
            | ColumnKind::Boolean
            | ColumnKind::Timestamp
            | ColumnKind::Date
            | ColumnKind::Json
            | ColumnKind::Uuid
            | ColumnKind::Blob
            | ColumnKind::Other => false,
        }
    }

    /// The instant that a row has in the column: text in a common spelling, or a number.
    pub fn instant_of(&self, row: &TargetRow) -> Option<DateTime<Utc>> {
        match self.of(row) {
            Cell::Integer(number) => self.format.instant_of(*number),
            Cell::Text(text) => timestamp::read(text),
            Cell::Null | Cell::Unusable(_) => None,
        }
    }

    /// An instant in the form the column takes; the day of it in UTC where it takes days.
    pub fn instant(&self, at: DateTime<Utc>) -> Value {
        self.instant_in(at, Tz::UTC)
    }

    /// The same, with the day that it is in a zone.
    pub fn instant_in(&self, at: DateTime<Utc>, zone: Tz) -> Value {
        let number = self.format.number(at);
        if let Some(number) = number.filter(|_| self.has_instants_as_numbers()) {
            return Value::from(number);
        }
        let text = match (self.kind, self.dialect) {
            (ColumnKind::Date, _) => at.with_timezone(&zone).date_naive().to_string(),
            // These two have a type for it. MySQL's does not read RFC 3339.
            (ColumnKind::Timestamp, Dialect::Postgres | Dialect::Mysql) => {
                TimestampFormat::Rails.write(at)
            }
            _ => self.format.write(at),
        };
        Value::from(text)
    }
}
