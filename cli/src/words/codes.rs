//! What the tables of codes say, in words. Money and dates are said where the rule has them.

use ach::code::{
    AccountEffect, AccountKind, Anchor, CorrectedField, Initiator, RateCategory, RecommendedAction,
    Representment, ReturnStage, TimeFrame, Validity,
};

use super::plain;
use crate::output::counted;

/// How long the sender of a code has.
pub(crate) fn time_frame(frame: TimeFrame) -> String {
    match frame {
        TimeFrame::BankingDays { days, .. } => counted(days.into(), "banking day", "banking days"),
        TimeFrame::CalendarDays { days } => counted(days.into(), "calendar day", "calendar days"),
        TimeFrame::NextFile => "the operator's next file".to_owned(),
        TimeFrame::Undefined => "as the banks agree".to_owned(),
        TimeFrame::Special => "a time frame of its own".to_owned(),
        TimeFrame::NotApplicable => "none".to_owned(),
    }
}

/// The day from which a time frame is counted.
pub(crate) fn counted_from(frame: TimeFrame) -> &'static str {
    match frame {
        TimeFrame::BankingDays { after, .. } => match after {
            Anchor::OriginalSettlement => " after the original entry settled",
            Anchor::RefusalReceived => " after the bank heard of the refusal",
            Anchor::ReturnSettlement => " after the return settled",
            Anchor::DishonorSettlement => " after the dishonored return settled",
        },
        TimeFrame::CalendarDays { .. } => " after the original entry settled",
        TimeFrame::NextFile
        | TimeFrame::Undefined
        | TimeFrame::Special
        | TimeFrame::NotApplicable => "",
    }
}

/// Whether a payment may be presented again.
pub(crate) fn representment(rule: Representment) -> String {
    match rule {
        Representment::Allowed { times, within_days } => {
            let more = match times {
                1 => "once more".to_owned(),
                2 => "up to two more times".to_owned(),
                times => format!("up to {times} more times"),
            };
            format!("{more} within {within_days} days")
        }
        Representment::WithNewConsent => "with the customer's new consent".to_owned(),
        Representment::AfterRemedy => "after the reason is remedied".to_owned(),
        Representment::NewEntryCorrected { within_days } => {
            format!("as a corrected new entry within {within_days} days")
        }
        Representment::No => "no".to_owned(),
        Representment::NotApplicable => "does not apply".to_owned(),
    }
}

/// Which step between the banks a code belongs to.
pub(crate) const fn stage(stage: ReturnStage) -> &'static str {
    match stage {
        ReturnStage::Return => "return",
        ReturnStage::Dishonored => "dishonored return",
        ReturnStage::Contested => "contested or corrected return",
    }
}

/// Who may send a code.
pub(crate) const fn initiator(initiator: Initiator) -> &'static str {
    match initiator {
        Initiator::Rdfi => "the customer's bank",
        Initiator::RdfiOrGateway => "the customer's bank, or the gateway of an international entry",
        Initiator::AchOperator => "the ACH operator",
        Initiator::FederalAgency => "a federal agency",
        Initiator::Gateway => "the gateway of an international entry",
        Initiator::Odfi => "our bank",
    }
}

/// Which return rate a code counts in.
pub(crate) const fn rate_category(category: RateCategory) -> &'static str {
    match category {
        RateCategory::Unauthorized => "unauthorized",
        RateCategory::Administrative => "administrative",
        RateCategory::Other => "overall only",
        RateCategory::None => "none",
    }
}

/// What should happen to the customer's account, as the service spells it.
pub(crate) fn account_effect(effect: &str) -> String {
    let known = AccountEffect::ALL.iter().find(|one| one.as_str() == effect);
    match known {
        Some(AccountEffect::None) => "may be used as before".to_owned(),
        Some(AccountEffect::Hold) => "on hold until somebody has acted".to_owned(),
        Some(AccountEffect::Block) => "blocked until it is replaced or authorized again".to_owned(),
        None => plain(effect),
    }
}

/// What to do next, as the service spells it.
pub(crate) fn recommended_action(action: &str) -> String {
    let known = RecommendedAction::ALL
        .iter()
        .find(|one| one.as_str() == action);
    let words = match known {
        Some(RecommendedAction::RetryLater) => "present it again later, when there may be money",
        Some(RecommendedAction::RetryLaterBank) => {
            "present it again later: the customer's bank could not settle"
        }
        Some(RecommendedAction::FixAccountData) => "ask the customer for correct account data",
        Some(RecommendedAction::FixFileData) => "correct what our own file got wrong",
        Some(RecommendedAction::StopAndReauthorize) => {
            "stop all debits until the customer authorizes them again"
        }
        Some(RecommendedAction::StopAndContact) => {
            "stop all debits and contact the customer's family or agent"
        }
        Some(RecommendedAction::ContactCustomer) => "ask the customer before any further debit",
        Some(RecommendedAction::CorrectAndResubmit) => {
            "correct the entry as authorized and send it as a new one"
        }
        Some(RecommendedAction::ReviewWithBank) => "clarify it with our bank",
        Some(RecommendedAction::ReferToCompliance) => "leave it to the compliance staff",
        Some(RecommendedAction::InvestigateFraudIfQuestionable) => {
            "read the addenda: QUESTIONABLE in it means suspected fraud"
        }
        Some(RecommendedAction::CheckForDuplicate) => {
            "check whether the debit was sent twice, or is already reversed"
        }
        Some(RecommendedAction::RestoreOriginal) => "restore the original payment",
        Some(RecommendedAction::TreatAsR69) => "handle it like R69, which replaced this code",
        Some(RecommendedAction::ReapplyReturn) => "apply the return again",
        Some(RecommendedAction::NoneOutOfScope) => "have a person look at it",
        None => return plain(action),
    };
    words.to_owned()
}

/// Which accounts a code may be used for.
pub(crate) const fn account_kind(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Any => "consumer and business accounts",
        AccountKind::Consumer => "consumer accounts",
        AccountKind::ConsumerOrNamedSecs => {
            "consumer accounts; business accounts with ARC, BOC, IAT and POP entries"
        }
        AccountKind::NonConsumer => "business accounts",
        AccountKind::NotApplicable => "not about an account",
    }
}

/// From when or until when a code is in force.
pub(crate) fn validity(validity: Validity) -> String {
    match validity {
        Validity::Always => "yes".to_owned(),
        Validity::From(first) => format!("from {first} on"),
        Validity::Until(end) => format!("until the day before {end}"),
        Validity::Never => "no longer".to_owned(),
    }
}

/// A field that a correction changes.
pub(crate) fn corrected_field(field: CorrectedField) -> String {
    plain(field.as_str())
}
