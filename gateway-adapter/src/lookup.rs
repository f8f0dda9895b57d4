//! Finds transfers by the ids that a file names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use echeck_adapter::batch::{Key, KeyKind};
use echeck_adapter::dialect::{DbError, Session};
use echeck_adapter::mapping::LookupError;
use echeck_adapter::schema::Column;
use echeck_adapter::set::{Guard, SetSql, Sheet};
use echeck_proto::adapter::v1::{Transfer, TransferType};
use serde_json::Value;

use crate::plan::GatewayMapping;

/// So many ids are asked for in one statement.
const CHUNK: usize = 5_000;
/// So many transfers are listed for one ambiguous key.
const MAX_MATCHES: u32 = 10;

/// Looks up `keys`; the answer has one list for each, in their order.
pub(crate) async fn lookup(
    mapping: &GatewayMapping,
    session: &mut dyn Session,
    keys: &[Key],
) -> Result<Vec<Vec<Transfer>>, LookupError> {
    let mut wanted: BTreeMap<KeyKind, BTreeSet<&str>> = BTreeMap::new();
    for (index, key) in keys.iter().enumerate() {
        if let (None, setting) = mapping.columns.key(key.kind) {
            return Err(LookupError::NotMapped {
                index,
                kind: key.kind,
                setting,
            });
        }
        wanted.entry(key.kind).or_default().insert(&key.value);
    }
    let mut found: HashMap<(KeyKind, String), Vec<Transfer>> = HashMap::new();
    for (kind, values) in wanted {
        let (Some(column), _) = mapping.columns.key(kind) else {
            continue;
        };
        // A value that the column cannot hold has no match, so it is not asked for.
        let ids: Vec<Value> = values
            .into_iter()
            .filter_map(|value| column.id(value))
            .collect();
        for chunk in ids.chunks(CHUNK) {
            for row in session.fetch_set(mapping.select_by(column, chunk)).await? {
                let value = row.cell(column.name().as_str()).text();
                found
                    .entry((kind, value))
                    .or_default()
                    .push(mapping.transfer(&row));
            }
        }
    }
    mapping.add_reversal_ids(session, &mut found).await?;
    Ok(keys
        .iter()
        .map(|key| {
            found
                .get(&(key.kind, key.value.clone()))
                .cloned()
                .unwrap_or_default()
        })
        .collect())
}

impl GatewayMapping {
    /// All mapped columns of the rows whose `key` is one of `ids`, the first few of each id.
    fn select_by(&self, key: &Column, ids: &[Value]) -> SetSql {
        let columns: BTreeMap<&str, &Column> = self
            .columns
            .all()
            .map(|column| (column.name().as_str(), column))
            .collect();
        let columns: Vec<&Column> = columns.into_values().collect();
        let sheet = self.sheet(key, ids);
        if key.unique() {
            sheet.select(&columns, &[])
        } else {
            sheet.select_some(&columns, &self.columns.id, MAX_MATCHES)
        }
    }

    fn sheet(&self, key: &Column, ids: &[Value]) -> Sheet<'_> {
        let mut sheet = Sheet::new(&self.table, key);
        for id in ids {
            sheet.row(id.clone(), []);
        }
        sheet
    }

    async fn add_reversal_ids(
        &self,
        session: &mut dyn Session,
        found: &mut HashMap<(KeyKind, String), Vec<Transfer>>,
    ) -> Result<(), DbError> {
        let columns = &self.columns;
        let parents: BTreeSet<&str> = found.values().flatten().map(|t| t.id.as_str()).collect();
        let parent = &columns.parent_id;
        let ids: Vec<Value> = parents.into_iter().filter_map(|id| parent.id(id)).collect();
        let mut reversals: HashMap<String, Vec<String>> = HashMap::new();
        for chunk in ids.chunks(CHUNK) {
            let mut sheet = Sheet::new(&self.table, parent);
            let kind = sheet.field(&columns.kind);
            for id in chunk {
                sheet.row(id.clone(), [(kind, Value::from(self.types.reversal()))]);
            }
            let guards = [Guard::Is(&columns.kind, kind)];
            let select = sheet.select(&[&columns.id, parent], &guards);
            for row in session.fetch_set(select).await? {
                let id = row.cell(columns.id.name().as_str()).text();
                reversals
                    .entry(row.cell(parent.name().as_str()).text())
                    .or_default()
                    .push(id);
            }
        }
        for ids in reversals.values_mut() {
            ids.sort_unstable();
        }
        for transfer in found.values_mut().flatten() {
            // What is linked to a reversal undoes it, and is of its type when it gives a refund
            // again: a reversal itself is never reversed.
            if transfer.r#type() == TransferType::Reversal {
                continue;
            }
            transfer.reversal_ids = reversals.get(&transfer.id).cloned().unwrap_or_default();
        }
        Ok(())
    }
}
