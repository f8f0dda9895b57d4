//! Signing keys of endpoints, as they are stored.

use chrono::{DateTime, Utc};
use strum::{EnumString, IntoStaticStr};

/// A signing key as it is stored: encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRecord {
    pub secret_id: String,
    pub endpoint_id: String,
    pub kind: SecretKind,
    /// The key, encrypted to the service's own identity.
    pub sealed: String,
    /// What a receiver checks signatures with, where that is no secret.
    pub public_key: Option<String>,
    pub created_at: DateTime<Utc>,
    /// Until then it signs beside the one that came after it; `None` for the current one.
    pub retires_at: Option<DateTime<Utc>>,
}

/// How messages are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum SecretKind {
    /// With a secret that both sides know.
    #[strum(serialize = "hmac_sha256")]
    HmacSha256,
    /// With a private key that stays here; the receiver has the public one.
    #[strum(serialize = "ed25519")]
    Ed25519,
}

impl SecretKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::HmacSha256, Self::Ed25519];

    /// Its name in the database and for people.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// What a key that must stay secret begins with, by Standard Webhooks 1.0.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::HmacSha256 => "whsec_",
            Self::Ed25519 => "whsk_",
        }
    }
}
