//! An entry while it is read from a format in which its parts come one by one. The first fault makes
//! it a line that could not be read.

use chrono::NaiveDate;

use super::delimited::{AmountUnit, amount};
use super::window::Window;
use super::{FileRejected, Item, Rejected, Summary, limits, shown};
use crate::entry::{AccountTail, Entry, EntryKind, FilePosition, KeyField};
use crate::money::{Currency, Money};

/// The parts that were read.
pub(super) struct Draft {
    pub(super) entry: Entry,
    /// When the file came, against which its dates are plausible or not.
    received_on: NaiveDate,
    fault: Option<(String, String)>,
}

impl Draft {
    pub(super) fn new(at: FilePosition, received_on: NaiveDate) -> Self {
        Self {
            received_on,
            entry: Entry::new(at, EntryKind::ValidationFailure { code: None }),
            fault: None,
        }
    }

    /// The first fault counts.
    pub(super) fn wrong(&mut self, field: &str, why: impl Into<String>) {
        self.fault.get_or_insert((field.to_owned(), why.into()));
    }

    /// An amount with its decimals, in a currency of three letters.
    pub(super) fn amount(&mut self, field: &str, text: &str, currency: &str) -> Option<Money> {
        let Ok(currency) = currency.parse::<Currency>() else {
            let shown = shown(currency);
            self.wrong(
                field,
                format!("{shown} is not a currency code of three letters"),
            );
            return None;
        };
        match amount::of_entry(text, AmountUnit::Major) {
            Ok(minor) => Some(Money::new(minor, currency)),
            Err(why) => {
                let shown = shown(text);
                self.wrong(field, format!("{shown} is not a valid amount: {why}"));
                None
            }
        }
    }

    /// An id; a blank one is none.
    pub(super) fn id(&mut self, key: KeyField, field: &str, text: &str) {
        let text = text.trim();
        if text.len() > limits::ID {
            let why = format!("the value has {} bytes; an id has at most 256", text.len());
            self.wrong(field, why);
        } else if !text.is_empty() {
            self.entry.keys.fill(key, text);
        }
    }

    /// A date, written as chrono's `format` says.
    pub(super) fn date(&mut self, field: &str, text: &str, format: &str) -> Option<NaiveDate> {
        let date = NaiveDate::parse_from_str(text.trim(), format).ok();
        if date.is_none() {
            self.wrong(field, format!("{} is not a valid date", shown(text)));
        }
        date
    }

    /// The account, of which only the last digits are kept.
    pub(super) fn account(&mut self, text: &str) {
        self.entry.account_tail = AccountTail::of(text);
    }

    /// The reason in words.
    pub(super) fn describe(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            let text = limits::cut(text.to_owned(), limits::TEXT);
            self.entry.description.get_or_insert(text);
        }
    }

    /// A date that is far from the file's own is a placeholder that nobody meant: it is unknown.
    fn forget_implausible_dates(&mut self, summary: &mut Summary) {
        let entry = &mut self.entry;
        let settled = &mut entry.settlement_date;
        let far_settled = settled.take_if(|date| !Window::CREATION.holds(*date, self.received_on));
        let own = settled.unwrap_or(self.received_on);
        let original = &mut entry.original_date;
        let far_original = original.take_if(|date| !Window::ORIGINAL.holds(*date, own));
        for (what, date) in [
            ("settlement date", far_settled),
            ("original date", far_original),
        ] {
            if let Some(date) = date {
                summary.note(Some(entry.at), "implausible dates", || {
                    format!("the {what} {date} is far from the file's own date; taken as unknown")
                });
            }
        }
    }

    /// The entry of this kind, or the line that could not be read; counted either way.
    pub(super) fn finish(
        mut self,
        kind: Result<EntryKind, String>,
        summary: &mut Summary,
    ) -> Result<Item, FileRejected> {
        match kind {
            Ok(kind) => self.entry.kind = kind,
            Err(why) => self.wrong("code", why),
        }
        self.forget_implausible_dates(summary);
        match self.fault {
            None => {
                summary.add(&self.entry)?;
                Ok(Item::Entry(Box::new(self.entry)))
            }
            Some((field, why)) => {
                summary.rejected += 1;
                let amount_minor = self.entry.amount.map(Money::minor);
                let rejected = Rejected::new(self.entry.at, field, why, amount_minor);
                Ok(Item::Rejected(rejected))
            }
        }
    }
}
