//! Finds transfers by the ids that a file names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use echeck_adapter::batch::{KeyKind, LookupKey};
use echeck_adapter::dialect::{DbError, SqlStatement, TargetSession};
use echeck_adapter::mapping::LookupError;
use echeck_adapter::schema::MappedColumn;
use echeck_adapter::values_table::{RowGuard, ValuesField};
use echeck_proto::adapter::v1::{KeyMatches, Transfer, TransferType};
use serde_json::Value;

use crate::mapping::GatewayMapping;
use crate::row_keys::CHUNK;

/// The maximum number of transfers that are listed for one ambiguous key.
const MAX_MATCHES: usize = 10;
/// One more shows that there are more.
const ASKED: u32 = 11;
const _: () = assert!(ASKED as usize == MAX_MATCHES + 1);

/// A transfer, and the id of its row.
#[derive(Clone)]
struct FoundTransfer {
    row_id: String,
    transfer: Transfer,
}

/// The transfers found by kind of key and by id.
type TransfersByKey = BTreeMap<KeyKind, HashMap<String, Vec<FoundTransfer>>>;

/// Looks up `keys`; the answer has one list for each, in their order.
pub(crate) async fn lookup(
    mapping: &GatewayMapping,
    session: &mut dyn TargetSession,
    keys: &[LookupKey],
) -> Result<Vec<KeyMatches>, LookupError> {
    let mut wanted: BTreeMap<KeyKind, BTreeSet<&str>> = BTreeMap::new();
    for (index, key) in keys.iter().enumerate() {
        let kind = key.kind;
        if let (None, setting) = mapping.columns.key(kind) {
            return Err(LookupError::NotMapped {
                index,
                kind,
                setting,
            });
        }
        wanted.entry(kind).or_default().insert(&key.value);
    }
    let mut found = TransfersByKey::new();
    for (kind, values) in wanted {
        if let (Some(column), _) = mapping.columns.key(kind) {
            let mut transfers = mapping.find(session, column, &values).await?;
            if let (KeyKind::TransferId, Some(own_id)) = (kind, &mapping.columns.own_id) {
                let ours = values.iter().copied().filter(|id| mapping.is_ours(id));
                transfers.extend(mapping.find(session, own_id, &ours.collect()).await?);
            }
            found.insert(kind, transfers);
        }
    }
    mapping.add_reversal_ids(session, &mut found).await?;
    mapping.name_parents(session, &mut found).await?;
    let of = |key: &LookupKey| {
        let (column, _) = mapping.columns.key(key.kind);
        let shown = column?.shown_id(&key.value);
        let found = found.get(&key.kind)?;
        found.get(&shown).or_else(|| found.get(&key.value)).cloned()
    };
    let matches = keys.iter().map(|key| listed(of(key).unwrap_or_default()));
    Ok(matches.collect())
}

fn listed(mut transfers: Vec<FoundTransfer>) -> KeyMatches {
    let more = transfers.len() > MAX_MATCHES;
    transfers.truncate(MAX_MATCHES);
    let transfers = transfers.into_iter().map(|found| found.transfer);
    KeyMatches {
        transfers: transfers.collect(),
        more,
    }
}

impl GatewayMapping {
    /// The transfers whose `key` is one of `values`, by that value.
    async fn find(
        &self,
        session: &mut dyn TargetSession,
        key: &MappedColumn,
        values: &BTreeSet<&str>,
    ) -> Result<HashMap<String, Vec<FoundTransfer>>, DbError> {
        let mut found: HashMap<String, Vec<FoundTransfer>> = HashMap::new();
        // A value that the column cannot hold has no match, so it is not asked for.
        let ids: Vec<Value> = values.iter().filter_map(|id| key.id(id)).collect();
        for chunk in ids.chunks(CHUNK) {
            for row in session.fetch(self.select_by(key, chunk)).await? {
                let transfers = found.entry(key.of(&row).text()).or_default();
                transfers.push(FoundTransfer {
                    row_id: self.columns.id.of(&row).text(),
                    transfer: self.transfer(&row),
                });
            }
        }
        Ok(found)
    }

    /// All mapped columns of the rows whose `key` is one of `ids`, the first few of each id.
    fn select_by(&self, key: &MappedColumn, ids: &[Value]) -> SqlStatement {
        let all = self.columns.all().into_iter();
        let by_name: BTreeMap<&str, &MappedColumn> =
            all.map(|column| (column.name().as_str(), column)).collect();
        let columns: Vec<&MappedColumn> = by_name.into_values().collect();
        let mut rows = self.rows(key);
        for id in ids {
            rows.add_row(id.clone(), []);
        }
        if key.is_unique() {
            rows.select(&columns, &[])
        } else {
            rows.select_first(&columns, &self.columns.id, ASKED)
        }
    }

    async fn add_reversal_ids(
        &self,
        session: &mut dyn TargetSession,
        found: &mut TransfersByKey,
    ) -> Result<(), DbError> {
        let (id, parent) = (&self.columns.id, &self.columns.parent_id);
        let transfers = found.values().flat_map(HashMap::values).flatten();
        let parents: BTreeSet<&str> = transfers
            .filter(|found| !found.transfer.id.is_empty())
            .map(|found| found.row_id.as_str())
            .collect();
        let ids: Vec<Value> = parents.into_iter().filter_map(|id| parent.id(id)).collect();
        let mut reversals: HashMap<String, Vec<String>> = HashMap::new();
        for chunk in ids.chunks(CHUNK) {
            let mut rows = self.rows(parent);
            let kind = self.columns.kind.as_ref();
            let words = kind.iter().flat_map(|column| {
                let words = self.types.reversal().iter();
                words.filter_map(|word| Some((*column, column.word(word)?)))
            });
            let kinds: Vec<(ValuesField<'_>, Value)> = words
                .map(|(column, word)| (rows.field(column), word))
                .collect();
            for id in chunk {
                let kinds = kinds.iter().map(|(field, word)| field.value(word.clone()));
                rows.add_row(id.clone(), kinds);
            }
            let fields = kinds.iter().map(|(field, _)| *field).collect();
            let guards = kind.map(|column| RowGuard::IsOneOf(column, fields));
            let guards: Vec<RowGuard<'_>> = guards.into_iter().collect();
            let shown: Vec<&MappedColumn> = [id, parent]
                .into_iter()
                .chain(&self.columns.own_id)
                .collect();
            let select = rows.select(&shown, &guards);
            for row in session.fetch(select).await? {
                let of_parent = reversals.entry(parent.of(&row).text()).or_default();
                of_parent.push(self.id_of(&row));
            }
        }
        for ids in reversals.values_mut() {
            ids.sort_unstable();
        }
        let transfers = found.values_mut().flat_map(HashMap::values_mut).flatten();
        // What is linked to a reversal undoes it. It has the same type when it makes a refund
        // again, but a reversal itself is never reversed.
        for found in transfers.filter(|one| one.transfer.r#type() != TransferType::Reversal) {
            found.transfer.reversal_ids = reversals
                .get(&parent.shown_id(&found.row_id))
                .cloned()
                .unwrap_or_default();
        }
        Ok(())
    }

    /// What undoes a transfer that the journal made names its row; the journal knows it by its own id.
    async fn name_parents(
        &self,
        session: &mut dyn TargetSession,
        found: &mut TransfersByKey,
    ) -> Result<(), DbError> {
        let transfers = found.values().flat_map(HashMap::values).flatten();
        let parents: BTreeSet<&str> = transfers
            .map(|found| found.transfer.parent_id.as_str())
            .filter(|parent| !parent.is_empty())
            .collect();
        let own = self.own_ids(session, parents).await?;
        for one in found.values_mut().flat_map(HashMap::values_mut).flatten() {
            if let Some(own) = own.get(&one.transfer.parent_id) {
                one.transfer.parent_id.clone_from(own);
            }
        }
        Ok(())
    }
}
