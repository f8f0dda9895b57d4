//! The tables of a database, and which column is meant by which key.

use std::collections::HashSet;

use super::words::same;
use crate::check::OWN_TABLES;
use crate::dialect::{DbError, TargetSession};
use crate::identifier::Identifier;
use crate::schema::{ColumnContent, ColumnKind, LiveColumn, TableSchema};
use crate::timestamp::TimestampFormat;

/// A key of a mapping, and how the tables of others call its column.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The key.
    pub key: &'static str,
    /// What the column must hold.
    pub content: ColumnContent,
    /// Its names, the likeliest first. Upper case, blanks and underscores do not count.
    pub names: &'static [&'static str],
    /// Whether the mapping cannot do without it.
    pub required: bool,
}

/// A table as it is.
pub struct SurveyedTable {
    /// Its name.
    pub name: Identifier,
    /// Its columns and keys.
    pub schema: TableSchema,
}

/// Reads all tables but the adapter's own.
///
/// # Errors
/// When the database does not answer.
pub async fn survey(session: &mut dyn TargetSession) -> Result<Vec<SurveyedTable>, DbError> {
    let mut tables = Vec::new();
    for name in session.table_names().await? {
        let Ok(name) = name.parse::<Identifier>() else {
            continue;
        };
        if OWN_TABLES.contains(&name.as_str()) {
            continue;
        }
        if let Some(schema) = session.describe(&name).await? {
            tables.push(SurveyedTable { name, schema });
        }
    }
    Ok(tables)
}

/// The table that has most of what is wanted; `None` when none has what is required.
pub(super) fn best<'t>(
    tables: &'t [SurveyedTable],
    wanted: &[Wanted],
) -> Option<&'t SurveyedTable> {
    let rated = tables.iter().filter_map(|table| {
        let columns = table.columns(wanted);
        let found = |required| {
            let columns = columns.iter().zip(wanted);
            columns
                .filter(|(column, wanted)| column.is_some() && wanted.required == required)
                .count()
        };
        let required = wanted.iter().filter(|wanted| wanted.required).count();
        (found(true) == required).then(|| (found(false), table))
    });
    // Of several that are as good, the first.
    let rated = rated.reduce(|best, next| match next.0 > best.0 {
        true => next,
        false => best,
    });
    rated.map(|(_, table)| table)
}

impl SurveyedTable {
    /// The column of each key, in the order of the keys. None is meant twice.
    pub fn columns(&self, wanted: &[Wanted]) -> Vec<Option<&LiveColumn>> {
        let mut taken: HashSet<&str> = HashSet::new();
        let columns = wanted.iter().map(|wanted| {
            let found = wanted.names.iter().find_map(|name| {
                self.schema.columns.iter().find(|live| {
                    same(name, &live.name)
                        && !taken.contains(live.name.as_str())
                        && fits(wanted.content, live)
                })
            });
            taken.extend(found.map(|live| live.name.as_str()));
            found
        });
        columns.collect()
    }

    /// The columns that a new row must fill by itself.
    pub fn demanding(&self) -> impl Iterator<Item = &LiveColumn> {
        let columns = self.schema.columns.iter();
        columns.filter(|live| !live.nullable && !live.has_default && !live.generated)
    }

    /// The other columns of a unique key that has this one; empty when it is unique by itself, `None`
    /// when it is not unique at all.
    pub fn unique_with(&self, name: &str) -> Option<Vec<&str>> {
        let keys = self.schema.unique_keys();
        let with = keys.filter(|key| key.iter().any(|column| column == name));
        let others = with.map(|key| {
            let others = key.iter().filter(|column| *column != name);
            others.map(String::as_str).collect::<Vec<_>>()
        });
        others.min_by_key(Vec::len)
    }
}

impl LiveColumn {
    /// Whether the database gives a new row its value, a whole number.
    pub fn is_numbered(&self) -> bool {
        self.kind == ColumnKind::Integer && (self.has_default || self.generated)
    }

    /// Whether it has whole numbers.
    pub fn is_integer(&self) -> bool {
        self.kind == ColumnKind::Integer
    }

    /// Whether it has numbers with decimals.
    pub fn has_decimals(&self) -> bool {
        self.kind == ColumnKind::Decimal
    }

    /// Whether it has text.
    pub fn is_text(&self) -> bool {
        self.kind == ColumnKind::Text
    }
}

/// Instants may be numbers as well: that is for `timestamp_format` to say.
fn fits(content: ColumnContent, live: &LiveColumn) -> bool {
    content.fits(live.kind, TimestampFormat::Rfc3339)
        || content.fits(live.kind, TimestampFormat::UnixSeconds)
}
