//! The last days of the exchange between the two banks: for a return, a dishonor, a
//! contest, and for presenting a debit again.
//!
//! Source: Nacha Operating Rules 2013, Appendix 4 and §2.12, as amended. All days are
//! banking days of the ACH operator ([`crate::calendar`]), which since 2026-01-01 is what
//! the rules themselves mean: <https://www.nacha.org/rules/minor-topics-rule-changes>.
//!
//! A settlement date that is not a banking day is used as it is; counting starts after it.

use chrono::{Days, NaiveDate};
use serde::Serialize;

use crate::calendar::{add_banking_days, next_banking_day_after};
use crate::code::{Anchor, Representment, ReturnCode, ReturnCodeInfo, TimeFrame};

/// By when something must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Deadline {
    /// The banking day at whose opening of business it must be available.
    pub available_by: NaiveDate,
}

impl Deadline {
    /// Whether an entry that settled on this date came too late. An entry that settles on the
    /// last day itself is in time. A late return stands: the originating bank may accept it, or
    /// dishonor it as R68.
    pub fn is_past(self, settlement_date: NaiveDate) -> bool {
        settlement_date > self.available_by
    }
}

/// When a return with this code must be available to the originating bank, from the
/// settlement date of the original entry.
///
/// `code` is its row as of the day on which the return settled. `None` for codes without such a number of days (the
/// operator's next file, by agreement, sanctions, enrollments), for R23, which is counted from
/// the refusal ([`refused_credit_deadline`]), and for dishonors and contests.
pub fn return_deadline(code: &ReturnCodeInfo, original_settlement: NaiveDate) -> Option<Deadline> {
    let anchor = Anchor::OriginalSettlement;
    let available_by = last_day(code.time_frame, anchor, original_settlement)?;
    Some(Deadline { available_by })
}

/// When the return of a refused credit (R23) must be available, from the day on which the
/// receiving bank heard of the refusal. No file has that day.
pub fn refused_credit_deadline(refusal_received: NaiveDate) -> Option<Deadline> {
    let time_frame = ReturnCode::R23.info().time_frame;
    let available_by = last_day(time_frame, Anchor::RefusalReceived, refusal_received)?;
    Some(Deadline { available_by })
}

/// The last day on which our bank may send a dishonored return to its operator: five
/// banking days after the return settled, whichever of R61 to R70 it is.
pub fn last_dishonor_day(return_settlement: NaiveDate) -> Option<NaiveDate> {
    let time_frame = ReturnCode::R61.info().time_frame;
    last_day(time_frame, Anchor::ReturnSettlement, return_settlement)
}

/// The last day on which the returning bank may send a contest or a corrected return to
/// its operator: two banking days after the dishonored return settled, whichever of R71 to
/// R77 it is.
pub fn last_contest_day(dishonor_settlement: NaiveDate) -> Option<NaiveDate> {
    let time_frame = ReturnCode::R71.info().time_frame;
    last_day(time_frame, Anchor::DishonorSettlement, dishonor_settlement)
}

/// How long after the original's settlement an entry may be reinitiated, where it may at all (Nacha
/// Operating Rules 2013, §2.12.4).
const REINITIATION_DAYS: u16 = 180;

/// The last calendar day on which the returned debit may be presented again (180 days after the
/// original settled: as it is, with new consent, or after a remedy) or its corrected entry sent (R11:
/// 60 days after the return settled). `None` for a code after which it may not be.
pub fn last_representment_day(
    code: &ReturnCodeInfo,
    original_settlement: NaiveDate,
    return_settlement: NaiveDate,
) -> Option<NaiveDate> {
    let (from, within_days) = match code.representment {
        Representment::Allowed { within_days, .. } => (original_settlement, within_days),
        Representment::WithNewConsent | Representment::AfterRemedy => {
            (original_settlement, REINITIATION_DAYS)
        }
        Representment::NewEntryCorrected { within_days } => (return_settlement, within_days),
        Representment::No | Representment::NotApplicable => return None,
    };
    from.checked_add_days(Days::new(u64::from(within_days)))
}

/// The last day of a time frame, given the day of one anchor. `None` where the frame is
/// counted from another anchor or names no number of days, and at the end of the calendar.
fn last_day(time_frame: TimeFrame, anchor: Anchor, day: NaiveDate) -> Option<NaiveDate> {
    match time_frame {
        TimeFrame::BankingDays { days, after } if after == anchor => add_banking_days(day, days),
        // The sixtieth day itself does not count: the deadline is the banking day after it.
        TimeFrame::CalendarDays { days } if anchor == Anchor::OriginalSettlement => day
            .checked_add_days(Days::new(u64::from(days)))
            .and_then(next_banking_day_after),
        TimeFrame::BankingDays { .. }
        | TimeFrame::CalendarDays { .. }
        | TimeFrame::NextFile
        | TimeFrame::Undefined
        | TimeFrame::Special
        | TimeFrame::NotApplicable => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::{banking_days_between, is_banking_day};
    use crate::code::ReturnStage;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("test date")
    }

    fn due(code: ReturnCode, original_settlement: &str) -> String {
        let deadline = return_deadline(code.info(), date(original_settlement));
        deadline.expect("a deadline").available_by.to_string()
    }

    #[test]
    fn sixty_days_are_counted_from_the_original_settlement_and_from_nothing_else() {
        let (frame, day) = (TimeFrame::CalendarDays { days: 60 }, date("2026-07-02"));
        let from = |anchor| last_day(frame, anchor, day);
        assert!(from(Anchor::OriginalSettlement).is_some());
        assert_eq!(from(Anchor::ReturnSettlement), None);
    }

    #[test]
    fn a_saturday_holiday_does_not_move_the_two_day_deadline() {
        assert_eq!(due(ReturnCode::R01, "2026-07-02"), "2026-07-06");
    }

    #[test]
    fn a_monday_closed_for_a_sunday_holiday_moves_the_two_day_deadline() {
        assert_eq!(due(ReturnCode::R01, "2027-07-02"), "2027-07-07");
    }

    #[test]
    fn an_extended_return_has_until_the_banking_day_after_the_sixtieth_day() {
        assert_eq!(due(ReturnCode::R10, "2026-03-02"), "2026-05-04");
        assert_eq!(due(ReturnCode::R11, "2026-03-02"), "2026-05-04");
    }

    #[test]
    fn an_extended_return_steps_over_a_holiday_after_the_sixtieth_day() {
        // The sixtieth day is Sunday 2026-05-24, and the Monday is Memorial Day.
        assert_eq!(due(ReturnCode::R07, "2026-03-25"), "2026-05-26");
        // The sixtieth day is Wednesday 2026-11-25, and the Thursday is Thanksgiving.
        assert_eq!(due(ReturnCode::R05, "2026-09-26"), "2026-11-27");
    }

    #[test]
    fn a_deadline_crosses_the_end_of_the_year_and_its_holidays() {
        assert_eq!(due(ReturnCode::R02, "2026-12-30"), "2027-01-04");
        assert_eq!(due(ReturnCode::R02, "2026-12-23"), "2026-12-28");
        // 1 January 2028 is a Saturday and closes nothing.
        assert_eq!(due(ReturnCode::R02, "2027-12-30"), "2028-01-03");
    }

    #[test]
    fn a_return_that_settles_on_the_last_day_is_in_time() {
        let deadline =
            return_deadline(ReturnCode::R01.info(), date("2027-07-02")).expect("a deadline");
        assert!(!deadline.is_past(date("2027-07-06")));
        assert!(!deadline.is_past(date("2027-07-07")));
        assert!(deadline.is_past(date("2027-07-08")));
    }

    #[test]
    fn a_return_that_settles_before_its_original_is_in_time() {
        let deadline =
            return_deadline(ReturnCode::R01.info(), date("2026-07-02")).expect("a deadline");
        assert!(!deadline.is_past(date("2026-07-01")));
    }

    #[test]
    fn an_unauthorized_business_debit_has_two_days_and_a_consumer_one_sixty() {
        assert_eq!(due(ReturnCode::R29, "2026-03-02"), "2026-03-04");
        assert_eq!(due(ReturnCode::R05, "2026-03-02"), "2026-05-04");
    }

    #[test]
    fn the_time_frame_is_that_of_the_rules_when_the_return_settled() {
        let due = |settled: &str| {
            let info = ReturnCode::R11.as_of(date(settled));
            let deadline = return_deadline(info, date("2020-03-27"));
            deadline.expect("a deadline").available_by.to_string()
        };
        // Two banking days while R11 was check truncation, sixty days since.
        assert_eq!(due("2020-03-31"), "2020-03-31");
        assert_eq!(due("2020-04-01"), "2020-05-27");
    }

    #[test]
    fn codes_without_a_number_of_days_after_the_original_have_no_deadline() {
        let none = [
            "R06", "R13", "R18", "R19", "R23", "R25", "R26", "R27", "R28", "R30", "R31", "R32",
            "R34", "R35", "R36", "R40", "R41", "R42", "R43", "R44", "R45", "R46", "R47", "R90",
        ];
        for code in ReturnCode::ALL {
            let expected =
                none.contains(&code.as_str()) || code.info().stage != ReturnStage::Return;
            let deadline = return_deadline(code.info(), date("2026-03-02"));
            assert_eq!(deadline.is_none(), expected, "{code}");
        }
    }

    #[test]
    fn a_refused_credit_is_counted_from_the_refusal() {
        let deadline = refused_credit_deadline(date("2027-07-02")).expect("a deadline");
        assert_eq!(deadline.available_by, date("2027-07-07"));
    }

    #[test]
    fn a_dishonor_has_five_banking_days_after_the_return() {
        assert_eq!(
            last_dishonor_day(date("2026-03-02")),
            Some(date("2026-03-09"))
        );
        // Thanksgiving and a weekend lie between.
        assert_eq!(
            last_dishonor_day(date("2026-11-20")),
            Some(date("2026-11-30"))
        );
    }

    #[test]
    fn a_contest_has_two_banking_days_after_the_dishonor() {
        assert_eq!(
            last_contest_day(date("2026-03-02")),
            Some(date("2026-03-04"))
        );
        assert_eq!(
            last_contest_day(date("2027-07-02")),
            Some(date("2027-07-07"))
        );
    }

    #[test]
    fn all_dishonors_share_one_time_frame_and_so_do_all_contests() {
        for code in ReturnCode::ALL {
            let shared = match code.info().stage {
                ReturnStage::Return => continue,
                ReturnStage::Dishonored => ReturnCode::R61,
                ReturnStage::Contested => ReturnCode::R71,
            };
            assert_eq!(code.info().time_frame, shared.info().time_frame, "{code}");
        }
    }

    #[test]
    fn unpaid_debits_may_be_presented_for_180_days_after_the_original() {
        for code in [ReturnCode::R01, ReturnCode::R09] {
            let last = last_representment_day(code.info(), date("2026-03-02"), date("2026-03-04"));
            assert_eq!(last, Some(date("2026-08-29")));
        }
    }

    #[test]
    fn a_corrected_entry_may_be_sent_for_60_days_after_the_return() {
        let last = last_representment_day(
            ReturnCode::R11.info(),
            date("2026-03-02"),
            date("2026-04-15"),
        );
        assert_eq!(last, Some(date("2026-06-14")));
    }

    #[test]
    fn every_reinitiation_that_is_allowed_has_the_same_180_days() {
        for code in ReturnCode::ALL {
            let last = last_representment_day(code.info(), date("2026-03-02"), date("2026-03-04"));
            let expected = match code.info().representment {
                Representment::Allowed { .. }
                | Representment::WithNewConsent
                | Representment::AfterRemedy => Some(date("2026-08-29")),
                Representment::NewEntryCorrected { .. } => Some(date("2026-05-03")),
                Representment::No | Representment::NotApplicable => None,
            };
            assert_eq!(last, expected, "{code}");
        }
    }

    #[test]
    fn the_end_of_the_calendar_gives_no_deadline_instead_of_a_panic() {
        let end = NaiveDate::MAX;
        for code in ReturnCode::ALL {
            assert_eq!(return_deadline(code.info(), end), None);
            assert_eq!(last_representment_day(code.info(), end, end), None);
        }
        assert_eq!(refused_credit_deadline(end), None);
        assert_eq!(last_dishonor_day(end), None);
        assert_eq!(last_contest_day(end), None);
    }

    proptest! {
        #[test]
        fn a_deadline_is_a_banking_day_at_the_counted_distance(
            // 1978-01-01 to the year 2300.
            settled in 722_085..839_800_i32,
            index in 0..ReturnCode::ALL.len(),
        ) {
            let settled = NaiveDate::from_num_days_from_ce_opt(settled).expect("in range");
            let code = ReturnCode::ALL[index];
            if let Some(Deadline { available_by }) = return_deadline(code.info(), settled) {
                prop_assert!(is_banking_day(available_by));
                let elapsed = (available_by - settled).num_days();
                if code.info().time_frame == (TimeFrame::CalendarDays { days: 60 }) {
                    prop_assert!((61..=65).contains(&elapsed), "{} days", elapsed);
                } else {
                    prop_assert_eq!(banking_days_between(settled, available_by), 2);
                }
            }
        }
    }
}
