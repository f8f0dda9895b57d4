//! The fields that a profile can read, and how it names their columns.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::cell;
use crate::text_enum::text_enum;

text_enum! {
    /// What a column can hold for us. The key in a profile is the name in snake case.
    Field {
        /// The acquirer's id of the payment.
        PaymentId = "payment_id",
        /// Our id in the acquirer's records.
        OrderId = "order_id",
        /// The acquirer's id of the return.
        CaseId = "case_id",
        /// Our id of a payout.
        TransferRequestId = "transfer_request_id",
        /// Trace number of the original entry.
        OriginalTrace = "original_trace",
        /// Trace number of the return.
        ReturnTrace = "return_trace",
        /// Individual identification number.
        IndividualId = "individual_id",
        /// Serial number of the check that the entry stands for.
        CheckSerialNumber = "check_serial_number",
        /// Company identification of the originator.
        CompanyId = "company_id",
        /// Name of the originator.
        CompanyName = "company_name",
        /// Return or change code.
        Code = "code",
        /// The reason in words.
        Description = "description",
        /// The amount, in the profile's unit.
        Amount = "amount",
        /// The amount of a debit that came back, where debits and credits have columns of their own.
        DebitAmount = "debit_amount",
        /// The amount of a credit that came back.
        CreditAmount = "credit_amount",
        /// The amount's currency, three letters.
        Currency = "currency",
        /// The transaction type, from which the direction follows.
        Direction = "direction",
        /// The account number, clear or masked; only its last digits are recorded.
        Account = "account",
        /// The account number's last digits alone.
        AccountSuffix = "account_suffix",
        /// Standard Entry Class.
        Sec = "sec",
        /// When the return settles.
        SettlementDate = "settlement_date",
        /// When the original entry settled or took effect.
        OriginalDate = "original_date",
        /// When the bank processed the return.
        IssuedOn = "issued_on",
        /// When the acquirer received the return.
        ReceivedOn = "received_on",
        /// The account number that a correction gives.
        CorrectedAccount = "corrected_account",
        /// The routing number that a correction gives.
        CorrectedRouting = "corrected_routing",
        /// The name that a correction gives.
        CorrectedName = "corrected_name",
        /// The transaction code that a correction gives.
        CorrectedTransactionCode = "corrected_transaction_code",
        /// The corrected data in one column, whose kind the change code gives.
        CorrectedData = "corrected_data",
        /// What kind of row it is: detail, header, trailer.
        RecordType = "record_type",
    }
}

impl Field {
    /// Whether a payment can be found by this field.
    pub(super) const fn is_match_key(self) -> bool {
        matches!(
            self,
            Self::PaymentId
                | Self::OrderId
                | Self::TransferRequestId
                | Self::OriginalTrace
                | Self::IndividualId
                | Self::CheckSerialNumber
        )
    }

    /// Whether the field decides what happens with money. When such a column vanishes from
    /// a file, the profile's default must not quietly take its place.
    pub(super) const fn decides(self) -> bool {
        matches!(
            self,
            Self::Code
                | Self::Amount
                | Self::DebitAmount
                | Self::CreditAmount
                | Self::Currency
                | Self::Direction
                | Self::RecordType
        )
    }

    /// Whether the field is read with the profile's date formats.
    pub(super) const fn is_date(self) -> bool {
        matches!(
            self,
            Self::SettlementDate | Self::OriginalDate | Self::IssuedOn | Self::ReceivedOn
        )
    }

    /// Whether the column may hold an account number in clear.
    pub(super) const fn holds_account(self) -> bool {
        matches!(
            self,
            Self::Account | Self::CorrectedAccount | Self::CorrectedData
        )
    }
}

/// How a profile names a column: by its number, by its header, or by a list of the
/// spellings that are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// The column's number, counted from 1.
    Number(usize),
    /// The header's accepted spellings. They are compared without regard to case; an
    /// underscore equals a blank and runs of blanks count as one.
    Named(Vec<String>),
}

impl Column {
    /// A column with these spellings of its header.
    pub(in crate::format) fn named<const N: usize>(spellings: [&str; N]) -> Self {
        Self::Named(spellings.map(str::to_owned).to_vec())
    }

    /// Whether `header` is one of the spellings.
    pub(super) fn is(&self, header: &str) -> bool {
        match self {
            Self::Number(_) => false,
            Self::Named(spellings) => {
                let header = normal(header);
                spellings.iter().any(|spelling| normal(spelling) == header)
            }
        }
    }
}

/// Shows the first spelling, or `column 3`.
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "column {number}"),
            Self::Named(spellings) => f.write_str(spellings.first().map_or("", String::as_str)),
        }
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnVisitor)
    }
}

struct ColumnVisitor;

impl<'de> Visitor<'de> for ColumnVisitor {
    type Value = Column;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header, a list of headers, or a column number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Column, E> {
        usize::try_from(number)
            .map(Column::Number)
            .map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Column, E> {
        let number = usize::try_from(number);
        number
            .map(Column::Number)
            .map_err(|_| E::custom("a column number is counted from 1"))
    }

    fn visit_str<E: Error>(self, header: &str) -> Result<Column, E> {
        Ok(Column::Named(vec![header.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Column, A::Error> {
        let mut spellings = Vec::new();
        while let Some(spelling) = list.next_element()? {
            spellings.push(spelling);
        }
        Ok(Column::Named(spellings))
    }
}

/// A header as it is compared: lower case, underscores as blanks, runs of blanks as one.
pub(super) fn normal(header: &str) -> String {
    cell::one_spaced(&header.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_compared_without_case_underscores_and_runs_of_blanks() {
        let column = Column::named(["Return Date"]);
        for same in [
            "return_date",
            " RETURN   DATE ",
            "Return__Date",
            "Return\tDate",
        ] {
            assert!(column.is(same), "{same:?}");
        }
        assert!(!column.is("ReturnDate"));
    }

    #[test]
    fn a_column_is_a_number_a_header_or_a_list_of_headers() {
        let read = serde_json::from_str::<Column>;
        assert_eq!(read("3").unwrap(), Column::Number(3));
        assert_eq!(read("\"Case ID\"").unwrap(), Column::named(["Case ID"]));
        assert_eq!(read("[\"A\", \"B\"]").unwrap(), Column::named(["A", "B"]));
        let wrong = read("true").unwrap_err().to_string();
        assert!(wrong.contains("a column number"), "{wrong}");
        assert!(read("-1").is_err());
    }
}
