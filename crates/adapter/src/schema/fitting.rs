//! The check of a mapping.

use super::{
    ColumnContent, ColumnKind, ColumnRights, LiveColumn, MappedColumn, NativeType, TableSchema,
};
use crate::identifier::Identifier;
use crate::mapping::MappingSettings;

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnPurpose {
    /// Rows are found by it. It may be the column of another key too.
    Lookup,
    Read,
    Written,
}

/// What the mapping needs of a column.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec<'a> {
    /// The key of the configuration that names it.
    pub key: &'a str,
    content: ColumnContent,
    purpose: ColumnPurpose,
}

impl<'a> ColumnSpec<'a> {
    /// A column that rows are found by, and that another key may name as well.
    pub const fn lookup(key: &'a str, content: ColumnContent) -> Self {
        Self::new(key, content, ColumnPurpose::Lookup)
    }

    /// A column that is only read.
    pub const fn read(key: &'a str, content: ColumnContent) -> Self {
        Self::new(key, content, ColumnPurpose::Read)
    }

    /// A column that is also written, which a generated one cannot be.
    pub const fn written(key: &'a str, content: ColumnContent) -> Self {
        Self::new(key, content, ColumnPurpose::Written)
    }

    const fn new(key: &'a str, content: ColumnContent, purpose: ColumnPurpose) -> Self {
        Self {
            key,
            content,
            purpose,
        }
    }
}

/// A key of the configuration, with its section and the column that it names.
struct NamedColumn {
    section: String,
    key: String,
    column: String,
    purpose: ColumnPurpose,
}

/// The check of one mapping against one table. It continues after a fault, so that all faults
/// are reported together.
pub struct Fitting<'a> {
    schema: &'a TableSchema,
    settings: &'a MappingSettings,
    section: &'a str,
    any_missing: bool,
    /// Columns that are the same in every row that the mapping finds.
    fixed: Vec<Identifier>,
    named: Vec<NamedColumn>,
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
            fixed: Vec::new(),
            named: Vec::new(),
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
            Some(live) => {
                self.check(spec, live);
                self.must_be_its_own(spec, live);
            }
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
            key: format!("{}.{}", self.section, spec.key),
            // The live spelling, since a database may answer with it.
            name: live
                .and_then(|live| live.name.parse().ok())
                .unwrap_or_else(|| name.clone()),
            kind: live.map_or(ColumnKind::Other, |live| live.kind),
            dialect: self.schema.dialect,
            format: self.settings.timestamp_format,
            declared: live.map_or_else(String::new, |live| live.declared.clone()),
            rights: live.map_or_else(ColumnRights::default, |live| live.rights),
            native: live.map_or(NativeType::Plain, |live| live.native.clone()),
            nullable: live.is_some_and(|live| live.nullable),
            unique: self.schema.is_unique(name, &self.fixed),
        }
    }

    fn check(&mut self, spec: ColumnSpec<'_>, live: &LiveColumn) {
        if spec.purpose == ColumnPurpose::Written && live.generated {
            self.fault(self.about(spec.key, &live.name, "is generated and cannot be written"));
        }
        if !spec.content.fits(live.kind, self.settings.timestamp_format) {
            let (declared, content) = (&live.declared, spec.content.described());
            let what = format!("is declared {declared:?}, but must hold {content}");
            self.fault(self.about(spec.key, &live.name, &what));
        }
    }

    /// Two keys on one column: a statement cannot write both, and what is written through one
    /// would be read through the other. Another section overrides a column on purpose.
    fn must_be_its_own(&mut self, spec: ColumnSpec<'_>, live: &LiveColumn) {
        use ColumnPurpose::{Lookup, Written};
        let other = self.named.iter().find(|other| {
            let purposes = [other.purpose, spec.purpose];
            other.section == self.section
                && other.column == live.name
                && purposes.contains(&Written)
                && !purposes.contains(&Lookup)
        });
        if let Some(other) = other {
            let what = if other.key == spec.key {
                "is named twice; name it once".to_owned()
            } else {
                format!(
                    "is also that of {}.{}; name another one",
                    other.section, other.key
                )
            };
            self.fault(self.about(spec.key, &live.name, &what));
        }
        self.named.push(NamedColumn {
            section: self.section.to_owned(),
            key: spec.key.to_owned(),
            column: live.name.clone(),
            purpose: spec.purpose,
        });
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

    /// Every row that the mapping finds has the same value in these columns.
    pub fn fix<'n>(&mut self, names: impl Iterator<Item = &'n Identifier>) {
        self.fixed.extend(names.cloned());
    }

    /// Demands a unique key on the column, alone or with columns that are fixed. Without one an
    /// update could hit two rows.
    pub fn must_be_unique(&mut self, key: &str, name: &Identifier) {
        if self.schema.column(name).is_none() || self.schema.is_unique(name, &self.fixed) {
            return;
        }
        let keys = self.schema.unique_keys.iter();
        let mut with_more =
            keys.filter(|key| key.iter().any(|live| self.schema.is_named(live, name)));
        let what = match with_more.next() {
            Some(columns) => format!(
                "is unique only together with others ({}); fix those in {}.filter",
                columns.join(", "),
                self.section.trim_end_matches(".columns")
            ),
            None => "has no unique index of its own".to_owned(),
        };
        self.fault(self.about(key, name.as_str(), &what));
    }

    /// Warns when the column is not unique.
    pub fn should_be_unique(&mut self, key: &str, name: &Identifier) {
        if self.schema.column(name).is_some() && !self.schema.is_unique(name, &self.fixed) {
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

    /// Records a warning of the mapping's own.
    pub fn warn(&mut self, message: String) {
        self.warnings.push(message);
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
