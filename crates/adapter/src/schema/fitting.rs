//! The check of a mapping.

use super::{Column, Kind, Native, TableSchema, Want};
use crate::identifier::Identifier;
use crate::timestamp::TimestampFormat;

/// The check of one mapping against one table. It goes on after a fault, so that all of
/// them are told together.
pub struct Fitting<'a> {
    schema: &'a TableSchema,
    table: &'a Identifier,
    section: &'a str,
    format: TimestampFormat,
    any_missing: bool,
    faults: Vec<String>,
    warnings: Vec<String>,
}

/// What to do about an optional column that the table does not have.
const SWITCH_OFF: &str = " (an empty name switches it off)";

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
            any_missing: false,
            faults: schema.faults.clone(),
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
        self.find(key, name, want, "")
    }

    fn find(&mut self, key: &str, name: &Identifier, want: Want, hint: &str) -> Column {
        let live = self.schema.column(name);
        match live {
            None => {
                self.any_missing = true;
                self.fault(format!(
                    "{}.{key}: table {:?} has no column {:?}{hint}; it has: {}",
                    self.section,
                    self.table.as_str(),
                    name.as_str(),
                    self.schema.names()
                ));
            }
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
            // The live spelling, since a database may answer with it.
            name: live
                .and_then(|live| live.name.parse().ok())
                .unwrap_or_else(|| name.clone()),
            kind: live.map_or(Kind::Other, |live| live.kind),
            dialect: self.schema.dialect,
            format: self.format,
            native: live.map_or(Native::Plain, |live| live.native.clone()),
            nullable: live.is_some_and(|live| live.nullable),
            unique: self.schema.has_unique_key_on(name),
        }
    }

    /// Finds a column that is also written, which a generated one cannot be.
    pub fn write(&mut self, key: &str, name: &Identifier, want: Want) -> Column {
        self.refuse_generated(key, name);
        self.read(key, name, want)
    }

    fn refuse_generated(&mut self, key: &str, name: &Identifier) {
        if self.schema.column(name).is_some_and(|live| live.generated) {
            self.fault(format!(
                "{}.{key}: column {:?} of table {:?} is generated and cannot be written",
                self.section,
                name.as_str(),
                self.table.as_str()
            ));
        }
    }

    /// Like [`Self::read`], for a column that may be switched off.
    pub fn read_if(&mut self, key: &str, name: Option<&Identifier>, want: Want) -> Option<Column> {
        name.map(|name| self.find(key, name, want, SWITCH_OFF))
    }

    /// Like [`Self::write`], for a column that may be switched off.
    pub fn write_if(&mut self, key: &str, name: Option<&Identifier>, want: Want) -> Option<Column> {
        name.map(|name| {
            self.refuse_generated(key, name);
            self.find(key, name, want, SWITCH_OFF)
        })
    }

    /// Whether a column was not found, so that checks which build on the columns would only
    /// tell the same again.
    #[must_use]
    pub fn any_missing(&self) -> bool {
        self.any_missing
    }

    /// Goes on with columns that another section of the configuration names.
    pub fn enter(&mut self, section: &'a str) {
        self.section = section;
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
