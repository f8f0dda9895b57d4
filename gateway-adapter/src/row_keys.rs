//! Which row a transfer's id names. Where the database numbers its rows, a new transfer keeps the id
//! that the journal gave it in a column of its own, `transfers.columns.own_id`. Its row has a number,
//! which is what other rows know it by.
//!
//! An id of ours is never a whole number. So what is one names a row, and a number that somebody else
//! wrote into that column names nothing.

use std::collections::{BTreeSet, HashMap};

use echeck_adapter::dialect::{DbError, TargetSession};
use echeck_adapter::row::TargetRow;
use echeck_adapter::schema::MappedColumn;
use serde_json::Value;

use crate::mapping::GatewayMapping;
use crate::read::bounded;

/// The number of ids that one statement asks for.
pub(crate) const CHUNK: usize = 5_000;

/// The rows of some transfers.
pub(crate) struct RowKeys<'a> {
    column: &'a MappedColumn,
    /// The id of the row of each new transfer that has another.
    numbered: HashMap<String, String>,
}

impl RowKeys<'_> {
    /// The id of a transfer's row, as the row shows it.
    pub(crate) fn shown(&self, id: &str) -> String {
        match self.numbered.get(id) {
            Some(row_id) => row_id.clone(),
            None => self.column.shown_id(id),
        }
    }

    /// The id of a transfer's row, in the form its column takes; `None` when the column cannot
    /// hold it.
    pub(crate) fn value(&self, id: &str) -> Option<Value> {
        self.column.id(&self.shown(id))
    }
}

impl GatewayMapping {
    /// The rows of transfers. It costs a statement only where the database numbers its rows.
    pub(crate) async fn row_keys(
        &self,
        session: &mut dyn TargetSession,
        ids: BTreeSet<&str>,
    ) -> Result<RowKeys<'_>, DbError> {
        let column = &self.columns.id;
        let mut numbered = HashMap::new();
        if let Some(own_id) = &self.columns.own_id {
            let ours = ids.into_iter().filter(|id| self.is_ours(id)).collect();
            for row in self.rows_by(session, own_id, ours).await? {
                numbered.insert(own_id.of(&row).text(), column.of(&row).text());
            }
        }
        Ok(RowKeys { column, numbered })
    }

    /// What the journal calls the transfers of some rows; those that it calls as the database does
    /// are left out.
    pub(crate) async fn own_ids(
        &self,
        session: &mut dyn TargetSession,
        row_ids: BTreeSet<&str>,
    ) -> Result<HashMap<String, String>, DbError> {
        let mut own = HashMap::new();
        if self.columns.own_id.is_some() {
            for row in self.rows_by(session, &self.columns.id, row_ids).await? {
                own.insert(self.columns.id.of(&row).text(), self.id_of(&row));
            }
        }
        Ok(own)
    }

    /// The id of a row's transfer: the journal's own, where the journal made it.
    pub(crate) fn id_of(&self, row: &TargetRow) -> String {
        let own = self.columns.own_id.as_ref();
        let own = own.map(|column| bounded(column.of(row)));
        own.filter(|own| !own.is_empty() && self.is_ours(own))
            .unwrap_or_else(|| bounded(self.columns.id.of(row)))
    }

    /// Whether an id cannot be that of a row which the database numbered.
    pub(crate) fn is_ours(&self, id: &str) -> bool {
        self.columns.id.id(id).is_none()
    }

    /// Both ids of the rows whose `key` is one of `ids`.
    async fn rows_by(
        &self,
        session: &mut dyn TargetSession,
        key: &MappedColumn,
        ids: BTreeSet<&str>,
    ) -> Result<Vec<TargetRow>, DbError> {
        let ids: Vec<Value> = ids.into_iter().filter_map(|id| key.id(id)).collect();
        let shown: Vec<&MappedColumn> = std::iter::once(&self.columns.id)
            .chain(&self.columns.own_id)
            .collect();
        let mut found = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            let mut rows = self.rows(key);
            for id in chunk {
                rows.add_row(id.clone(), []);
            }
            found.extend(session.fetch(rows.select(&shown, &[])).await?);
        }
        Ok(found)
    }
}
