//! The mix of kinds and states of payments in a sample world.

/// What a sample payment is, and its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Class {
    pub(super) kind: SampleKind,
    pub(super) state: SampleState,
}

/// What a sample payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum SampleKind {
    /// A customer's payment.
    Debit,
    /// Money given back to a customer.
    Refund,
    /// A merchant's payout.
    Payout,
}

/// The state of a sample payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum SampleState {
    Succeeded,
    /// It is of the last days.
    Pending,
    /// The acquirer refused it, or it came back earlier.
    Failed,
}

use SampleKind::{Debit, Payout, Refund};
use SampleState::{Failed, Pending, Succeeded};

/// Payments repeat this mix by the hundred, so that the n-th payment of any choice of
/// classes can be computed without counting.
const MIX: [(SampleKind, SampleState, u64); 7] = [
    (Debit, Succeeded, 64),
    (Debit, Pending, 23),
    (Debit, Failed, 2),
    (Refund, Succeeded, 4),
    (Payout, Succeeded, 5),
    (Payout, Pending, 1),
    (Payout, Failed, 1),
];

/// The length of the mix.
const CYCLE: u64 = 100;

impl Class {
    /// The class of the payment with this index.
    pub(crate) fn of(index: u64) -> Self {
        let mut place = index % CYCLE;
        let mut mix = MIX.into_iter();
        let found = mix.find(|(_, _, share)| match place.checked_sub(*share) {
            Some(rest) => {
                place = rest;
                false
            }
            None => true,
        });
        // The shares fill the cycle.
        let (kind, state, _) = found.unwrap_or(MIX[6]);
        Self { kind, state }
    }

    /// `DEBIT`, `REVERSAL` (a refund) or `CREDIT` (a payout).
    pub(crate) const fn type_text(self) -> &'static str {
        match self.kind {
            Debit => "DEBIT",
            Refund => "REVERSAL",
            Payout => "CREDIT",
        }
    }

    /// `API`, or `SETTLEMENT_MERCHANT` for a payout.
    pub(crate) const fn subtype_text(self) -> &'static str {
        match self.kind {
            Debit | Refund => "API",
            Payout => "SETTLEMENT_MERCHANT",
        }
    }

    /// `SUCCEEDED`, `PENDING` or `FAILED`.
    pub(crate) const fn state_text(self) -> &'static str {
        match self.state {
            Succeeded => "SUCCEEDED",
            Pending => "PENDING",
            Failed => "FAILED",
        }
    }

    /// Whether a bank may still return it.
    fn is_returnable(self) -> bool {
        self.state != Failed
    }
}

/// The payments of a kind that a bank may still return, numbered on their own.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// Their places in the cycle, ascending.
    places: Vec<u64>,
}

impl Choice {
    pub(super) fn of(kind: SampleKind) -> Self {
        let places = (0..CYCLE).filter(|place| is_chosen(kind, *place));
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

fn is_chosen(kind: SampleKind, index: u64) -> bool {
    let class = Class::of(index);
    class.kind == kind && class.is_returnable()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_fills_its_cycle() {
        assert_eq!(MIX.iter().map(|(_, _, share)| share).sum::<u64>(), CYCLE);
        let class = |kind, state| Class { kind, state };
        assert_eq!(Class::of(0), class(Debit, Succeeded));
        assert_eq!(Class::of(64), class(Debit, Pending));
        assert_eq!(Class::of(99), class(Payout, Failed));
        assert_eq!(Class::of(199), class(Payout, Failed));
    }

    #[test]
    fn the_nth_payment_of_a_choice_is_the_one_that_counting_finds() {
        for kind in [Debit, Payout] {
            let choice = Choice::of(kind);
            for payments in [0, 1, 50, 93, 100, 250, 1000] {
                let counted: Vec<u64> = (0..payments)
                    .filter(|index| is_chosen(kind, *index))
                    .collect();
                assert_eq!(choice.count(payments), counted.len() as u64);
                for (n, index) in counted.iter().enumerate() {
                    assert_eq!(choice.nth(n as u64), *index);
                }
            }
        }
    }
}
