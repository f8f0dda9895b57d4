//! Showing answers: as JSON or as a table, and the texts of its cells.

use std::io;

use anyhow::Context as _;
use prost::{Message, Name};
use prost_types::Timestamp;

use super::connect::Client;
use super::{Failure, exit, json};
use crate::output::{Columns, Table, out};

impl Client {
    /// Shows what was found: with `--json` an object per line, or else a table, or `none` when
    /// there is nothing. Returns the exit code of a command that is done.
    pub(super) fn show_all<M: Message + Name + Default>(
        &self,
        found: &[M],
        none: &str,
        columns: impl Fn(&M) -> Columns,
    ) -> Result<u8, Failure> {
        if self.json {
            found.iter().try_for_each(print_json)?;
        } else if found.is_empty() {
            writeln!(out(), "{none}")?;
        } else {
            Table::of(found, columns).print()?;
        }
        Ok(exit::OK)
    }

    /// Shows the one `what` that a call answered with, as [`show_all`](Self::show_all) does.
    pub(super) fn show_one<M: Message + Name + Default>(
        &self,
        what: &str,
        found: Option<M>,
        columns: impl Fn(&M) -> Columns,
    ) -> Result<u8, Failure> {
        let found = found.with_context(|| format!("the service sent no {what}"))?;
        self.show_all(&[found], "", columns)
    }

    /// Shows one answer: with `--json` as an object, or else by `print`. Returns the exit code of
    /// a command that is done.
    pub(super) fn show<M: Message + Name>(
        &self,
        answer: &M,
        print: impl FnOnce(&M) -> io::Result<()>,
    ) -> Result<u8, Failure> {
        if self.json {
            print_json(answer)?;
        } else {
            print(answer)?;
        }
        Ok(exit::OK)
    }
}

/// Prints a message as one line of JSON.
fn print_json<M: Message + Name>(message: &M) -> Result<(), Failure> {
    Ok(writeln!(out(), "{}", json::of(message)?)?)
}

/// Text, or a dash when it is empty.
pub(super) fn or_dash(text: &str) -> String {
    if text.is_empty() { "-" } else { text }.to_owned()
}

/// A time for people; a dash when there is none.
pub(super) fn time(at: Option<&Timestamp>) -> String {
    at.and_then(|at| chrono::DateTime::from_timestamp(at.seconds, 0))
        .map_or("-".to_owned(), |at| {
            at.format("%Y-%m-%d %H:%M:%SZ").to_string()
        })
}

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
