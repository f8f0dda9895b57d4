//! What every file format is read into: one [`Entry`] for each event that the bank or the
//! acquirer reports.

mod account;
mod corrected;
mod keys;
mod kind;
pub(crate) mod routing;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use account::AccountTail;
pub use corrected::Corrected;
pub use keys::{EntryKeys, KeyField};
pub use kind::{Coded, EntryKind};

use crate::code::{ReturnCode, ReturnCodeInfo};
use crate::format::window::Window;
use crate::money::Money;
use crate::text_enum::text_enum;
use echeck_masking::without_long_numbers;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FilePosition {
    /// Line number, counted from 1. In a file without line ends, and in JSON, XML and X12, the number
    /// of the record.
    pub line: u64,
    /// Offset in bytes of the first byte of that line, counted from 0.
    pub byte: u64,
}

text_enum! {
    /// Which way the original money went.
    Direction {
        /// A debit: money was taken from the customer's account.
        Debit = "debit",
        /// A credit: money was sent to an account (payout, funding instruction, refund).
        Credit = "credit",
        /// The file does not say.
        Unknown = "unknown",
    }
}

impl Direction {
    /// Whether one is a debit and the other a credit.
    pub(crate) const fn contradicts(self, other: Self) -> bool {
        match (self, other) {
            (Self::Debit, Self::Credit) | (Self::Credit, Self::Debit) => true,
            (Self::Debit, Self::Debit | Self::Unknown)
            | (Self::Credit, Self::Credit | Self::Unknown)
            | (Self::Unknown, _) => false,
        }
    }
}

/// One entry of a file, in the neutral form that the decision works on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in its file.
    pub at: FilePosition,
    /// What it reports.
    #[serde(flatten)]
    pub kind: EntryKind,
    /// The amount of the returned entry; `None` when the format has no amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// The original amount where the entry's own may lawfully differ (outbound IAT).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_amount: Option<Money>,
    /// Which way the original money went.
    pub direction: Direction,
    /// The ids to match it by.
    pub keys: EntryKeys,
    /// Standard Entry Class, upper case (`PPD`, `WEB`, `IAT`, …).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sec: Option<String>,
    /// The bank that the entry is addressed to, eight digits. In a return that is the
    /// originating bank: ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odfi: Option<String>,
    /// The originator's word for what the payment was, upper case (`PAYMENT`). A debit that is
    /// presented again has `RETRY PYMT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_description: Option<String>,
    /// The originator's name, as in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// The reason in the bank's or the acquirer's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the return itself settles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_date: Option<NaiveDate>,
    /// When the original entry settled or was to take effect, where the file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_date: Option<NaiveDate>,
    /// When the customer's bank processed the return (`Date Issued`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_on: Option<NaiveDate>,
    /// When the acquirer received the return (`Date Received`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_on: Option<NaiveDate>,
    /// Last digits of the customer's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_tail: Option<AccountTail>,
    /// The row as header and value pairs, account numbers masked, for formats whose row
    /// is shown to platforms (`raw`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raw: Vec<(String, String)>,
}

impl Entry {
    /// An entry at `at` that reports `kind` and nothing else yet.
    pub fn new(at: FilePosition, kind: EntryKind) -> Self {
        Self {
            at,
            kind,
            amount: None,
            original_amount: None,
            direction: Direction::Unknown,
            keys: EntryKeys::default(),
            sec: None,
            odfi: None,
            entry_description: None,
            company_name: None,
            description: None,
            settlement_date: None,
            original_date: None,
            issued_on: None,
            received_on: None,
            account_tail: None,
            raw: Vec::new(),
        }
    }

    /// Hides what may be an account number in every text that a bank or an acquirer wrote as it
    /// liked. Ids and codes stay.
    pub(crate) fn mask_free_text(&mut self) {
        let texts = [
            &mut self.description,
            &mut self.company_name,
            &mut self.entry_description,
            &mut self.sec,
        ];
        for text in texts.into_iter().flatten() {
            // Most have no number at all.
            if text.contains(char::is_numeric) {
                *text = without_long_numbers(text);
            }
        }
        if let EntryKind::Correction { corrected, .. }
        | EntryKind::RefusedCorrection { corrected, .. } = &mut self.kind
        {
            corrected.iter_mut().for_each(Corrected::mask_free_text);
        }
    }

    /// The amount that must be the transfer's: the original amount where the entry's own may
    /// differ.
    pub(crate) fn amount_to_match(&self) -> Option<Money> {
        self.original_amount.or(self.amount)
    }

    /// The day of the entry itself, as far as it says.
    pub fn own_date(&self) -> Option<NaiveDate> {
        let Self {
            settlement_date,
            issued_on,
            received_on,
            ..
        } = self;
        settlement_date.or(*received_on).or(*issued_on)
    }

    /// When the original settled: on the day that the system of record has, unless an entry of this
    /// day cannot be about it, as with a placeholder; or else what the file says.
    pub fn original_settled_on(&self, recorded: Option<NaiveDate>) -> Option<NaiveDate> {
        let can_be = |date: &NaiveDate| {
            let own = self.own_date();
            own.is_none_or(|own| Window::RECORDED.holds(*date, own))
        };
        recorded.filter(can_be).or(self.original_date)
    }

    /// Whether it is about a prenote: an entry of zero that came back, or was rejected.
    pub fn is_prenote(&self) -> bool {
        let is_zero = |amount: Money| amount.minor() == 0;
        let is_zero = self.amount.is_some_and(is_zero) && self.original_amount.is_none_or(is_zero);
        let is_validation_failure = matches!(self.kind, EntryKind::ValidationFailure { .. });
        is_zero && (self.kind.is_return() || is_validation_failure)
    }

    /// Whether it is about one of our own reversals, which corrects an entry that was sent by
    /// mistake. Its batch has this description by the rules (Nacha §2.9).
    pub(crate) fn is_of_reversal(&self) -> bool {
        self.entry_description.as_deref() == Some("REVERSAL")
    }

    /// The row of its return code, if the table has it, by the rules of the day on which it settled.
    pub fn code_info(&self) -> Option<&'static ReturnCodeInfo> {
        let code = self.kind.return_code()?;
        Some(
            self.own_date()
                .map_or_else(|| code.info(), |day| code.as_of(day)),
        )
    }

    /// Whether the bank suspects fraud: an R17 whose addenda say QUESTIONABLE
    /// (<https://www.nacha.org/rules/return-questionable-transaction>).
    pub fn is_questionable(&self) -> bool {
        let words = self.description.as_deref().unwrap_or_default();
        self.kind.return_code() == Some(ReturnCode::R17)
            && words.to_uppercase().contains("QUESTIONABLE")
    }

    /// Whether it is of an international entry (IAT).
    pub(crate) fn is_international(&self) -> bool {
        self.sec.as_deref() == Some("IAT")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returned() -> Entry {
        let kind = EntryKind::Return {
            code: Coded::Known(crate::code::ReturnCode::R01),
            date_of_death: None,
        };
        Entry::new(FilePosition { line: 1, byte: 0 }, kind)
    }

    #[test]
    fn only_an_entry_of_zero_is_about_a_prenote() {
        let mut entry = returned();
        entry.amount = Some(Money::cents(0));
        assert!(entry.is_prenote());
        entry.original_amount = Some(Money::cents(50_000));
        assert!(!entry.is_prenote());
        entry.amount = Some(Money::cents(50_000));
        entry.original_amount = Some(Money::cents(0));
        assert!(!entry.is_prenote());
    }

    #[test]
    fn a_placeholder_in_the_system_of_record_is_no_settlement_date() {
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        let mut entry = returned();
        entry.settlement_date = day("2026-11-17");
        entry.original_date = day("2026-11-13");
        assert_eq!(
            entry.original_settled_on(day("1970-01-01")),
            day("2026-11-13")
        );
        assert_eq!(
            entry.original_settled_on(day("2026-11-12")),
            day("2026-11-12")
        );
        let long_ago = day("2024-10-01");
        assert_eq!(
            entry.original_settled_on(long_ago),
            long_ago,
            "a breach of warranty"
        );
        entry.original_date = None;
        assert_eq!(entry.original_settled_on(day("2000-01-01")), None);
    }

    #[test]
    fn the_rules_of_its_own_settlement_count_for_an_entry() {
        let mut entry = returned();
        entry.kind = EntryKind::of_network("R11").unwrap();
        let category = |entry: &Entry| entry.code_info().unwrap().rate_category.as_str();
        assert_eq!(category(&entry), "unauthorized");
        entry.settlement_date = "2020-03-31".parse().ok();
        assert_eq!(category(&entry), "other");
        entry.settlement_date = "2020-04-01".parse().ok();
        assert_eq!(category(&entry), "unauthorized");
        entry.kind = EntryKind::of_network("R16").unwrap();
        entry.settlement_date = "2028-03-16".parse().ok();
        assert!(entry.code_info().unwrap().title.contains("OFAC"));
        entry.settlement_date = "2028-03-17".parse().ok();
        assert_eq!(entry.code_info().unwrap().title, "Account Frozen");
    }

    #[test]
    fn only_an_r17_that_says_so_is_questionable() {
        let mut entry = returned();
        entry.description = Some("Questionable transaction".to_owned());
        assert!(!entry.is_questionable());
        entry.kind = EntryKind::of_network("R17").unwrap();
        assert!(entry.is_questionable());
        entry.description = Some("FILE RECORD EDIT".to_owned());
        assert!(!entry.is_questionable());
    }

    #[test]
    fn an_entry_survives_json() {
        let at = FilePosition { line: 3, byte: 188 };
        let kind = EntryKind::Return {
            code: Coded::Unknown("R97".into()),
            date_of_death: None,
        };
        let mut entry = Entry::new(at, kind);
        entry.amount = Some(Money::cents(500));
        let json = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), entry);
    }
}
