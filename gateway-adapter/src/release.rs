//! How a transfer that an earlier step created joins a settlement.

use chrono::{DateTime, Utc};
use echeck_adapter::batch::{ReleaseToSettlement, TransferState};
use echeck_adapter::dialect::SqlStatement;
use echeck_adapter::schema::MappedColumn;
use echeck_adapter::values_table::{RowGuard, ValuesField};
use serde_json::Value;

use crate::columns::TransferColumns;
use crate::layout::InsertLayouts;
use crate::mapping::GatewayMapping;

/// A transfer to release.
pub(crate) struct ReleasedTransfer<'a> {
    /// Its id, in the form its column takes.
    pub(crate) id: Value,
    /// From when on it may join a settlement.
    pub(crate) release: &'a ReleaseToSettlement,
}

/// The column that says what may be settled. `None` when it is switched off, or when the
/// configuration fills it as the row is inserted.
pub(crate) fn column(
    columns: &TransferColumns<MappedColumn>,
    layouts: &InsertLayouts,
) -> Option<MappedColumn> {
    let column = columns.ready_to_settle_at.as_ref();
    column.filter(|column| layouts.leave_empty(column)).cloned()
}

impl GatewayMapping {
    /// Releases transfers that SUCCEEDED and were not released yet; `None` when the gateway has no
    /// column for it.
    pub(crate) fn release(
        &self,
        released: &[ReleasedTransfer<'_>],
        now: DateTime<Utc>,
    ) -> Option<SqlStatement> {
        let ready_at = self.release_column.as_ref()?;
        let mut rows = self.rows(&self.columns.id);
        let column = &self.columns.state;
        let words = self.states.all(TransferState::Succeeded).iter();
        let states: Vec<(ValuesField<'_>, Value)> = words
            .filter_map(|word| Some((rows.field(column), column.word(word)?)))
            .collect();
        let from = rows.assign(ready_at);
        let updated_at = rows.assign_latest(self.columns.updated_at.as_ref());
        for ReleasedTransfer { id, release } in released {
            let mut values = vec![from.instant(release.ready_to_settle_at)];
            values.extend(states.iter().map(|(field, word)| field.value(word.clone())));
            values.extend(updated_at.map(|field| field.instant(now)));
            rows.add_row(id.clone(), values);
        }
        let states = states.iter().map(|(field, _)| *field).collect();
        let succeeded = RowGuard::IsOneOf(column, states);
        Some(rows.update(&[succeeded, RowGuard::IsNull(ready_at)]))
    }
}
