//! The payments of a world.

use ach::calendar::{add_banking_days, next_banking_day_after};
use chrono::{Days, NaiveDate};

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

    /// Most payments are a few days old, so that most returns are in time. Of those that are not
    /// pending, one in eleven is up to two months old.
    fn dates(&self, class: Class, draws: &mut Draws) -> (NaiveDate, NaiveDate) {
        let age = match class.state {
            SampleState::Pending => draws.below(3),
            SampleState::Succeeded | SampleState::Failed => match draws.below(55) {
                of_late @ ..50 => 1 + of_late % 2,
                older => 2 + older,
            },
        };
        // At the ends of the calendar the day itself does: no such date is ever asked for.
        let created = self
            .today
            .checked_sub_days(Days::new(age))
            .unwrap_or(self.today);
        let settled = next_banking_day_after(created).unwrap_or(created);
        (created, settled)
    }

    /// When the bank dates the return of `payment`: two banking days after it settled, or today
    /// if that is still to come.
    pub(super) fn returned_on(&self, payment: &Payment) -> NaiveDate {
        add_banking_days(payment.settled_on, 2).map_or(self.today, |day| day.min(self.today))
    }
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
}
