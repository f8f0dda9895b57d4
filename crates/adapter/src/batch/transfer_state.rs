//! The state of a transfer, and the state that a change was decided on.

use echeck_proto::adapter::v1 as proto;

/// The neutral states of a transfer, without the unspecified one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferState {
    /// Sent, and not yet known to have succeeded.
    Pending,
    /// Accepted by the network.
    Succeeded,
    /// Failed.
    Failed,
    /// Canceled before it was sent.
    Canceled,
    /// Returned before it was funded.
    Returned,
}

impl TransferState {
    /// All states. FAILED comes before RETURNED, so that a spelling that both share is read as
    /// FAILED.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
        Self::Returned,
    ];

    /// The word of the contract.
    pub const fn to_proto(self) -> proto::TransferState {
        match self {
            Self::Pending => proto::TransferState::Pending,
            Self::Succeeded => proto::TransferState::Succeeded,
            Self::Failed => proto::TransferState::Failed,
            Self::Canceled => proto::TransferState::Canceled,
            Self::Returned => proto::TransferState::Returned,
        }
    }

    /// Reads the word of the contract; `None` for unspecified.
    pub(crate) fn from_proto(state: proto::TransferState) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|candidate| candidate.to_proto() == state)
    }
}

/// The state that a change was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedState {
    /// The state.
    pub state: TransferState,
    /// Whether the transfer was in a deposit, where that was part of the decision.
    pub in_deposit: Option<bool>,
}
