//! How changes show in the Rails app. A mirror lags behind the gateway, so the state that a
//! change was decided on says nothing here: the WHERE clause names the statuses that a change
//! may start from.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use echeck_adapter::batch::{Change, Effect, Ready, Update};
use echeck_adapter::dialect::{DbError, Session};
use echeck_adapter::mapping::Finding;
use echeck_adapter::row::Cell;
use echeck_adapter::schema::Column;
use echeck_adapter::set::{Assign, Field, Guard, SetSql, Sheet};
use echeck_adapter::timestamp::midnight;
use serde_json::Value;

use crate::plan::RallyPayMapping;
use crate::status::Status;

/// Writes a wave of changes: one UPDATE of the statuses, and one of what becomes ready.
pub(crate) async fn write(
    mapping: &RallyPayMapping,
    session: &mut dyn Session,
    changes: &[&Change],
) -> Result<bool, DbError> {
    // Where a key may name several rows, a row too many could make up for one that is missing.
    if !mapping.columns.transfer_id.unique()
        && examine(mapping, session, changes)
            .await?
            .iter()
            .any(Option::is_some)
    {
        return Ok(false);
    }
    let (mut updates, mut readied) = (Vec::new(), Vec::new());
    for change in changes {
        match change {
            Change::Update(update) => updates.push(update),
            Change::Ready(ready) => readied.push(ready),
        }
    }
    if !updates.is_empty() {
        let Some(update) = mapping.update(&updates) else {
            return Ok(false);
        };
        if session.execute_set(update).await? != updates.len() as u64 {
            return Ok(false);
        }
    }
    // An app without the column has no use for it.
    if let (Some(column), false) = (&mapping.columns.reversal_ready_at, readied.is_empty()) {
        let Some(update) = mapping.make_ready(column, &readied) else {
            return Ok(false);
        };
        if session.execute_set(update).await? != readied.len() as u64 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The transfer by which the app knows the transaction that a change is about. What a return
/// made has no transaction of its own.
pub(crate) fn key(change: &Change) -> &str {
    match change {
        Change::Update(update) => &update.transfer_id,
        Change::Ready(ready) => &ready.returned_transfer_id,
    }
}

/// Looks at the transactions of a wave.
pub(crate) async fn examine(
    mapping: &RallyPayMapping,
    session: &mut dyn Session,
    changes: &[&Change],
) -> Result<Vec<Option<Finding>>, DbError> {
    let (transfer_id, status) = (&mapping.columns.transfer_id, &mapping.columns.status);
    let mut sheet = Sheet::new(&mapping.table, transfer_id);
    for change in changes {
        if let Some(id) = transfer_id.id(key(change)) {
            sheet.row(id, []);
        }
    }
    let rows = session
        .fetch_set(sheet.select_locked(&[transfer_id, status]))
        .await?;
    let mut seen: HashMap<String, Vec<&Cell>> = HashMap::new();
    for row in &rows {
        let id = row.cell(transfer_id.name().as_str()).text();
        let status = row.cell(status.name().as_str());
        seen.entry(id).or_default().push(status);
    }
    Ok(changes
        .iter()
        .map(|change| {
            let statuses = seen.get(key(change)).map(Vec::as_slice);
            mapping.finding(change, statuses.unwrap_or_default())
        })
        .collect())
}

/// The bank's own date where it is known, else the time of the decision; nothing for a
/// payment that failed before anybody returned it, and nothing new for a return that is undone.
fn returned_at(update: &Update) -> Option<DateTime<Utc>> {
    let reason = &update.reason;
    match &update.effect {
        Effect::Fail { .. } | Effect::Restore(_) => None,
        Effect::Return { .. } | Effect::Reverse(_) | Effect::Reapply(_) => Some(
            reason
                .returned_on
                .map_or(reason.decided_at, |day| midnight(day).and_utc()),
        ),
    }
}

impl RallyPayMapping {
    /// Changes statuses. `None` when the key cannot hold one of the ids, or the app has no
    /// status for one of the changes.
    fn update(&self, updates: &[&Update]) -> Option<SetSql> {
        let columns = &self.columns;
        let mut sheet = Sheet::new(&self.table, &columns.transfer_id);
        let status = sheet.field(&columns.status);
        // Each row says from where it may start; fields that it does not need match nothing.
        let before: Vec<Field> = (0..self.statuses.most_before())
            .map(|_| sheet.field(&columns.status))
            .collect();
        let optional = [
            &columns.failure_code,
            &columns.failure_description,
            &columns.returned_at,
            &columns.updated_at,
        ]
        .map(|column| column.as_ref().map(|column| (column, sheet.field(column))));
        let [code, description, returned, updated] = optional;
        for update in updates {
            let reason = &update.reason;
            let mut values = vec![(status, self.statuses.after(&update.effect)?.value())];
            let from = self.statuses.before(&update.effect);
            values.extend(
                before
                    .iter()
                    .copied()
                    .zip(from.into_iter().map(Status::value)),
            );
            for (field, text) in [(code, &reason.code), (description, &reason.description)] {
                if let Some((_, field)) = field.filter(|_| !text.is_empty()) {
                    values.push((field, Value::from(text.as_str())));
                }
            }
            for (field, at) in [
                (returned, returned_at(update)),
                (updated, Some(reason.decided_at)),
            ] {
                if let (Some((column, field)), Some(at)) = (field, at) {
                    values.push((field, column.instant(at)));
                }
            }
            sheet.row(columns.transfer_id.id(&update.transfer_id)?, values);
        }
        let mut assigns = vec![Assign::Each(&columns.status, status)];
        let given = optional.into_iter().flatten();
        assigns.extend(given.map(|(column, field)| Assign::IfAny(column, field)));
        assigns.extend(self.bump());
        // What this change made, if anything, is not ready yet, whatever was before.
        let ready = columns.reversal_ready_at.as_ref();
        assigns.extend(ready.filter(|column| column.nullable()).map(Assign::Null));
        Some(sheet.update(&assigns, &[Guard::IsOneOf(&columns.status, before)]))
    }

    /// Says from when on what a return made may be settled. The app keeps one such moment for
    /// a payment, the last that was told: the next change of its status takes it away. That it
    /// is told once is up to the cursor; told twice it would be the same. `None` when the key
    /// cannot hold one of the ids.
    fn make_ready(&self, ready_at: &Column, readied: &[&Ready]) -> Option<SetSql> {
        let columns = &self.columns;
        let mut sheet = Sheet::new(&self.table, &columns.transfer_id);
        let awaiting: Vec<(Field, Value)> = self
            .statuses
            .awaiting()
            .into_iter()
            .map(|status| (sheet.field(&columns.status), status.value()))
            .collect();
        let from = sheet.field(ready_at);
        let updated = columns
            .updated_at
            .as_ref()
            .map(|column| (column, sheet.field(column)));
        for ready in readied {
            let mut values = awaiting.clone();
            values.push((from, ready_at.instant(ready.ready_to_settle_at)));
            values.extend(updated.map(|(column, field)| (field, column.instant(ready.decided_at))));
            let id = columns.transfer_id.id(&ready.returned_transfer_id)?;
            sheet.row(id, values);
        }
        let mut assigns = vec![Assign::Each(ready_at, from)];
        assigns.extend(updated.map(|(column, field)| Assign::Each(column, field)));
        assigns.extend(self.bump());
        let awaiting = awaiting.into_iter().map(|(field, _)| field).collect();
        Some(sheet.update(&assigns, &[Guard::IsOneOf(&columns.status, awaiting)]))
    }

    /// A save that Rails had loaded before now fails as stale.
    fn bump(&self) -> Option<Assign<'_>> {
        self.columns.lock_version.as_ref().map(Assign::Bump)
    }
}
