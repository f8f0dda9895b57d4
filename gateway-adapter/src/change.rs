//! How a change is written. The WHERE clause is the lock: it names the state, and the
//! deposit, that the change was decided on.

use echeck_adapter::batch::{Change, Effect, State};
use echeck_adapter::dialect::{DbError, Session, public_message};
use echeck_adapter::mapping::{ExceptionKind, Hit, Outcome, update_one};
use echeck_adapter::row::Row;
use echeck_adapter::schema::Column;
use sea_query::{Expr, ExprTrait as _, Query, UpdateStatement};

use crate::plan::GatewayMapping;
use crate::reversal::json;

/// Applies one change to its transfer.
pub(crate) async fn apply(
    mapping: &GatewayMapping,
    session: &mut dyn Session,
    change: &Change,
) -> Result<Outcome, DbError> {
    let Some(is_transfer) = mapping.columns.id.is_id(&change.transfer_id) else {
        return Ok(not_found(change));
    };
    if change.expected.in_deposit.is_some() && mapping.columns.deposit_id.is_none() {
        return Ok(moved_on(format!(
            "transfer {} was decided on by its deposit, but the mapping has no \
             transfers.columns.deposit_id",
            change.transfer_id
        )));
    }
    let update = mapping.update(change, is_transfer.clone())?;
    match update_one(session, update).await? {
        Hit::One => {}
        Hit::Nothing => return mapping.explain(session, change, is_transfer).await,
        Hit::Several(rows) => {
            let message = format!("{rows} rows have the id {}", change.transfer_id);
            return Ok(Outcome::Exception(ExceptionKind::Refused, message));
        }
    }
    match &change.effect {
        Effect::Reverse(reversal) => {
            mapping
                .insert_reversal(session, change, reversal, is_transfer)
                .await
        }
        Effect::Fail { .. } | Effect::Return { .. } => Ok(Outcome::Applied),
    }
}

fn not_found(change: &Change) -> Outcome {
    let message = format!("the target has no transfer {}", change.transfer_id);
    Outcome::Exception(ExceptionKind::NotFound, message)
}

fn moved_on(message: String) -> Outcome {
    Outcome::Exception(ExceptionKind::MovedOn, message)
}

impl GatewayMapping {
    fn update(&self, change: &Change, is_transfer: Expr) -> Result<UpdateStatement, DbError> {
        let columns = &self.columns;
        let mut update = Query::update();
        update.table(&self.table);
        match &change.effect {
            Effect::Fail { messages, raw_json } => {
                self.end(&mut update, change, State::Failed, messages)?;
                if let Some(raw) = columns.raw.as_ref().filter(|_| !raw_json.is_empty()) {
                    update.value(raw.iden(), raw.text(raw_json));
                }
            }
            Effect::Return { messages } => {
                self.end(&mut update, change, State::Returned, messages)?;
            }
            Effect::Reverse(reversal) => {
                // The original stays as it is. Its amount is part of the condition, so that
                // the reversal can only ever take back what was paid.
                update.and_where(columns.amount.expr().eq(reversal.amount_minor));
                if columns.updated_at.is_none() {
                    update.value(columns.state.iden(), columns.state.expr());
                }
            }
        }
        if let Some(updated_at) = &columns.updated_at {
            update.value(
                updated_at.iden(),
                updated_at.instant(change.reason.decided_at),
            );
        }
        let expected = columns.state.text(self.states.write(change.expected.state));
        update
            .and_where(is_transfer)
            .and_where(columns.state.expr().eq(expected));
        if let (Some(deposit), Some(in_deposit)) = (&columns.deposit_id, change.expected.in_deposit)
        {
            update.and_where(if in_deposit {
                deposit.expr().is_not_null()
            } else {
                deposit.expr().is_null()
            });
        }
        Ok(update)
    }

    /// Ends a transfer's life in `state`, with the reason. What the change does not tell is
    /// left as it is. A transfer that has ended must not join a settlement.
    fn end(
        &self,
        update: &mut UpdateStatement,
        change: &Change,
        state: State,
        messages: &[String],
    ) -> Result<(), DbError> {
        let columns = &self.columns;
        update.value(
            columns.state.iden(),
            columns.state.text(self.states.write(state)),
        );
        if let Some(column) = columns.messages.as_ref().filter(|_| !messages.is_empty()) {
            update.value(column.iden(), column.text(&json(&messages)?));
        }
        for (column, text) in [
            (&columns.failure_code, &change.reason.code),
            (&columns.failure_message, &change.reason.description),
        ] {
            if let Some(column) = column.as_ref().filter(|_| !text.is_empty()) {
                update.value(column.iden(), column.text(text));
            }
        }
        if let Some(ready) = columns.ready_to_settle_at.as_ref().filter(|c| c.nullable()) {
            update.value(ready.iden(), Expr::null());
        }
        Ok(())
    }

    /// Says why an update hit no row, by looking at the row in the same transaction.
    async fn explain(
        &self,
        session: &mut dyn Session,
        change: &Change,
        is_transfer: Expr,
    ) -> Result<Outcome, DbError> {
        let columns = &self.columns;
        let mut select = Query::select();
        for column in [&columns.state, &columns.amount]
            .into_iter()
            .chain(columns.deposit_id.as_ref())
        {
            select.column(column.iden());
        }
        select.from(&self.table).and_where(is_transfer);
        let rows = session.fetch(select).await?;
        let Some(row) = rows.first() else {
            return Ok(not_found(change));
        };
        Ok(self.difference(change, row).map_or_else(
            || {
                let message = format!(
                    "transfer {} is as it was decided on, but the target ignored the change; \
                     look at its triggers",
                    change.transfer_id
                );
                Outcome::Exception(ExceptionKind::Refused, message)
            },
            moved_on,
        ))
    }

    /// How the row differs from what the change was decided on.
    fn difference(&self, change: &Change, row: &Row) -> Option<String> {
        let columns = &self.columns;
        let id = &change.transfer_id;
        let cell = |column: &Column| row.cell(column.name().as_str());
        let expected = self.states.write(change.expected.state);
        let state = cell(&columns.state).text();
        if state != expected {
            let state = public_message(&state);
            return Some(format!(
                "transfer {id} is {state}, not {expected} as it was decided on"
            ));
        }
        if let (Some(deposit), Some(expected)) = (&columns.deposit_id, change.expected.in_deposit)
            && cell(deposit).is_null() == expected
        {
            return Some(if expected {
                format!("transfer {id} ({state}) is in no deposit any more")
            } else {
                format!("transfer {id} ({state}) is in a deposit by now")
            });
        }
        if let Effect::Reverse(reversal) = &change.effect
            && cell(&columns.amount).integer() != Some(reversal.amount_minor)
        {
            let (is, wanted) = (cell(&columns.amount).text(), reversal.amount_minor);
            return Some(format!(
                "transfer {id} ({state}) has the amount {is}, not {wanted} as the reversal"
            ));
        }
        None
    }
}
