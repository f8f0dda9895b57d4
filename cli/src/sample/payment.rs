//! The payments of a world.

use ach::calendar::{add_banking_days, is_banking_day};
use chrono::{DateTime, Days, NaiveDate, Utc};

use super::class::{Class, SampleState};
use super::draws::{Draws, Purpose, scrambled};
use super::people::{BankAccount, Merchant, person};

/// A world of payments, none of which is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SampleWorld {
    /// The seed that everything is computed from.
    pub(crate) seed: u64,
    /// How many payments there are.
    pub(crate) payments: u64,
    /// The date in this world.
    pub(crate) today: NaiveDate,
}

/// One payment.
#[derive(Clone)]
pub(crate) struct Payment {
    /// What it is, and its state.
    pub(crate) class: Class,
    /// The gateway's id, `TR…`.
    pub(crate) transfer_id: String,
    /// The id given to the acquirer, `FNX…`.
    pub(crate) trace_id: String,
    /// The acquirer's id, 17 digits: beyond what a float can hold.
    pub(crate) payment_id: String,
    /// The trace number of the ACH entry, 15 digits.
    pub(crate) ach_trace: String,
    /// The individual identification number sent with the entry.
    pub(crate) individual_id: String,
    /// The amount in cents.
    pub(crate) amount_minor: i64,
    /// Who is paid.
    pub(crate) merchant: Merchant,
    /// Who pays, or the merchant's owner for a payout.
    pub(crate) person: String,
    /// Their account.
    pub(crate) account: BankAccount,
    /// When it was created.
    pub(crate) created_on: NaiveDate,
    /// When the original entry settled.
    pub(crate) settled_on: NaiveDate,
}

/// The originating bank of the sample world: routing number without check digit.
pub(super) const ODFI: &str = "23138010";

impl SampleWorld {
    /// The payment with this number.
    pub(crate) fn payment(&self, index: u64) -> Payment {
        let class = Class::of(index);
        let mut draws = Draws::new(self.seed, Purpose::Payment, index);
        let merchant = Merchant::pick(self.seed, &mut draws);
        let (created_on, settled_on) = self.dates(class, &mut draws);
        // A multiplier without a factor of ten gives different payments different ids.
        let number = index
            .wrapping_mul(7_919_000_003)
            .wrapping_add(self.seed % 1_000_003);
        Payment {
            class,
            transfer_id: format!("TR{}", scrambled(self.seed, Purpose::TransferId, index)),
            trace_id: format!("FNX{}", scrambled(self.seed, Purpose::TraceId, index)),
            payment_id: format!("8399{:013}", number % 10_000_000_000_000),
            ach_trace: format!("{ODFI}{:07}", (index + 1) % 10_000_000),
            individual_id: scrambled(self.seed, Purpose::PaymentId, index),
            // From 5.00 to about 500.00, small ones more often.
            amount_minor: i64::try_from(500 + draws.below(220) * draws.below(225)).unwrap_or(500),
            merchant,
            person: person(&mut draws),
            account: BankAccount::draw(&mut draws),
            created_on,
            settled_on,
        }
    }

    /// When a payment was created and when it settled: on banking days that are over. Most settled
    /// one or two banking days ago, so that most returns are in time. Of those that are not pending,
    /// one in eleven is up to two months old.
    fn dates(&self, class: Class, draws: &mut Draws) -> (NaiveDate, NaiveDate) {
        let last = banking_day_until(self.today);
        let settled = match class.state {
            SampleState::Pending => banking_days_before(last, 1 + draws.below(3) % 2),
            SampleState::Succeeded | SampleState::Failed => match draws.below(55) {
                of_late @ ..50 => banking_days_before(last, 1 + of_late % 2),
                // At the ends of the calendar the day itself does: no such date is ever asked for.
                older => {
                    banking_day_until(last.checked_sub_days(Days::new(2 + older)).unwrap_or(last))
                }
            },
        };
        (banking_days_before(settled, 1), settled)
    }

    /// When the bank dates the return of `payment`: two banking days after it settled, or on the
    /// last banking day if that is still to come.
    pub(super) fn returned_on(&self, payment: &Payment) -> NaiveDate {
        let last = banking_day_until(self.today);
        add_banking_days(payment.settled_on, 2).map_or(last, |day| day.min(last))
    }
}

/// The date on the US East Coast, where the ACH operators are.
pub(crate) fn us_eastern_date(now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&chrono_tz::America::New_York)
        .date_naive()
}

/// The last banking day that is not later than `day`.
pub(crate) fn banking_day_until(day: NaiveDate) -> NaiveDate {
    let mut days = std::iter::successors(Some(day), NaiveDate::pred_opt);
    days.find(|day| is_banking_day(*day)).unwrap_or(day)
}

/// The `count`-th banking day before `day`.
fn banking_days_before(day: NaiveDate, count: u64) -> NaiveDate {
    let day_before = |day: NaiveDate| day.pred_opt().map_or(day, banking_day_until);
    (0..count).fold(day, |day, _| day_before(day))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn payments_have_ids_of_their_own_and_depend_on_the_seed() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        let world = SampleWorld {
            seed: 1,
            payments: 5_000,
            today,
        };
        let mut ids = HashSet::new();
        for index in 0..world.payments {
            let payment = world.payment(index);
            assert!(ids.insert(payment.transfer_id));
            assert!(ids.insert(payment.trace_id));
            assert!(ids.insert(payment.payment_id.clone()));
            assert!(ids.insert(payment.ach_trace));
            assert_eq!(payment.payment_id.len(), 17);
            assert!(payment.amount_minor >= 500);
        }
        let other = SampleWorld { seed: 2, ..world };
        assert_ne!(world.payment(7).transfer_id, other.payment(7).transfer_id);
    }

    #[test]
    fn every_date_is_one_that_a_banker_believes_on_whatever_day_it_is() {
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        // A year has every weekday, and every holiday of the Federal Reserve.
        for today in first.iter_days().take(365) {
            let world = SampleWorld {
                seed: 3,
                payments: 100,
                today,
            };
            for payment in (0..100).map(|index| world.payment(index)) {
                let returned_on = world.returned_on(&payment);
                let dates = [payment.created_on, payment.settled_on, returned_on];
                assert!(
                    dates.iter().all(|day| is_banking_day(*day)),
                    "{today}: {dates:?}"
                );
                assert!(dates.is_sorted(), "{today}: {dates:?}");
                assert!(
                    payment.created_on < payment.settled_on,
                    "{today}: {dates:?}"
                );
                assert!(
                    payment.settled_on < returned_on && returned_on <= today,
                    "{today}: {dates:?}"
                );
            }
        }
    }

    #[test]
    fn the_date_is_that_of_the_east_coast() {
        let at = |text: &str| us_eastern_date(text.parse().unwrap()).to_string();
        assert_eq!(at("2026-11-30T04:59:00Z"), "2026-11-29");
        assert_eq!(at("2026-11-30T05:00:00Z"), "2026-11-30");
    }
}
