//! Entries that wait.

use echeck_proto::returns::v1 as proto;
use proto::resolve_hold_request::Action;
use returns_import::hold::Retry;
use returns_model::hold::{HoldFilter, HoldRecord, HoldState};

use super::enums::ToDomain as _;
use super::errors::{self, ApiError};
use super::{Api, convert, page};

impl Api {
    pub(super) async fn list_holds(
        &self,
        request: proto::ListHoldsRequest,
    ) -> Result<proto::ListHoldsResponse, ApiError> {
        let size = page::size(request.page_size);
        let after = page::place(&request.page_token)?;
        let filter = HoldFilter {
            state: request.state().to_domain().unwrap_or(HoldState::Open),
            import_id: page::given(&request.import_id).map(str::to_owned),
            reason: request.reason().to_domain(),
            transfer_id: None,
        };
        let holds = self.store.holds(&filter, after, size).await?;
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
        if request.actor.trim().is_empty() {
            let what = "is required; it is recorded with the hold";
            return Err(errors::invalid("actor", what));
        }
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
