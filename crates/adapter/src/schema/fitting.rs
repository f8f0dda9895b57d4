//! The check of a mapping.

use super::{ColumnContent, ColumnKind, LiveColumn, MappedColumn, NativeType, TableSchema};
use crate::identifier::Identifier;
use crate::mapping::MappingSettings;

/// What the mapping needs of a column.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec<'a> {
    /// The key of the configuration that names it.
    pub key: &'a str,
    content: ColumnContent,
    is_written: bool,
}

impl<'a> ColumnSpec<'a> {
    /// A column that is only read.
    pub const fn read(key: &'a str, content: ColumnContent) -> Self {
        Self {
            key,
            content,
            is_written: false,
        }
    }

    /// A column that is also written, which a generated one cannot be.
    pub const fn written(key: &'a str, content: ColumnContent) -> Self {
        Self {
            key,
            content,
            is_written: true,
        }
    }
}

/// The check of one mapping against one table. It continues after a fault, so that all faults
/// are reported together.
pub struct Fitting<'a> {
    schema: &'a TableSchema,
    settings: &'a MappingSettings,
    section: &'a str,
    any_missing: bool,
    faults: Vec<String>,
    warnings: Vec<String>,
}

impl<'a> Fitting<'a> {
    pub(crate) fn new(schema: &'a TableSchema, settings: &'a MappingSettings) -> Self {
        Self {
            schema,
            settings,
            section: settings.columns_section,
            any_missing: false,
            faults: schema.faults.clone(),
            warnings: Vec::new(),
        }
    }

    /// The live table.
    pub fn schema(&self) -> &'a TableSchema {
        self.schema
    }

    /// Finds a column. A fault is recorded when it is missing, holds something else, or cannot be
    /// written; then neither the column nor the mapping is ever used.
    pub fn column(&mut self, spec: ColumnSpec<'_>, name: &Identifier) -> MappedColumn {
        self.find(spec, name, "")
    }

    /// Finds a column that may be switched off.
    pub fn optional_column(
        &mut self,
        spec: ColumnSpec<'_>,
        name: Option<&Identifier>,
    ) -> Option<MappedColumn> {
        name.map(|name| self.find(spec, name, " (an empty name switches it off)"))
    }

    fn find(&mut self, spec: ColumnSpec<'_>, name: &Identifier, hint: &str) -> MappedColumn {
        let live = self.schema.column(name);
        match live {
            Some(live) => self.check(spec, live),
            None => {
                self.any_missing = true;
                self.fault(format!(
                    "{}.{}: table {:?} has no column {:?}{hint}; it has: {}",
                    self.section,
                    spec.key,
                    self.settings.table.as_str(),
                    name.as_str(),
                    self.schema.names()
                ));
            }
        }
        MappedColumn {
            // The live spelling, since a database may answer with it.
            name: live
                .and_then(|live| live.name.parse().ok())
                .unwrap_or_else(|| name.clone()),
            kind: live.map_or(ColumnKind::Other, |live| live.kind),
            dialect: self.schema.dialect,
            format: self.settings.timestamp_format,
            native: live.map_or(NativeType::Plain, |live| live.native.clone()),
            nullable: live.is_some_and(|live| live.nullable),
            unique: self.schema.has_unique_key_on(name),
        }
    }

    fn check(&mut self, spec: ColumnSpec<'_>, live: &LiveColumn) {
        if spec.is_written && live.generated {
            self.fault(self.about(spec.key, &live.name, "is generated and cannot be written"));
        }
        if !spec.content.fits(live.kind) {
            let (declared, content) = (&live.declared, spec.content.described());
            let what = format!("is declared {declared:?}, but must hold {content}");
            self.fault(self.about(spec.key, &live.name, &what));
        }
    }

    /// Whether a column was not found, so that checks which build on the columns would only
    /// report the same again.
    pub fn any_missing(&self) -> bool {
        self.any_missing
    }

    /// Continues with columns that another section of the configuration names.
    pub fn enter(&mut self, section: &'a str) {
        self.section = section;
    }

    /// Demands a unique key on the column alone. Without one an update could hit two rows.
    pub fn must_be_unique(&mut self, key: &str, name: &Identifier) {
        if self.schema.column(name).is_some() && !self.schema.has_unique_key_on(name) {
            self.fault(self.about(key, name.as_str(), "has no unique index of its own"));
        }
    }

    /// Warns when the column is not unique.
    pub fn should_be_unique(&mut self, key: &str, name: &Identifier) {
        if self.schema.column(name).is_some() && !self.schema.has_unique_key_on(name) {
            let what = "has no unique index; a change that hits more than one row is refused";
            self.warnings.push(self.about(key, name.as_str(), what));
        }
    }

    /// Warns when a lookup by the column would read the whole table.
    pub fn should_be_indexed(&mut self, key: &str, name: &Identifier) {
        if self.schema.column(name).is_some() && !self.schema.is_indexed(name) {
            let what = "has no index; lookups by it read the whole table";
            self.warnings.push(self.about(key, name.as_str(), what));
        }
    }

    /// A sentence about a column.
    fn about(&self, key: &str, column: &str, what: &str) -> String {
        let (section, table) = (self.section, self.settings.table.as_str());
        format!("{section}.{key}: column {column:?} of table {table:?} {what}")
    }

    /// Records a fault of the mapping's own.
    pub fn fault(&mut self, message: String) {
        self.faults.push(message);
    }

    /// The warnings, when the mapping fits; else every fault, each a sentence.
    pub(crate) fn finish(self) -> Result<Vec<String>, Vec<String>> {
        if self.faults.is_empty() {
            Ok(self.warnings)
        } else {
            Err(self.faults)
        }
    }
}
