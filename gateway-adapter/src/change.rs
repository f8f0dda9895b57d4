//! How changes are written. The WHERE clause is the lock: it names the state, and the deposit,
//! that a change was decided on.

use chrono::{DateTime, Utc};
use echeck_adapter::batch::{TransferChange, TransferState, Update, UpdateEffect};
use echeck_adapter::dialect::{DbError, SqlStatement, TargetSession};
use echeck_adapter::mapping::Mapping as _;
use echeck_adapter::schema::MappedColumn;
use echeck_adapter::values_table::{FieldValue, RowGuard, ValuesField, ValuesTable};
use serde_json::Value;

use crate::deposit::DepositFields;
use crate::layout::NewTransferKind;
use crate::mapping::GatewayMapping;
use crate::new_transfer::{TransferInsert, created_by, json};
use crate::release::ReleasedTransfer;
use crate::row_keys::RowKeys;

/// A transfer that ends.
struct EndedTransfer<'a> {
    /// Its id, in the form its column takes.
    id: Value,
    update: &'a Update,
    /// The state it ends in.
    state: TransferState,
    messages: &'a [String],
    raw_json: &'a str,
}

/// A group of changes, each kind by itself.
#[derive(Default)]
struct SortedChanges<'a> {
    ended: Vec<EndedTransfer<'a>>,
    inserts: Vec<TransferInsert<'a>>,
    released: Vec<ReleasedTransfer<'a>>,
}

/// Writes a group of changes: one UPDATE of the transfers that end, one of those for which a new
/// transfer is inserted, one INSERT of the reversals and one of the restorations, and one UPDATE
/// of what is released to settlement.
pub(crate) async fn write(
    mapping: &GatewayMapping,
    session: &mut dyn TargetSession,
    changes: &[&TransferChange],
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let ids = changes.iter().flat_map(|change| mapping.rows_of(change));
    let keys = mapping.row_keys(session, ids.collect()).await?;
    // Where an id may name several rows, one row too many could make up for a missing one.
    if !mapping.columns.id.is_unique()
        && mapping
            .examine(session, changes)
            .await?
            .iter()
            .any(Option::is_some)
    {
        return Ok(false);
    }
    let Some(group) = mapping.sort(changes, &keys) else {
        return Ok(false);
    };
    if !group.ended.is_empty() {
        let update = mapping.end(&group.ended, now)?;
        if session.execute(update).await? != count(&group.ended) {
            return Ok(false);
        }
    }
    if !group.inserts.is_empty() && !insert(mapping, session, &group.inserts, now).await? {
        return Ok(false);
    }
    if !group.released.is_empty()
        && let Some(update) = mapping.release(&group.released, now)
    {
        return Ok(session.execute(update).await? == count(&group.released));
    }
    Ok(true)
}

async fn insert(
    mapping: &GatewayMapping,
    session: &mut dyn TargetSession,
    inserts: &[TransferInsert<'_>],
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let touch = mapping.touch_originals(inserts, now);
    if session.execute(touch).await? != count(inserts)
        || !mapping.has_parents(session, inserts).await?
    {
        return Ok(false);
    }
    for kind in NewTransferKind::ALL {
        let inserts: Vec<_> = inserts.iter().filter(|one| one.kind == kind).collect();
        if inserts.is_empty() {
            continue;
        }
        let Some(insert) = mapping.insert(kind, &inserts, now)? else {
            return Ok(false);
        };
        if session.execute(insert).await? != count(&inserts) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn count<T>(rows: &[T]) -> u64 {
    rows.len() as u64
}

/// What every change was decided on, as fields.
struct ExpectedFields<'a> {
    column: &'a MappedColumn,
    /// One for each spelling that a state may have.
    states: Vec<ValuesField<'a>>,
    deposit: Option<DepositFields<'a>>,
}

impl<'a> ExpectedFields<'a> {
    fn new(mapping: &'a GatewayMapping, rows: &mut ValuesTable<'a>) -> Self {
        Self {
            column: &mapping.columns.state,
            states: (0..mapping.states.most())
                .map(|_| rows.field(&mapping.columns.state))
                .collect(),
            deposit: mapping.deposit.as_ref().map(|deposit| deposit.fields(rows)),
        }
    }

    fn values(&self, mapping: &GatewayMapping, update: &Update) -> Vec<FieldValue> {
        let expected = &update.expected;
        let words = mapping.states.all(expected.state).iter();
        let words = words.filter_map(|word| self.column.word(word));
        let fields = self.states.iter();
        let mut values: Vec<FieldValue> = fields
            .zip(words)
            .map(|(field, word)| field.value(word))
            .collect();
        if let (Some(deposit), Some(in_deposit)) = (&self.deposit, expected.in_deposit) {
            values.extend(deposit.values(in_deposit));
        }
        values
    }

    fn guards(&self) -> Vec<RowGuard<'a>> {
        let mut guards = vec![RowGuard::IsOneOf(self.column, self.states.clone())];
        guards.extend(self.deposit.as_ref().map(DepositFields::guard));
        guards
    }
}

impl GatewayMapping {
    /// Sorts a group by what is to be done; `None` when a transfer has no row to find, or none to
    /// trust.
    fn sort<'a>(
        &self,
        changes: &[&'a TransferChange],
        keys: &RowKeys<'_>,
    ) -> Option<SortedChanges<'a>> {
        let mut sorted = SortedChanges::default();
        for change in changes {
            let id = keys.value(change.transfer_id())?;
            let update = match change {
                TransferChange::Update(update) => update,
                TransferChange::Release(release) => {
                    sorted.released.push(ReleasedTransfer { id, release });
                    continue;
                }
            };
            if self.lacks_deposit(update) {
                return None;
            }
            let (state, messages, raw_json) = match &update.effect {
                UpdateEffect::Fail { messages, raw_json } => {
                    (TransferState::Failed, messages, raw_json.as_str())
                }
                UpdateEffect::Return { messages } => (TransferState::Returned, messages, ""),
                UpdateEffect::Reverse(_) | UpdateEffect::Restore(_) | UpdateEffect::Reapply(_) => {
                    let created = created_by(&update.effect);
                    sorted
                        .inserts
                        .extend(created.map(|(kind, new)| TransferInsert {
                            original: id,
                            parent: keys.shown(&new.parent_id),
                            update,
                            kind,
                            new,
                        }));
                    continue;
                }
            };
            sorted.ended.push(EndedTransfer {
                id,
                update,
                state,
                messages,
                raw_json,
            });
        }
        Some(sorted)
    }

    /// The word that is written for a state.
    pub(crate) fn state(&self, state: TransferState) -> Option<Value> {
        self.columns.state.word(self.states.of(state))
    }

    /// Whether an update was decided on a deposit that the mapping cannot see.
    pub(crate) fn lacks_deposit(&self, update: &Update) -> bool {
        update.expected.in_deposit.is_some() && self.deposit.is_none()
    }

    /// Ends transfers, with the reason. What an update does not say is left as it is. A transfer
    /// that has ended must not join a settlement.
    fn end(
        &self,
        ended: &[EndedTransfer<'_>],
        now: DateTime<Utc>,
    ) -> Result<SqlStatement, DbError> {
        let columns = &self.columns;
        let mut rows = self.rows(&columns.id);
        let expected = ExpectedFields::new(self, &mut rows);
        let state = rows.assign(&columns.state);
        let messages = rows.assign_if_any(columns.messages.as_ref());
        let code = rows.assign_if_any(columns.failure_code.as_ref());
        let description = rows.assign_if_any(columns.failure_message.as_ref());
        let raw = rows.assign_if_any(columns.raw.as_ref());
        let updated_at = rows.assign_latest(columns.updated_at.as_ref());
        let ready_at = columns.ready_to_settle_at.as_ref();
        if let Some(ready_at) = ready_at.filter(|column| column.is_nullable()) {
            rows.assign_null(ready_at);
        }
        for one in ended {
            let reason = &one.update.reason;
            let mut values = expected.values(self, one.update);
            values.extend(self.state(one.state).map(|word| state.value(word)));
            if let Some(field) = messages.filter(|_| !one.messages.is_empty()) {
                values.push(field.value(json(&one.messages)?));
            }
            values.extend(code.and_then(|field| field.text(&reason.code)));
            values.extend(description.and_then(|field| field.text(&reason.description)));
            values.extend(raw.and_then(|field| field.text(one.raw_json)));
            values.extend(updated_at.map(|field| field.instant(now)));
            rows.add_row(one.id.clone(), values);
        }
        Ok(rows.update(&expected.guards()))
    }

    /// Touches the transfers for which a new one is inserted; else they stay as they are. Their
    /// amount is part of the condition, so that a reversal only takes back what was paid, and a
    /// restoration only gives back what was taken.
    fn touch_originals(&self, inserts: &[TransferInsert<'_>], now: DateTime<Utc>) -> SqlStatement {
        let columns = &self.columns;
        let mut rows = self.rows(&columns.id);
        let expected = ExpectedFields::new(self, &mut rows);
        let amount = rows.field(&columns.amount);
        let updated_at = rows.assign_latest(columns.updated_at.as_ref());
        if updated_at.is_none() {
            rows.assign_unchanged(&columns.state);
        }
        for one in inserts {
            let mut values = expected.values(self, one.update);
            values.push(
                amount.value(
                    columns
                        .amount
                        .amount(one.new.amount_minor, self.amount_unit),
                ),
            );
            values.extend(updated_at.map(|field| field.instant(now)));
            rows.add_row(one.original.clone(), values);
        }
        let mut guards = expected.guards();
        guards.push(RowGuard::Is(amount));
        rows.update(&guards)
    }
}
