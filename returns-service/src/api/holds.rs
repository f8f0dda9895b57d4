//! Entries that wait.

use echeck_proto::returns::v1 as proto;
use proto::resolve_hold_request::Action;
use returns_import::hold::Retry;
use returns_model::hold::{HoldFilter, HoldRecord, HoldState};

use super::errors::{self, ApiError};
use super::{Api, convert, page};

impl Api {
    pub(super) async fn page_of_holds(
        &self,
        request: proto::ListHoldsRequest,
    ) -> Result<proto::ListHoldsResponse, ApiError> {
        let size = page::size(request.page_size);
        let after = page::time_and_id(&request.page_token)?;
        let filter = HoldFilter {
            state: convert::hold_state_from(request.state()),
            import_id: (!request.import_id.is_empty()).then(|| request.import_id.clone()),
            reason: convert::hold_reason_from(request.reason()),
            transfer_id: None,
        };
        let holds = self.store.holds(&filter, after, size).await?;
        let next_page_token = match holds.last() {
            Some(last) if holds.len() == size as usize => {
                page::token_of(last.held_at, &last.new.hold_id)
            }
            Some(_) | None => String::new(),
        };
        Ok(proto::ListHoldsResponse {
            holds: holds.iter().map(convert::hold).collect(),
            next_page_token,
        })
    }

    async fn hold_record(&self, hold_id: &str) -> Result<HoldRecord, ApiError> {
        self.store
            .hold(hold_id)
            .await?
            .ok_or_else(|| errors::not_found("hold", hold_id))
    }

    pub(super) async fn resolve(
        &self,
        request: proto::ResolveHoldRequest,
    ) -> Result<proto::ResolveHoldResponse, ApiError> {
        let action = request
            .action
            .ok_or_else(|| errors::invalid("action", "set retry_hold or dismiss_hold"))?;
        if request.actor.trim().is_empty() {
            return Err(errors::invalid(
                "actor",
                "is required; it is recorded with the hold",
            ));
        }
        let hold = self.hold_record(&request.hold_id).await?;
        if hold.state != HoldState::Open {
            return closed_already(&hold, &action);
        }
        match action {
            Action::RetryHold(retry) => {
                let transfer_id = Some(retry.transfer_id.as_str()).filter(|id| !id.is_empty());
                if transfer_id.is_some() && hold.new.failed.is_some() {
                    return Err(errors::invalid(
                        "retry_hold.transfer_id",
                        "this hold is about a row of the journal, whose transfer is known",
                    ));
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
fn closed_already(
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
    Err(errors::precondition(
        "HOLD_CLOSED",
        format!(
            "the hold is {} already, by {}",
            hold.state.as_str(),
            hold.closed_by.as_deref().unwrap_or("the service")
        ),
    ))
}
