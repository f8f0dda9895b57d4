//! How a transfer that an earlier step made joins a settlement.

use echeck_adapter::batch::{Ready, State};
use echeck_adapter::schema::Column;
use echeck_adapter::set::{Assign, Guard, SetSql, Sheet};
use serde_json::Value;

use crate::columns::Columns;
use crate::layout::Layouts;
use crate::plan::GatewayMapping;

/// A transfer that becomes ready: its id as the column takes it, and from when on.
pub(crate) type Readied<'a> = (Value, &'a Ready);

/// The column that tells what may be settled. A gateway whose column is switched off, or filled
/// by the configuration when the row is made, does not have the notion.
pub(crate) fn readiness(columns: &Columns, layouts: &Layouts) -> Option<Column> {
    let ready = columns.ready_to_settle_at.as_ref();
    ready.filter(|column| layouts.leave_empty(column)).cloned()
}

impl GatewayMapping {
    /// Makes transfers ready that SUCCEEDED and are not ready yet; `None` when the gateway
    /// does not have the notion.
    pub(crate) fn make_ready(&self, readied: &[Readied<'_>]) -> Option<SetSql> {
        let ready_at = self.readiness.as_ref()?;
        let columns = &self.columns;
        let mut sheet = Sheet::new(&self.table, &columns.id);
        let state = sheet.field(&columns.state);
        let from = sheet.field(ready_at);
        let updated_at = columns
            .updated_at
            .as_ref()
            .map(|column| (column, sheet.field(column)));
        for (id, ready) in readied {
            let mut values = vec![
                (state, Value::from(self.states.write(State::Succeeded))),
                (from, ready_at.instant(ready.ready_to_settle_at)),
            ];
            if let Some((column, field)) = updated_at {
                values.push((field, column.instant(ready.decided_at)));
            }
            sheet.row(id.clone(), values);
        }
        let mut assigns = vec![Assign::Each(ready_at, from)];
        assigns.extend(updated_at.map(|(column, field)| Assign::Each(column, field)));
        let guards = [Guard::Is(&columns.state, state), Guard::IsNull(ready_at)];
        Some(sheet.update(&assigns, &guards))
    }
}
