//! How changes show in the Rails app. A mirror lags behind the gateway, so the state that a change
//! was decided on says nothing here: the WHERE clause names the statuses that a change may start
//! from.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use echeck_adapter::batch::{
    AppliedStep, ReleaseToSettlement, TransferChange, Update, UpdateEffect,
};
use echeck_adapter::dialect::{DbError, SqlStatement, TargetSession};
use echeck_adapter::mapping::{Mapping, MappingNeeds, Obstacle};
use echeck_adapter::row::Cell;
use echeck_adapter::row_filter::RowFilter;
use echeck_adapter::schema::MappedColumn;
use echeck_adapter::timestamp::noon;
use echeck_adapter::values_table::{RowGuard, ValuesField, ValuesTable};

use crate::mapping::RallyPayMapping;

#[async_trait]
impl Mapping for RallyPayMapping {
    fn needs(&self) -> MappingNeeds<'_> {
        self.needed()
    }

    fn filter(&self) -> Option<&RowFilter> {
        Some(&self.filter)
    }

    fn key(&self) -> Option<&MappedColumn> {
        Some(&self.columns.transfer_id)
    }

    fn rows_of<'c>(&self, change: &'c TransferChange) -> Vec<&'c str> {
        vec![key(change)]
    }

    /// Writes a group of changes: one UPDATE of the statuses, and one of what is released to
    /// settlement.
    async fn write(
        &self,
        session: &mut dyn TargetSession,
        changes: &[&TransferChange],
        now: DateTime<Utc>,
    ) -> Result<bool, DbError> {
        // Where a key may name several rows, one row too many could make up for a missing one.
        if !self.columns.transfer_id.is_unique() {
            let obstacles = self.examine(session, changes).await?;
            if obstacles.iter().any(Option::is_some) {
                return Ok(false);
            }
        }
        let (mut updates, mut releases) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                TransferChange::Update(update) => updates.push(update),
                TransferChange::Release(release) => releases.push(release),
            }
        }
        if !updates.is_empty() {
            let Some(update) = self.update(&updates, now) else {
                return Ok(false);
            };
            if session.execute(update).await? != updates.len() as u64 {
                return Ok(false);
            }
        }
        // An app without the column needs nothing.
        if let (Some(column), false) = (&self.columns.reversal_ready_at, releases.is_empty()) {
            let Some(update) = self.release(column, &releases, now) else {
                return Ok(false);
            };
            return Ok(session.execute(update).await? == releases.len() as u64);
        }
        Ok(true)
    }

    async fn examine(
        &self,
        session: &mut dyn TargetSession,
        changes: &[&TransferChange],
    ) -> Result<Vec<Option<Obstacle>>, DbError> {
        let (transfer_id, status) = (&self.columns.transfer_id, &self.columns.status);
        let mut rows = self.rows();
        for id in changes
            .iter()
            .filter_map(|change| transfer_id.id(key(change)))
        {
            rows.add_row(id, []);
        }
        let select = rows.select_locked(&[transfer_id, status]);
        let rows = session.fetch(select).await?;
        let mut seen: HashMap<String, Vec<&Cell>> = HashMap::new();
        for row in &rows {
            let statuses = seen.entry(transfer_id.of(row).text()).or_default();
            statuses.push(status.of(row));
        }
        let obstacles = changes.iter().map(|change| {
            let statuses = seen.get(key(change)).map(Vec::as_slice);
            self.obstacle(change, statuses.unwrap_or_default())
        });
        Ok(obstacles.collect())
    }

    async fn verify(
        &self,
        session: &mut dyn TargetSession,
        steps: &[AppliedStep],
    ) -> Result<Vec<Option<String>>, DbError> {
        self.missing(session, steps).await
    }
}

/// The transfer by which the app knows the transaction that a change is about. What a return
/// created has no transaction of its own.
pub(crate) fn key(change: &TransferChange) -> &str {
    match change {
        TransferChange::Update(update) => &update.transfer_id,
        TransferChange::Release(release) => &release.returned_transfer_id,
    }
}

/// Noon of the bank's own date where that is known, else the time of the decision. `None` for a
/// payment that failed and was not returned, and for a return that is undone.
fn returned_at(update: &Update, zone: Tz) -> Option<DateTime<Utc>> {
    let reason = &update.reason;
    let noon = |day| noon(day, zone);
    match &update.effect {
        UpdateEffect::Fail { .. } | UpdateEffect::Restore(_) => None,
        UpdateEffect::Return { .. } | UpdateEffect::Reverse(_) | UpdateEffect::Reapply(_) => {
            Some(reason.returned_on.map_or(reason.decided_at, noon))
        }
    }
}

impl RallyPayMapping {
    /// Changes statuses. `None` when the key cannot hold one of the ids, or the app has no status
    /// for one of the changes.
    fn update(&self, updates: &[&Update], now: DateTime<Utc>) -> Option<SqlStatement> {
        let (columns, zone) = (&self.columns, self.returned_at_zone);
        let mut rows = self.rows();
        let status = rows.assign(&columns.status);
        // Each row says from where it may start. A field that it does not need matches nothing.
        let before: Vec<ValuesField<'_>> = (0..self.statuses.most_before())
            .map(|_| rows.field(&columns.status))
            .collect();
        let code = rows.assign_if_any(columns.failure_code.as_ref());
        let description = rows.assign_if_any(columns.failure_description.as_ref());
        let returned = rows.assign_if_any(columns.returned_at.as_ref());
        let updated = rows.assign_latest(columns.updated_at.as_ref());
        self.count_change(&mut rows);
        // What this change created, if anything, is not released yet.
        let ready_at = columns.reversal_ready_at.as_ref();
        if let Some(ready_at) = ready_at.filter(|column| column.is_nullable()) {
            rows.assign_null(ready_at);
        }
        for update in updates {
            let reason = &update.reason;
            let mut values = vec![status.value(self.statuses.after(&update.effect)?.value())];
            let from = self.statuses.before(&update.effect).into_iter();
            let before = before.iter().zip(from);
            values.extend(before.map(|(field, status)| field.value(status.value())));
            values.extend(code.and_then(|field| field.text(&reason.code)));
            values.extend(description.and_then(|field| field.text(&reason.description)));
            let returned_at = returned_at(update, zone);
            values.extend(returned.and_then(|field| Some(field.instant_in(returned_at?, zone))));
            values.extend(updated.map(|field| field.instant(now)));
            rows.add_row(columns.transfer_id.id(&update.transfer_id)?, values);
        }
        Some(rows.update(&[RowGuard::IsOneOf(&columns.status, before)]))
    }

    /// Records from when on what a return created may be settled. The app has one such time for a
    /// payment, the last one: the next change of its status clears it. The cursor makes sure that
    /// it is written once; written twice it would be the same. `None` when the key cannot hold one
    /// of the ids.
    fn release(
        &self,
        ready_at: &MappedColumn,
        releases: &[&ReleaseToSettlement],
        now: DateTime<Utc>,
    ) -> Option<SqlStatement> {
        let columns = &self.columns;
        let mut rows = self.rows();
        let awaiting = self.statuses.awaiting();
        let fields: Vec<ValuesField<'_>> = awaiting
            .iter()
            .map(|_| rows.field(&columns.status))
            .collect();
        let from = rows.assign(ready_at);
        let updated = rows.assign_latest(columns.updated_at.as_ref());
        self.count_change(&mut rows);
        for release in releases {
            let statuses = fields.iter().zip(&awaiting);
            let mut values: Vec<_> = statuses
                .map(|(field, status)| field.value(status.value()))
                .collect();
            values.push(from.instant(release.ready_to_settle_at));
            values.extend(updated.map(|field| field.instant(now)));
            let id = columns.transfer_id.id(&release.returned_transfer_id)?;
            rows.add_row(id, values);
        }
        Some(rows.update(&[RowGuard::IsOneOf(&columns.status, fields)]))
    }

    /// A save of a record that Rails loaded before now fails as stale.
    fn count_change<'a>(&'a self, rows: &mut ValuesTable<'a>) {
        if let Some(lock_version) = &self.columns.lock_version {
            rows.increment(lock_version);
        }
    }
}
