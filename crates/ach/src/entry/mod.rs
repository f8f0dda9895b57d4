//! What every file format is read into: one [`Entry`] for each thing the bank or the
//! acquirer says happened.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::code::{CorrectionCode, ReturnCode};
use crate::money::Money;

/// Where in a file something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FilePosition {
    /// Line number, counted from 1. In a file without line ends, the record number.
    pub line: u64,
    /// Offset in bytes of the first byte of that line, counted from 0.
    pub byte: u64,
}

/// A code that is in our table, or text that is kept as it came (upper case, trimmed).
/// An unknown code never fails a file: the entry is held for a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Coded<T> {
    /// A code of the table.
    Known(T),
    /// A code the table does not have, such as `R97`, `X01` or `2101`.
    Unknown(String),
}

impl<T: Copy + fmt::Display> fmt::Display for Coded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(code) => code.fmt(f),
            Self::Unknown(text) => f.write_str(text),
        }
    }
}

impl<T: Copy> Coded<T> {
    /// The code, when the table has it.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(code) => Some(*code),
            Self::Unknown(_) => None,
        }
    }
}

/// Which way the original money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A debit: money was taken from the customer's account.
    Debit,
    /// A credit: money was sent to an account (payout, funding instruction, refund).
    Credit,
    /// The file does not say.
    Unknown,
}

impl Direction {
    /// `debit`, `credit` or `unknown`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
            Self::Unknown => "unknown",
        }
    }
}

/// The ids by which an entry can be matched to a transfer. All are text, kept exactly,
/// with the apostrophes and padding that the profile names taken off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EntryKeys {
    /// Trace number of the original entry, 15 digits (addenda 07-21, or a column).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_trace: Option<String>,
    /// Trace number of the return itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_trace: Option<String>,
    /// The acquirer's id of the payment (`Worldpay Payment ID`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// Our id as the acquirer keeps it (`Merchant Order Number`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// Our id of a payout (`Funds Transfer Request ID`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_request_id: Option<String>,
    /// The acquirer's id of the return (`Case ID`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// Individual identification number of the entry (15 or 22 characters).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub individual_id: Option<String>,
    /// Company identification of the originator (10 characters).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
}

/// The last digits of an account number; the number itself is dropped at the door.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountTail(String);

impl AccountTail {
    /// Keeps at most four characters of `account`, and never more than half of it.
    /// Blank input gives `None`.
    #[must_use]
    pub fn of(account: &str) -> Option<Self> {
        let shown: Vec<char> = account
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .collect();
        if shown.is_empty() {
            return None;
        }
        let keep = (shown.len() / 2).min(4);
        Some(Self(shown[shown.len() - keep..].iter().collect()))
    }

    /// Takes the last digits that a file gives alone, or behind a mask of its own. At most
    /// four of them are kept. Blank input gives `None`.
    #[must_use]
    pub fn of_suffix(suffix: &str) -> Option<Self> {
        let shown: Vec<char> = suffix
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .collect();
        if shown.is_empty() {
            return None;
        }
        Some(Self(
            shown[shown.len().saturating_sub(4)..].iter().collect(),
        ))
    }

    /// The digits that are left, without a mask.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// Shows `***6789`.
impl fmt::Display for AccountTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "***{}", self.0)
    }
}

/// One piece of corrected data of a notification of change. Account numbers are masked
/// when the file is read, so the clear number exists nowhere in the program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "field", content = "value")]
pub enum Corrected {
    /// The account number's last digits.
    Account(AccountTail),
    /// The routing number, nine digits. Routing numbers are public.
    Routing(String),
    /// The transaction code, two digits.
    TransactionCode(String),
    /// The name of the individual or the receiving company.
    Name(String),
    /// The individual identification number.
    IndividualId(String),
    /// The foreign receiving bank's identification (IAT).
    ForeignBank(String),
    /// The company name.
    CompanyName(String),
    /// The company identification.
    CompanyId(String),
    /// Any other text (C14's `IAT`, for one).
    Text(String),
    /// A layout that could not be taken apart, hidden because it may hold an account
    /// number; only its last digits are kept.
    Unreadable(AccountTail),
}

impl Corrected {
    /// Which data it is: `account`, `routing`, `transaction_code` and so on.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Routing(_) => "routing",
            Self::TransactionCode(_) => "transaction_code",
            Self::Name(_) => "name",
            Self::IndividualId(_) => "individual_id",
            Self::ForeignBank(_) => "foreign_bank",
            Self::CompanyName(_) => "company_name",
            Self::CompanyId(_) => "company_id",
            Self::Text(_) => "text",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl fmt::Display for Corrected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(tail) | Self::Unreadable(tail) => tail.fmt(f),
            Self::Routing(text)
            | Self::TransactionCode(text)
            | Self::Name(text)
            | Self::IndividualId(text)
            | Self::ForeignBank(text)
            | Self::CompanyName(text)
            | Self::CompanyId(text)
            | Self::Text(text) => f.write_str(text),
        }
    }
}

/// What an entry says happened, with just the data of that case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum EntryKind {
    /// A return (R01 to R53, R80 to R90, or an unknown code of the same shape).
    Return {
        /// The return reason.
        code: Coded<ReturnCode>,
        /// Date of death, only with R14 and R15.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        date_of_death: Option<NaiveDate>,
    },
    /// A dishonored return (R61 to R70): the originating bank refuses the return.
    Dishonored {
        /// The dishonor reason.
        code: Coded<ReturnCode>,
        /// The reason of the return that is dishonored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        return_code: Option<Coded<ReturnCode>>,
        /// When that return settled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        return_settled_on: Option<NaiveDate>,
    },
    /// A contested or corrected return (R71 to R77): the customer's bank answers a dishonor.
    Contested {
        /// The contest reason.
        code: Coded<ReturnCode>,
        /// The reason of the return.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        return_code: Option<Coded<ReturnCode>>,
        /// The reason of the dishonor that is contested.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dishonor_code: Option<Coded<ReturnCode>>,
        /// Trace number of the dishonored return.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dishonor_trace: Option<String>,
        /// When the return settled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        return_settled_on: Option<NaiveDate>,
    },
    /// A notification of change: the payment stood, its data must change.
    Correction {
        /// The change code.
        code: Coded<CorrectionCode>,
        /// What to change, in the order of the field.
        corrected: Vec<Corrected>,
    },
    /// A refused notification of change (C61 to C69).
    RefusedCorrection {
        /// The refusal code.
        code: Coded<CorrectionCode>,
        /// The change code that is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<Coded<CorrectionCode>>,
        /// The data of the refused change.
        corrected: Vec<Corrected>,
    },
    /// A payment that never entered the network.
    ValidationFailure {
        /// The gateway's response code, such as `900`; never a return code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
}

impl EntryKind {
    /// `return`, `dishonored`, `contested`, `correction`, `refused_correction` or
    /// `validation_failure`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Return { .. } => "return",
            Self::Dishonored { .. } => "dishonored",
            Self::Contested { .. } => "contested",
            Self::Correction { .. } => "correction",
            Self::RefusedCorrection { .. } => "refused_correction",
            Self::ValidationFailure { .. } => "validation_failure",
        }
    }

    /// The code as text, and whether the table has it.
    #[must_use]
    pub fn code(&self) -> Option<(String, bool)> {
        match self {
            Self::Return { code, .. }
            | Self::Dishonored { code, .. }
            | Self::Contested { code, .. } => Some((code.to_string(), code.known().is_some())),
            Self::Correction { code, .. } | Self::RefusedCorrection { code, .. } => {
                Some((code.to_string(), code.known().is_some()))
            }
            Self::ValidationFailure { code } => code.clone().map(|code| (code, false)),
        }
    }
}

/// One entry of a file, in the neutral form that the decision works on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// Where it stands in its file.
    pub at: FilePosition,
    /// What it says happened.
    #[serde(flatten)]
    pub kind: EntryKind,
    /// The amount of the returned entry; `None` when the format has no amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// The original amount where the entry's own may lawfully differ (outbound IAT).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_amount: Option<Money>,
    /// Which way the original money went.
    pub direction: Direction,
    /// The ids to match it by.
    pub keys: EntryKeys,
    /// Standard Entry Class, upper case (`PPD`, `WEB`, `IAT`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sec: Option<String>,
    /// The bank that the entry is addressed to, eight digits: in a return the originator's, so
    /// ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub odfi: Option<String>,
    /// The originator's word for what the payment was, upper case (`PAYMENT`). A debit that is
    /// presented again has `RETRY PYMT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_description: Option<String>,
    /// The originator's name, as in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// The bank's or acquirer's own words on the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the return itself settles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement_date: Option<NaiveDate>,
    /// When the original entry settled or was to take effect, where the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_date: Option<NaiveDate>,
    /// When the customer's bank processed the return (`Date Issued`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_on: Option<NaiveDate>,
    /// When the acquirer received the return (`Date Received`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_on: Option<NaiveDate>,
    /// Last digits of the customer's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_tail: Option<AccountTail>,
    /// The row as header and value pairs, account numbers masked, for formats whose row
    /// is shown to platforms (`raw`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raw: Vec<(String, String)>,
}

impl Entry {
    /// An entry at `at` that says `kind` and nothing else yet.
    #[must_use]
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_tail_never_shows_more_than_half() {
        assert_eq!(AccountTail::of("123456789").unwrap().to_string(), "***6789");
        assert_eq!(AccountTail::of("12345").unwrap().to_string(), "***45");
        assert_eq!(AccountTail::of("1").unwrap().to_string(), "***");
        assert_eq!(AccountTail::of("  12-34 "), AccountTail::of("1234"));
        assert_eq!(AccountTail::of("   "), None);
    }

    #[test]
    fn an_account_suffix_keeps_at_most_four_digits() {
        assert_eq!(AccountTail::of_suffix("089").unwrap().to_string(), "***089");
        assert_eq!(
            AccountTail::of_suffix("123456789").unwrap().to_string(),
            "***6789"
        );
        assert_eq!(AccountTail::of_suffix(" "), None);
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
