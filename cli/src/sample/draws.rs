//! Reproducible randomness: every draw is computed from the seed, what it is for, and a
//! number, so nothing has to be remembered and nothing depends on the order of asking.

/// What a draw is for. Two purposes never share their draws.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Payment = 1,
    Merchant = 2,
    Order = 4,
    Line = 5,
    PaymentId = 6,
    TransferId = 8,
    TraceId = 9,
}

/// The letters and digits of ids.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The odd constant of the generator (the golden ratio, as in SplitMix64).
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A sequence of draws.
#[derive(Debug, Clone)]
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let keyed = mix(seed ^ (purpose as u64).wrapping_mul(STEP));
        Self(mix(keyed ^ index.wrapping_mul(STEP)))
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number from 0 up to, and without, `limit`; 0 for a limit of 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next().checked_rem(limit).unwrap_or(0)
    }

    /// An element of a list that is not empty.
    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let index = self.below(list.len() as u64);
        list.get(usize::try_from(index).unwrap_or(0))
    }
}

/// Spreads a change of one bit over all of them, one to one (SplitMix64's last step).
pub(super) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// A one-to-one text of a number: eleven letters and digits, different for different numbers.
pub(super) fn scrambled(seed: u64, purpose: Purpose, index: u64) -> String {
    // Adding a constant and mixing are both one to one, so no two numbers share a text.
    let key = mix(seed ^ (purpose as u64).wrapping_mul(STEP));
    let mut rest = mix(index.wrapping_add(key));
    (0..11)
        .map(|_| {
            let digit = usize::try_from(rest % 62).unwrap_or(0);
            rest /= 62;
            char::from(ALPHABET[digit])
        })
        .collect()
}

/// A fixed order of the numbers below `len`: each position has its own number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shuffle {
    step: u64,
    shift: u64,
    len: u64,
}

impl Shuffle {
    pub(super) fn new(seed: u64, purpose: Purpose, len: u64) -> Self {
        let mut draws = Draws::new(seed, purpose, len);
        let mut step = draws.below(len).max(1);
        while common_divisor(step, len) > 1 {
            step += 1;
        }
        let shift = draws.below(len);
        Self { step, shift, len }
    }

    /// The number at `position`. Positions from `len` on begin again at the first.
    pub(super) fn at(self, position: u64) -> u64 {
        let Some(position) = position.checked_rem(self.len) else {
            return 0;
        };
        let product = u128::from(position) * u128::from(self.step) + u128::from(self.shift);
        // A remainder of a division by 64 bits always fits.
        u64::try_from(product % u128::from(self.len)).unwrap_or(0)
    }
}

const fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn draws_depend_on_seed_purpose_and_index_alone() {
        let draw = |seed, purpose, index| Draws::new(seed, purpose, index).next();
        assert_eq!(draw(1, Purpose::Payment, 7), draw(1, Purpose::Payment, 7));
        assert_ne!(draw(1, Purpose::Payment, 7), draw(2, Purpose::Payment, 7));
        assert_ne!(draw(1, Purpose::Payment, 7), draw(1, Purpose::Line, 7));
        assert_ne!(draw(1, Purpose::Payment, 7), draw(1, Purpose::Payment, 8));
    }

    #[test]
    fn a_shuffle_has_every_number_once() {
        for len in [1, 2, 10, 97, 1000] {
            let shuffle = Shuffle::new(5, Purpose::Order, len);
            let seen: HashSet<u64> = (0..len).map(|position| shuffle.at(position)).collect();
            assert_eq!(seen.len() as u64, len);
            assert!(seen.iter().all(|number| *number < len));
        }
        assert_eq!(Shuffle::new(5, Purpose::Order, 0).at(3), 0);
    }

    #[test]
    fn different_numbers_have_different_texts() {
        let text = |index| scrambled(3, Purpose::TransferId, index);
        let seen: HashSet<String> = (0..20_000).map(text).collect();
        assert_eq!(seen.len(), 20_000);
    }
}
