//! Money with its currency.

use crate::output::grouped;

/// `$1,234.56`, or `1,234.56 CAD`. Every currency of ACH has two decimals, and entries without a
/// currency are in US dollars.
pub(crate) fn money(minor: i64, currency: &str) -> String {
    let units = minor.unsigned_abs();
    let number = format!("{}.{:02}", grouped(units / 100), units % 100);
    let sign = if minor < 0 { "-" } else { "" };
    match currency {
        "" | "USD" => format!("{sign}${number}"),
        other => format!("{sign}{number} {other}"),
    }
}

/// The sum of amounts of these currencies. Without any, nothing was added up.
pub(crate) fn sum(minor: i64, currencies: &[impl ToString]) -> String {
    let names: Vec<String> = currencies.iter().map(ToString::to_string).collect();
    money(minor, &names.join("+"))
}

#[cfg(test)]
mod tests {
    use super::{money, sum};

    #[test]
    fn a_sum_of_several_currencies_names_them() {
        assert_eq!(sum(0, &[""; 0]), "$0.00");
        assert_eq!(sum(123_456, &["CAD"]), "1,234.56 CAD");
        assert_eq!(sum(123_456, &["USD", "CAD"]), "1,234.56 USD+CAD");
    }

    #[test]
    fn thousands_are_grouped_and_the_currency_is_always_said() {
        assert_eq!(money(0, "USD"), "$0.00");
        assert_eq!(money(-5, ""), "-$0.05");
        assert_eq!(money(100_000, "USD"), "$1,000.00");
        assert_eq!(money(123_456_789_012, "USD"), "$1,234,567,890.12");
        assert_eq!(money(123_456, "CAD"), "1,234.56 CAD");
        assert_eq!(money(i64::MIN, "USD"), "-$92,233,720,368,547,758.08");
    }
}
