//! Tokens that the configuration, or a file of its own, knows by their hashes. Whoever reads the
//! hash cannot call with it.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Denied, Grant};
use crate::reloaded::Reloaded;

/// What a token of ours begins with, so that a scanner finds one that leaked.
const PREFIX: &str = "echeck_";

/// SHA-256 of a token. A token is drawn with 256 random bits, so that a slow hash would add nothing.
type Hash = [u8; 32];

/// A token, and until when it may be used.
#[derive(Debug, Clone)]
pub(super) struct KnownToken {
    /// `token:NAME`.
    pub(super) identity: Arc<str>,
    pub(super) grant: Arc<Grant>,
    pub(super) expires: Option<DateTime<Utc>>,
}

/// Tokens by their hashes.
pub(super) type TokenTable = HashMap<Hash, KnownToken>;

/// The tokens of the configuration, and those of a file that may change.
#[derive(Debug, Default)]
pub(super) struct TokenTables {
    pub(super) fixed: TokenTable,
    pub(super) file: Option<Reloaded<TokenTable>>,
}

impl TokenTables {
    /// Whose token it is.
    pub(super) fn find(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(Arc<str>, Arc<Grant>), Denied> {
        let hash = hash_of(token);
        let in_file = || self.file.as_ref()?.now().get(&hash).cloned();
        let known = self.fixed.get(&hash).cloned().or_else(in_file);
        let known =
            known.ok_or_else(|| Denied::unknown("token_unknown", "a token that nobody has"))?;
        match known.expires {
            Some(end) if end <= now => {
                let what = format!("{} expired at {end}", known.identity);
                Err(Denied::unknown("token_expired", what))
            }
            Some(_) | None => Ok((known.identity, known.grant)),
        }
    }
}

fn hash_of(token: &str) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

/// Reads the hash of a token: 64 hexadecimal digits.
pub(super) fn parse_hash(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// A token that was just drawn.
pub struct NewToken {
    /// The token, for whoever calls.
    pub token: SecretString,
    /// Its hash in hexadecimal digits, for the configuration.
    pub sha256: String,
}

/// Draws a token; `None` when the machine gives no random bytes.
pub fn new_token() -> Option<NewToken> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    let token = SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)));
    let hash = hash_of(token.expose_secret());
    let sha256 = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(NewToken { token, sha256 })
}
