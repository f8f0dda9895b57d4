#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

mod audit;
mod check;
mod checkpoint;
mod daily;
mod exceptions;
mod imports;
mod key;
mod settings;
mod signer;

pub use check::{Check, JournalChecker, Verdict};
pub use checkpoint::Checkpoints;
pub use daily::DailyCheck;
pub use exceptions::check as check_exceptions;
pub use key::{CheckpointKey, new_signing_key};
pub use settings::JournalSettings;
pub use signer::{SignError, SignerJob};
