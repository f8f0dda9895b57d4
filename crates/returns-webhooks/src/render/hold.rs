//! What platforms see of a hold. The sentence that is recorded with it is for our own staff: it
//! names databases, rows and states, also states that an older version must never show.

use ach::decision::HoldReason;

/// Why an entry is held, in a sentence that is the same for every hold of that reason.
pub(super) const fn sentence(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::UnknownTransfer => {
            "no payment with the ids of this entry is known; it is looked up again"
        }
        HoldReason::AmbiguousTransfer => {
            "the ids of this entry name more than one payment; a person chooses"
        }
        HoldReason::IdsContradict => {
            "the ids of this entry do not all name the same payment; a person chooses"
        }
        HoldReason::UnreadableTransfer => {
            "the payment cannot be read in our system; it is looked up again"
        }
        HoldReason::AmountDiffers => "the amount of this entry is not the payment's",
        HoldReason::CurrencyDiffers => "the currency of this entry is not the payment's",
        HoldReason::StateConflict => "the payment is in a state that this entry cannot change",
        HoldReason::WrongDirection => {
            "the entry moves money in the other direction than the payment"
        }
        HoldReason::SecondReturn => "another return of this payment is known already",
        HoldReason::DishonoredReturn => {
            "the entry dishonors a return that is not known, or not at that stage"
        }
        HoldReason::ContestedReturn => {
            "the entry contests a dishonor that is not known, or not at that stage"
        }
        HoldReason::RefusedCorrection => "a notification of change was refused",
        HoldReason::UnreadableCorrection => {
            "the data of a notification of change cannot be read; a person looks into it"
        }
        HoldReason::UnknownCode => "the code of this entry is not in the table of codes in force",
        HoldReason::UnsupportedType => "the payment is of a type that has no returns",
        HoldReason::DatabaseRefused => "the entry could not be applied yet; a person looks into it",
        HoldReason::NotConfirmed => {
            "a report has a return of this payment that no other file has yet"
        }
        HoldReason::UnexpectedValidationFailure => {
            "a validation failure came for something other than a pending debit"
        }
    }
}
