//! Contested dishonored returns: the returning bank insists, or corrects its return. Our
//! bank must accept that; a further dispute is settled outside the network.
//! Source: Nacha Operating Rules 2013, Appendix 4.

use super::RETURN;
use super::dishonors::R62_SINCE;
use crate::code::codes::rows;
use crate::code::properties::{
    Anchor, RateCategory, RecommendedAction, Representment, ReturnStage, TimeFrame, Validity,
};
use crate::code::return_codes::{ReturnCode, ReturnCodeInfo};

/// The usual contest.
const CONTEST: ReturnCodeInfo = ReturnCodeInfo {
    stage: ReturnStage::Contested,
    time_frame: TimeFrame::BankingDays {
        days: 2,
        after: Anchor::DishonorSettlement,
    },
    rate_category: RateCategory::None,
    counts_in_overall_rate: false,
    representment: Representment::NotApplicable,
    recommended_action: RecommendedAction::ReapplyReturn,
    sec_restriction: Some("not IAT"),
    ..RETURN
};

rows! { ReturnCode ReturnCodeInfo:
    R71: CONTEST {
        title: "Misrouted Dishonored Return",
        meaning: "The dishonored return was addressed to the wrong bank.",
    }
    R72: CONTEST {
        title: "Untimely Dishonored Return",
        meaning: "The dishonored return came after its deadline.",
    }
    R73: CONTEST {
        title: "Timely Original Return",
        meaning: "The bank certifies that its return was in time, and gives the day it was sent.",
    }
    R74: CONTEST {
        title: "Corrected Return",
        meaning: "The bank sends its return again with the fields corrected that R69 named.",
    }
    R75: CONTEST {
        title: "Return Not a Duplicate",
        meaning: "The bank says, against R67, that it returned two different entries.",
    }
    R76: CONTEST {
        title: "No Errors Found",
        meaning: "The bank finds no error in the fields that R69 named.",
    }
    R77: CONTEST {
        title: "Non-Acceptance of R62 Dishonored Return",
        meaning: "Against R62: both entries were returned, or the receiver's money cannot be recovered.",
        validity: Validity::From(R62_SINCE),
    }
}
