//! The platforms that listen: one in each style and version.

use crate::platform::Style;
use crate::truth::Sight;

/// Where a platform listens.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    pub path: &'static str,
    pub sight: Sight,
    /// Every type of message that it can be sent, in order.
    pub types: &'static [&'static str],
}

impl Endpoint {
    /// Whether it was built for a version that has no RETURNED.
    pub fn is_old(self) -> bool {
        self.path == "/old"
    }
}

/// One in each style and version.
pub const ENDPOINTS: [Endpoint; 3] = [
    Endpoint {
        path: "/old",
        sight: Sight {
            style: Style::Rainforest,
            api_version: "2023-12-01",
        },
        types: &[
            "ach_return.created",
            "deposit.failed",
            "echeck.ach_correction.created",
            "echeck.ach_hold.closed",
            "echeck.ach_hold.created",
            "echeck.ach_return.contested",
            "echeck.ach_return.dishonored",
            "echeck.ach_return.settling",
            "payin.failed",
            "payin.succeeded",
            "payout.failed",
            "refund.failed",
        ],
    },
    Endpoint {
        path: "/new",
        sight: Sight {
            style: Style::Rainforest,
            api_version: "2024-10-16",
        },
        types: &[
            "ach_return.created",
            "deposit.failed",
            "echeck.ach_correction.created",
            "echeck.ach_hold.closed",
            "echeck.ach_hold.created",
            "echeck.ach_return.contested",
            "echeck.ach_return.dishonored",
            "echeck.ach_return.settling",
            "payin.failed",
            "payin.returned",
            "payout.failed",
            "refund.failed",
        ],
    },
    Endpoint {
        path: "/finix",
        sight: Sight {
            style: Style::Finix,
            api_version: "",
        },
        types: &[
            "ach_correction.created",
            "ach_hold.created",
            "ach_hold.updated",
            "transfer.created",
            "transfer.updated",
        ],
    },
];
