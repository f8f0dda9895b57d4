//! The bounds within which everything is tried.

use crate::databases::{Entry, FUNDABLE};

/// Two copies of the gateway's adapter race for the messages of one replica: three entries,
/// three faults.
pub(crate) const TWO_COPIES: Scenario = Scenario {
    batches: &[&[FUNDABLE, Entry(1)], &[Entry(2)]],
    replicas: 1,
    gateway_copies: 2,
    mirror_copies: 0,
    faults: 3,
};

/// Two replicas import and feed the same, each copy of the gateway's adapter may get the
/// message of either: two entries, two faults.
pub(crate) const TWO_REPLICAS: Scenario = Scenario {
    batches: &[&[FUNDABLE], &[Entry(1)]],
    replicas: 2,
    gateway_copies: 2,
    mirror_copies: 0,
    faults: 2,
};

/// One replica feeds gateway and mirror; a row may not take effect in the gateway, be
/// superseded, and the mirror may be restored: two entries, two faults.
pub(crate) const MIRROR: Scenario = Scenario {
    batches: &[&[FUNDABLE], &[Entry(1)]],
    replicas: 1,
    gateway_copies: 1,
    mirror_copies: 1,
    faults: 2,
};

/// Two replicas feed gateway and mirror: one entry, one fault.
pub(crate) const TWO_REPLICAS_AND_MIRROR: Scenario = Scenario {
    batches: &[&[FUNDABLE]],
    replicas: 2,
    gateway_copies: 1,
    mirror_copies: 1,
    faults: 1,
};

/// What there is in the beginning, and how much may go wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    /// The entries of the one import, in the batches in which they are appended.
    pub(crate) batches: &'static [&'static [Entry]],
    /// How many replicas of the returns service run; 1 or 2.
    pub(crate) replicas: usize,
    /// How many copies of the gateway's adapter run.
    pub(crate) gateway_copies: usize,
    /// How many copies of the mirror's adapter run; with 0 there is no mirror.
    pub(crate) mirror_copies: usize,
    /// How many faults happen at most.
    pub(crate) faults: u8,
}

impl Scenario {
    /// Whether the transfer that may be funded is part of the import.
    pub(crate) fn fundable(&self) -> bool {
        self.batches.concat().contains(&FUNDABLE)
    }
}
