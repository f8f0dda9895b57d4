//! What a sample file says, entry by entry.

use super::class::{Choice, SampleKind};
use super::draws::{Draws, Purpose, Shuffle};
use super::payment::{Payment, SampleWorld};

/// Which payments a file is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FilePlan {
    /// How many entries it has.
    pub(crate) entries: u64,
    /// How many of the payments that can come back are in earlier files.
    pub(crate) skip: u64,
    /// Entries per thousand whose payment is not in the world.
    pub(crate) unknown_per_mille: u64,
    /// Entries per thousand that are corrections (NACHA only).
    pub(crate) corrections_per_mille: u64,
    /// Entries per thousand with an unknown code.
    pub(crate) strange_per_mille: u64,
}

/// One entry.
#[derive(Clone)]
pub(crate) struct SampleLine {
    /// The payment.
    pub(crate) payment: Payment,
    /// The code.
    pub(crate) code: &'static str,
    /// Whether it is a correction.
    pub(crate) is_correction: bool,
    /// Its number, from 1, as the acquirer counts cases.
    pub(crate) case: u64,
}

/// Return codes of debits, and how many per thousand have each: an estimate from the figures that
/// the industry publishes.
const DEBIT_CODES: &[(&str, u64)] = &[
    ("R01", 650),
    ("R03", 90),
    ("R02", 60),
    ("R04", 30),
    ("R08", 30),
    ("R10", 30),
    ("R29", 20),
    ("R16", 20),
    ("R07", 15),
    ("R20", 15),
    ("R09", 10),
    ("R11", 7),
    ("R13", 5),
    ("R05", 3),
    ("R12", 15),
];

/// The same for payouts.
const PAYOUT_CODES: &[(&str, u64)] = &[
    ("R03", 400),
    ("R02", 250),
    ("R04", 200),
    ("R20", 100),
    ("R23", 50),
];

impl FilePlan {
    /// A file about `entries` payments, without corrections or unknown entries.
    pub(crate) const fn plain(entries: u64) -> Self {
        Self {
            entries,
            skip: 0,
            unknown_per_mille: 0,
            corrections_per_mille: 0,
            strange_per_mille: 0,
        }
    }

    /// The entries about debits of `world`.
    pub(crate) fn debits(self, world: SampleWorld) -> impl Iterator<Item = SampleLine> {
        self.lines(world, SampleKind::Debit, DEBIT_CODES)
    }

    /// The entries about payouts of `world`.
    pub(crate) fn payouts(self, world: SampleWorld) -> impl Iterator<Item = SampleLine> {
        self.lines(world, SampleKind::Payout, PAYOUT_CODES)
    }

    fn lines(
        self,
        world: SampleWorld,
        kind: SampleKind,
        codes: &'static [(&'static str, u64)],
    ) -> impl Iterator<Item = SampleLine> {
        let choice = Choice::of(kind);
        let shuffle = Shuffle::new(world.seed, Purpose::Order, choice.count(world.payments));
        (0..self.entries).map(move |number| {
            let case = self.skip + number;
            let mut draws = Draws::new(world.seed, Purpose::Line, case);
            let index = if draws.below(1_000) < self.unknown_per_mille {
                // Just after the last payment: plausible, and unknown.
                world.payments + choice.nth(case)
            } else {
                choice.nth(shuffle.at(case))
            };
            let is_correction = draws.below(1_000) < self.corrections_per_mille;
            let code = if is_correction {
                draws.pick(&["C01", "C02", "C05"]).copied().unwrap_or("C01")
            } else if draws.below(1_000) < self.strange_per_mille {
                "R97"
            } else {
                weighted(codes, &mut draws)
            };
            SampleLine {
                payment: world.payment(index),
                code,
                is_correction,
                case: case + 1,
            }
        })
    }
}

fn weighted(codes: &[(&'static str, u64)], draws: &mut Draws) -> &'static str {
    let total = codes.iter().map(|(_, share)| share).sum();
    let mut place = draws.below(total);
    for (code, share) in codes {
        if place < *share {
            return code;
        }
        place -= share;
    }
    "R01"
}
