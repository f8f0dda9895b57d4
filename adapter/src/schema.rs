//! The live schema of a target's table, and the check that a configured mapping fits it.

use sea_query::{ColumnName, DynIden, Expr, ExprTrait as _, TableName};

use crate::dialect::Dialect;
use crate::identifier::Identifier;
use crate::timestamp::TimestampFormat;

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

/// One column of the live table.
#[derive(Debug, Clone)]
pub struct LiveColumn {
    /// Its name, as the database spells it.
    pub name: String,
    /// What it can hold.
    pub kind: Kind,
    /// Its type as declared.
    pub declared: String,
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

/// A column of the target that was found in the live schema, so that values can be bound
/// in the form it takes.
#[derive(Debug, Clone)]
pub struct Column {
    table: Identifier,
    name: Identifier,
    kind: Kind,
    dialect: Dialect,
    format: TimestampFormat,
    nullable: bool,
}

impl Column {
    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &Identifier {
        &self.name
    }

    /// Whether it may be NULL.
    #[must_use]
    pub fn nullable(&self) -> bool {
        self.nullable
    }

    /// The name for lists of columns (`SET`, `INSERT INTO … (…)`).
    #[must_use]
    pub fn iden(&self) -> DynIden {
        DynIden::from(&self.name)
    }

    /// The column in an expression, qualified by its table. Qualified, because SQLite takes
    /// a lone `"name"` that it does not know for a string.
    #[must_use]
    pub fn expr(&self) -> Expr {
        let table = TableName(None, DynIden::from(&self.table));
        Expr::col(ColumnName(Some(table), self.iden()))
    }

    /// The condition that the column holds this id; `None` when it cannot hold it.
    #[must_use]
    pub fn is_id(&self, id: &str) -> Option<Expr> {
        self.id(id).map(|value| self.expr().eq(value))
    }

    /// An id in the form the column takes; `None` when it cannot hold it (a column of
    /// integers and an id with leading zeros, say).
    #[must_use]
    pub fn id(&self, id: &str) -> Option<Expr> {
        match self.kind {
            Kind::Integer => {
                let number: i64 = id.parse().ok()?;
                (number.to_string() == id).then(|| Expr::val(number))
            }
            Kind::Text
            | Kind::Decimal
            | Kind::Real
            | Kind::Boolean
            | Kind::Timestamp
            | Kind::Date
            | Kind::Json
            | Kind::Uuid
            | Kind::Blob
            | Kind::Untyped
            | Kind::Other => Some(self.dialect.bind_text(self.kind, id)),
        }
    }

    /// Text (or JSON as text) in the form the column takes.
    #[must_use]
    pub fn text(&self, text: &str) -> Expr {
        self.dialect.bind_text(self.kind, text)
    }

    /// An instant in the form the column takes.
    #[must_use]
    pub fn instant(&self, at: chrono::DateTime<chrono::Utc>) -> Expr {
        self.dialect.bind_instant(self.kind, self.format, at)
    }
}

/// The check of one mapping against one table. It goes on after a fault, so that all of
/// them are told together.
pub struct Fitting<'a> {
    schema: &'a TableSchema,
    table: &'a Identifier,
    section: &'a str,
    format: TimestampFormat,
    faults: Vec<String>,
    warnings: Vec<String>,
}

impl<'a> Fitting<'a> {
    /// Starts the check of `table`; `section` is where its columns stand in the
    /// configuration (`transfers.columns`).
    #[must_use]
    pub fn new(
        schema: &'a TableSchema,
        table: &'a Identifier,
        section: &'a str,
        format: TimestampFormat,
    ) -> Self {
        Self {
            schema,
            table,
            section,
            format,
            faults: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The live table.
    #[must_use]
    pub fn schema(&self) -> &'a TableSchema {
        self.schema
    }

    /// Finds a column that is only read. A fault is recorded when it is missing or holds
    /// something else; the column given back is then of no use, but neither is the mapping.
    pub fn read(&mut self, key: &str, name: &Identifier, want: Want) -> Column {
        let live = self.schema.column(name);
        match live {
            None => self.fault(format!(
                "{}.{key}: table {:?} has no column {:?}; it has: {}",
                self.section,
                self.table.as_str(),
                name.as_str(),
                self.schema.names()
            )),
            Some(live) if !want.accepts(live.kind) => self.fault(format!(
                "{}.{key}: column {:?} of table {:?} is declared {:?}, but must hold {}",
                self.section,
                name.as_str(),
                self.table.as_str(),
                live.declared,
                want.described()
            )),
            Some(_) => {}
        }
        Column {
            table: self.table.clone(),
            // The live spelling, since a database may answer with it.
            name: live
                .and_then(|live| live.name.parse().ok())
                .unwrap_or_else(|| name.clone()),
            kind: live.map_or(Kind::Other, |live| live.kind),
            dialect: self.schema.dialect,
            format: self.format,
            nullable: live.is_some_and(|live| live.nullable),
        }
    }

    /// Finds a column that is also written, which a generated one cannot be.
    pub fn write(&mut self, key: &str, name: &Identifier, want: Want) -> Column {
        if self.schema.column(name).is_some_and(|live| live.generated) {
            self.fault(format!(
                "{}.{key}: column {:?} of table {:?} is generated and cannot be written",
                self.section,
                name.as_str(),
                self.table.as_str()
            ));
        }
        self.read(key, name, want)
    }

    /// Like [`Self::read`], for a column that may be switched off.
    pub fn read_if(&mut self, key: &str, name: Option<&Identifier>, want: Want) -> Option<Column> {
        name.map(|name| self.read(key, name, want))
    }

    /// Like [`Self::write`], for a column that may be switched off.
    pub fn write_if(&mut self, key: &str, name: Option<&Identifier>, want: Want) -> Option<Column> {
        name.map(|name| self.write(key, name, want))
    }

    /// Demands a unique key on the column alone. Without one an update could hit two rows.
    pub fn must_be_unique(&mut self, key: &str, name: &Identifier) {
        if self.schema.column(name).is_some() && !self.schema.has_unique_key_on(name) {
            self.fault(format!(
                "{}.{key}: column {:?} of table {:?} has no unique index of its own",
                self.section,
                name.as_str(),
                self.table.as_str()
            ));
        }
    }

    /// Warns when the column is not unique.
    pub fn should_be_unique(&mut self, key: &str, name: &Identifier) {
        if self.schema.column(name).is_some() && !self.schema.has_unique_key_on(name) {
            self.warnings.push(format!(
                "{}.{key}: column {:?} of table {:?} has no unique index; a change that hits \
                 more than one row will be refused",
                self.section,
                name.as_str(),
                self.table.as_str()
            ));
        }
    }

    /// Warns when looking rows up by the column would read the whole table.
    pub fn should_be_indexed(&mut self, key: &str, name: &Identifier) {
        if self.schema.column(name).is_some() && !self.schema.is_indexed(name) {
            self.warnings.push(format!(
                "{}.{key}: column {:?} of table {:?} has no index; lookups by it read the \
                 whole table",
                self.section,
                name.as_str(),
                self.table.as_str()
            ));
        }
    }

    /// Records a fault of the mapping's own.
    pub fn fault(&mut self, message: String) {
        self.faults.push(message);
    }

    /// The warnings, when the mapping fits.
    ///
    /// # Errors
    /// Every fault found, each a sentence.
    pub fn finish(self) -> Result<Vec<String>, Vec<String>> {
        if self.faults.is_empty() {
            Ok(self.warnings)
        } else {
            Err(self.faults)
        }
    }
}
