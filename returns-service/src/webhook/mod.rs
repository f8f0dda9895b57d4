//! Webhooks: what platforms are told of the journal, each in the version it was built for.
//!
//! A follower turns journal rows and holds into events, each with one delivery for every
//! endpoint that wants it, in one transaction. The sender then delivers them, at least once.

mod ach_return;
mod dialect;
mod follow;
mod occurrence;
mod picture;
pub(crate) mod render;
mod text;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

pub(crate) use ach_return::{AchReturn, History, MadeKind, Stage};
pub(crate) use dialect::Dialect;
pub(crate) use follow::Follower;
pub(crate) use picture::{Picture, Seen, Verdict, picture};
