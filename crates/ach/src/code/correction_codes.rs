//! What is known of each notification-of-change code, and of the codes by which one is
//! refused. Source: Nacha Operating Rules 2013, Appendix 5.

use chrono::NaiveDate;
use serde::Serialize;

use super::CorrectionCode;
use super::properties::{Initiator, Validity, day};
use crate::text_enum::text_enum;

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
    #[must_use]
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
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        matches!(self.info().initiated_by, Initiator::Odfi)
    }

    /// Whether the code may be used on a date. One that is no longer in force still comes
    /// in, and is shown to a person rather than applied.
    #[must_use]
    pub fn in_force_on(self, date: NaiveDate) -> bool {
        self.info().validity.on(date)
    }
}

/// A notification by the receiving bank.
const fn notice(
    code: CorrectionCode,
    title: &'static str,
    meaning: &'static str,
    corrects: &'static [CorrectedField],
) -> CorrectionCodeInfo {
    CorrectionCodeInfo {
        code,
        title,
        meaning,
        corrects,
        initiated_by: Initiator::Rdfi,
        validity: Validity::Always,
    }
}

/// A refusal of a notification by the originating bank.
const fn refusal(
    code: CorrectionCode,
    title: &'static str,
    meaning: &'static str,
) -> CorrectionCodeInfo {
    CorrectionCodeInfo {
        initiated_by: Initiator::Odfi,
        ..notice(code, title, meaning, &[])
    }
}

static C01: CorrectionCodeInfo = notice(
    CorrectionCode::C01,
    "Incorrect DFI Account Number",
    "Use another account number, or the same one in another format.",
    &[CorrectedField::AccountNumber],
);

static C02: CorrectionCodeInfo = notice(
    CorrectionCode::C02,
    "Incorrect Routing Number",
    "Use another routing number, often because two banks merged.",
    &[CorrectedField::RoutingNumber],
);

static C03: CorrectionCodeInfo = notice(
    CorrectionCode::C03,
    "Incorrect Routing Number and Incorrect DFI Account Number",
    "Use another routing number and another account number.",
    &[CorrectedField::RoutingNumber, CorrectedField::AccountNumber],
);

static C04: CorrectionCodeInfo = CorrectionCodeInfo {
    validity: Validity::Until(C04_UNTIL),
    ..notice(
        CorrectionCode::C04,
        "Incorrect Individual Name/Receiving Company Name",
        "The account is under another name. Show it to a person: the network dropped this code.",
        &[CorrectedField::Name],
    )
};

static C05: CorrectionCodeInfo = notice(
    CorrectionCode::C05,
    "Incorrect Transaction Code",
    "The account is of another kind: savings instead of checking, say.",
    &[CorrectedField::TransactionCode],
);

static C06: CorrectionCodeInfo = notice(
    CorrectionCode::C06,
    "Incorrect DFI Account Number and Incorrect Transaction Code",
    "Use another account number, which is of another kind.",
    &[
        CorrectedField::AccountNumber,
        CorrectedField::TransactionCode,
    ],
);

static C07: CorrectionCodeInfo = notice(
    CorrectionCode::C07,
    "Incorrect Routing Number, Incorrect DFI Account Number, and Incorrect Transaction Code",
    "Use another routing number and another account number, which is of another kind.",
    &[
        CorrectedField::RoutingNumber,
        CorrectedField::AccountNumber,
        CorrectedField::TransactionCode,
    ],
);

static C08: CorrectionCodeInfo = notice(
    CorrectionCode::C08,
    "Incorrect Receiving DFI Identification (IAT only)",
    "Use another id for the bank abroad.",
    &[CorrectedField::ForeignReceivingDfiId],
);

static C09: CorrectionCodeInfo = notice(
    CorrectionCode::C09,
    "Incorrect Individual Identification Number/Incorrect Receiver Identification Number",
    "Use another customer number.",
    &[CorrectedField::IndividualId],
);

static C10: CorrectionCodeInfo = CorrectionCodeInfo {
    validity: Validity::Never,
    ..notice(
        CorrectionCode::C10,
        "Incorrect Company Name",
        "The company's name should read otherwise. An old code that processors may still send.",
        &[CorrectedField::CompanyName],
    )
};

static C11: CorrectionCodeInfo = CorrectionCodeInfo {
    validity: Validity::Never,
    ..notice(
        CorrectionCode::C11,
        "Incorrect Company Identification",
        "The company's id should read otherwise. An old code that processors may still send.",
        &[CorrectedField::CompanyId],
    )
};

static C12: CorrectionCodeInfo = CorrectionCodeInfo {
    validity: Validity::Never,
    ..notice(
        CorrectionCode::C12,
        "Incorrect Company Name and Company Identification",
        "The company's name and id should read otherwise. An old code that processors may still send.",
        &[CorrectedField::CompanyName, CorrectedField::CompanyId],
    )
};

static C13: CorrectionCodeInfo = notice(
    CorrectionCode::C13,
    "Addenda Format Error",
    "The payment was posted, but what its addenda say could not be made out. There are no data to apply.",
    &[],
);

static C14: CorrectionCodeInfo = CorrectionCodeInfo {
    initiated_by: Initiator::Gateway,
    ..notice(
        CorrectionCode::C14,
        "Incorrect SEC Code for Outbound International Payment",
        "The payment goes abroad: from now on it must be sent as an IAT entry.",
        &[CorrectedField::SecCode],
    )
};

static C61: CorrectionCodeInfo = refusal(
    CorrectionCode::C61,
    "Misrouted Notification of Change",
    "The notification was addressed to the wrong bank.",
);

static C62: CorrectionCodeInfo = refusal(
    CorrectionCode::C62,
    "Incorrect Trace Number",
    "The notification does not give the trace number of an entry we sent.",
);

static C63: CorrectionCodeInfo = refusal(
    CorrectionCode::C63,
    "Incorrect Company Identification Number",
    "The notification has another company id than our entry.",
);

static C64: CorrectionCodeInfo = refusal(
    CorrectionCode::C64,
    "Incorrect Individual Identification Number/Identification Number",
    "The notification has another customer number than our entry.",
);

static C65: CorrectionCodeInfo = refusal(
    CorrectionCode::C65,
    "Incorrectly Formatted Corrected Data",
    "The corrected data cannot be read.",
);

static C66: CorrectionCodeInfo = refusal(
    CorrectionCode::C66,
    "Incorrect Discretionary Data",
    "The notification does not repeat the discretionary data of our entry.",
);

static C67: CorrectionCodeInfo = refusal(
    CorrectionCode::C67,
    "Routing Number Not From Original Entry Detail Record",
    "The notification has another routing number than our entry.",
);

static C68: CorrectionCodeInfo = refusal(
    CorrectionCode::C68,
    "DFI Account Number Not From Original Entry Detail Record",
    "The notification has another account number than our entry.",
);

static C69: CorrectionCodeInfo = refusal(
    CorrectionCode::C69,
    "Incorrect Transaction Code",
    "The notification's transaction code does not fit our entry.",
);
