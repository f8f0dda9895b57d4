//! The people, merchants and banks of a sample world. All are invented.

use super::draws::{Draws, Purpose, scrambled};

const FIRST: [&str; 24] = [
    "Ada", "Ben", "Carla", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Keiko",
    "Liam", "Maya", "Nadia", "Omar", "Paula", "Quinn", "Rosa", "Sven", "Tara", "Umar", "Vera",
    "Wes", "Yara",
];
const LAST: [&str; 24] = [
    "Abbott", "Brandt", "Castillo", "Dorsey", "Eklund", "Foster", "Garza", "Holm", "Ibarra",
    "Jensen", "Kowalski", "Lind", "Moreau", "Novak", "Okafor", "Petrov", "Quigley", "Reyes",
    "Sato", "Tanaka", "Unger", "Vargas", "White", "Zhou",
];
const PLACES: [&str; 16] = [
    "Cedar", "Harbor", "Juniper", "Lakeside", "Maple", "Norwood", "Orchard", "Prairie", "Quarry",
    "River", "Summit", "Thistle", "Union", "Valley", "Willow", "Yarrow",
];
const TRADES: [&str; 12] = [
    "Animal Rescue",
    "Bakery",
    "Choir",
    "Dental",
    "Food Bank",
    "Gymnastics",
    "Little League",
    "Music School",
    "Roofing",
    "Scouts",
    "Theater",
    "Youth Center",
];

/// How many merchants a world has.
const MERCHANTS: u64 = 250;

/// A merchant of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merchant {
    /// Its number, from 0.
    pub(crate) number: u64,
    /// The id of its identity, `ID…`.
    pub(crate) identity: String,
    /// Its name.
    pub(crate) name: String,
    /// The acquirer's id of the merchant for payouts: nine digits with a leading zero.
    pub(crate) funding_id: String,
}

impl Merchant {
    /// The merchant that the draw falls on.
    pub(super) fn pick(seed: u64, draws: &mut Draws) -> Self {
        let number = draws.below(MERCHANTS);
        let mut own = Draws::new(seed, Purpose::Merchant, number);
        let place = own.pick(&PLACES).copied().unwrap_or_default();
        let trade = own.pick(&TRADES).copied().unwrap_or_default();
        Self {
            number,
            identity: format!("ID{}", scrambled(seed, Purpose::Merchant, number)),
            name: format!("{place} {trade}"),
            funding_id: format!("0{:08}", 20_000_000 + own.below(70_000_000)),
        }
    }
}

/// A bank account of a customer or a merchant.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BankAccount {
    /// The bank's routing number, nine digits with a right check digit.
    pub(crate) routing: String,
    /// The account number.
    pub(crate) number: String,
    /// Whether it is a savings account.
    pub(crate) is_savings: bool,
}

impl BankAccount {
    pub(super) fn draw(draws: &mut Draws) -> Self {
        let digits = 8 + draws.below(5);
        let number: String = (0..digits)
            .map(|_| char::from(b'0' + draws.below(10).to_le_bytes()[0]))
            .collect();
        Self {
            routing: routing(draws),
            number,
            is_savings: draws.below(10) == 0,
        }
    }
}

/// A routing number in the range of a Reserve Bank, with its check digit.
pub(super) fn routing(draws: &mut Draws) -> String {
    let first = format!("{:02}{:06}", 1 + draws.below(12), draws.below(1_000_000));
    let check = check_digit(&first);
    first + &check.to_string()
}

/// The ninth digit of a routing number: weights 3, 7, 1, filled up to a multiple of ten.
pub(super) fn check_digit(first_eight: &str) -> u32 {
    let digits = first_eight.bytes().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .zip([3, 7, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    (10 - sum % 10) % 10
}

/// The name of a customer.
pub(super) fn person(draws: &mut Draws) -> String {
    let first = draws.pick(&FIRST).copied().unwrap_or_default();
    let last = draws.pick(&LAST).copied().unwrap_or_default();
    format!("{first} {last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_digit_completes_a_routing_number() {
        // A published example of the rule: 07640125 is completed by 1.
        assert_eq!(check_digit("07640125"), 1);
        assert_eq!(check_digit("09100001"), 9);
    }

    #[test]
    fn a_merchant_is_the_same_wherever_it_is_met() {
        let mut seen = std::collections::BTreeMap::new();
        for index in 0..2_000 {
            let merchant = Merchant::pick(1, &mut Draws::new(1, Purpose::Payment, index));
            let known = seen
                .entry(merchant.number)
                .or_insert_with(|| merchant.clone());
            assert_eq!(*known, merchant);
        }
        assert!(seen.len() > 200);
    }
}
