//! Returns of debits that stand for a paper check: converted (ARC, BOC, POP), destroyed
//! (XCK) or re-presented (RCK) ones.
//! Source: Nacha Operating Rules 2013, Appendix 4.

use super::{RETURN, SIXTY_DAYS};
use crate::code::codes::rows;
use crate::code::properties::{
    AccountEffect, AccountKind, RateCategory, RecommendedAction, Representment, UsualDirection,
};
use crate::code::return_codes::{ReturnCode, ReturnCodeInfo};

/// The usual return of a check's entry: sixty days, and no second try.
const CHECK: ReturnCodeInfo = ReturnCodeInfo {
    time_frame: SIXTY_DAYS,
    representment: Representment::No,
    recommended_action: RecommendedAction::ReviewWithBank,
    direction: UsualDirection::Debits,
    ..RETURN
};

/// The usual return of a re-presented check, which the overall rate leaves out.
const RCK: ReturnCodeInfo = ReturnCodeInfo {
    counts_in_overall_rate: false,
    sec_restriction: Some("RCK"),
    account_kind: AccountKind::Consumer,
    ..CHECK
};

rows! { ReturnCode ReturnCodeInfo:
    R33: CHECK {
        title: "Return of XCK Entry",
        meaning: "The bank chose to send back an entry made for a destroyed check, which it may without a reason.",
        sec_restriction: Some("XCK"),
    }
    R37: CHECK {
        title: "Source Document Presented for Payment",
        meaning: "The paper check was cashed as well as the debit made from it.",
        sec_restriction: Some("ARC, BOC, POP"),
        written_statement: true,
    }
    R38: CHECK {
        title: "Stop Payment on Source Document",
        meaning: "The customer had stopped the paper check that the debit was made from.",
        recommended_action: RecommendedAction::ContactCustomer,
        account_effect: AccountEffect::Hold,
        sec_restriction: Some("ARC, BOC"),
    }
    R39: CHECK {
        title: "Improper Source Document/Source Document Presented for Payment",
        meaning: "The bank itself found that the check could not be made into a debit, or that both were posted.",
        time_frame: RETURN.time_frame,
        sec_restriction: Some("ARC, BOC, POP"),
    }
    R50: RCK {
        title: "State Law Affecting RCK Acceptance",
        meaning: "The law of the bank's state does not allow a bounced check to be collected electronically.",
        time_frame: RETURN.time_frame,
    }
    R51: RCK {
        title: "Item Related to RCK Entry is Ineligible or RCK Entry is Improper",
        meaning: "The check could not be collected electronically: wrong kind, no notice given, signature or amount not genuine.",
        rate_category: RateCategory::Unauthorized,
        recommended_action: RecommendedAction::StopAndReauthorize,
        account_effect: AccountEffect::Block,
        written_statement: true,
    }
    R52: RCK {
        title: "Stop Payment on Item Related to RCK Entry",
        meaning: "The customer had stopped the check that was being collected electronically.",
        recommended_action: RecommendedAction::ContactCustomer,
        account_effect: AccountEffect::Hold,
    }
    R53: RCK {
        title: "Item and RCK Entry Presented for Payment",
        meaning: "The check was presented on paper as well as electronically.",
        written_statement: true,
    }
}
