//! Finds transfers by the ids that a file names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use echeck_adapter::batch::{Key, KeyKind};
use echeck_adapter::dialect::{DbError, Session};
use echeck_adapter::mapping::LookupError;
use echeck_adapter::schema::Column;
use echeck_proto::adapter::v1::Transfer;
use sea_query::{DynIden, Expr, ExprTrait as _, Func, Order, Query, SelectStatement};
use sea_query::{OverStatement as _, WindowStatement};

use crate::plan::GatewayMapping;

/// So many ids are asked for in one statement.
const CHUNK: usize = 500;
/// So many transfers are listed for one ambiguous key.
const MAX_MATCHES: i32 = 10;

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
        let ids: Vec<Expr> = values
            .into_iter()
            .filter_map(|value| column.id(value))
            .collect();
        for chunk in ids.chunks(CHUNK) {
            for row in session.fetch(mapping.select_by(column, chunk)).await? {
                // The database may compare more loosely than we do; here ids are exact.
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
    fn select_by(&self, key: &Column, ids: &[Expr]) -> SelectStatement {
        let names: BTreeSet<&str> = self.columns.all().map(|c| c.name().as_str()).collect();
        let names: Vec<DynIden> = names
            .into_iter()
            .map(|name| DynIden::from(name.to_owned()))
            .collect();
        let each_id = WindowStatement::new()
            .partition_by(key.iden())
            .order_by(self.columns.id.iden(), Order::Asc)
            .to_owned();
        let ranked = Query::select()
            .columns(names.clone())
            .expr_window_as(Expr::from(Func::cust("ROW_NUMBER")), each_id, "echeck_rank")
            .from(&self.table)
            .and_where(key.expr().is_in(ids.iter().cloned()))
            .to_owned();
        Query::select()
            .columns(names)
            .from_subquery(ranked, "echeck_ranked")
            .and_where(Expr::col("echeck_rank").lte(MAX_MATCHES))
            .order_by("echeck_rank", Order::Asc)
            .to_owned()
    }

    async fn add_reversal_ids(
        &self,
        session: &mut dyn Session,
        found: &mut HashMap<(KeyKind, String), Vec<Transfer>>,
    ) -> Result<(), DbError> {
        let parents: BTreeSet<&str> = found.values().flatten().map(|t| t.id.as_str()).collect();
        let parent = &self.columns.parent_id;
        let ids: Vec<Expr> = parents.into_iter().filter_map(|id| parent.id(id)).collect();
        let mut reversals: HashMap<String, Vec<String>> = HashMap::new();
        for chunk in ids.chunks(CHUNK) {
            let select = Query::select()
                .columns([self.columns.id.iden(), parent.iden()])
                .from(&self.table)
                .and_where(parent.expr().is_in(chunk.iter().cloned()))
                .and_where(
                    self.columns
                        .kind
                        .expr()
                        .eq(self.columns.kind.text(self.types.reversal())),
                )
                .order_by(self.columns.id.iden(), Order::Asc)
                .to_owned();
            for row in session.fetch(select).await? {
                let id = row.cell(self.columns.id.name().as_str()).text();
                reversals
                    .entry(row.cell(parent.name().as_str()).text())
                    .or_default()
                    .push(id);
            }
        }
        for transfer in found.values_mut().flatten() {
            transfer.reversal_ids = reversals.get(&transfer.id).cloned().unwrap_or_default();
        }
        Ok(())
    }
}
