//! The mix of kinds and states of payments in a sample world.

/// What a sample payment is, and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// A customer's payment that went through.
    DebitSucceeded,
    /// A customer's payment of the last days.
    DebitPending,
    /// A customer's payment that the acquirer refused.
    DebitFailed,
    /// Money given back to a customer.
    RefundSucceeded,
    /// A merchant's payout that went through.
    PayoutSucceeded,
    /// A merchant's payout of the last days.
    PayoutPending,
    /// A merchant's payout that came back earlier.
    PayoutFailed,
}

/// Payments repeat this mix by the hundred, so that the n-th payment of any choice of
/// classes can be computed without counting.
const MIX: [(Class, u64); 7] = [
    (Class::DebitSucceeded, 64),
    (Class::DebitPending, 23),
    (Class::DebitFailed, 2),
    (Class::RefundSucceeded, 4),
    (Class::PayoutSucceeded, 5),
    (Class::PayoutPending, 1),
    (Class::PayoutFailed, 1),
];

/// The length of the mix.
const CYCLE: u64 = 100;

/// Debits that a bank may still return.
pub(super) const RETURNABLE_DEBITS: &[Class] = &[Class::DebitSucceeded, Class::DebitPending];

/// Payouts that a bank may still return.
pub(super) const RETURNABLE_PAYOUTS: &[Class] = &[Class::PayoutSucceeded, Class::PayoutPending];

impl Class {
    /// The class of the payment with this index.
    #[must_use]
    pub fn of(index: u64) -> Self {
        let mut place = index % CYCLE;
        for (class, share) in MIX {
            if place < share {
                return class;
            }
            place -= share;
        }
        Self::PayoutFailed
    }

    /// `DEBIT`, `REVERSAL` (a refund) or `CREDIT` (a payout).
    #[must_use]
    pub const fn type_text(self) -> &'static str {
        match self {
            Self::DebitSucceeded | Self::DebitPending | Self::DebitFailed => "DEBIT",
            Self::RefundSucceeded => "REVERSAL",
            Self::PayoutSucceeded | Self::PayoutPending | Self::PayoutFailed => "CREDIT",
        }
    }

    /// `API`, or `SETTLEMENT_MERCHANT` for a payout.
    #[must_use]
    pub const fn subtype_text(self) -> &'static str {
        match self {
            Self::DebitSucceeded
            | Self::DebitPending
            | Self::DebitFailed
            | Self::RefundSucceeded => "API",
            Self::PayoutSucceeded | Self::PayoutPending | Self::PayoutFailed => {
                "SETTLEMENT_MERCHANT"
            }
        }
    }

    /// `SUCCEEDED`, `PENDING` or `FAILED`.
    #[must_use]
    pub const fn state_text(self) -> &'static str {
        match self {
            Self::DebitSucceeded | Self::RefundSucceeded | Self::PayoutSucceeded => "SUCCEEDED",
            Self::DebitPending | Self::PayoutPending => "PENDING",
            Self::DebitFailed | Self::PayoutFailed => "FAILED",
        }
    }

    /// Whether money is taken from the account.
    #[must_use]
    pub const fn is_debit(self) -> bool {
        match self {
            Self::DebitSucceeded | Self::DebitPending | Self::DebitFailed => true,
            Self::RefundSucceeded
            | Self::PayoutSucceeded
            | Self::PayoutPending
            | Self::PayoutFailed => false,
        }
    }
}

/// The payments of some classes, numbered on their own.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// Their places in the cycle, ascending.
    places: Vec<u64>,
}

impl Choice {
    pub(super) fn of(classes: &[Class]) -> Self {
        let places = (0..CYCLE).filter(|place| classes.contains(&Class::of(*place)));
        Self {
            places: places.collect(),
        }
    }

    /// How many there are among the first `payments` payments.
    pub(super) fn count(&self, payments: u64) -> u64 {
        let rest = payments % CYCLE;
        let in_rest = self.places.iter().filter(|place| **place < rest).count();
        payments / CYCLE * self.places.len() as u64 + in_rest as u64
    }

    /// The index of the n-th of them, counted from 0.
    pub(super) fn nth(&self, n: u64) -> u64 {
        let len = self.places.len() as u64;
        let (cycle, place) = match (n.checked_div(len), n.checked_rem(len)) {
            (Some(cycle), Some(place)) => (cycle, place),
            (None, _) | (_, None) => return 0,
        };
        let place = usize::try_from(place).unwrap_or(0);
        cycle * CYCLE + self.places[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_fills_its_cycle() {
        assert_eq!(MIX.iter().map(|(_, share)| share).sum::<u64>(), CYCLE);
        assert_eq!(Class::of(0), Class::DebitSucceeded);
        assert_eq!(Class::of(99), Class::PayoutFailed);
        assert_eq!(Class::of(199), Class::PayoutFailed);
    }

    #[test]
    fn the_nth_payment_of_a_choice_is_the_one_that_counting_finds() {
        for classes in [RETURNABLE_DEBITS, RETURNABLE_PAYOUTS] {
            let choice = Choice::of(classes);
            for payments in [0, 1, 50, 93, 100, 250, 1000] {
                let counted: Vec<u64> = (0..payments)
                    .filter(|index| classes.contains(&Class::of(*index)))
                    .collect();
                assert_eq!(choice.count(payments), counted.len() as u64);
                for (n, index) in counted.iter().enumerate() {
                    assert_eq!(choice.nth(n as u64), *index);
                }
            }
        }
    }
}
