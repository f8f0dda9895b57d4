//! Dishonored returns: the originating bank sends a return back.
//! Source: Nacha Operating Rules 2013, Appendix 4.

use chrono::NaiveDate;

use super::RETURN;
use crate::code::codes::rows;
use crate::code::properties::{
    Anchor, Initiator, RateCategory, RecommendedAction, Representment, ReturnStage, TimeFrame,
    Validity, day,
};
use crate::code::return_codes::{ReturnCode, ReturnCodeInfo};

/// When R69, with its list of wrong fields, took the place of four codes.
/// <http://www.sfe.org/ops-092906.shtml>
const R69_TOOK_OVER: NaiveDate = day(2006, 9, 15);

/// When R62 and the code to contest it, R77, came into force.
/// <https://pbandt.bank/ach-rules/dishonored-returns-and-contested-dishonored-returns-related-to-an-unintended-credit-to-a-receiver/>
pub(super) const R62_SINCE: NaiveDate = day(2015, 3, 20);

/// The usual dishonor.
const DISHONOR: ReturnCodeInfo = ReturnCodeInfo {
    stage: ReturnStage::Dishonored,
    initiated_by: Initiator::Odfi,
    time_frame: TimeFrame::BankingDays {
        days: 5,
        after: Anchor::ReturnSettlement,
    },
    rate_category: RateCategory::None,
    counts_in_overall_rate: false,
    representment: Representment::NotApplicable,
    recommended_action: RecommendedAction::RestoreOriginal,
    sec_restriction: Some("not IAT"),
    ..RETURN
};

/// A dishonor for one wrong field, as it was before R69.
const BEFORE_R69: ReturnCodeInfo = ReturnCodeInfo {
    recommended_action: RecommendedAction::TreatAsR69,
    validity: Validity::Until(R69_TOOK_OVER),
    ..DISHONOR
};

rows! { ReturnCode ReturnCodeInfo:
    R61: DISHONOR {
        title: "Misrouted Return",
        meaning: "The return was addressed to the wrong bank.",
    }
    R62: DISHONOR {
        title: "Return of Erroneous or Reversing Debit",
        meaning: "An entry was reversed and one of the two was returned, which left money with the receiver that is not theirs.",
        validity: Validity::From(R62_SINCE),
    }
    R63: BEFORE_R69 {
        title: "Incorrect Dollar Amount",
        meaning: "The return has a different amount from the original; today R69 with field 03.",
    }
    R64: BEFORE_R69 {
        title: "Incorrect Individual Identification",
        meaning: "The return has a different individual id from the original; today R69 with field 04.",
    }
    R65: BEFORE_R69 {
        title: "Incorrect Transaction Code",
        meaning: "The return's transaction code does not fit the original; today R69 with field 05.",
    }
    R66: BEFORE_R69 {
        title: "Incorrect Company Identification",
        meaning: "The return has a different company id from the original; today R69 with field 06.",
    }
    R67: DISHONOR {
        title: "Duplicate Return",
        meaning: "The same entry was returned more than once.",
    }
    R68: DISHONOR {
        title: "Untimely Return",
        meaning: "The return came after its deadline.",
    }
    R69: DISHONOR {
        title: "Field Error(s)",
        meaning: "Fields of the return are wrong; the addenda list which, as numbers from 01 to 07.",
    }
    R70: DISHONOR {
        title: "Permissible Return Entry Not Accepted/Return Not Requested by ODFI",
        meaning: "The return claims that our bank agreed to it (R31) or asked for it (R06), and it did not.",
    }
}
