//! Every choice of a campaign comes from its seed. Each purpose draws from a stream of its
//! own, so that what one part of the campaign does, however fast, changes no other part.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// What is drawn for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// The contents of the file with this number.
    File(u64),
    /// Which faults, and when.
    Faults,
    /// What the gateway's owner does about the payments of the file with this number.
    Owner(u64),
    /// How the file with this number is sent.
    Sending(u64),
    /// When runs are asked for.
    Asking,
}

/// The stream of one purpose in one round.
#[must_use]
pub(crate) fn draws(seed: u64, round: u64, purpose: Purpose) -> StdRng {
    let (kind, index) = match purpose {
        Purpose::File(index) => (1_u64, index),
        Purpose::Faults => (2, 0),
        Purpose::Owner(index) => (3, index),
        Purpose::Sending(index) => (4, index),
        Purpose::Asking => (5, 0),
    };
    let mut key = [0; 32];
    for (place, number) in key.chunks_exact_mut(8).zip([seed, round, kind, index]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    StdRng::from_seed(key)
}
