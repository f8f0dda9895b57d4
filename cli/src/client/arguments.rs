//! Arguments that several commands have, and how what somebody types is read.

use clap::Args;
use prost_types::Timestamp;

use crate::words::day_or_time;

/// Why something is changed. Who does it is known from the certificate or the token.
#[derive(Debug, Args)]
#[command(next_help_heading = "Change")]
pub(super) struct Change {
    /// Why; recorded in the audit log.
    #[arg(long)]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) request: RequestId,
}

/// The same where the service does not require a reason.
#[derive(Debug, Args)]
#[command(next_help_heading = "Change")]
pub(super) struct OptionalChange {
    /// Why; recorded with the change.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) request: RequestId,
}

/// What makes a command safe to repeat.
#[derive(Debug, Args)]
#[command(next_help_heading = "Change")]
pub(super) struct RequestId {
    /// An id of your own for this request: the same again gets the first answer.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ID")]
    pub(super) request_id: String,
}

/// A period of time.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct Period {
    /// Only from this time on: 2026-01-05, or 2026-01-05T08:00:00Z.
    #[arg(long, value_parser = day_or_time, value_name = "TIME")]
    pub(super) since: Option<Timestamp>,
    /// Only before this time.
    #[arg(long, value_parser = day_or_time, value_name = "TIME")]
    pub(super) until: Option<Timestamp>,
}

/// A range of amounts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct Amounts {
    /// Only of at least this amount, such as 1234.56.
    #[arg(long, value_parser = minor_units, value_name = "AMOUNT")]
    pub(super) min_amount: Option<i64>,
    /// Only of at most this amount.
    #[arg(long, value_parser = minor_units, value_name = "AMOUNT")]
    pub(super) max_amount: Option<i64>,
}

/// An amount such as `1,234.56`, in minor units. No floating point touches it.
fn minor_units(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is not an amount; write it like 1234.56");
    let number = text.trim_start_matches('$').replace(',', "");
    let (whole, cents) = number.split_once('.').unwrap_or((&number, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || cents.len() > 2 || !is_number(whole) || !is_number(cents) {
        return Err(wrong());
    }
    let digits = format!("{whole}{cents:0<2}");
    digits.parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::minor_units;

    #[test]
    fn an_amount_is_read_as_people_write_it_and_nothing_else_is() {
        for (text, minor) in [
            ("0", 0),
            ("12", 1_200),
            ("12.5", 1_250),
            ("$1,234.56", 123_456),
            ("9999999999.99", 999_999_999_999),
        ] {
            assert_eq!(minor_units(text), Ok(minor), "{text}");
        }
        for text in [
            "",
            ".5",
            "-1",
            "1.234",
            "1e3",
            "ten",
            "99999999999999999999",
        ] {
            assert!(minor_units(text).is_err(), "{text}");
        }
    }
}
