//! The corrected data of a notification of change.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::AccountTail;
use echeck_masking::without_long_numbers;

/// One piece of corrected data of a notification of change. The reader masks account numbers,
/// so the clear number exists nowhere in the program.
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
    /// Any other text, such as C14's `IAT`.
    Text(String),
    /// Data in an unknown layout. It may hold an account number, so only its last digits are
    /// kept.
    Unreadable(AccountTail),
}

impl Corrected {
    /// Which data it is: `account`, `routing`, `transaction_code` and so on.
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

impl Corrected {
    /// Hides what may be an account number in the place of a name or a code.
    pub(super) fn mask_free_text(&mut self) {
        match self {
            Self::Name(text)
            | Self::CompanyName(text)
            | Self::TransactionCode(text)
            | Self::Text(text) => *text = without_long_numbers(text),
            Self::Account(_)
            | Self::Routing(_)
            | Self::IndividualId(_)
            | Self::ForeignBank(_)
            | Self::CompanyId(_)
            | Self::Unreadable(_) => {}
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
