//! The two reports of Worldpay (Vantiv, Litle) that carry returns, as profiles.
//!
//! Source of columns and types: Worldpay's reference guides for scheduled secure reports, and the
//! files that its customers read.

use super::delimited::{AmountUnit, Column, Field, Profile};
use crate::entry::Direction;

/// The header changed with the owner of the company.
const PAYMENT_ID: [&str; 3] = [
    "Worldpay Payment ID",
    "Vantiv Payment ID",
    "Litle Payment ID",
];

/// `ECheckReturnReport`: returns of consumers' debits, daily. Amounts are dollars, in the guide and
/// in files.
pub fn echeck_return() -> Profile {
    let columns = [
        (Field::CaseId, Column::named(["Case ID"])),
        (Field::PaymentId, Column::named(PAYMENT_ID)),
        (Field::OrderId, Column::named(["Merchant Order Number"])),
        (Field::AccountSuffix, Column::named(["Account Suffix"])),
        (Field::Code, Column::named(["Reason Code"])),
        (Field::Description, Column::named(["Reason Description"])),
        (Field::IssuedOn, Column::named(["Date Issued"])),
        (Field::ReceivedOn, Column::named(["Date Received"])),
        (Field::Currency, Column::named(["Chargeback Currency"])),
        (Field::Amount, Column::named(["Chargeback Amt"])),
        (Field::OriginalDate, Column::named(["Transaction date"])),
        (Field::CompanyName, Column::named(["Merchant Name"])),
        (
            Field::OriginalTrace,
            Column::named(["Original Trace Number"]),
        ),
        (Field::ReturnTrace, Column::named(["Return Trace Number"])),
    ];
    let ignore = [
        "Transaction Purchase Currency",
        "Transaction Purchase Amount",
        "Transaction Settlement Currency",
        "Transaction Settlement Amount",
        "Activity Date",
        "Report Group",
        "Reporting Group",
        "Transaction Type",
        "Batch Id",
        "Session Id",
        "Merchant Transaction Id",
        "Billing Descriptor",
        "Merchant Id",
        "Presenter",
    ];
    Profile {
        name: "worldpay_echeck_return".to_owned(),
        columns: columns.into(),
        required: [Field::CaseId, Field::PaymentId, Field::Code, Field::Amount].into(),
        ignore: ignore.map(str::to_owned).to_vec(),
        date_formats: vec!["%m/%d/%Y".to_owned()],
        amount_unit: Some(AmountUnit::Major),
        direction: Direction::Debit,
        ..Profile::default()
    }
}

/// `SubMerchantIBFundingReject`: payouts that a bank sent back, by the date of the return.
/// The entry has its row, because platforms see it, with the account number masked.
///
/// The guide calls the amount dollars, but files have cents with two decimals: `500.00` is five
/// dollars. A feed that really has dollars needs [`Profile::with_unit`].
pub fn funding_reject() -> Profile {
    let columns = [
        (Field::IssuedOn, Column::named(["Return Date"])),
        (Field::OriginalDate, Column::named(["Original Date"])),
        (Field::CompanyName, Column::named(["Merchant Name"])),
        (
            Field::TransferRequestId,
            Column::named(["Funds Transfer Request ID"]),
        ),
        (Field::PaymentId, Column::named(PAYMENT_ID)),
        (Field::Direction, Column::named(["Txn Type", "TxnType"])),
        (Field::Amount, Column::named(["Funds Transfer Amount"])),
        (Field::Code, Column::named(["Reason Code"])),
        (Field::Description, Column::named(["Reason Message"])),
        (Field::Account, Column::named(["Account Number"])),
    ];
    let ignore = [
        "Attempted Funds Transfer Date",
        "Sub Merchant Business Name",
        "Funding Sub Merchant ID",
        "Routing Number",
        "Account Name",
    ];
    // PayFac, reserve, sub-merchant and vendor, each with a credit and a debit; FIFA pays
    // out at once.
    let credits = ["FIPC", "FIRC", "FISC", "FIVC", "FIFA"].map(|name| (name, Direction::Credit));
    let debits = ["FIPD", "FIRD", "FISD", "FIVD"].map(|name| (name, Direction::Debit));
    let directions = credits.into_iter().chain(debits);
    Profile {
        name: "worldpay_funding_reject".to_owned(),
        columns: columns.into(),
        required: [Field::TransferRequestId, Field::Code, Field::Amount].into(),
        ignore: ignore.map(str::to_owned).to_vec(),
        date_formats: vec!["%m/%d/%Y".to_owned()],
        amount_unit: Some(AmountUnit::Minor),
        direction: Direction::Credit,
        directions: directions
            .map(|(name, direction)| (name.to_owned(), direction))
            .collect(),
        // Spreadsheets and the report itself drop the leading zero of both.
        pad: [
            ("Routing Number".to_owned(), 9),
            ("Funding Sub Merchant ID".to_owned(), 9),
        ]
        .into(),
        raw: true,
        ..Profile::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profiles_have_no_faults() {
        assert_eq!(echeck_return().validate(), []);
        assert_eq!(funding_reject().validate(), []);
    }

    #[test]
    fn the_echeck_return_report_names_all_28_columns() {
        let profile = echeck_return();
        assert_eq!(profile.columns.len() + profile.ignore.len(), 28);
        let reject = funding_reject();
        assert_eq!(reject.columns.len() + reject.ignore.len(), 15);
    }
}
