//! Returns that only special entries meet: federal enrollments (ENR) and international
//! entries (IAT). Source: Nacha Operating Rules 2013, Appendix 4.

use super::RETURN;
use crate::code::ReturnCode;
use crate::code::properties::{
    AccountKind, Initiator, RateCategory, RecommendedAction, Representment, TimeFrame,
};
use crate::code::return_codes::ReturnCodeInfo;

/// The usual return of an enrollment. No merchant's eCheck ever meets one.
const ENROLLMENT: ReturnCodeInfo = ReturnCodeInfo {
    initiated_by: Initiator::FederalAgency,
    time_frame: TimeFrame::NotApplicable,
    rate_category: RateCategory::None,
    counts_in_overall_rate: false,
    representment: Representment::NotApplicable,
    recommended_action: RecommendedAction::NoneOutOfScope,
    sec_restriction: Some("ENR"),
    account_kind: AccountKind::NotApplicable,
    ..RETURN
};

/// The usual return by the gateway of an outbound international entry.
const INTERNATIONAL: ReturnCodeInfo = ReturnCodeInfo {
    initiated_by: Initiator::Gateway,
    recommended_action: RecommendedAction::ReviewWithBank,
    sec_restriction: Some("IAT, outbound"),
    ..RETURN
};

pub(in crate::code) static R40: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R40,
    title: "Return of ENR Entry by Federal Government Agency",
    meaning: "The agency sends the enrollment back, for a reason of its own.",
    ..ENROLLMENT
};

pub(in crate::code) static R41: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R41,
    title: "Invalid Transaction Code (ENR only)",
    meaning: "The enrollment asks for a kind of payment that is wrong or not offered.",
    ..ENROLLMENT
};

pub(in crate::code) static R42: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R42,
    title: "Routing Number/Check Digit Error (ENR only)",
    meaning: "The enrollment's routing number is wrong.",
    ..ENROLLMENT
};

pub(in crate::code) static R43: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R43,
    title: "Invalid DFI Account Number (ENR only)",
    meaning: "The enrollment's account number is wrong.",
    ..ENROLLMENT
};

pub(in crate::code) static R44: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R44,
    title: "Invalid Individual ID Number/Identification Number (ENR only)",
    meaning: "The agency knows nobody under the enrollment's identification number.",
    ..ENROLLMENT
};

pub(in crate::code) static R45: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R45,
    title: "Invalid Individual Name/Company Name (ENR only)",
    meaning: "The enrollment's name is not the one the agency has on file.",
    ..ENROLLMENT
};

pub(in crate::code) static R46: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R46,
    title: "Invalid Representative Payee Indicator (ENR only)",
    meaning: "The enrollment does not say, or says wrongly, whether somebody else manages the account.",
    ..ENROLLMENT
};

pub(in crate::code) static R47: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R47,
    title: "Duplicate Enrollment (ENR only)",
    meaning: "The agency already has this enrollment.",
    ..ENROLLMENT
};

pub(in crate::code) static R80: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R80,
    title: "IAT Entry Coding Error",
    meaning: "A code for country, currency, bank or exchange is wrong in the international entry.",
    ..INTERNATIONAL
};

pub(in crate::code) static R81: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R81,
    title: "Non-Participant in IAT Program",
    meaning: "The gateway has no contract with our bank for international entries.",
    ..INTERNATIONAL
};

pub(in crate::code) static R82: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R82,
    title: "Invalid Foreign Receiving DFI Identification",
    meaning: "The bank abroad cannot be found by the id given for it.",
    ..INTERNATIONAL
};

pub(in crate::code) static R83: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R83,
    title: "Foreign Receiving DFI Unable to Settle",
    meaning: "The payment could not be settled abroad.",
    ..INTERNATIONAL
};

pub(in crate::code) static R84: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R84,
    title: "Entry Not Processed by Gateway",
    meaning: "The gateway does not want the entry, for its risk or for what it asks.",
    ..INTERNATIONAL
};

pub(in crate::code) static R85: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R85,
    title: "Incorrectly Coded Outbound International Payment",
    meaning: "The payment goes abroad and was sent as a domestic one; it must be an IAT entry.",
    initiated_by: Initiator::RdfiOrGateway,
    recommended_action: RecommendedAction::FixFileData,
    sec_restriction: Some("not IAT"),
    ..RETURN
};
