//! The deep check of a target, which only `--check` makes: whether the account, the types and the
//! constraints take what the mapping writes. Everything that it tries is rolled back.

use serde_json::Value;

use crate::apply::Target;
use crate::check::{OWN_TABLES, TargetCheck};
use crate::dialect::{DbError, Dialect, SqlStatement, TargetSession};
use crate::identifier::Identifier;
use crate::mapping::{ConfiguredWord, Mapping, MappingNeeds};
use crate::schema::{ColumnKind, MappedColumn, TableSchema};
use crate::values_table::{InsertColumn, InsertSource, ValuesTable};
use crate::{adopt, checks};

/// Compares what the mapping needs with what the account, the types and the constraints allow.
pub(crate) async fn check(
    target: &Target,
    session: &mut dyn TargetSession,
    mapping: &dyn Mapping,
    found: &mut TargetCheck,
) -> Result<(), DbError> {
    let table = &target.mapping.settings().table;
    let Some(schema) = session.describe(table).await? else {
        return Ok(());
    };
    let needs = mapping.needs();
    found.faults.extend(row_security(table, &schema));
    found.faults.extend(missing_rights(table, &needs));
    found.faults.extend(impossible_ids(table, &needs));
    let checks = checks::read(session, table, &schema).await?;
    for word in &needs.words {
        let Some(why) = refusal(session, word, &checks).await? else {
            continue;
        };
        let (key, value) = (&word.key, &word.value);
        let column = word.column.name().as_str();
        if word.is_written {
            found.faults.push(format!(
                "{key}: column {column:?} of table {:?} refuses {value} ({why}); configure a \
                 value that it takes, or let it take this one",
                table.as_str()
            ));
        } else {
            found.warnings.push(format!(
                "{key}: column {column:?} of table {:?} can never be {value} ({why}); no row is \
                 found by it",
                table.as_str()
            ));
        }
    }
    // A right that is missing was reported by its column already.
    if found.faults.is_empty() {
        found
            .faults
            .extend(refused_writes(session, table, &needs, &found.missing_tables).await?);
    }
    Ok(())
}

fn row_security(table: &Identifier, schema: &TableSchema) -> Option<String> {
    schema.row_security.then(|| {
        format!(
            "target.url: row-level security of table {:?} hides rows from this account; give the \
             account BYPASSRLS, or one policy FOR ALL with USING (true)",
            table.as_str()
        )
    })
}

fn missing_rights(table: &Identifier, needs: &MappingNeeds<'_>) -> Vec<String> {
    let lacking = |columns: &[&MappedColumn], verb: &str, has: fn(&MappedColumn) -> bool| {
        let lacking = columns.iter().filter(|column| !has(column));
        let sentences = lacking.map(|column| {
            format!(
                "{}: the account lacks the right to {verb} column {:?} of table {:?}; grant it as \
                 the files in the adapter's folder roles do",
                column.key(),
                column.name().as_str(),
                table.as_str()
            )
        });
        sentences.collect::<Vec<String>>()
    };
    [
        lacking(&needs.read, "SELECT", |column| column.rights().select),
        lacking(&needs.updated, "UPDATE", |column| column.rights().update),
        lacking(&needs.inserted, "INSERT", |column| column.rights().insert),
    ]
    .concat()
}

/// The columns that cannot hold the ids of the transfers that a change adds.
fn impossible_ids(table: &Identifier, needs: &MappingNeeds<'_>) -> Vec<String> {
    let impossible = needs.new_ids.iter().filter(|(column, example)| {
        column.id(example).is_none() || column.max_chars().is_some_and(|max| max < example.len())
    });
    let sentences = impossible.map(|(column, example)| {
        format!(
            "{}: column {:?} of table {:?} is declared {:?} and cannot hold the ids of new \
             transfers, such as {example}; it must be text of {} or more characters",
            column.key(),
            column.name().as_str(),
            table.as_str(),
            column.declared(),
            example.len()
        )
    });
    sentences.collect()
}

/// Why a column refuses a word; `None` when it takes it.
async fn refusal(
    session: &mut dyn TargetSession,
    word: &ConfiguredWord<'_>,
    checks: &[checks::ColumnCheck],
) -> Result<Option<String>, DbError> {
    let column = word.column;
    let text = match &word.value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if column
        .max_chars()
        .is_some_and(|max| max < text.chars().count())
        || checks::enum_lacks(column, &text)
    {
        return Ok(Some(format!("it is declared {}", column.declared())));
    }
    if column.dialect() == Dialect::Postgres && column.kind() != ColumnKind::Json {
        let cast = checks::cast(column, &text);
        if let Some(why) = tried(session, cast).await? {
            return Ok(Some(why));
        }
    }
    for check in checks.iter().filter(|check| check.is_of(column)) {
        session.set_savepoint().await?;
        match session.fetch(check.evaluated(column, &text)).await {
            Ok(rows) => {
                session.release_savepoint().await?;
                let broken = rows.first().and_then(|row| row.cell("broken").integer());
                if broken == Some(1) {
                    return Ok(Some(format!("CHECK {}", check.clause)));
                }
            }
            // It rests on more than the column's value.
            Err(DbError::Refused(_) | DbError::Unavailable(_)) => {
                session.roll_back_to_savepoint().await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Runs a statement and undoes it; the error when it was refused.
async fn tried(
    session: &mut dyn TargetSession,
    statement: SqlStatement,
) -> Result<Option<String>, DbError> {
    session.set_savepoint().await?;
    let refused = session.execute(statement).await.err();
    session.roll_back_to_savepoint().await?;
    Ok(refused.map(|error| error.message().to_owned()))
}

/// Writes that hit no row: what forbids them forbids the real ones.
async fn refused_writes(
    session: &mut dyn TargetSession,
    table: &Identifier,
    needs: &MappingNeeds<'_>,
    missing_tables: &[&str],
) -> Result<Vec<String>, DbError> {
    let mut writes = Vec::new();
    if let Some(key) = needs.read.first() {
        let mut rows = ValuesTable::new(table, key);
        for column in &needs.updated {
            rows.assign_unchanged(column);
        }
        writes.push((table.as_str(), rows.update(&[])));
        writes.push((table.as_str(), rows.select_locked(&[key])));
        let inserted = needs.inserted.iter().map(|column| InsertColumn {
            column,
            source: InsertSource::Original(column),
        });
        let inserted: Vec<InsertColumn<'_>> = inserted.collect();
        if !inserted.is_empty() {
            writes.push((table.as_str(), rows.insert(&inserted)));
        }
    }
    for own in OWN_TABLES {
        if missing_tables.contains(&own) {
            continue;
        }
        let mut statements = vec![format!("INSERT INTO {own} SELECT * FROM {own} WHERE 1 = 0")];
        if own != adopt::TABLE {
            statements.push(format!("UPDATE {own} SET adapter = adapter WHERE 1 = 0"));
        }
        writes.extend(statements.into_iter().map(|sql| {
            let parameter = None;
            (own, SqlStatement::Text { sql, parameter })
        }));
    }
    let mut refused = Vec::new();
    for (table, write) in writes {
        if let Some(why) = tried(session, write).await? {
            refused.push(format!(
                "target.url: the account cannot write to table {table:?}: {why}"
            ));
        }
    }
    Ok(refused)
}
