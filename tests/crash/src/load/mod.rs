//! The load: files that are sent, and the gateway's owner at work meanwhile.

mod owner;
mod sender;

pub(crate) use sender::Load;
