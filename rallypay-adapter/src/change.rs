//! How a change shows in the Rails app. A mirror lags behind the gateway, so the state that
//! the change was decided on says nothing here: the WHERE clause names the open statuses.

use chrono::{DateTime, Utc};
use echeck_adapter::batch::{Change, Effect};
use echeck_adapter::dialect::{DbError, Session, public_message};
use echeck_adapter::mapping::{ExceptionKind, Hit, Outcome, update_one};
use echeck_adapter::timestamp::midnight;
use sea_query::{Expr, ExprTrait as _, Query, UpdateStatement};

use crate::plan::RallyPayMapping;

/// Applies one change to its transaction.
pub(crate) async fn apply(
    mapping: &RallyPayMapping,
    session: &mut dyn Session,
    change: &Change,
) -> Result<Outcome, DbError> {
    let Some(is_transaction) = mapping.columns.transfer_id.is_id(&change.transfer_id) else {
        return Ok(not_found(change));
    };
    let update = mapping.update(change, is_transaction.clone());
    match update_one(session, update).await? {
        Hit::One => Ok(Outcome::Applied),
        Hit::Nothing => mapping.explain(session, change, is_transaction).await,
        Hit::Several(rows) => {
            let message = format!(
                "{rows} rows have the {} {}; it must name one",
                mapping.columns.transfer_id.name(),
                change.transfer_id
            );
            Ok(Outcome::Exception(ExceptionKind::Refused, message))
        }
    }
}

fn not_found(change: &Change) -> Outcome {
    let message = format!(
        "the target has no transaction of transfer {}",
        change.transfer_id
    );
    Outcome::Exception(ExceptionKind::NotFound, message)
}

/// The bank's own date where it is known, else the time of the decision.
fn returned_at(change: &Change) -> DateTime<Utc> {
    let reason = &change.reason;
    reason
        .returned_on
        .map_or(reason.decided_at, |day| midnight(day).and_utc())
}

impl RallyPayMapping {
    fn update(&self, change: &Change, is_transaction: Expr) -> UpdateStatement {
        let columns = &self.columns;
        let mut update = Query::update();
        update.table(&self.table);
        update.value(
            columns.status.iden(),
            self.statuses.after(&change.effect).bind(),
        );
        for (column, text) in [
            (&columns.failure_code, &change.reason.code),
            (&columns.failure_description, &change.reason.description),
        ] {
            if let Some(column) = column.as_ref().filter(|_| !text.is_empty()) {
                update.value(column.iden(), column.text(text));
            }
        }
        match &change.effect {
            Effect::Fail { .. } => {}
            Effect::Return { .. } | Effect::Reverse(_) => {
                if let Some(column) = &columns.returned_at {
                    update.value(column.iden(), column.instant(returned_at(change)));
                }
            }
        }
        if let Some(column) = &columns.updated_at {
            update.value(column.iden(), column.instant(change.reason.decided_at));
        }
        if let Some(column) = &columns.lock_version {
            // Rails takes NULL for 0. A save that was loaded before now fails as stale.
            let bumped = column.expr().if_null(0_i64).add(1_i64);
            update.value(column.iden(), bumped);
        }
        let open = self.statuses.open.iter().map(crate::status::Status::bind);
        update
            .and_where(is_transaction)
            .and_where(columns.status.expr().is_in(open));
        update
    }

    /// Says why an update hit no row, by looking at the row in the same transaction.
    async fn explain(
        &self,
        session: &mut dyn Session,
        change: &Change,
        is_transaction: Expr,
    ) -> Result<Outcome, DbError> {
        let status = &self.columns.status;
        let select = Query::select()
            .column(status.iden())
            .from(&self.table)
            .and_where(is_transaction)
            .to_owned();
        let rows = session.fetch(select).await?;
        let Some(row) = rows.first() else {
            return Ok(not_found(change));
        };
        let seen = row.cell(status.name().as_str());
        let id = &change.transfer_id;
        if self.statuses.open.iter().any(|open| open.is(seen)) {
            let message = format!(
                "the transaction of transfer {id} is open, but the target ignored the change; \
                 look at its triggers"
            );
            return Ok(Outcome::Exception(ExceptionKind::Refused, message));
        }
        let seen = if seen.is_null() {
            "NULL".to_owned()
        } else {
            public_message(&seen.text())
        };
        let message = format!(
            "the transaction of transfer {id} has the status {seen}, from which no change may \
             start"
        );
        Ok(Outcome::Exception(ExceptionKind::MovedOn, message))
    }
}
