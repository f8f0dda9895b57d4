//! The table of return codes, a file to each family. A row is written as what sets it
//! apart from the usual row of its family.

pub(super) mod contests;
pub(super) mod dishonors;
pub(super) mod rejects;
pub(super) mod returns;
pub(super) mod source_documents;
pub(super) mod special_entries;

use super::properties::{
    AccountEffect, AccountKind, Anchor, Initiator, RateCategory, RecommendedAction, Representment,
    ReturnStage, TimeFrame, UsualDirection, Validity,
};
use super::return_codes::{ReturnCode, ReturnCodeInfo};

/// Two banking days after the settlement of the original entry.
const TWO_BANKING_DAYS: TimeFrame = TimeFrame::BankingDays {
    days: 2,
    after: Anchor::OriginalSettlement,
};

/// The sixty days of an extended return.
const SIXTY_DAYS: TimeFrame = TimeFrame::CalendarDays { days: 60 };

/// The usual return: by the receiving bank, in two banking days, for any entry.
const RETURN: ReturnCodeInfo = ReturnCodeInfo {
    code: ReturnCode::R01,
    title: "",
    meaning: "",
    stage: ReturnStage::Return,
    initiated_by: Initiator::Rdfi,
    time_frame: TWO_BANKING_DAYS,
    rate_category: RateCategory::Other,
    counts_in_overall_rate: true,
    representment: Representment::AfterRemedy,
    recommended_action: RecommendedAction::FixAccountData,
    account_effect: AccountEffect::None,
    direction: UsualDirection::Any,
    sec_restriction: None,
    account_kind: AccountKind::Any,
    written_statement: false,
    validity: Validity::Always,
    meaning_since: None,
};
