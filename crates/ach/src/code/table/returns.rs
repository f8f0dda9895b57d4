//! Returns by the receiving bank, for any kind of entry.
//! Source: Nacha Operating Rules 2013, Appendix 4, as amended since; the amendments are
//! cited at their rows.

use chrono::NaiveDate;

use super::{RETURN, SIXTY_DAYS};
use crate::code::ReturnCode;
use crate::code::properties::{
    AccountEffect, AccountKind, Anchor, Initiator, RateCategory, RecommendedAction, Representment,
    TimeFrame, UsualDirection, Validity, day,
};
use crate::code::return_codes::ReturnCodeInfo;

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

pub(in crate::code) static R01: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R01,
    title: "Insufficient Funds",
    meaning: "There was not enough money in the account to pay the debit.",
    ..UNPAID
};

pub(in crate::code) static R02: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R02,
    title: "Account Closed",
    meaning: "The account existed but its owner or the bank has closed it.",
    ..NO_SUCH_ACCOUNT
};

pub(in crate::code) static R03: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R03,
    title: "No Account/Unable to Locate Account",
    meaning: "The number is well formed, but the bank has no such account, or not under this name.",
    sec_restriction: Some("not ARC, BOC or POP when only the name is missing"),
    ..NO_SUCH_ACCOUNT
};

pub(in crate::code) static R04: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R04,
    title: "Invalid Account Number Structure",
    meaning: "The account number cannot be right: it has the wrong length or fails the bank's check.",
    ..NO_SUCH_ACCOUNT
};

pub(in crate::code) static R05: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R05,
    title: "Unauthorized Debit to Consumer Account Using Corporate SEC Code",
    meaning: "A debit coded as one between businesses reached a consumer who did not authorize it.",
    sec_restriction: Some("CCD, CTX"),
    ..UNAUTHORIZED
};

/// The ODFI may ask for any reason since 2024-10-01.
/// <https://nacha.org/rules/risk-management-topics-october-1-2024>
pub(in crate::code) static R06: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R06,
    title: "Returned per ODFI's Request",
    meaning: "Our own bank asked for the entry back, and the customer's bank agreed.",
    time_frame: TimeFrame::Undefined,
    recommended_action: RecommendedAction::ReviewWithBank,
    account_effect: AccountEffect::Hold,
    ..RETURN
};

pub(in crate::code) static R07: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R07,
    title: "Authorization Revoked by Customer",
    meaning: "The customer had authorized the debits and has withdrawn that.",
    sec_restriction: Some("not ARC, BOC, POP, RCK"),
    ..UNAUTHORIZED
};

pub(in crate::code) static R08: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R08,
    title: "Payment Stopped",
    meaning: "The customer told the bank to stop this debit, and perhaps all that follow it.",
    representment: Representment::WithNewConsent,
    recommended_action: RecommendedAction::ContactCustomer,
    account_effect: AccountEffect::Hold,
    direction: UsualDirection::Debits,
    ..RETURN
};

pub(in crate::code) static R09: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R09,
    title: "Uncollected Funds",
    meaning: "The money is in the account but deposits behind it have not cleared yet.",
    ..UNPAID
};

pub(in crate::code) static R10: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R10,
    title: "Customer Advises Originator is Not Known to Receiver and/or Originator is Not Authorized by Receiver to Debit Receiver's Account",
    meaning: "The customer does not know who debited the account, or never allowed it.",
    sec_restriction: Some("not CCD or CTX, which take R05 (consumer) or R29 (business)"),
    account_kind: AccountKind::ConsumerOrNamedSecs,
    meaning_since: Some(R11_SINCE),
    ..UNAUTHORIZED
};

/// The corrected entry needs no new authorization.
/// <https://www.compliancesystems.com/nacha-approves-differentiating-unauthorized-return-reasons-rule>
pub(in crate::code) static R11: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R11,
    title: "Customer Advises Entry Not in Accordance with the Terms of the Authorization",
    meaning: "The customer allowed the debit, but not like this: another amount, an earlier date, or some other error.",
    representment: Representment::NewEntryCorrected { within_days: 60 },
    recommended_action: RecommendedAction::CorrectAndResubmit,
    account_effect: AccountEffect::Hold,
    sec_restriction: Some("not CCD or CTX"),
    account_kind: AccountKind::ConsumerOrNamedSecs,
    meaning_since: Some(R11_SINCE),
    ..UNAUTHORIZED
};

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

pub(in crate::code) static R12: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R12,
    title: "Account Sold to Another DFI",
    meaning: "The account now belongs to another bank, under other numbers.",
    account_effect: AccountEffect::Block,
    ..RETURN
};

pub(in crate::code) static R14: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R14,
    title: "Representative Payee Deceased or Unable to Continue in That Capacity",
    meaning: "Whoever managed the account for its beneficiary has died or can no longer do so; the beneficiary is alive.",
    recommended_action: RecommendedAction::StopAndContact,
    account_effect: AccountEffect::Block,
    ..RETURN
};

pub(in crate::code) static R15: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R15,
    title: "Beneficiary or Account Holder (Other Than a Representative Payee) Deceased",
    meaning: "The owner or the beneficiary of the account has died.",
    representment: Representment::No,
    recommended_action: RecommendedAction::StopAndContact,
    account_effect: AccountEffect::Block,
    account_kind: AccountKind::Consumer,
    ..RETURN
};

pub(in crate::code) static R16: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R16,
    title: "Account Frozen/Entry Returned per OFAC Instruction",
    meaning: "The account is frozen by the bank or by law, or the sanctions office ordered the return.",
    initiated_by: Initiator::RdfiOrGateway,
    recommended_action: RecommendedAction::ReferToCompliance,
    account_effect: AccountEffect::Block,
    ..RETURN
};

/// What is left of R16 when R90 has taken over sanctions.
pub(in crate::code) static R16_AFTER_R90: ReturnCodeInfo = ReturnCodeInfo {
    title: "Account Frozen",
    meaning: "The account is frozen by the bank or by law.",
    initiated_by: Initiator::Rdfi,
    meaning_since: Some(R90_SINCE),
    ..R16
};

/// <https://www.nacha.org/rules/return-questionable-transaction>
pub(in crate::code) static R17: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R17,
    title: "File Record Edit Criteria/Entry with Invalid Account Number Initiated Under Questionable Circumstances/Return of Improperly-Initiated Reversal",
    meaning: "The bank cannot process a field, or suspects fraud (the addenda then begin with QUESTIONABLE), or got a reversal it holds improper.",
    recommended_action: RecommendedAction::InvestigateFraudIfQuestionable,
    account_effect: AccountEffect::Hold,
    ..RETURN
};

pub(in crate::code) static R20: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R20,
    title: "Non-Transaction Account",
    meaning: "The account is of a kind, such as some savings accounts, that does not take such payments.",
    account_effect: AccountEffect::Block,
    ..RETURN
};

pub(in crate::code) static R21: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R21,
    title: "Invalid Company Identification",
    meaning: "The company id on the entry is not one that the receiver accepts.",
    recommended_action: RecommendedAction::FixFileData,
    sec_restriction: Some("mostly CIE"),
    account_kind: AccountKind::NonConsumer,
    ..RETURN
};

pub(in crate::code) static R22: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R22,
    title: "Invalid Individual ID Number",
    meaning: "The receiver says that the customer number on the entry is wrong.",
    recommended_action: RecommendedAction::FixFileData,
    sec_restriction: Some("mostly CIE, MTE"),
    ..RETURN
};

pub(in crate::code) static R23: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R23,
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
    ..RETURN
};

pub(in crate::code) static R24: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R24,
    title: "Duplicate Entry",
    meaning: "The bank takes the entry for a second copy of one it already has.",
    recommended_action: RecommendedAction::CheckForDuplicate,
    ..RETURN
};

pub(in crate::code) static R29: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R29,
    title: "Corporate Customer Advises Not Authorized",
    meaning: "A business says it did not authorize the debit; often its bank blocks company ids it has not been told to allow.",
    time_frame: RETURN.time_frame,
    account_kind: AccountKind::NonConsumer,
    written_statement: false,
    ..UNAUTHORIZED
};

pub(in crate::code) static R31: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R31,
    title: "Permissible Return Entry (CCD and CTX Only)",
    meaning: "A business's bank returns late, and our bank has agreed to take it.",
    time_frame: TimeFrame::Undefined,
    recommended_action: RecommendedAction::ReviewWithBank,
    account_effect: AccountEffect::Hold,
    sec_restriction: Some("CCD, CTX"),
    account_kind: AccountKind::NonConsumer,
    ..RETURN
};

pub(in crate::code) static R90: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R90,
    title: "Entry Returned Due to RDFI's Sanctions Compliance Obligations",
    meaning: "The bank must not process the entry because of sanctions.",
    time_frame: TimeFrame::Special,
    representment: Representment::No,
    recommended_action: RecommendedAction::ReferToCompliance,
    account_effect: AccountEffect::Block,
    validity: Validity::From(R90_SINCE),
    ..RETURN
};
