//! Which message a file is, and what its transactions are called.

use crate::entry::Direction;

/// The messages that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    /// camt.052, camt.053, camt.054.
    Statement,
    /// pain.002.
    StatusReport,
    /// pacs.004.
    PaymentReturn,
}

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:";

impl Message {
    /// The message of a namespace. The error names what it is instead.
    pub(super) fn of_namespace(namespace: &str) -> Result<Self, String> {
        let Some(name) = namespace.strip_prefix(NAMESPACE) else {
            return Err(
                "this is not a message of ISO 20022: its document has another namespace".to_owned(),
            );
        };
        let kind: String = name.chars().take(8).collect();
        match kind.as_str() {
            "camt.052" | "camt.053" | "camt.054" => Ok(Self::Statement),
            "pain.002" => Ok(Self::StatusReport),
            "pacs.004" => Ok(Self::PaymentReturn),
            _ => Err(format!(
                "this is {}, which reports no returns; camt.052, camt.053, camt.054, pain.002 and pacs.004 \
                 are read",
                crate::format::shown(&kind)
            )),
        }
    }

    /// The element of one transaction.
    pub(super) const fn transaction(self) -> &'static str {
        match self {
            Self::Statement => "TxDtls",
            Self::StatusReport => "TxInfAndSts",
            Self::PaymentReturn => "TxInf",
        }
    }

    /// The element around transactions, if they share something.
    pub(super) const fn around(self) -> &'static str {
        match self {
            Self::Statement => "Ntry",
            Self::StatusReport => "OrgnlPmtInfAndSts",
            Self::PaymentReturn => "PmtRtr",
        }
    }
}

/// Which way the money of an original message went.
pub(super) fn direction_of(original_message: &str) -> Direction {
    match original_message.trim().get(..8) {
        Some("pain.008" | "pacs.003") => Direction::Debit,
        Some("pain.001" | "pacs.008") => Direction::Credit,
        Some(_) | None => Direction::Unknown,
    }
}
