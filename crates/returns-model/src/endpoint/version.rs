//! How a subscriber, or a caller of `GetTransfer`, wants to see a payment.

use serde::{Deserialize, Serialize};

/// A platform's style and version. A state that is newer than the version never shows in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayloadVersion {
    /// Finix: transfers and REVERSAL transfers.
    Finix,
    /// Rainforest before 2024-10-16: a payin returned before funding shows as SUCCEEDED.
    RainforestLegacy,
    /// Rainforest from 2024-10-16 on: it shows as RETURNED.
    #[serde(rename = "rainforest_2024_10_16")]
    Rainforest20241016,
}

impl PayloadVersion {
    /// All payload_versions.
    pub const ALL: [Self; 3] = [
        Self::Finix,
        Self::RainforestLegacy,
        Self::Rainforest20241016,
    ];

    /// The word for databases and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finix => "finix",
            Self::RainforestLegacy => "rainforest_legacy",
            Self::Rainforest20241016 => "rainforest_2024_10_16",
        }
    }
}
