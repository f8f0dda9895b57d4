//! Amounts as vendors print them.

use serde::Deserialize;

use crate::money::Currency;

/// The unit of an amount column. It is a setting of each feed, because vendors' documents and
/// their files disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountUnit {
    /// Cents. They may still have decimals, as long as these are all zeros:
    /// `500.00` is five dollars.
    Minor,
    /// Dollars, with at most two decimals that are not zero.
    Major,
}

/// The amount field of an ACH entry has ten digits (source: Nacha Operating Rules, Appendix
/// Three). A larger number is an account number in the wrong column, or has a wrong unit.
const LARGEST_ENTRY: i64 = 9_999_999_999;

const NOT_A_DIGIT: &str = "it has a character that is not a digit";
const TOO_LARGE: &str = "it is more than an ACH entry can have (99,999,999.99)";

/// Reads the amount of one entry, in minor units. A total may be larger: see [`read`].
pub(in crate::format) fn of_entry(text: &str, unit: AmountUnit) -> Result<i64, &'static str> {
    let minor = read(text, unit)?;
    if minor > LARGEST_ENTRY {
        return Err(TOO_LARGE);
    }
    Ok(minor)
}

/// Reads an amount in minor units, without its sign: the direction says who pays.
///
/// A leading or trailing sign, parentheses, `$` and separators of thousands are understood.
/// The error says what is wrong, without the value.
pub(in crate::format) fn read(text: &str, unit: AmountUnit) -> Result<i64, &'static str> {
    let number = undressed(text)?;
    let (whole, fraction) = match number.split_once('.') {
        None => (number, ""),
        Some((_, "")) => return Err("no digits follow its point"),
        Some((whole, fraction)) => (whole, fraction),
    };
    let whole = match (whole, fraction) {
        ("", fraction) if !fraction.is_empty() => "0",
        (whole, _) => whole,
    };
    let whole = ungrouped(whole)?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NOT_A_DIGIT);
    }
    let whole: i64 = whole.parse().map_err(|_| TOO_LARGE)?;
    match unit {
        AmountUnit::Minor => match fraction.trim_end_matches('0') {
            "" => Ok(whole),
            _ => Err("the unit is minor (cents), so it cannot have a fraction"),
        },
        AmountUnit::Major => {
            let cents = cents(fraction)?;
            let minor = whole
                .checked_mul(100)
                .and_then(|minor| minor.checked_add(cents));
            minor.ok_or(TOO_LARGE)
        }
    }
}

/// The amount without the name of its currency before or after it: `USD 5.00`, `5.00 USD`.
pub(super) fn without_currency(text: &str, currency: Currency) -> &str {
    let (text, name) = (text.trim(), currency.to_string());
    let number = text
        .strip_prefix(&name)
        .or_else(|| text.strip_suffix(&name));
    number.map_or(text, str::trim)
}

/// Whether the amount has a minus or parentheses.
pub(super) fn is_negative(text: &str) -> bool {
    text.contains(['-', '('])
}

/// Removes sign, parentheses and currency sign, each at most once.
fn undressed(text: &str) -> Result<&str, &'static str> {
    let mut rest = text.trim();
    let (mut signs, mut dollars) = (0, 0);
    loop {
        if let Some(after) = rest.strip_prefix('$') {
            (rest, dollars) = (after, dollars + 1);
        } else if let Some(after) = rest.strip_prefix(['+', '-']) {
            (rest, signs) = (after, signs + 1);
        } else if let Some(before) = rest.strip_suffix(['+', '-']) {
            (rest, signs) = (before, signs + 1);
        } else if let Some(within) = rest.strip_prefix('(') {
            rest = within
                .strip_suffix(')')
                .ok_or("its parenthesis is not closed")?;
            signs += 1;
        } else {
            break;
        }
        rest = rest.trim();
    }
    match (rest, signs, dollars) {
        ("", _, _) => Err("it has no digits"),
        (rest, 0 | 1, 0 | 1) => Ok(rest),
        _ => Err("it has more than one sign"),
    }
}

/// The digits without separators of thousands. A comma anywhere else may be a decimal comma, so
/// it is an error.
fn ungrouped(whole: &str) -> Result<String, &'static str> {
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let mut joined = first.to_owned();
    for group in groups {
        if group.len() != 3 || !(1..=3).contains(&first.len()) {
            return Err("a comma is not where thousands end");
        }
        joined.push_str(group);
    }
    if joined.is_empty() || !digits(&joined) {
        return Err(NOT_A_DIGIT);
    }
    Ok(joined)
}

/// The first two decimals as cents; what follows them must be zeros.
fn cents(fraction: &str) -> Result<i64, &'static str> {
    let mut digits = fraction.bytes().map(|byte| i64::from(byte - b'0'));
    let (tens, ones) = (digits.next().unwrap_or(0), digits.next().unwrap_or(0));
    if digits.any(|digit| digit != 0) {
        return Err("it has more than two decimals");
    }
    Ok(tens * 10 + ones)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_however_they_are_dressed() {
        let cases = [
            ("150.00", 15_000),
            ("150", 15_000),
            ("150.5", 15_050),
            (".50", 50),
            ("-150.00", 15_000),
            ("150.00-", 15_000),
            ("+150.00", 15_000),
            ("(150.00)", 15_000),
            ("$150.00", 15_000),
            ("-$150.00", 15_000),
            ("$-150.00", 15_000),
            ("($1,150.00)", 115_000),
            ("$(150.00)", 15_000),
            ("1,234,567.89", 123_456_789),
            ("150.0000", 15_000),
            ("0.00", 0),
            (" 150.00 ", 15_000),
            ("92233720368547758.07", i64::MAX),
        ];
        for (text, minor) in cases {
            assert_eq!(read(text, AmountUnit::Major), Ok(minor), "{text}");
        }
    }

    #[test]
    fn cents_may_be_printed_with_decimals_that_are_zeros() {
        assert_eq!(read("500.00", AmountUnit::Minor), Ok(500));
        assert_eq!(read("500", AmountUnit::Minor), Ok(500));
        assert_eq!(read("-1,500.00", AmountUnit::Minor), Ok(1_500));
        assert!(
            read("500.01", AmountUnit::Minor)
                .unwrap_err()
                .contains("cents")
        );
        assert!(read("5.5", AmountUnit::Minor).is_err());
    }

    #[test]
    fn an_entry_has_at_most_ten_digits() {
        assert_eq!(
            of_entry("99,999,999.99", AmountUnit::Major),
            Ok(LARGEST_ENTRY)
        );
        assert!(
            of_entry("100,000,000.00", AmountUnit::Major)
                .unwrap_err()
                .contains("more than an ACH entry")
        );
        assert!(of_entry("12345678901", AmountUnit::Minor).is_err());
    }

    #[test]
    fn what_is_not_clearly_an_amount_is_rejected() {
        let wrong = [
            "",
            " ",
            "-",
            "$",
            "()",
            "abc",
            "1.2.3",
            "1,23",
            "1,2345",
            "12,34.00",
            "1234,567.00",
            ",123",
            "1,",
            "5.",
            "--5",
            "-5-",
            "(-5)",
            "$$5",
            "(5",
            "5)",
            "1e3",
            "1.234",
            "1.5.0",
            "１",
            "1 000",
            "0x10",
            "92233720368547758.08",
            "1.234,56",
            "5.0a",
            "--",
        ];
        for text in wrong {
            assert!(read(text, AmountUnit::Major).is_err(), "{text}");
        }
    }
}
