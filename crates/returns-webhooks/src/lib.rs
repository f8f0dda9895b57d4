#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

mod ach_return;
mod address;
mod attempt;
mod batch;
mod client;
mod endpoint_check;
mod event;
mod guard;
mod notify_owner;
mod owner;
mod publisher;
pub mod recover;
pub mod render;
mod schedule;
mod secret;
mod sender;
mod settings;
mod startup_recovery;
mod text;
mod together;
mod view;

#[cfg(test)]
mod guarded_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

pub use ach_return::{AchReturn, History, StageReached};
pub use client::{ClientSettings, SignedClient, WebhookClient, test_body};
pub use endpoint_check::faults as endpoint_faults;
pub use guard::{Guard, Lookup, SystemLookup};
pub use notify_owner::OwnerJob;
pub use publisher::EventPublisher;
pub use schedule::{Schedule, any_number};
pub use secret::{KeyEncryptor, KeyError, SigningKey};
pub use sender::{Sender, SenderJob, SenderParts, SenderSettings};
pub use settings::WebhookSettings;
pub use view::{ReturnOutcome, TransferSeen, TransferView, view};
