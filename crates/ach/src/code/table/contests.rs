//! Contested dishonored returns: the returning bank insists, or corrects its return. Our
//! bank must accept that; a further dispute is settled outside the network.
//! Source: Nacha Operating Rules 2013, Appendix 4.

use super::RETURN;
use super::dishonors::R62_SINCE;
use crate::code::ReturnCode;
use crate::code::properties::{
    Anchor, RateCategory, RecommendedAction, Representment, ReturnStage, TimeFrame, Validity,
};
use crate::code::return_codes::ReturnCodeInfo;

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

pub(in crate::code) static R71: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R71,
    title: "Misrouted Dishonored Return",
    meaning: "The dishonored return was addressed to the wrong bank.",
    ..CONTEST
};

pub(in crate::code) static R72: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R72,
    title: "Untimely Dishonored Return",
    meaning: "The dishonored return came after its deadline.",
    ..CONTEST
};

pub(in crate::code) static R73: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R73,
    title: "Timely Original Return",
    meaning: "The bank certifies that its return was in time, and gives the day it was sent.",
    ..CONTEST
};

pub(in crate::code) static R74: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R74,
    title: "Corrected Return",
    meaning: "The bank sends its return again with the fields put right that R69 had named.",
    ..CONTEST
};

pub(in crate::code) static R75: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R75,
    title: "Return Not a Duplicate",
    meaning: "The bank says, against R67, that it returned two different entries.",
    ..CONTEST
};

pub(in crate::code) static R76: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R76,
    title: "No Errors Found",
    meaning: "The bank finds its return right in the fields that R69 had named.",
    ..CONTEST
};

pub(in crate::code) static R77: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R77,
    title: "Non-Acceptance of R62 Dishonored Return",
    meaning: "Against R62: both entries were returned, or the receiver's money cannot be had back.",
    validity: Validity::From(R62_SINCE),
    ..CONTEST
};
