//! Entries that wait.

use chrono::{DateTime, Utc};
use echeck_proto::returns::v1 as proto;
use echeck_service::access::Caller;
use proto::resolve_hold_request::Action;
use returns_import::hold::{HoldError, Retry};
use returns_model::hold::{HoldFilter, HoldRecord, HoldState};
use returns_model::proposal::ProposedChange;

use super::enums::requested;
use super::errors::{self, ApiError};
use super::filter::Filters;
use super::operator::Operator;
use super::{Api, answer, convert, page};

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
            code: code(&request.code),
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
        let place = |last: &HoldRecord| (last.held_at, last.new.hold_id.clone());
        let end = page::next(&holds, size, place);
        let (holds, next_page_token) =
            answer::page(holds, end, place, |hold| Some(convert::hold(&hold)));
        Ok(proto::ListHoldsResponse {
            holds,
            next_page_token,
        })
    }

    pub(super) async fn get_hold(
        &self,
        request: proto::GetHoldRequest,
    ) -> Result<proto::GetHoldResponse, ApiError> {
        let hold = self.hold_record(&request.hold_id).await?;
        Ok(proto::GetHoldResponse {
            hold: Some(convert::hold(&hold)),
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
        caller: &Caller,
        request: proto::ResolveHoldRequest,
    ) -> Result<proto::ResolveHoldResponse, ApiError> {
        let action = request
            .action
            .ok_or_else(|| errors::invalid("action", "set retry_hold or dismiss_hold"))?;
        let operator = Operator::with_note(caller, &request.request_id, &request.note)?;
        let hold = self.hold_record(&request.hold_id).await?;
        if hold.state != HoldState::Open {
            return already_closed(&hold, &action);
        }
        let proposal_id = match action {
            Action::RetryHold(retry) => {
                self.retry_by_hand(operator, &hold, &retry).await?;
                String::new()
            }
            Action::DismissHold(_) => {
                if request.note.trim().is_empty() {
                    return Err(errors::invalid("note", "is required to dismiss a hold"));
                }
                if self.two_people.are_needed_to_dismiss(&hold) {
                    self.propose_dismissal(operator, &hold).await?
                } else {
                    self.dismiss(operator, &request.hold_id).await?;
                    String::new()
                }
            }
        };
        let hold = self.hold_record(&request.hold_id).await?;
        Ok(proto::ResolveHoldResponse {
            hold: Some(convert::hold(&hold)),
            proposal_id,
        })
    }

    async fn retry_by_hand(
        &self,
        operator: Operator<'_>,
        hold: &HoldRecord,
        retry: &proto::RetryHold,
    ) -> Result<(), ApiError> {
        let transfer_id = page::given(&retry.transfer_id);
        if transfer_id.is_some() && hold.new.failed.is_some() {
            let what = "this hold is about a journal row, whose transfer is known";
            return Err(errors::invalid("retry_hold.transfer_id", what));
        }
        let retry = Retry {
            transfer_id,
            by: operator.identity(),
            note: operator.reason,
        };
        self.holds.retry(hold, &retry).await?;
        self.record_hold(operator, "retry_hold", hold).await
    }

    async fn propose_dismissal(
        &self,
        operator: Operator<'_>,
        hold: &HoldRecord,
    ) -> Result<String, ApiError> {
        let amount = hold.new.entry.amount;
        let amount = amount.map_or_else(|| "an unknown amount".to_owned(), |one| one.to_string());
        let hold_id = hold.new.hold_id.clone();
        let summary = format!("close hold {hold_id} over {amount} without effect");
        self.propose(operator, ProposedChange::DismissHold { hold_id }, summary)
            .await
    }

    /// Closes a hold without effect.
    pub(super) async fn dismiss(
        &self,
        operator: Operator<'_>,
        hold_id: &str,
    ) -> Result<(), ApiError> {
        let hold = self.hold_record(hold_id).await?;
        self.holds
            .dismiss(&hold, operator.identity(), operator.reason)
            .await?;
        self.record_hold(operator, "dismiss_hold", &hold).await
    }

    /// Records what became of a hold.
    async fn record_hold(
        &self,
        operator: Operator<'_>,
        action: &str,
        before: &HoldRecord,
    ) -> Result<(), ApiError> {
        let hold_id = &before.new.hold_id;
        let after = self.hold_record(hold_id).await?;
        let states = (before.state.as_str(), after.state.as_str());
        let change = (action, format!("hold:{hold_id}"), states);
        let audit = operator.audit(self.clock.now(), change);
        Ok(self.store.record_audit(&audit).await?)
    }
}

impl Api {
    pub(super) async fn retry_holds(
        &self,
        caller: &Caller,
        request: proto::RetryHoldsRequest,
    ) -> Result<proto::RetryHoldsResponse, ApiError> {
        let operator = Operator::with_note(caller, &request.request_id, &request.note)?;
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
            by: operator.identity(),
            note: operator.reason,
        };
        let mut retried = Ok(());
        for hold in &holds {
            retried = self.retry_one(hold, &retry, &mut answer).await;
            if retried.is_err() {
                break;
            }
        }
        let after = format!(
            "{} resolved, {} duplicate, {} still open",
            answer.resolved, answer.duplicate, answer.still_open
        );
        let before = format!("{} open", holds.len());
        let change = ("retry_holds", filter_text(&request), (&*before, &*after));
        let audit = operator.audit(self.clock.now(), change);
        self.store.record_audit(&audit).await?;
        retried.map(|()| answer)
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

/// A code as it is stored: in capitals.
fn code(given: &str) -> Option<String> {
    page::given(given.trim()).map(str::to_ascii_uppercase)
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
        code: code(&request.code),
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

/// What the audit log calls a filter.
fn filter_text(request: &proto::RetryHoldsRequest) -> String {
    let reason = match request.reason() {
        proto::HoldReason::Unspecified => "",
        reason => reason.as_str_name(),
    };
    let parts = [
        ("reason", reason),
        ("import", &request.import_id),
        ("source", &request.source),
        ("code", &request.code),
    ];
    let given = parts.iter().filter(|(_, value)| !value.is_empty());
    let given: Vec<String> = given
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    format!("holds {}", given.join(" "))
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
            proposal_id: String::new(),
        });
    }
    let closed_by = hold.closed_by.as_deref().unwrap_or("the service");
    let what = format!(
        "the hold is {} already, by {closed_by}",
        hold.state.as_str()
    );
    Err(errors::precondition("HOLD_CLOSED", what))
}
