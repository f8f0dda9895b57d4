//! Money: an integer number of minor units with its currency. No floats anywhere.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency code, three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The United States dollar, the only currency of domestic ACH.
    pub const USD: Self = Self(*b"USD");

    /// The code as text, such as `USD`.
    fn as_str(&self) -> &str {
        // The bytes are ASCII capitals by construction, so this never falls back.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

/// Text that is not a currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a currency code of three letters")]
pub struct BadCurrency(pub String);

impl std::str::FromStr for Currency {
    type Err = BadCurrency;

    fn from_str(text: &str) -> Result<Self, BadCurrency> {
        let upper = text.trim().to_ascii_uppercase();
        match upper.as_bytes() {
            [a, b, c] if upper.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                Ok(Self([*a, *b, *c]))
            }
            _ => Err(BadCurrency(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = BadCurrency;

    fn try_from(text: String) -> Result<Self, BadCurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in minor units (cents) of one currency. In a return file it is never negative: the
/// direction says who pays.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    #[serde(rename = "amount_minor")]
    minor: i64,
    currency: Currency,
}

impl Money {
    /// An amount of `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// An amount in United States cents.
    pub const fn cents(minor: i64) -> Self {
        Self::new(minor, Currency::USD)
    }

    /// The number of minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }
}

/// Shows `USD 12.34`. Every currency of ACH has two decimals.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let units = self.minor.unsigned_abs();
        write!(
            f,
            "{} {sign}{}.{:02}",
            self.currency,
            units / 100,
            units % 100
        )
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_in_units_and_two_decimals() {
        assert_eq!(Money::cents(12345).to_string(), "USD 123.45");
        assert_eq!(Money::cents(5).to_string(), "USD 0.05");
        assert_eq!(Money::cents(-5).to_string(), "USD -0.05");
        assert_eq!(
            Money::cents(i64::MIN).to_string(),
            "USD -92233720368547758.08"
        );
    }

    #[test]
    fn a_currency_is_three_letters() {
        assert_eq!("usd".parse(), Ok(Currency::USD));
        for bad in ["", "US", "USDX", "U$D", "ÄÖ"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
    }
}
