//! Returns by the receiving bank, for any kind of entry.
//! Source: Nacha Operating Rules 2013, Appendix 4, as amended since; the amendments are
//! cited at their rows.

use chrono::NaiveDate;

use super::{RETURN, SIXTY_DAYS};
use crate::code::codes::rows;
use crate::code::properties::{
    AccountEffect, AccountKind, Anchor, Initiator, RateCategory, RecommendedAction, Representment,
    TimeFrame, UsualDirection, Validity, day,
};
use crate::code::return_codes::{ReturnCode, ReturnCodeInfo};

/// When R11 was given its present meaning, and R10 narrowed to what R11 does not cover.
/// <https://www.frbservices.org/news/fed360/issues/031721/ach-r11-code>
pub(in crate::code) const R11_SINCE: NaiveDate = day(2020, 4, 1);

/// When R90 takes over sanctions from R16.
/// <https://www.nacha.org/rules/new-return-reason-code-sanctions-compliance-obligations>
pub(in crate::code) const R90_SINCE: NaiveDate = day(2028, 3, 17);

/// A debit that the account could not pay: it may be presented twice more.
const UNPAID: ReturnCodeInfo = ReturnCodeInfo {
    representment: Representment::Allowed {
        times: 2,
        within_days: 180,
    },
    recommended_action: RecommendedAction::RetryLater,
    direction: UsualDirection::Debits,
    ..RETURN
};

/// An account that is not there: counted in the administrative rate.
const NO_SUCH_ACCOUNT: ReturnCodeInfo = ReturnCodeInfo {
    rate_category: RateCategory::Administrative,
    account_effect: AccountEffect::Block,
    ..RETURN
};

/// A debit the consumer says was not authorized: sixty days, on a written statement.
const UNAUTHORIZED: ReturnCodeInfo = ReturnCodeInfo {
    time_frame: SIXTY_DAYS,
    rate_category: RateCategory::Unauthorized,
    representment: Representment::No,
    recommended_action: RecommendedAction::StopAndReauthorize,
    account_effect: AccountEffect::Block,
    direction: UsualDirection::Debits,
    account_kind: AccountKind::Consumer,
    written_statement: true,
    ..RETURN
};

rows! { ReturnCode ReturnCodeInfo:
    R01: UNPAID {
        title: "Insufficient Funds",
        meaning: "There was not enough money in the account to pay the debit.",
    }
    R02: NO_SUCH_ACCOUNT {
        title: "Account Closed",
        meaning: "The account existed but its owner or the bank has closed it.",
    }
    R03: NO_SUCH_ACCOUNT {
        title: "No Account/Unable to Locate Account",
        meaning: "The number is well formed, but the bank has no such account, or not under this name.",
        sec_restriction: Some("not ARC, BOC or POP when only the name is missing"),
    }
    R04: NO_SUCH_ACCOUNT {
        title: "Invalid Account Number Structure",
        meaning: "The account number cannot be right: it has the wrong length or fails the bank's check.",
    }
    R05: UNAUTHORIZED {
        title: "Unauthorized Debit to Consumer Account Using Corporate SEC Code",
        meaning: "A debit coded as one between businesses reached a consumer who did not authorize it.",
        sec_restriction: Some("CCD, CTX"),
    }
    /// The ODFI may ask for any reason since 2024-10-01.
    /// <https://nacha.org/rules/risk-management-topics-october-1-2024>
    R06: RETURN {
        title: "Returned per ODFI's Request",
        meaning: "Our own bank asked for the entry back, and the customer's bank agreed.",
        time_frame: TimeFrame::Undefined,
        recommended_action: RecommendedAction::ReviewWithBank,
        account_effect: AccountEffect::Hold,
    }
    R07: UNAUTHORIZED {
        title: "Authorization Revoked by Customer",
        meaning: "The customer had authorized the debits and has withdrawn that.",
        sec_restriction: Some("not ARC, BOC, POP, RCK"),
    }
    R08: RETURN {
        title: "Payment Stopped",
        meaning: "The customer told the bank to stop this debit, and perhaps all that follow it.",
        representment: Representment::WithNewConsent,
        recommended_action: RecommendedAction::ContactCustomer,
        account_effect: AccountEffect::Hold,
        direction: UsualDirection::Debits,
    }
    R09: UNPAID {
        title: "Uncollected Funds",
        meaning: "The money is in the account but deposits behind it have not cleared yet.",
    }
    R10: UNAUTHORIZED {
        title: "Customer Advises Originator is Not Known to Receiver and/or Originator is Not Authorized by Receiver to Debit Receiver's Account",
        meaning: "The customer does not know who debited the account, or never allowed it.",
        sec_restriction: Some("not CCD or CTX, which take R05 (consumer) or R29 (business)"),
        account_kind: AccountKind::ConsumerOrNamedSecs,
        meaning_since: Some(R11_SINCE),
    }
    /// The corrected entry needs no new authorization.
    /// <https://www.compliancesystems.com/nacha-approves-differentiating-unauthorized-return-reasons-rule>
    R11: UNAUTHORIZED {
        title: "Customer Advises Entry Not in Accordance with the Terms of the Authorization",
        meaning: "The customer allowed the debit, but not like this: a different amount, an earlier date, or some other error.",
        representment: Representment::NewEntryCorrected { within_days: 60 },
        recommended_action: RecommendedAction::CorrectAndResubmit,
        account_effect: AccountEffect::Hold,
        sec_restriction: Some("not CCD or CTX"),
        account_kind: AccountKind::ConsumerOrNamedSecs,
        meaning_since: Some(R11_SINCE),
    }
}

/// Check truncation, which R11 stood for until March 2020, with two banking days. What is
/// certain of it is the title, the time and that it was no unauthorized code; the advice
/// is that of R30 and R39, its nearest relatives.
pub(in crate::code) static R11_OLD: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R11,
    title: "Check Truncation Entry Return",
    meaning: "A check that was turned into an electronic entry came back, for a reason with no code of its own.",
    representment: Representment::No,
    recommended_action: RecommendedAction::ReviewWithBank,
    direction: UsualDirection::Debits,
    sec_restriction: Some("TRC, TRX"),
    ..RETURN
};

rows! { ReturnCode ReturnCodeInfo:
    R12: RETURN {
        title: "Account Sold to Another DFI",
        meaning: "The account now belongs to another bank, under other numbers.",
        account_effect: AccountEffect::Block,
    }
    R14: RETURN {
        title: "Representative Payee Deceased or Unable to Continue in That Capacity",
        meaning: "The person who managed the account for its beneficiary has died or can no longer do so; the beneficiary is alive.",
        recommended_action: RecommendedAction::StopAndContact,
        account_effect: AccountEffect::Block,
    }
    R15: RETURN {
        title: "Beneficiary or Account Holder (Other Than a Representative Payee) Deceased",
        meaning: "The owner or the beneficiary of the account has died.",
        representment: Representment::No,
        recommended_action: RecommendedAction::StopAndContact,
        account_effect: AccountEffect::Block,
        account_kind: AccountKind::Consumer,
    }
    R16: RETURN {
        title: "Account Frozen/Entry Returned per OFAC Instruction",
        meaning: "The account is frozen by the bank or by law, or the sanctions office ordered the return.",
        initiated_by: Initiator::RdfiOrGateway,
        recommended_action: RecommendedAction::ReferToCompliance,
        account_effect: AccountEffect::Block,
    }
}

/// What is left of R16 when R90 has taken over sanctions.
pub(in crate::code) static R16_AFTER_R90: ReturnCodeInfo = ReturnCodeInfo {
    title: "Account Frozen",
    meaning: "The account is frozen by the bank or by law.",
    initiated_by: Initiator::Rdfi,
    meaning_since: Some(R90_SINCE),
    ..R16
};

rows! { ReturnCode ReturnCodeInfo:
    /// <https://www.nacha.org/rules/return-questionable-transaction>
    R17: RETURN {
        title: "File Record Edit Criteria/Entry with Invalid Account Number Initiated Under Questionable Circumstances/Return of Improperly-Initiated Reversal",
        meaning: "The bank cannot process a field, or suspects fraud (the addenda then begin with QUESTIONABLE), or considers a reversal improper.",
        recommended_action: RecommendedAction::InvestigateFraudIfQuestionable,
        account_effect: AccountEffect::Hold,
    }
    R20: RETURN {
        title: "Non-Transaction Account",
        meaning: "The account is of a kind, such as some savings accounts, that does not take such payments.",
        account_effect: AccountEffect::Block,
    }
    R21: RETURN {
        title: "Invalid Company Identification",
        meaning: "The company id on the entry is not one that the receiver accepts.",
        recommended_action: RecommendedAction::FixFileData,
        sec_restriction: Some("mostly CIE"),
        account_kind: AccountKind::NonConsumer,
    }
    R22: RETURN {
        title: "Invalid Individual ID Number",
        meaning: "The receiver says that the customer number on the entry is wrong.",
        recommended_action: RecommendedAction::FixFileData,
        sec_restriction: Some("mostly CIE, MTE"),
    }
    R23: RETURN {
        title: "Credit Entry Refused by Receiver",
        meaning: "The account's owner does not want the money that was sent.",
        time_frame: TimeFrame::BankingDays {
            days: 2,
            after: Anchor::RefusalReceived,
        },
        counts_in_overall_rate: false,
        recommended_action: RecommendedAction::ContactCustomer,
        account_effect: AccountEffect::Hold,
        direction: UsualDirection::Credits,
    }
    R24: RETURN {
        title: "Duplicate Entry",
        meaning: "The bank considers the entry a second copy of one that it already has.",
        recommended_action: RecommendedAction::CheckForDuplicate,
    }
    R29: UNAUTHORIZED {
        title: "Corporate Customer Advises Not Authorized",
        meaning: "A business says it did not authorize the debit; often its bank blocks every company id that the business has not approved.",
        time_frame: RETURN.time_frame,
        account_kind: AccountKind::NonConsumer,
        written_statement: false,
    }
    R31: RETURN {
        title: "Permissible Return Entry (CCD and CTX Only)",
        meaning: "A business's bank returns late, and our bank has agreed to take it.",
        time_frame: TimeFrame::Undefined,
        recommended_action: RecommendedAction::ReviewWithBank,
        account_effect: AccountEffect::Hold,
        sec_restriction: Some("CCD, CTX"),
        account_kind: AccountKind::NonConsumer,
    }
    R90: RETURN {
        title: "Entry Returned Due to RDFI's Sanctions Compliance Obligations",
        meaning: "The bank must not process the entry because of sanctions.",
        time_frame: TimeFrame::Special,
        representment: Representment::No,
        recommended_action: RecommendedAction::ReferToCompliance,
        account_effect: AccountEffect::Block,
        validity: Validity::From(R90_SINCE),
    }
}
