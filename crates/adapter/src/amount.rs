//! Amounts as a target's columns have them.

use crate::row::Cell;

/// The unit of a target's amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountUnit {
    /// Cents.
    Minor,
    /// Dollars, with at most two decimals that are not zero.
    Major,
}

impl AmountUnit {
    /// An amount of minor units as a decimal number.
    pub fn decimal(self, minor: i64) -> String {
        match self {
            Self::Minor => minor.to_string(),
            Self::Major => {
                let sign = if minor < 0 { "-" } else { "" };
                let minor = minor.unsigned_abs();
                format!("{sign}{}.{:02}", minor / 100, minor % 100)
            }
        }
    }

    /// The minor units of a value; `None` when it is no number, or has a fraction of one.
    pub fn minor(self, cell: &Cell) -> Option<i64> {
        match (self, cell) {
            (Self::Minor, Cell::Integer(minor)) => Some(*minor),
            (Self::Major, Cell::Integer(major)) => major.checked_mul(100),
            (_, Cell::Text(text)) => self.read(text),
            (_, Cell::Null | Cell::Unusable(_)) => None,
        }
    }

    fn read(self, text: &str) -> Option<i64> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let places = match self {
            Self::Minor => 0,
            Self::Major => 2,
        };
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > places
        {
            return None;
        }
        let minor: i64 = format!("{whole}{fraction:0<places$}").parse().ok()?;
        Some(sign * minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for unit in [AmountUnit::Minor, AmountUnit::Major] {
            for minor in [0, 1, 10, 99, 100, 12_345, -12_345, i64::MAX] {
                let cell = Cell::Text(unit.decimal(minor));
                assert_eq!(unit.minor(&cell), Some(minor), "{cell:?}");
            }
        }
        assert_eq!(AmountUnit::Major.decimal(-5), "-0.05");
    }

    #[test]
    fn zeros_behind_do_not_matter_and_a_fraction_of_a_cent_is_no_amount() {
        let major = |text: &str| AmountUnit::Major.minor(&Cell::Text(text.to_owned()));
        assert_eq!(major("50"), Some(5_000));
        assert_eq!(major("50.5"), Some(5_050));
        assert_eq!(major("50.5000"), Some(5_050));
        for odd in ["50.555", "", ".5", "5e3", "NaN", "1,000.00", "-"] {
            assert_eq!(major(odd), None, "{odd}");
        }
        let minor = |text: &str| AmountUnit::Minor.minor(&Cell::Text(text.to_owned()));
        assert_eq!(minor("5000.00"), Some(5_000));
        assert_eq!(minor("50.5"), None);
        assert_eq!(AmountUnit::Major.minor(&Cell::Integer(50)), Some(5_000));
        assert_eq!(AmountUnit::Major.minor(&Cell::Null), None);
    }
}
