//! The ids by which a caller looks transfers up.

use echeck_proto::adapter::v1::TransferKeyKind;

/// A kind of id that a mapping may have a column for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyKind {
    /// The transfer's own id.
    TransferId,
    /// The id that the acquirer was given.
    TraceId,
    /// The acquirer's id of the payment.
    PaymentId,
    /// The ACH trace number of the original entry.
    AchTrace,
    /// The individual identification number.
    IndividualId,
}

impl KeyKind {
    const ALL: [Self; 5] = [
        Self::TransferId,
        Self::TraceId,
        Self::PaymentId,
        Self::AchTrace,
        Self::IndividualId,
    ];

    const fn to_proto(self) -> TransferKeyKind {
        match self {
            Self::TransferId => TransferKeyKind::TransferId,
            Self::TraceId => TransferKeyKind::TraceId,
            Self::PaymentId => TransferKeyKind::PaymentId,
            Self::AchTrace => TransferKeyKind::AchTrace,
            Self::IndividualId => TransferKeyKind::IndividualId,
        }
    }

    /// Reads the word of the contract; `None` for unspecified.
    pub(super) fn from_proto(kind: TransferKeyKind) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|candidate| candidate.to_proto() == kind)
    }

    /// The name in the contract.
    pub fn as_str(self) -> &'static str {
        self.to_proto().as_str_name()
    }
}

/// One id to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupKey {
    /// Which id it is.
    pub kind: KeyKind,
    /// The id; never empty.
    pub value: String,
}
