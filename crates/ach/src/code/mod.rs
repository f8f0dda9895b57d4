//! The closed tables of return reason codes and notification-of-change codes.

#[cfg(test)]
mod code_tests;
mod codes;
mod correction_codes;
mod properties;
mod return_codes;
mod table;
#[cfg(test)]
mod table_tests;

pub use codes::NotInTable;
pub use correction_codes::{CorrectedField, CorrectionCode, CorrectionCodeInfo};
pub use properties::{
    AccountEffect, AccountKind, Anchor, Initiator, RateCategory, RecommendedAction, Representment,
    ReturnStage, TimeFrame, UsualDirection, Validity,
};
pub use return_codes::{ReturnCode, ReturnCodeInfo};
