//! Amounts as people read them.

/// `1,234.56`; every currency of ACH has two decimals.
pub(crate) fn amount(minor: i64) -> String {
    let units = minor.unsigned_abs();
    let whole = (units / 100).to_string();
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{grouped}.{:02}", units % 100)
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn thousands_are_grouped_and_cents_have_two_digits() {
        assert_eq!(amount(0), "0.00");
        assert_eq!(amount(123_456_789), "1,234,567.89");
        assert_eq!(amount(-5), "-0.05");
        assert_eq!(amount(100_000), "1,000.00");
    }
}
