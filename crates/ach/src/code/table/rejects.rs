//! Returns by the ACH operator, which refuses an entry when it processes the file.
//! Source: Nacha Operating Rules 2013, Appendix 4.

use super::RETURN;
use crate::code::ReturnCode;
use crate::code::properties::{
    AccountEffect, Initiator, RecommendedAction, Representment, TimeFrame, UsualDirection,
};
use crate::code::return_codes::ReturnCodeInfo;

/// The usual reject: something in our file is wrong.
const REJECT: ReturnCodeInfo = ReturnCodeInfo {
    initiated_by: Initiator::AchOperator,
    time_frame: TimeFrame::NextFile,
    recommended_action: RecommendedAction::FixFileData,
    ..RETURN
};

/// A routing number that cannot be used.
const BAD_ROUTING: ReturnCodeInfo = ReturnCodeInfo {
    recommended_action: RecommendedAction::FixAccountData,
    account_effect: AccountEffect::Block,
    ..REJECT
};

pub(in crate::code) static R13: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R13,
    title: "Invalid ACH Routing Number",
    meaning: "No bank takes ACH entries under this routing number.",
    ..BAD_ROUTING
};

pub(in crate::code) static R18: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R18,
    title: "Improper Effective Entry Date",
    meaning: "The entry was dated further ahead than the operator accepts.",
    ..REJECT
};

pub(in crate::code) static R19: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R19,
    title: "Amount Field Error",
    meaning: "The amount is not a number, is zero or not zero where it must not be, or is above the limit for a converted check.",
    ..REJECT
};

pub(in crate::code) static R25: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R25,
    title: "Addenda Error",
    meaning: "The addenda records do not fit their entry, in kind, order or number.",
    ..REJECT
};

pub(in crate::code) static R26: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R26,
    title: "Mandatory Field Error",
    meaning: "A field that must be filled is empty or wrong.",
    ..REJECT
};

pub(in crate::code) static R27: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R27,
    title: "Trace Number Error",
    meaning: "A return or correction lacks the trace number of its original, or an addenda record has another one than its entry.",
    ..REJECT
};

pub(in crate::code) static R28: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R28,
    title: "Routing Number Check Digit Error",
    meaning: "The last digit of the routing number does not fit the others, so a digit is mistyped.",
    ..BAD_ROUTING
};

pub(in crate::code) static R30: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R30,
    title: "RDFI Not Participant in Check Truncation Program",
    meaning: "The customer's bank takes no entries that stand for truncated checks.",
    representment: Representment::No,
    direction: UsualDirection::Debits,
    sec_restriction: Some("TRC, TRX"),
    ..REJECT
};

pub(in crate::code) static R32: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R32,
    title: "RDFI Non-Settlement",
    meaning: "The customer's bank was not able to settle.",
    recommended_action: RecommendedAction::RetryLaterBank,
    ..REJECT
};

pub(in crate::code) static R34: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R34,
    title: "Limited Participation DFI",
    meaning: "A supervisor has restricted what the customer's bank may take part in.",
    recommended_action: RecommendedAction::FixAccountData,
    account_effect: AccountEffect::Hold,
    ..REJECT
};

pub(in crate::code) static R35: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R35,
    title: "Return of Improper Debit Entry",
    meaning: "Debits are not allowed for this kind of entry or account, except to reverse a credit.",
    representment: Representment::No,
    direction: UsualDirection::Debits,
    sec_restriction: Some("CIE, and loan accounts"),
    ..REJECT
};

pub(in crate::code) static R36: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R36,
    title: "Return of Improper Credit Entry",
    meaning: "Credits are not allowed for this kind of entry, except to reverse a debit.",
    counts_in_overall_rate: false,
    representment: Representment::No,
    direction: UsualDirection::Credits,
    sec_restriction: Some("ARC, BOC, POP, RCK, TEL, XCK; WEB until 2014"),
    ..REJECT
};
