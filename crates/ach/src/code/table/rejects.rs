//! Returns by the ACH operator, which refuses an entry when it processes the file.
//! Source: Nacha Operating Rules 2013, Appendix 4.

use super::RETURN;
use crate::code::codes::rows;
use crate::code::properties::{
    AccountEffect, Initiator, RecommendedAction, Representment, TimeFrame, UsualDirection,
};
use crate::code::return_codes::{ReturnCode, ReturnCodeInfo};

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

rows! { ReturnCode ReturnCodeInfo:
    R13: BAD_ROUTING {
        title: "Invalid ACH Routing Number",
        meaning: "No bank takes ACH entries under this routing number.",
    }
    R18: REJECT {
        title: "Improper Effective Entry Date",
        meaning: "The entry was dated further ahead than the operator accepts.",
    }
    R19: REJECT {
        title: "Amount Field Error",
        meaning: "The amount is not a number, is zero or not zero where it must not be, or is above the limit for a converted check.",
    }
    R25: REJECT {
        title: "Addenda Error",
        meaning: "The addenda records do not fit their entry, in kind, order or number.",
    }
    R26: REJECT {
        title: "Mandatory Field Error",
        meaning: "A field that must be filled is empty or wrong.",
    }
    R27: REJECT {
        title: "Trace Number Error",
        meaning: "A return or correction lacks the trace number of its original, or an addenda record has a different one from its entry.",
    }
    R28: BAD_ROUTING {
        title: "Routing Number Check Digit Error",
        meaning: "The last digit of the routing number does not fit the others, so a digit is mistyped.",
    }
    R30: REJECT {
        title: "RDFI Not Participant in Check Truncation Program",
        meaning: "The customer's bank takes no entries that stand for truncated checks.",
        representment: Representment::No,
        direction: UsualDirection::Debits,
        sec_restriction: Some("TRC, TRX"),
    }
    R32: REJECT {
        title: "RDFI Non-Settlement",
        meaning: "The customer's bank was not able to settle.",
        recommended_action: RecommendedAction::RetryLaterBank,
    }
    R34: REJECT {
        title: "Limited Participation DFI",
        meaning: "A supervisor has restricted what the customer's bank may take part in.",
        recommended_action: RecommendedAction::FixAccountData,
        account_effect: AccountEffect::Hold,
    }
    R35: REJECT {
        title: "Return of Improper Debit Entry",
        meaning: "Debits are not allowed for this kind of entry or account, except to reverse a credit.",
        representment: Representment::No,
        direction: UsualDirection::Debits,
        sec_restriction: Some("CIE, and loan accounts"),
    }
    R36: REJECT {
        title: "Return of Improper Credit Entry",
        meaning: "Credits are not allowed for this kind of entry, except to reverse a debit.",
        counts_in_overall_rate: false,
        representment: Representment::No,
        direction: UsualDirection::Credits,
        sec_restriction: Some("ARC, BOC, POP, RCK, TEL, XCK; WEB until 2014"),
    }
}
