//! What is known of each notification-of-change code, and of the codes that refuse one.
//! Source: Nacha Operating Rules 2013, Appendix 5.

use chrono::NaiveDate;
use serde::Serialize;

use super::codes::{NotInTable, codes, rows};
use super::properties::{Initiator, Validity, day};
use crate::text_enum::text_enum;

codes! {
    /// A notification-of-change code, or the code that refuses one.
    CorrectionCode:
    C01 C02 C03 C04 C05 C06 C07 C08 C09 C10 C11 C12 C13 C14 C61 C62 C63 C64 C65 C66 C67 C68 C69
}

text_enum! {
    /// A piece of data that a notification of change replaces.
    CorrectedField {
        /// The account number.
        AccountNumber = "account_number",
        /// The bank's routing number.
        RoutingNumber = "routing_number",
        /// The name of the individual or the receiving company.
        Name = "name",
        /// The transaction code: in practice, checking instead of savings or the reverse.
        TransactionCode = "transaction_code",
        /// The id of the receiving bank abroad (IAT).
        ForeignReceivingDfiId = "foreign_receiving_dfi_id",
        /// The individual identification number.
        IndividualId = "individual_id",
        /// The originating company's name.
        CompanyName = "company_name",
        /// The originating company's id.
        CompanyId = "company_id",
        /// The standard entry class code.
        SecCode = "sec_code",
    }
}

/// One row of the table of notification-of-change codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CorrectionCodeInfo {
    /// The code.
    pub code: CorrectionCode,
    /// The official title.
    pub title: &'static str,
    /// What it means, for a reader who does not know ACH.
    pub meaning: &'static str,
    /// What it replaces, in the order in which the corrected data stand. Empty for C13,
    /// which brings no data, and for a refusal.
    pub corrects: &'static [CorrectedField],
    /// Who may send it.
    pub initiated_by: Initiator,
    /// When it is in force.
    pub validity: Validity,
}

/// When C04 was taken out of the table; processors still send it.
/// <https://pbandt.bank/ach-rules/dishonored-returns-and-contested-dishonored-returns-related-to-an-unintended-credit-to-a-receiver/>
const C04_UNTIL: NaiveDate = day(2015, 3, 20);

impl CorrectionCode {
    /// The code's row.
    pub const fn info(self) -> &'static CorrectionCodeInfo {
        // One arm a code, so that the compiler proves the table complete.
        macro_rules! row_of_each {
            ($($code:ident)+) => { match self { $(Self::$code => &$code,)+ } };
        }
        row_of_each! {
            C01 C02 C03 C04 C05 C06 C07 C08 C09 C10 C11 C12 C13 C14
            C61 C62 C63 C64 C65 C66 C67 C68 C69
        }
    }

    /// Whether it is the originating bank's refusal of a notification (C61 to C69), which
    /// corrects nothing.
    pub const fn is_refusal(self) -> bool {
        matches!(self.info().initiated_by, Initiator::Odfi)
    }
}

/// A notification by the receiving bank.
const NOTICE: CorrectionCodeInfo = CorrectionCodeInfo {
    code: CorrectionCode::C01,
    title: "",
    meaning: "",
    corrects: &[],
    initiated_by: Initiator::Rdfi,
    validity: Validity::Always,
};

/// A refusal of a notification by the originating bank.
const REFUSAL: CorrectionCodeInfo = CorrectionCodeInfo {
    initiated_by: Initiator::Odfi,
    ..NOTICE
};

rows! { CorrectionCode CorrectionCodeInfo:
    C01: NOTICE {
        title: "Incorrect DFI Account Number",
        meaning: "Use another account number, or the same one in another format.",
        corrects: &[CorrectedField::AccountNumber],
    }
    C02: NOTICE {
        title: "Incorrect Routing Number",
        meaning: "Use another routing number, often because two banks merged.",
        corrects: &[CorrectedField::RoutingNumber],
    }
    C03: NOTICE {
        title: "Incorrect Routing Number and Incorrect DFI Account Number",
        meaning: "Use another routing number and another account number.",
        corrects: &[CorrectedField::RoutingNumber, CorrectedField::AccountNumber],
    }
    C04: NOTICE {
        title: "Incorrect Individual Name/Receiving Company Name",
        meaning: "The account is under another name. Show it to a person: the network dropped this code.",
        corrects: &[CorrectedField::Name],
        validity: Validity::Until(C04_UNTIL),
    }
    C05: NOTICE {
        title: "Incorrect Transaction Code",
        meaning: "The account is of another kind: savings instead of checking, say.",
        corrects: &[CorrectedField::TransactionCode],
    }
    C06: NOTICE {
        title: "Incorrect DFI Account Number and Incorrect Transaction Code",
        meaning: "Use another account number, which is of another kind.",
        corrects: &[CorrectedField::AccountNumber, CorrectedField::TransactionCode],
    }
    C07: NOTICE {
        title: "Incorrect Routing Number, Incorrect DFI Account Number, and Incorrect Transaction Code",
        meaning: "Use another routing number and another account number, which is of another kind.",
        corrects: &[
            CorrectedField::RoutingNumber,
            CorrectedField::AccountNumber,
            CorrectedField::TransactionCode,
        ],
    }
    C08: NOTICE {
        title: "Incorrect Receiving DFI Identification (IAT only)",
        meaning: "Use another id for the bank abroad.",
        corrects: &[CorrectedField::ForeignReceivingDfiId],
    }
    C09: NOTICE {
        title: "Incorrect Individual Identification Number/Incorrect Receiver Identification Number",
        meaning: "Use another customer number.",
        corrects: &[CorrectedField::IndividualId],
    }
    C10: NOTICE {
        title: "Incorrect Company Name",
        meaning: "The company's name should read differently. An old code that processors may still send.",
        corrects: &[CorrectedField::CompanyName],
        validity: Validity::Never,
    }
    C11: NOTICE {
        title: "Incorrect Company Identification",
        meaning: "The company's id should read differently. An old code that processors may still send.",
        corrects: &[CorrectedField::CompanyId],
        validity: Validity::Never,
    }
    C12: NOTICE {
        title: "Incorrect Company Name and Company Identification",
        meaning: "The company's name and id should read differently. An old code that processors may still send.",
        corrects: &[CorrectedField::CompanyName, CorrectedField::CompanyId],
        validity: Validity::Never,
    }
    C13: NOTICE {
        title: "Addenda Format Error",
        meaning: "The payment was posted, but its addenda could not be understood. There is no data to apply.",
    }
    C14: NOTICE {
        title: "Incorrect SEC Code for Outbound International Payment",
        meaning: "The payment goes abroad: from now on it must be sent as an IAT entry.",
        corrects: &[CorrectedField::SecCode],
        initiated_by: Initiator::Gateway,
    }
    C61: REFUSAL {
        title: "Misrouted Notification of Change",
        meaning: "The notification was addressed to the wrong bank.",
    }
    C62: REFUSAL {
        title: "Incorrect Trace Number",
        meaning: "The notification does not give the trace number of an entry we sent.",
    }
    C63: REFUSAL {
        title: "Incorrect Company Identification Number",
        meaning: "The notification has a different company id from our entry.",
    }
    C64: REFUSAL {
        title: "Incorrect Individual Identification Number/Identification Number",
        meaning: "The notification has a different customer number from our entry.",
    }
    C65: REFUSAL {
        title: "Incorrectly Formatted Corrected Data",
        meaning: "The corrected data cannot be read.",
    }
    C66: REFUSAL {
        title: "Incorrect Discretionary Data",
        meaning: "The notification does not repeat the discretionary data of our entry.",
    }
    C67: REFUSAL {
        title: "Routing Number Not From Original Entry Detail Record",
        meaning: "The notification has a different routing number from our entry.",
    }
    C68: REFUSAL {
        title: "DFI Account Number Not From Original Entry Detail Record",
        meaning: "The notification has a different account number from our entry.",
    }
    C69: REFUSAL {
        title: "Incorrect Transaction Code",
        meaning: "The notification's transaction code does not fit our entry.",
    }
}
