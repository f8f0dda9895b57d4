//! Which rows another session has locked. They are not waited for: the database skips them.

use std::collections::{BTreeSet, HashMap};

use crate::batch::Step;
use crate::dialect::{DbError, Dialect, SqlStatement, TargetSession};
use crate::identifier::Identifier;
use crate::mapping::Mapping;
use crate::schema::MappedColumn;
use crate::values_table::ValuesTable;

/// The first step whose row is locked, and the id by which the row is known. The rows that are
/// free are locked until the transaction ends.
pub(crate) async fn first(
    session: &mut dyn TargetSession,
    table: &Identifier,
    mapping: &dyn Mapping,
    steps: &[Step],
) -> Result<Option<(usize, String)>, DbError> {
    // A transaction that writes has locked the whole file.
    let Some(key) = mapping.key().filter(|key| key.dialect() != Dialect::Sqlite) else {
        return Ok(None);
    };
    let changes = steps.iter().enumerate().filter_map(|(at, step)| {
        let change = step.change.as_ref().filter(|_| step.blocked.is_none());
        Some((at, change?))
    });
    let ids: Vec<(usize, &str)> = changes
        .flat_map(|(at, change)| mapping.rows_of(change).into_iter().map(move |id| (at, id)))
        .collect();
    let mut rows = ValuesTable::new(table, key);
    if let Some(filter) = mapping.filter() {
        rows = rows.only(filter);
    }
    let once: BTreeSet<&str> = ids.iter().map(|(_, id)| *id).collect();
    for id in once.into_iter().filter_map(|id| key.id(id)) {
        rows.add_row(id, []);
    }
    let there = count(session, key, rows.select(&[key], &[])).await?;
    let free = count(session, key, rows.select_free(&[key])).await?;
    let is_locked = |id: &str| {
        let id = key.shown_id(id);
        there
            .get(&id)
            .is_some_and(|rows| free.get(&id) != Some(rows))
    };
    let locked = ids.into_iter().find(|(_, id)| is_locked(id));
    Ok(locked.map(|(at, id)| (at, id.to_owned())))
}

/// The number of rows of each id.
async fn count(
    session: &mut dyn TargetSession,
    key: &MappedColumn,
    select: SqlStatement,
) -> Result<HashMap<String, usize>, DbError> {
    let mut counts = HashMap::new();
    for row in session.fetch(select).await? {
        *counts.entry(key.of(&row).text()).or_insert(0) += 1;
    }
    Ok(counts)
}
