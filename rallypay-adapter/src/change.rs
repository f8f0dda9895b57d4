//! How changes show in the Rails app. A mirror lags behind the gateway, so the state that a
//! change was decided on says nothing here: the WHERE clause names the open statuses.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use echeck_adapter::batch::{Change, Effect};
use echeck_adapter::dialect::{DbError, Session, public_message};
use echeck_adapter::mapping::{ExceptionKind, Finding};
use echeck_adapter::row::Cell;
use echeck_adapter::set::{Assign, Field, Guard, SetSql, Sheet};
use echeck_adapter::timestamp::midnight;
use serde_json::Value;

use crate::plan::RallyPayMapping;

/// Writes a wave of changes: one UPDATE.
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
    let Some(update) = mapping.update(changes) else {
        return Ok(false);
    };
    Ok(session.execute_set(update).await? == changes.len() as u64)
}

/// Looks at the transactions of a wave.
pub(crate) async fn examine(
    mapping: &RallyPayMapping,
    session: &mut dyn Session,
    changes: &[&Change],
) -> Result<Vec<Option<Finding>>, DbError> {
    let (key, status) = (&mapping.columns.transfer_id, &mapping.columns.status);
    let mut sheet = Sheet::new(&mapping.table, key);
    for change in changes {
        if let Some(id) = key.id(&change.transfer_id) {
            sheet.row(id, []);
        }
    }
    let rows = session
        .fetch_set(sheet.select_locked(&[key, status]))
        .await?;
    let mut seen: HashMap<String, Vec<&Cell>> = HashMap::new();
    for row in &rows {
        let id = row.cell(key.name().as_str()).text();
        let status = row.cell(status.name().as_str());
        seen.entry(id).or_default().push(status);
    }
    Ok(changes
        .iter()
        .map(|change| {
            let statuses = seen.get(&change.transfer_id).map(Vec::as_slice);
            mapping.finding(&change.transfer_id, statuses.unwrap_or_default())
        })
        .collect())
}

/// The bank's own date where it is known, else the time of the decision; nothing for a
/// payment that failed before anybody returned it.
fn returned_at(change: &Change) -> Option<DateTime<Utc>> {
    let reason = &change.reason;
    match &change.effect {
        Effect::Fail { .. } => None,
        Effect::Return { .. } | Effect::Reverse(_) => Some(
            reason
                .returned_on
                .map_or(reason.decided_at, |day| midnight(day).and_utc()),
        ),
    }
}

impl RallyPayMapping {
    /// `None` when the key cannot hold one of the ids.
    fn update(&self, changes: &[&Change]) -> Option<SetSql> {
        let columns = &self.columns;
        let mut sheet = Sheet::new(&self.table, &columns.transfer_id);
        let status = sheet.field(&columns.status);
        let open: Vec<(Field, Value)> = self
            .statuses
            .open
            .iter()
            .map(|open| (sheet.field(&columns.status), open.value()))
            .collect();
        let optional = [
            &columns.failure_code,
            &columns.failure_description,
            &columns.returned_at,
            &columns.updated_at,
        ]
        .map(|column| column.as_ref().map(|column| (column, sheet.field(column))));
        let [code, description, returned, updated] = optional;
        for change in changes {
            let reason = &change.reason;
            let mut values = vec![(status, self.statuses.after(&change.effect).value())];
            values.extend(open.iter().cloned());
            for (field, text) in [(code, &reason.code), (description, &reason.description)] {
                if let Some((_, field)) = field.filter(|_| !text.is_empty()) {
                    values.push((field, Value::from(text.as_str())));
                }
            }
            for (field, at) in [
                (returned, returned_at(change)),
                (updated, Some(reason.decided_at)),
            ] {
                if let (Some((column, field)), Some(at)) = (field, at) {
                    values.push((field, column.instant(at)));
                }
            }
            sheet.row(columns.transfer_id.id(&change.transfer_id)?, values);
        }
        let mut assigns = vec![Assign::Each(&columns.status, status)];
        let given = optional.into_iter().flatten();
        assigns.extend(given.map(|(column, field)| Assign::IfAny(column, field)));
        if let Some(column) = &columns.lock_version {
            // A save that Rails had loaded before now fails as stale.
            assigns.push(Assign::Bump(column));
        }
        let open = open.into_iter().map(|(field, _)| field).collect();
        Some(sheet.update(&assigns, &[Guard::IsOneOf(&columns.status, open)]))
    }

    fn finding(&self, id: &str, statuses: &[&Cell]) -> Option<Finding> {
        match statuses {
            [] => {
                let message = format!("the target has no transaction of transfer {id}");
                Some(Finding::new(ExceptionKind::NotFound, message))
            }
            [status] => self.closed(id, status),
            several => {
                let message = format!(
                    "{} rows have the {} {id}; it must name one",
                    several.len(),
                    self.columns.transfer_id.name()
                );
                Some(Finding::new(ExceptionKind::Refused, message))
            }
        }
    }

    fn closed(&self, id: &str, status: &Cell) -> Option<Finding> {
        if self.statuses.open.iter().any(|open| open.is(status)) {
            return None;
        }
        let seen = if status.is_null() {
            "NULL".to_owned()
        } else {
            public_message(&status.text())
        };
        let message = format!(
            "the transaction of transfer {id} has the status {seen}, from which no change may \
             start"
        );
        Some(Finding::new(ExceptionKind::MovedOn, message))
    }
}
