//! How a transfer that an earlier step created joins a settlement.

use chrono::{DateTime, Utc};
use echeck_adapter::batch::{ReleaseToSettlement, TransferState};
use echeck_adapter::dialect::SqlStatement;
use echeck_adapter::schema::MappedColumn;
use echeck_adapter::values_table::{RowGuard, ValuesTable};
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
        let mut rows = ValuesTable::new(&self.table, &self.columns.id);
        let state = rows.field(&self.columns.state);
        let from = rows.assign(ready_at);
        let updated_at = rows.assign_latest(self.columns.updated_at.as_ref());
        for ReleasedTransfer { id, release } in released {
            let mut values = vec![
                state.value(self.states.of(TransferState::Succeeded)),
                from.instant(release.ready_to_settle_at),
            ];
            values.extend(updated_at.map(|field| field.instant(now)));
            rows.add_row(id.clone(), values);
        }
        Some(rows.update(&[RowGuard::Is(state), RowGuard::IsNull(ready_at)]))
    }
}
