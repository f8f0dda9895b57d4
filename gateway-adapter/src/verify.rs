//! Whether what was applied still shows.

use std::collections::{BTreeSet, HashMap};

use echeck_adapter::batch::{AppliedStep, TransferChange, TransferState, Update, UpdateEffect};
use echeck_adapter::dialect::{DbError, TargetSession};
use echeck_adapter::public_message;
use echeck_adapter::row::TargetRow;
use serde_json::Value;

use crate::layout::NewTransferKind;
use crate::mapping::GatewayMapping;
use crate::new_transfer::created_by;
use crate::row_keys::{CHUNK, RowKeys};

/// The transfers that steps are about.
struct SeenRows<'a> {
    by_id: HashMap<String, TargetRow>,
    keys: RowKeys<'a>,
}

impl SeenRows<'_> {
    /// The row of a transfer.
    fn of(&self, id: &str) -> Option<&TargetRow> {
        self.by_id.get(&self.keys.shown(id))
    }
}

/// Compares transfers with the steps that changed or created them. What a later step overwrites
/// is never the same here: each stage has a transfer of its own.
pub(crate) async fn verify(
    mapping: &GatewayMapping,
    session: &mut dyn TargetSession,
    steps: &[AppliedStep],
) -> Result<Vec<Option<String>>, DbError> {
    let columns = &mapping.columns;
    let created = |change: &TransferChange| match change {
        TransferChange::Update(update) => Some(update.effect.new_transfer()?.id.clone()),
        TransferChange::Release(_) => None,
    };
    let ids: BTreeSet<String> = steps
        .iter()
        .map(|step| &step.change)
        .flat_map(|change| [Some(change.transfer_id().to_owned()), created(change)])
        .flatten()
        .collect();
    let keys = mapping.row_keys(session, ids.iter().map(String::as_str).collect());
    let keys = keys.await?;
    let ids: Vec<Value> = ids.iter().filter_map(|id| keys.value(id)).collect();
    let mut shown = vec![
        &columns.id,
        &columns.state,
        &columns.amount,
        &columns.parent_id,
    ];
    shown.extend(&columns.failure_code);
    shown.extend(&mapping.release_column);
    let mut by_id = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let mut rows = mapping.rows(&columns.id);
        for id in chunk {
            rows.add_row(id.clone(), []);
        }
        let found = session.fetch(rows.select(&shown, &[])).await?;
        by_id.extend(
            found
                .into_iter()
                .map(|row| (columns.id.of(&row).text(), row)),
        );
    }
    let seen = SeenRows { by_id, keys };
    let missing = steps
        .iter()
        .map(|step| mapping.missing(&step.change, &seen));
    Ok(missing.collect())
}

impl GatewayMapping {
    /// What the table shows instead of a change.
    fn missing(&self, change: &TransferChange, seen: &SeenRows<'_>) -> Option<String> {
        let id = change.transfer_id();
        let Some(row) = seen.of(id) else {
            return Some(format!("there is no transfer {id}"));
        };
        match change {
            TransferChange::Update(update) => match &update.effect {
                UpdateEffect::Fail { .. } => self.not_ended(update, TransferState::Failed, row),
                UpdateEffect::Return { .. } => self.not_ended(update, TransferState::Returned, row),
                UpdateEffect::Reverse(_) | UpdateEffect::Restore(_) | UpdateEffect::Reapply(_) => {
                    self.not_created(update, seen)
                }
            },
            TransferChange::Release(_) => {
                let ready_at = self.release_column.as_ref()?;
                let is_missing = ready_at.of(row).is_null();
                is_missing.then(|| format!("transfer {id} is not released to settlement"))
            }
        }
    }

    fn not_ended(&self, update: &Update, ended: TransferState, row: &TargetRow) -> Option<String> {
        let id = &update.transfer_id;
        let (state, wanted) = (self.columns.state.of(row).text(), self.states.of(ended));
        if !self.states.is(&state, ended) {
            let state = public_message(&state);
            return Some(format!("transfer {id} is {state}, not {wanted}"));
        }
        let code = self.columns.failure_code.as_ref()?.of(row).text();
        let wanted = &update.reason.code;
        let differs = !wanted.is_empty() && code.trim_end() != wanted;
        differs.then(|| {
            let code = public_message(&code);
            format!("transfer {id} has the failure code {code:?}, not {wanted:?}")
        })
    }

    fn not_created(&self, update: &Update, seen: &SeenRows<'_>) -> Option<String> {
        let (kind, new) = created_by(&update.effect)?;
        let (word, id, of) = (kind.as_str(), &new.id, &update.transfer_id);
        let Some(row) = seen.of(id) else {
            return Some(format!("there is no {word} {id} of transfer {of}"));
        };
        let columns = &self.columns;
        let (amount, parent) = (columns.amount.of(row), columns.parent_id.of(row).text());
        if self.minor(row) != Some(new.amount_minor) {
            let (is, wanted) = (amount.text(), self.amount_unit.decimal(new.amount_minor));
            return Some(format!(
                "the {word} {id} of transfer {of} has the amount {is}, not {wanted}"
            ));
        }
        if parent != columns.parent_id.shown_id(&seen.keys.shown(&new.parent_id)) {
            let (parent, wanted) = (public_message(&parent), &new.parent_id);
            return Some(format!(
                "the {word} {id} of transfer {of} has the parent {parent:?}, not {wanted:?}"
            ));
        }
        // A restoration is a payment of its own, which may fail or come back.
        let state = columns.state.of(row).text();
        let is_undone = kind == NewTransferKind::Reversal
            && matches!(
                self.states.parse(&state),
                Some(TransferState::Failed | TransferState::Canceled)
            );
        is_undone.then(|| format!("the {word} {id} of transfer {of} is {state}"))
    }
}
