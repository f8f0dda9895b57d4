//! Returns that only special entries meet: federal enrollments (ENR) and international
//! entries (IAT). Source: Nacha Operating Rules 2013, Appendix 4.

use super::RETURN;
use crate::code::codes::rows;
use crate::code::properties::{
    AccountKind, Initiator, RateCategory, RecommendedAction, Representment, TimeFrame,
};
use crate::code::return_codes::{ReturnCode, ReturnCodeInfo};

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

rows! { ReturnCode ReturnCodeInfo:
    R40: ENROLLMENT {
        title: "Return of ENR Entry by Federal Government Agency",
        meaning: "The agency sends the enrollment back, for a reason of its own.",
    }
    R41: ENROLLMENT {
        title: "Invalid Transaction Code (ENR only)",
        meaning: "The enrollment asks for a kind of payment that is wrong or not offered.",
    }
    R42: ENROLLMENT {
        title: "Routing Number/Check Digit Error (ENR only)",
        meaning: "The enrollment's routing number is wrong.",
    }
    R43: ENROLLMENT {
        title: "Invalid DFI Account Number (ENR only)",
        meaning: "The enrollment's account number is wrong.",
    }
    R44: ENROLLMENT {
        title: "Invalid Individual ID Number/Identification Number (ENR only)",
        meaning: "The agency knows nobody under the enrollment's identification number.",
    }
    R45: ENROLLMENT {
        title: "Invalid Individual Name/Company Name (ENR only)",
        meaning: "The enrollment's name is not the one the agency has on file.",
    }
    R46: ENROLLMENT {
        title: "Invalid Representative Payee Indicator (ENR only)",
        meaning: "The enrollment does not say, or says wrongly, whether another person manages the account.",
    }
    R47: ENROLLMENT {
        title: "Duplicate Enrollment (ENR only)",
        meaning: "The agency already has this enrollment.",
    }
    R80: INTERNATIONAL {
        title: "IAT Entry Coding Error",
        meaning: "A code for country, currency, bank or exchange is wrong in the international entry.",
    }
    R81: INTERNATIONAL {
        title: "Non-Participant in IAT Program",
        meaning: "The gateway has no contract with our bank for international entries.",
    }
    R82: INTERNATIONAL {
        title: "Invalid Foreign Receiving DFI Identification",
        meaning: "The bank abroad cannot be found by the id given for it.",
    }
    R83: INTERNATIONAL {
        title: "Foreign Receiving DFI Unable to Settle",
        meaning: "The payment could not be settled abroad.",
    }
    R84: INTERNATIONAL {
        title: "Entry Not Processed by Gateway",
        meaning: "The gateway refuses the entry because of its risk or of what it asks.",
    }
    R85: RETURN {
        title: "Incorrectly Coded Outbound International Payment",
        meaning: "The payment goes abroad and was sent as a domestic one; it must be an IAT entry.",
        initiated_by: Initiator::RdfiOrGateway,
        recommended_action: RecommendedAction::FixFileData,
        sec_restriction: Some("not IAT"),
    }
}
