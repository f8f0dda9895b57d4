//! What is known of each return code, and how that changed over the years.

use chrono::NaiveDate;
use serde::Serialize;

use super::codes::{NotInTable, codes};
use super::properties::{
    AccountEffect, AccountKind, Initiator, RateCategory, RecommendedAction, Representment,
    ReturnStage, TimeFrame, UsualDirection, Validity,
};
use super::table::{contests, dishonors, rejects, returns, source_documents, special_entries};
use crate::entry::Direction;

codes! {
    /// A return reason code: returns, dishonored returns and contested returns.
    ReturnCode:
    R01 R02 R03 R04 R05 R06 R07 R08 R09 R10 R11 R12 R13 R14 R15 R16 R17 R18 R19 R20 R21 R22 R23
    R24 R25 R26 R27 R28 R29 R30 R31 R32 R33 R34 R35 R36 R37 R38 R39 R40 R41 R42 R43 R44 R45 R46
    R47 R50 R51 R52 R53 R61 R62 R63 R64 R65 R66 R67 R68 R69 R70 R71 R72 R73 R74 R75 R76 R77 R80
    R81 R82 R83 R84 R85 R90
}

/// One row of the table of return codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReturnCodeInfo {
    /// The code.
    pub code: ReturnCode,
    /// The official title.
    pub title: &'static str,
    /// What it means, for a reader who does not know ACH.
    pub meaning: &'static str,
    /// Return, dishonor or contest.
    pub stage: ReturnStage,
    /// Who may send it.
    pub initiated_by: Initiator,
    /// How long the sender has.
    pub time_frame: TimeFrame,
    /// The return rate it is counted in.
    pub rate_category: RateCategory,
    /// Whether it is counted in the overall return rate. That rate has returned debits
    /// only and no RCK entries, so the caller leaves out returned credits with any code.
    pub counts_in_overall_rate: bool,
    /// Whether and how the debit may be presented again.
    pub representment: Representment,
    /// What to do next.
    pub recommended_action: RecommendedAction,
    /// What should happen to the bank account.
    pub account_effect: AccountEffect,
    /// The originals it is usual for.
    pub direction: UsualDirection,
    /// The standard entry class codes it is used with, or not used with. `None`: any.
    pub sec_restriction: Option<&'static str>,
    /// The receivers' accounts it may be used for.
    pub account_kind: AccountKind,
    /// Whether the receiving bank must hold a Written Statement of Unauthorized Debit.
    pub written_statement: bool,
    /// When it is in force.
    pub validity: Validity,
    /// Since when it has this meaning, where it had another one before.
    pub meaning_since: Option<NaiveDate>,
}

impl ReturnCodeInfo {
    /// Whether an original of this direction would not be expected to come back with the
    /// code. An unknown direction is never unusual.
    pub(crate) const fn is_unusual_for(&self, direction: Direction) -> bool {
        match (self.direction, direction) {
            (UsualDirection::Debits, Direction::Credit)
            | (UsualDirection::Credits, Direction::Debit) => true,
            (UsualDirection::Debits, Direction::Debit | Direction::Unknown)
            | (UsualDirection::Credits, Direction::Credit | Direction::Unknown)
            | (UsualDirection::Any, _) => false,
        }
    }
}

impl ReturnCode {
    /// The code's row, with its present meaning. For dates in the past use [`Self::as_of`].
    pub fn info(self) -> &'static ReturnCodeInfo {
        // One arm a code, so that the compiler proves the table complete.
        macro_rules! row_of_each {
            ($($table:ident: $($code:ident)+;)+) => {
                match self { $($(Self::$code => &$table::$code,)+)+ }
            };
        }
        row_of_each! {
            returns: R01 R02 R03 R04 R05 R06 R07 R08 R09 R10 R11 R12 R14 R15 R16 R17 R20 R21 R22
                R23 R24 R29 R31 R90;
            rejects: R13 R18 R19 R25 R26 R27 R28 R30 R32 R34 R35 R36;
            source_documents: R33 R37 R38 R39 R50 R51 R52 R53;
            special_entries: R40 R41 R42 R43 R44 R45 R46 R47 R80 R81 R82 R83 R84 R85;
            dishonors: R61 R62 R63 R64 R65 R66 R67 R68 R69 R70;
            contests: R71 R72 R73 R74 R75 R76 R77;
        }
    }

    /// The code's row with the meaning it has on a date: for rates, the settlement date of
    /// the return. R11 meant something else, and counted as `other`, before 1 April 2020;
    /// R16 hands sanctions over to R90 on 17 March 2028.
    pub fn as_of(self, date: NaiveDate) -> &'static ReturnCodeInfo {
        match self {
            Self::R11 if date < returns::R11_SINCE => &returns::R11_OLD,
            Self::R16 if date >= returns::R90_SINCE => &returns::R16_AFTER_R90,
            current => current.info(),
        }
    }

    /// Whether the code may be used on a date, in the meaning that it has then.
    pub(crate) fn in_force_on(self, date: NaiveDate) -> bool {
        self.info().validity.on(date)
    }
}
