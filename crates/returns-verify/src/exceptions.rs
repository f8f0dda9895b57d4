//! Exceptions against the rows that they are about, as far as the returns database alone can tell.
//! Whether a database recorded them, its feed asks.

use std::collections::{BTreeMap, HashSet};

use returns_model::follower::RowException;
use returns_model::ids;
use returns_model::journal::JournalRow;
use returns_store::{Store, StoreError};

/// Positions whose exceptions are read together.
const POSITIONS: u64 = 10_000;

/// Open exceptions that are read together. There are never many: the feed deals with them at once.
const OPEN: u32 = 10_000;

/// A sentence for each exception of a database that cannot be right.
///
/// # Errors
/// When the returns database does not answer, or a row cannot be read.
pub async fn check(store: &dyn Store, database: &str) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    let passed = store.progress(database).await?.position;
    let mut after = 0;
    while after < passed {
        let to = after.saturating_add(POSITIONS).min(passed);
        let listed = store.exceptions(database, after, to).await?;
        after = to;
        if listed.is_empty() {
            continue;
        }
        // One that is open now has no consequence yet. For the others, the consequence was
        // written together with the mark.
        let open = store.open_exceptions(database, OPEN).await?;
        let open: HashSet<u64> = open.iter().map(|one| one.position).collect();
        let positions: Vec<u64> = listed.iter().map(|one| one.position).collect();
        let rows = store.rows_at(&positions).await?;
        let rows: BTreeMap<u64, JournalRow> =
            rows.into_iter().map(|row| (row.position, row)).collect();
        for exception in listed {
            let position = exception.position;
            let what = match rows.get(&position) {
                None => "names a row that the journal does not have",
                Some(_) if open.contains(&position) => continue,
                Some(row) if has_consequence(store, database, &exception, row).await? => continue,
                Some(_) => "is marked as dealt with, but nothing was done about it",
            };
            faults.push(format!(
                "{database}: the exception of position {position} {what}"
            ));
        }
    }
    let beyond = store
        .exceptions(database, passed, i64::MAX.unsigned_abs())
        .await?;
    // The database may have passed them meanwhile.
    let passed = store.progress(database).await?.position;
    faults.extend(
        beyond
            .iter()
            .filter(|exception| exception.position > passed)
            .map(|exception| {
                format!(
                    "{database}: the exception of position {} is beyond position {passed}, where \
                     the database is",
                    exception.position
                )
            }),
    );
    Ok(faults)
}

/// Whether something was done about an exception: a row replaces its row, a hold waits or waited,
/// or the return stands by another row. A release to settlement may need nothing.
async fn has_consequence(
    store: &dyn Store,
    database: &str,
    exception: &RowException,
    row: &JournalRow,
) -> Result<bool, StoreError> {
    if row.superseded_by.is_some() || row.row.effect.is_release() {
        return Ok(true);
    }
    let hold_id = ids::exception_hold_id(database, exception.position);
    if store.hold(&hold_id).await?.is_some() {
        return Ok(true);
    }
    let about = store
        .rows_of(std::slice::from_ref(&row.row.transfer.id))
        .await?;
    Ok(about
        .iter()
        .any(|other| other.position != row.position && other.superseded_by.is_none()))
}
