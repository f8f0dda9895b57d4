//! Webhooks: what platforms are told of the journal, each in the version it was built for.
//!
//! A follower turns journal rows and holds into events, each with one delivery for every
//! endpoint that wants it, in one transaction. The sender then delivers them, at least once.

mod dialect;
mod endpoint;
pub(crate) mod render;
mod secret;

pub(crate) use dialect::Dialect;
pub(crate) use endpoint::{Endpoint, EndpointFault, EndpointSettings, Style, dialect};
pub(crate) use secret::{SecretKind, Sealer, SigningKey, KeyError};
