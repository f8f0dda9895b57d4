//! Why an entry is held, in one word for programs and one sentence for people.

use serde::{Deserialize, Serialize};

use super::transfer::Transfer;
use super::{PriorDecision, TransferType};
use crate::code::ReturnCode;
use crate::entry::{Direction, Entry};
use crate::money::Money;

/// Why an entry is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// No transfer has any of the entry's ids.
    UnknownTransfer,
    /// The ids name more than one transfer.
    AmbiguousTransfer,
    /// The amount is not the transfer's.
    AmountDiffers,
    /// The currency is not the transfer's.
    CurrencyDiffers,
    /// The transfer is in a state that the entry cannot change.
    StateConflict,
    /// The entry says debit and the transfer is a credit, or the other way round.
    WrongDirection,
    /// A different return of this transfer is known already.
    SecondReturn,
    /// A dishonor of a return that is not known, or not at that stage.
    DishonoredReturn,
    /// A contest of a dishonor that is not known, or not at that stage.
    ContestedReturn,
    /// A refused notification of change.
    RefusedCorrection,
    /// The code is not in the table, or not in force.
    UnknownCode,
    /// The transfer's type is not one that can be returned.
    UnsupportedType,
    /// A database refused the change, or does not have the row. Never decided here.
    DatabaseRefused,
    /// A validation failure for something other than a pending debit.
    UnexpectedValidationFailure,
}

/// A held entry's reason and its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why, in one word.
    pub reason: HoldReason,
    /// Why, in a sentence that names the facts and what can be done.
    pub detail: String,
}

impl Hold {
    fn new(reason: HoldReason, detail: String) -> Self {
        Self { reason, detail }
    }

    pub(super) fn unknown_transfer(entry: &Entry) -> Self {
        let keys = &entry.keys;
        let named: Vec<String> = [
            ("payment id", &keys.payment_id),
            ("order id", &keys.order_id),
            ("transfer request id", &keys.transfer_request_id),
            ("original trace", &keys.original_trace),
            ("individual id", &keys.individual_id),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} {value}")))
        .collect();
        let ids = if named.is_empty() {
            "it carries no id".to_owned()
        } else {
            named.join(", ")
        };
        Self::new(
            HoldReason::UnknownTransfer,
            format!("the gateway knows no transfer for this entry ({ids}); it is looked up again"),
        )
    }

    pub(super) fn ambiguous_transfer(ids: &[String]) -> Self {
        Self::new(
            HoldReason::AmbiguousTransfer,
            format!(
                "the entry's ids name {} transfers: {}; retry the hold with the right transfer id",
                ids.len(),
                ids.join(", ")
            ),
        )
    }

    pub(super) fn amount_differs(amount: Money, transfer: &Transfer) -> Self {
        let reason = if amount.currency() == transfer.amount.currency() {
            HoldReason::AmountDiffers
        } else {
            HoldReason::CurrencyDiffers
        };
        Self::new(
            reason,
            format!(
                "the file says {amount}, transfer {} is {}",
                transfer.id, transfer.amount
            ),
        )
    }

    pub(super) fn state_conflict(transfer: &Transfer) -> Self {
        let deposit = match transfer.in_deposit {
            Some(true) => "in a deposit",
            Some(false) => "in no deposit",
            None => "no deposit known",
        };
        Self::new(
            HoldReason::StateConflict,
            format!(
                "transfer {} is {:?} ({deposit}) and cannot be returned",
                transfer.id, transfer.state
            ),
        )
    }

    pub(super) fn wrong_direction(direction: Direction, transfer: &Transfer) -> Self {
        let kind = match transfer.kind {
            TransferType::Debit => "a debit",
            TransferType::Credit => "a credit",
            TransferType::Refund => "a refund",
            TransferType::Other => "neither debit nor credit",
        };
        Self::new(
            HoldReason::WrongDirection,
            format!(
                "the file returns a {}, transfer {} is {kind}",
                direction.as_str(),
                transfer.id
            ),
        )
    }

    pub(super) fn second_return(prior: &PriorDecision) -> Self {
        let code = prior
            .kind
            .code()
            .map_or_else(|| "a failure".to_owned(), |(code, _)| code);
        Self::new(
            HoldReason::SecondReturn,
            format!(
                "a different return of this transfer is known already: {} ({code}); \
                 if the bank returned it twice, it may be dishonored (R67)",
                prior.return_id
            ),
        )
    }

    pub(super) fn dishonored(code: ReturnCode, why: &str) -> Self {
        Self::new(
            HoldReason::DishonoredReturn,
            format!("a return was dishonored ({code}), and that is not applied: {why}"),
        )
    }

    pub(super) fn contested(code: ReturnCode, why: &str) -> Self {
        Self::new(
            HoldReason::ContestedReturn,
            format!(
                "the customer's bank contests a dishonored return ({code}), and that is not \
                 applied: {why}"
            ),
        )
    }

    pub(super) fn refused_correction(entry: &Entry) -> Self {
        let code = entry.kind.code().map(|(code, _)| code).unwrap_or_default();
        Self::new(
            HoldReason::RefusedCorrection,
            format!("a notification of change was refused ({code})"),
        )
    }

    pub(super) fn unknown_code(code: &str) -> Self {
        Self::new(
            HoldReason::UnknownCode,
            format!(
                "code {code} is not in the table of codes in force; ask the acquirer what it means"
            ),
        )
    }

    pub(super) fn unsupported_type(transfer: &Transfer) -> Self {
        Self::new(
            HoldReason::UnsupportedType,
            format!(
                "transfer {} is neither a debit, a credit nor a refund",
                transfer.id
            ),
        )
    }

    pub(super) fn stage_of_refund(transfer: &Transfer) -> Self {
        Self::new(
            HoldReason::UnsupportedType,
            format!(
                "transfer {} is a refund, whose return was dishonored or contested: whether the \
                 customer has the money is for a person to settle",
                transfer.id
            ),
        )
    }

    pub(super) fn unexpected_validation_failure(transfer: &Transfer) -> Self {
        Self::new(
            HoldReason::UnexpectedValidationFailure,
            format!(
                "a validation failure is for a pending debit; transfer {} is a {:?} in state {:?}",
                transfer.id, transfer.kind, transfer.state
            ),
        )
    }
}
