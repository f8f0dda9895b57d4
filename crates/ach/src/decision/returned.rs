//! What a return or a validation failure does to its transfer: the rows of the table that
//! depend on the transfer's type and state.

use super::{Act, Action, Expected, Flag, FundingPolicy, Hold};
use super::{Transfer, TransferState, TransferType};
use crate::code::ReturnCode;

/// A validation failure fails a pending debit. It has no meaning for anything else.
pub(super) fn validation_failure(
    transfer: &Transfer,
    policy: FundingPolicy,
) -> Result<Act<'_>, Hold> {
    match (transfer.kind, transfer.state) {
        (TransferType::Debit, TransferState::Pending) => Ok(Act::on(
            transfer,
            Action::Fail,
            Expected::of(transfer, policy),
        )),
        (
            TransferType::Debit,
            TransferState::Succeeded
            | TransferState::Failed
            | TransferState::Canceled
            | TransferState::Returned
            | TransferState::Unknown,
        )
        | (TransferType::Credit | TransferType::Refund | TransferType::Other, _) => {
            Err(Hold::unexpected_validation_failure(transfer))
        }
    }
}

/// What a return with this code does.
pub(super) fn returned(
    code: ReturnCode,
    transfer: &Transfer,
    policy: FundingPolicy,
) -> Result<Act<'_>, Hold> {
    let (action, flag) = match transfer.kind {
        TransferType::Debit => (returned_debit(transfer, policy)?, None),
        TransferType::Credit => (failed_credit(transfer)?, None),
        TransferType::Refund => (failed_credit(transfer)?, Some(Flag::RefundCameBack)),
        TransferType::Other => return Err(Hold::unsupported_type(transfer)),
    };
    let mut act = Act::on(transfer, action, Expected::of(transfer, policy));
    act.flags.extend(flag);
    if code.info().is_unusual_for(transfer.kind.direction()) {
        act.flags.push(Flag::CodeUnusualForDirection);
    }
    Ok(act)
}

/// A debit that is not funded is returned. A funded one stays, and a reversal takes the money
/// back.
fn returned_debit(transfer: &Transfer, policy: FundingPolicy) -> Result<Action, Hold> {
    match (policy, transfer.state, transfer.in_deposit) {
        (FundingPolicy::State, TransferState::Pending, _)
        | (
            FundingPolicy::Deposit,
            TransferState::Pending | TransferState::Succeeded,
            Some(false),
        ) => Ok(Action::Return),
        (FundingPolicy::State, TransferState::Succeeded, _)
        | (FundingPolicy::Deposit, TransferState::Succeeded, Some(true)) => Ok(Action::Reverse),
        // A pending debit in a deposit contradicts itself, and without the deposit fact the
        // policy cannot be followed.
        (FundingPolicy::Deposit, TransferState::Pending, Some(true) | None)
        | (FundingPolicy::Deposit, TransferState::Succeeded, None)
        | (
            _,
            TransferState::Failed
            | TransferState::Canceled
            | TransferState::Returned
            | TransferState::Unknown,
            _,
        ) => Err(Hold::state_conflict(transfer)),
    }
}

fn failed_credit(transfer: &Transfer) -> Result<Action, Hold> {
    match transfer.state {
        TransferState::Pending | TransferState::Succeeded => Ok(Action::Fail),
        TransferState::Failed
        | TransferState::Canceled
        | TransferState::Returned
        | TransferState::Unknown => Err(Hold::state_conflict(transfer)),
    }
}
