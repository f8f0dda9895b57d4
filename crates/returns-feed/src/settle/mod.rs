//! When a transfer that the journal made may join a settlement.
//!
//! A reversal, or a restoration, is made with an empty `ready_to_settle_at`. A later row of the
//! journal sets it: by policy, or because a person asked. So both moments are visible to the
//! databases, to callers and to platforms.

mod policy;
mod settlement;

pub use policy::ReadyPolicy;
pub use settlement::{ReleaseError, SettlementJob, SettlementRelease};
