//! Webhooks: what platforms are told of the journal, each in the version it was built for.
//!
//! A follower turns journal rows and holds into events, each with one delivery for every
//! endpoint that wants it, in one transaction. The sender then delivers them, at least once.

mod ach_return;
mod address;
mod aftermath;
mod attempt;
mod batch;
mod client;
mod dialect;
mod endpoint;
mod follow;
mod guard;
mod occurrence;
mod owner;
mod picture;
mod poster;
pub(crate) mod recover;
pub(crate) mod render;
mod schedule;
mod secret;
mod sender;
mod settings;
mod tell;
mod text;

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use ach_return::{AchReturn, History, MadeKind, Stage};
pub(crate) use client::WebhookClient;
pub(crate) use dialect::Dialect;
pub(crate) use endpoint::{Endpoint, EndpointFault, EndpointSettings, Style, dialect};
pub(crate) use follow::Follower;
pub(crate) use guard::{Guard, SystemLookup};
pub(crate) use owner::{Letter, OwnerMail, OwnerNotice, Telling};
pub(crate) use picture::{Picture, Seen, Verdict, picture};
pub(crate) use poster::{Poster, test_body};
pub(crate) use schedule::{Schedule, any_number};
pub(crate) use secret::{KeyError, Sealer, SecretKind, SigningKey};
pub(crate) use sender::{Parts, Sender};
pub(crate) use settings::WebhookSettings;
