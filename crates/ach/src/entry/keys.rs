//! The ids of an entry.

use serde::{Deserialize, Serialize};

use crate::text_enum::text_enum;

text_enum! {
    /// An id of an entry.
    KeyField {
        /// Trace number of the original entry.
        OriginalTrace = "original_trace",
        /// Trace number of the return itself.
        ReturnTrace = "return_trace",
        /// The acquirer's id of the payment.
        PaymentId = "payment_id",
        /// Our id in the acquirer's records.
        OrderId = "order_id",
        /// Our id of a payout.
        TransferRequestId = "transfer_request_id",
        /// The acquirer's id of the return.
        CaseId = "case_id",
        /// Individual identification number.
        IndividualId = "individual_id",
        /// Serial number of the check that the entry stands for.
        CheckSerialNumber = "check_serial_number",
        /// Company identification of the originator.
        CompanyId = "company_id",
    }
}

/// The ids by which an entry can be matched to a transfer. All are text, exactly as in the
/// file except for the apostrophes and padding that the profile names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EntryKeys {
    /// Trace number of the original entry, 15 digits (addenda 07-21, or a column).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_trace: Option<String>,
    /// Trace number of the return itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_trace: Option<String>,
    /// The acquirer's id of the payment (`Worldpay Payment ID`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// Our id in the acquirer's records (`Merchant Order Number`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// Our id of a payout (`Funds Transfer Request ID`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_request_id: Option<String>,
    /// The acquirer's id of the return (`Case ID`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// Individual identification number of the entry (15 or 22 characters).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub individual_id: Option<String>,
    /// Serial number of the check that the entry stands for (ARC, BOC, POP, RCK, TRC, XCK).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_serial_number: Option<String>,
    /// Company identification of the originator (10 characters).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
}

impl EntryKeys {
    /// Sets an id, unless it is set already.
    pub(crate) fn fill(&mut self, field: KeyField, value: &str) {
        let key = match field {
            KeyField::OriginalTrace => &mut self.original_trace,
            KeyField::ReturnTrace => &mut self.return_trace,
            KeyField::PaymentId => &mut self.payment_id,
            KeyField::OrderId => &mut self.order_id,
            KeyField::TransferRequestId => &mut self.transfer_request_id,
            KeyField::CaseId => &mut self.case_id,
            KeyField::IndividualId => &mut self.individual_id,
            KeyField::CheckSerialNumber => &mut self.check_serial_number,
            KeyField::CompanyId => &mut self.company_id,
        };
        key.get_or_insert_with(|| value.to_owned());
    }
}
