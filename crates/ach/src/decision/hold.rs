//! Why an entry is held, in one word for programs and one sentence for people.

use super::{PriorDecision, Transfer, TransferType};
use crate::code::{CorrectionCode, ReturnCode};
use crate::entry::{Coded, Direction, Entry, EntryKind};
use crate::money::Money;
use crate::text_enum::text_enum;

text_enum! {
    /// Why an entry is held.
    HoldReason {
        /// No transfer has any of the entry's ids.
        UnknownTransfer = "unknown_transfer",
        /// The ids name more than one transfer.
        AmbiguousTransfer = "ambiguous_transfer",
        /// One id of the entry names a transfer that another of its ids contradicts.
        IdsContradict = "ids_contradict",
        /// The system of record has the transfer, but a value of it cannot be used.
        UnreadableTransfer = "unreadable_transfer",
        /// The amount is not the transfer's.
        AmountDiffers = "amount_differs",
        /// The currency is not the transfer's.
        CurrencyDiffers = "currency_differs",
        /// The transfer is in a state that the entry cannot change.
        StateConflict = "state_conflict",
        /// The entry is of a debit and the transfer is a credit, or the reverse.
        WrongDirection = "wrong_direction",
        /// The transfer already has a different return.
        SecondReturn = "second_return",
        /// A dishonor of a return that is not known, or not at that stage.
        DishonoredReturn = "dishonored_return",
        /// A contest of a dishonor that is not known, or not at that stage.
        ContestedReturn = "contested_return",
        /// A refused notification of change.
        RefusedCorrection = "refused_correction",
        /// The data of a notification of change cannot be read, or not all of it.
        UnreadableCorrection = "unreadable_correction",
        /// The code is not in the table, or not in force.
        UnknownCode = "unknown_code",
        /// The transfer's type is not one that can be returned, or what came back is one of our own
        /// reversals.
        UnsupportedType = "unsupported_type",
        /// A database refused the change, or does not have the row. Never decided here.
        DatabaseRefused = "database_refused",
        /// A validation failure for something other than a pending debit.
        UnexpectedValidationFailure = "unexpected_validation_failure",
        /// A report that only ties out has a return that no other file has.
        NotConfirmed = "not_confirmed",
    }
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
            ("check serial number", &keys.check_serial_number),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} {value}")))
        .collect();
        let ids = if named.is_empty() {
            "it has no id".to_owned()
        } else {
            named.join(", ")
        };
        let detail =
            format!("the gateway has no transfer for this entry ({ids}); the lookup is repeated");
        Self::new(HoldReason::UnknownTransfer, detail)
    }

    pub(super) fn ambiguous_transfer(ids: &[String]) -> Self {
        let detail = format!(
            "the entry's ids match {} transfers: {}; retry the hold with the correct transfer id",
            ids.len(),
            ids.join(", ")
        );
        Self::new(HoldReason::AmbiguousTransfer, detail)
    }

    pub(super) fn not_confirmed(transfer: &Transfer) -> Self {
        let detail = format!(
            "the report says that transfer {} was returned, and no file that decides has said so; ask the \
             acquirer for that file. The hold closes by itself once it is imported",
            transfer.id
        );
        Self::new(HoldReason::NotConfirmed, detail)
    }

    pub(super) fn ids_contradict(why: &str) -> Self {
        let detail = format!(
            "{why}; find out which transfer is meant, and retry the hold with its transfer id"
        );
        Self::new(HoldReason::IdsContradict, detail)
    }

    pub(super) fn unreadable_transfer(why: &str) -> Self {
        let detail =
            format!("the gateway's transfer cannot be read: {why}; the lookup is repeated");
        Self::new(HoldReason::UnreadableTransfer, detail)
    }

    pub(super) fn amount_differs(amount: Money, transfer: &Transfer) -> Self {
        let reason = if amount.currency() == transfer.amount.currency() {
            HoldReason::AmountDiffers
        } else {
            HoldReason::CurrencyDiffers
        };
        let (id, expected) = (&transfer.id, transfer.amount);
        let detail = format!("the entry's amount is {amount}, but transfer {id} has {expected}");
        Self::new(reason, detail)
    }

    pub(super) fn state_conflict(transfer: &Transfer) -> Self {
        let deposit = match transfer.in_deposit {
            Some(true) => "in a deposit",
            Some(false) => "not in a deposit",
            None => "deposit unknown",
        };
        let (id, state) = (&transfer.id, transfer.state);
        let unnamed = unnamed(transfer);
        let detail =
            format!("transfer {id} has state {state} ({deposit}) and cannot be returned{unnamed}");
        Self::new(HoldReason::StateConflict, detail)
    }

    pub(super) fn wrong_direction(direction: Direction, transfer: &Transfer) -> Self {
        let (id, kind) = (&transfer.id, transfer.kind.noun());
        let detail = format!("the entry returns a {direction}, but transfer {id} is {kind}");
        Self::new(HoldReason::WrongDirection, detail)
    }

    pub(super) fn second_return(first: &PriorDecision) -> Self {
        let code = first.kind.code();
        let code = code.map_or_else(|| "a failure".to_owned(), |(code, _)| code);
        let detail = format!(
            "the transfer already has a different return: {} ({code}); if the bank returned it \
             twice, the second return may be dishonored (R67)",
            first.return_id
        );
        Self::new(HoldReason::SecondReturn, detail)
    }

    pub(super) fn dishonored(code: ReturnCode, why: &str) -> Self {
        let detail =
            format!("a return was dishonored ({code}), but the dishonor was not applied: {why}");
        Self::new(HoldReason::DishonoredReturn, detail)
    }

    pub(super) fn contested(code: ReturnCode, why: &str) -> Self {
        let detail = format!(
            "the customer's bank contests a dishonored return ({code}), but the contest was not \
             applied: {why}"
        );
        Self::new(HoldReason::ContestedReturn, detail)
    }

    pub(super) fn refused_correction(code: &Coded<CorrectionCode>) -> Self {
        let detail = format!("a notification of change was refused ({code})");
        Self::new(HoldReason::RefusedCorrection, detail)
    }

    /// A correction of which `entry` has some data that cannot be read.
    pub(super) fn unreadable_correction(entry: &Entry) -> Self {
        let parts: Vec<String> = match &entry.kind {
            EntryKind::Correction { corrected, .. } => corrected
                .iter()
                .map(|part| format!("{} {part}", part.field().replace('_', " ")))
                .collect(),
            EntryKind::Return { .. }
            | EntryKind::Dishonored { .. }
            | EntryKind::Contested { .. }
            | EntryKind::RefusedCorrection { .. }
            | EntryKind::ValidationFailure { .. } => Vec::new(),
        };
        let fault = match parts.is_empty() {
            true => "the corrected data is missing".to_owned(),
            false => format!(
                "the corrected data does not fit its change code, or a routing number in it has a \
                 wrong check digit ({})",
                parts.join(", ")
            ),
        };
        let detail = format!("{fault}; ask the bank for the right data, then dismiss the hold");
        Self::new(HoldReason::UnreadableCorrection, detail)
    }

    pub(super) fn unknown_code(code: &str) -> Self {
        let detail = format!(
            "code {code} is not in the table of codes in force; ask the acquirer what it means"
        );
        Self::new(HoldReason::UnknownCode, detail)
    }

    pub(super) fn unsupported_type(transfer: &Transfer) -> Self {
        let (id, noun) = (&transfer.id, TransferType::Other.noun());
        let detail = format!("transfer {id} is {noun}{}", unnamed(transfer));
        Self::new(HoldReason::UnsupportedType, detail)
    }

    pub(super) fn return_of_reversal(transfer: &Transfer) -> Self {
        let detail = format!(
            "the entry returns a reversal that was sent (its batch is described REVERSAL), and not transfer \
             {} that its ids name; find the reversal, ask the bank whether it may be dishonored with R62, \
             then dismiss the hold",
            transfer.id
        );
        Self::new(HoldReason::UnsupportedType, detail)
    }

    pub(super) fn stage_of_refund(transfer: &Transfer) -> Self {
        let detail = format!(
            "transfer {} is a refund whose return was dishonored or contested; a person must find \
             out whether the customer has the money",
            transfer.id
        );
        Self::new(HoldReason::UnsupportedType, detail)
    }

    pub(super) fn unexpected_validation_failure(transfer: &Transfer) -> Self {
        let (id, kind, state) = (&transfer.id, transfer.kind.noun(), transfer.state);
        let detail = format!(
            "only a pending debit can fail validation; transfer {id} is {kind} with state {state}"
        );
        Self::new(HoldReason::UnexpectedValidationFailure, detail)
    }
}

/// What the mapping does not name, after a sentence.
fn unnamed(transfer: &Transfer) -> String {
    match transfer.unnamed.as_str() {
        "" => String::new(),
        unnamed => format!("; {unnamed}"),
    }
}
