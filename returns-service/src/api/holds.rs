//! Entries that wait.

use chrono::{DateTime, Utc};
use echeck_proto::returns::v1 as proto;
use proto::resolve_hold_request::Action;
use returns_import::hold::{HoldError, Retry};
use returns_model::hold::{HoldFilter, HoldRecord, HoldState};

use super::enums::requested;
use super::errors::{self, ApiError};
use super::filter::Filters;
use super::{Api, convert, page};

/// Where a page of retried holds begins: the moment of the first call, and the last hold of the
/// page before. What is held later is not retried, or holds that fail again would never end.
type RetryPlace = (DateTime<Utc>, DateTime<Utc>, String);

impl Api {
    pub(super) async fn list_holds(
        &self,
        request: proto::ListHoldsRequest,
    ) -> Result<proto::ListHoldsResponse, ApiError> {
        let size = page::size(request.page_size);
        let after = page::place(&request.page_token)?;
        let filter = HoldFilter {
            import_id: page::given(&request.import_id).map(str::to_owned),
            source: page::given(&request.source).map(str::to_owned),
            reason: requested::<proto::HoldReason>("reason", request.reason)?,
            code: page::given(&request.code).map(str::to_owned),
            ..HoldFilter::of(
                requested::<proto::HoldState>("state", request.state)?.unwrap_or(HoldState::Open),
            )
        };
        let holds = self.store.holds(&filter, after, size).await?;
        if holds.is_empty() && request.page_token.is_empty() {
            let filters = Filters {
                source: &request.source,
                import_id: &request.import_id,
                code: ("code", &request.code),
            };
            self.check_filters(filters).await?;
        }
        Ok(proto::ListHoldsResponse {
            holds: holds.iter().map(convert::hold).collect(),
            next_page_token: page::next(&holds, size, |last| {
                (last.held_at, last.new.hold_id.clone())
            }),
        })
    }

    async fn hold_record(&self, hold_id: &str) -> Result<HoldRecord, ApiError> {
        self.store
            .hold(hold_id)
            .await?
            .ok_or_else(|| errors::not_found("hold", hold_id))
    }

    pub(super) async fn resolve_hold(
        &self,
        request: proto::ResolveHoldRequest,
    ) -> Result<proto::ResolveHoldResponse, ApiError> {
        let action = request
            .action
            .ok_or_else(|| errors::invalid("action", "set retry_hold or dismiss_hold"))?;
        check_actor(&request.actor)?;
        let hold = self.hold_record(&request.hold_id).await?;
        if hold.state != HoldState::Open {
            return already_closed(&hold, &action);
        }
        match action {
            Action::RetryHold(retry) => {
                let transfer_id = page::given(&retry.transfer_id);
                if transfer_id.is_some() && hold.new.failed.is_some() {
                    let what = "this hold is about a journal row, whose transfer is known";
                    return Err(errors::invalid("retry_hold.transfer_id", what));
                }
                let retry = Retry {
                    transfer_id,
                    by: &request.actor,
                    note: &request.note,
                };
                self.holds.retry(&hold, &retry).await
            }
            Action::DismissHold(_) => {
                if request.note.trim().is_empty() {
                    return Err(errors::invalid("note", "is required to dismiss a hold"));
                }
                self.holds
                    .dismiss(&hold, &request.actor, &request.note)
                    .await
            }
        }?;
        let hold = self.hold_record(&request.hold_id).await?;
        Ok(proto::ResolveHoldResponse {
            hold: Some(convert::hold(&hold)),
        })
    }
}

impl Api {
    pub(super) async fn retry_holds(
        &self,
        request: proto::RetryHoldsRequest,
    ) -> Result<proto::RetryHoldsResponse, ApiError> {
        check_actor(&request.actor)?;
        let size = page::size(request.page_size);
        let place: Option<RetryPlace> = page::place(&request.page_token)?;
        let (held_before, after) = match place {
            Some((before, at, hold_id)) => (before, Some((at, hold_id))),
            None => (self.clock.now(), None),
        };
        let filter = retry_filter(&request, held_before)?;
        let holds = self.store.holds(&filter, after, size).await?;
        if holds.is_empty() && request.page_token.is_empty() {
            let filters = Filters {
                source: &request.source,
                import_id: &request.import_id,
                code: ("code", &request.code),
            };
            self.check_filters(filters).await?;
        }
        let mut answer = proto::RetryHoldsResponse {
            next_page_token: page::next(&holds, size, |last| {
                (held_before, last.held_at, last.new.hold_id.clone())
            }),
            ..Default::default()
        };
        let retry = Retry {
            transfer_id: None,
            by: &request.actor,
            note: &request.note,
        };
        for hold in &holds {
            self.retry_one(hold, &retry, &mut answer).await?;
        }
        Ok(answer)
    }

    /// Retries one hold of many. A fault of its own does not end the others' turn; one of a
    /// database does.
    async fn retry_one(
        &self,
        hold: &HoldRecord,
        retry: &Retry<'_>,
        answer: &mut proto::RetryHoldsResponse,
    ) -> Result<(), ApiError> {
        let hold_id = &hold.new.hold_id;
        match self.holds.retry(hold, retry).await {
            Ok(()) => {}
            Err(error @ (HoldError::Store(_) | HoldError::Decide(_))) => return Err(error.into()),
            Err(
                error @ (HoldError::NoSource(_) | HoldError::NoRow(_) | HoldError::NoTransfer(_)),
            ) => answer.failures.push(proto::FailedRetry {
                hold_id: hold_id.clone(),
                message: error.to_string(),
            }),
        }
        match self.hold_record(hold_id).await?.state {
            HoldState::Resolved => answer.resolved += 1,
            HoldState::Duplicate => answer.duplicate += 1,
            // Somebody has dismissed it meanwhile: it needs nothing more.
            HoldState::Dismissed => {}
            HoldState::Open => answer.still_open += 1,
        }
        Ok(())
    }
}

fn retry_filter(
    request: &proto::RetryHoldsRequest,
    held_before: DateTime<Utc>,
) -> Result<HoldFilter, ApiError> {
    let given = |text| page::given(text).map(str::to_owned);
    let filter = HoldFilter {
        reason: requested::<proto::HoldReason>("reason", request.reason)?,
        import_id: given(&request.import_id),
        source: given(&request.source),
        code: given(&request.code),
        ..HoldFilter::of(HoldState::Open)
    };
    if filter == HoldFilter::of(HoldState::Open) {
        let what = "is required, or import_id, source or code: say which holds to retry";
        return Err(errors::invalid("reason", what));
    }
    Ok(HoldFilter {
        held_before: Some(held_before),
        ..filter
    })
}

fn check_actor(actor: &str) -> Result<(), ApiError> {
    if actor.trim().is_empty() {
        let what = "is required; it is recorded with the hold";
        return Err(errors::invalid("actor", what));
    }
    Ok(())
}

/// The same action again answers with what it did; another one comes too late.
fn already_closed(
    hold: &HoldRecord,
    action: &Action,
) -> Result<proto::ResolveHoldResponse, ApiError> {
    let by_this_action = match (action, hold.state) {
        (Action::RetryHold(_), HoldState::Resolved | HoldState::Duplicate)
        | (Action::DismissHold(_), HoldState::Dismissed) => true,
        (Action::RetryHold(_), HoldState::Open | HoldState::Dismissed)
        | (Action::DismissHold(_), HoldState::Open | HoldState::Resolved | HoldState::Duplicate) => {
            false
        }
    };
    if by_this_action {
        return Ok(proto::ResolveHoldResponse {
            hold: Some(convert::hold(hold)),
        });
    }
    let closed_by = hold.closed_by.as_deref().unwrap_or("the service");
    let what = format!(
        "the hold is {} already, by {closed_by}",
        hold.state.as_str()
    );
    Err(errors::precondition("HOLD_CLOSED", what))
}
