//! The load: files that are sent, files that land at the acquirer, and the gateway's owner at
//! work meanwhile.

mod acquirer;
mod owner;
mod sender;

pub(crate) use sender::{Load, Way};
