//! Tokens that an issuer has signed (RFC 7519), checked against its keys (RFC 7517). Only signatures
//! with a public key are accepted, so that nobody who knows the issuer's public keys can sign.

mod keys;
mod signatures;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::str::FromStr as _;
use std::sync::Arc;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::{Denied, Grant, Merchants, Role};
use crate::config::Section;
use keys::Keys;

/// How far the issuer's clock may be from ours, in seconds.
const LEEWAY_S: u64 = 30;

/// The longest subject, in bytes: it is in every line of the log.
const LONGEST_SUBJECT: usize = 200;

/// What a token may be signed with.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// The section `[access.jwt]`.
#[derive(Debug)]
pub struct JwtSettings {
    issuer: String,
    audience: Vec<String>,
    keys: Keys,
    roles_claim: String,
    merchants_claim: String,
}

impl JwtSettings {
    /// Reads the section, if there is one: `issuer`, `audience`, `jwks_url` or `jwks_file`,
    /// `refresh_ms`, `roles_claim` and `merchants_claim`.
    pub fn read(access: &Section<'_>) -> Option<Self> {
        if !access.has("jwt") {
            return None;
        }
        let section = access.section("jwt");
        let audience = section.strings_or("audience", &[]);
        if audience.is_empty() {
            section.fault("audience", "is required: whom the tokens are for");
        }
        let settings = Self {
            issuer: section.string("issuer"),
            audience,
            keys: Keys::read(&section)?,
            roles_claim: section.string_or("roles_claim", "echeck_roles"),
            merchants_claim: section.string_or("merchants_claim", "echeck_merchants"),
        };
        Some(settings)
    }
}

/// Whose tokens are accepted.
#[derive(Debug)]
pub(super) struct Jwts(JwtSettings);

impl Jwts {
    pub(super) fn new(settings: JwtSettings) -> Self {
        signatures::install();
        Self(settings)
    }

    /// Keeps the issuer's keys fresh until `stop`.
    pub(super) async fn keep_fresh(&self, stop: CancellationToken) {
        self.0.keys.keep_fresh(stop).await;
    }

    /// Who the bearer of a token is.
    pub(super) fn find(&self, token: &str) -> Result<(Arc<str>, Arc<Grant>), Denied> {
        let malformed = |error| {
            Denied::unknown(
                "jwt_malformed",
                format!("a JWT that cannot be read: {error}"),
            )
        };
        let header = decode_header(token).map_err(malformed)?;
        if !ALGORITHMS.contains(&header.alg) {
            let what = format!("a JWT signed with {:?}, which is not accepted", header.alg);
            return Err(Denied::unknown("jwt_algorithm", what));
        }
        let kid = header.kid.as_deref().unwrap_or_default();
        let Some(jwk) = self.0.keys.find(kid) else {
            let what = "a JWT signed with a key that its issuer does not list";
            return Err(Denied::unknown("jwt_key_unknown", what));
        };
        let claims = self.claims(token, header.alg, &jwk)?;
        self.known(&claims)
    }

    fn claims(
        &self,
        token: &str,
        algorithm: Algorithm,
        jwk: &Jwk,
    ) -> Result<Map<String, Value>, Denied> {
        let key = DecodingKey::from_jwk(jwk);
        let key = key.map_err(|error| Denied::unknown("jwt_key_unusable", error.to_string()))?;
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.0.issuer]);
        validation.set_audience(&self.0.audience);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_S;
        let decoded = decode(token, &key, &validation);
        let decoded = decoded.map_err(|error| {
            let word = match error.kind() {
                ErrorKind::ExpiredSignature => "jwt_expired",
                ErrorKind::ImmatureSignature => "jwt_not_valid_yet",
                ErrorKind::InvalidAudience => "jwt_audience",
                ErrorKind::InvalidIssuer => "jwt_issuer",
                ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => "jwt_signature",
                _ => "jwt_malformed",
            };
            Denied::unknown(word, format!("a JWT that is not accepted: {error}"))
        })?;
        Ok(decoded.claims)
    }

    fn known(&self, claims: &Map<String, Value>) -> Result<(Arc<str>, Arc<Grant>), Denied> {
        let subject = claims
            .get("sub")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if subject.is_empty()
            || subject.len() > LONGEST_SUBJECT
            || subject.contains(char::is_control)
        {
            return Err(Denied::unknown(
                "jwt_malformed",
                "a JWT with an unusable subject",
            ));
        }
        // A role that is not ours is another system's.
        let roles = texts(claims.get(&self.0.roles_claim));
        let roles: BTreeSet<Role> = roles
            .iter()
            .filter_map(|name| Role::from_str(name).ok())
            .collect();
        let merchants = match claims.get(&self.0.merchants_claim) {
            None => Merchants::All,
            Some(listed) => Merchants::Only(texts(Some(listed)).into_iter().collect()),
        };
        let grant = Grant { roles, merchants };
        Ok((format!("jwt:{subject}").into(), Arc::new(grant)))
    }
}

/// A claim that is a list of texts, or one text with blanks between them, as scopes are written.
fn texts(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(items)) => {
            let items = items.iter().filter_map(Value::as_str);
            items.map(str::to_owned).collect()
        }
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    }
}
