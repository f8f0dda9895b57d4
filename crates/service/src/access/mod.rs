//! Who calls, and what they may do. Who it is comes from the connection alone: from the names in a
//! verified certificate, or from a bearer token. What a role may call is one closed [`table`].

mod bearer;
mod caller;
#[cfg(feature = "outbound")]
mod jwt;
mod role;
mod settings;
pub mod table;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::HeaderMap;

pub use caller::{Caller, Grant, Merchants};
#[cfg(feature = "outbound")]
pub use jwt::JwtSettings;
pub use role::Role;
pub use tokens::{NewToken, new_token};

use crate::tls::CertificateNames;
use bearer::{Bearer, Credential};
use table::MethodRule;
use tokens::TokenTables;

/// The name of callers who show neither certificate nor token.
pub const ANONYMOUS: &str = "anonymous";

/// Who may call a server.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// By a name in the certificate.
    certificates: Arc<BTreeMap<String, Arc<Grant>>>,
    tokens: Arc<TokenTables>,
    #[cfg(feature = "outbound")]
    jwt: Option<Arc<jwt::Jwts>>,
    /// What callers without any credentials may do.
    anonymous: Arc<Grant>,
}

/// Who is at the other end of a connection, as far as the connection itself tells.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub address: Option<SocketAddr>,
    /// The names in its certificate, if it showed one.
    pub certificate: Option<CertificateNames>,
}

/// Why a call is refused before it is looked at. Its words are for the log: the caller is told the
/// same, whichever credential is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Who calls is not known: a word of a closed list, and what is wrong.
    #[error("{what}")]
    Unknown {
        /// The word.
        word: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The caller is known, and may not call this method.
    #[error("{identity} has none of the roles that {method} needs")]
    NotAllowed {
        /// Who it is.
        identity: String,
        /// The path of the method.
        method: &'static str,
    },
    /// There is no such method.
    #[error("there is no method of this name")]
    NoMethod,
}

impl Denied {
    fn unknown(word: &'static str, what: impl Into<String>) -> Self {
        let what = what.into();
        Self::Unknown { word, what }
    }

    /// A word for it, of a closed list.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unknown { word, .. } => word,
            Self::NotAllowed { .. } => "role_missing",
            Self::NoMethod => "method_unknown",
        }
    }
}

impl Access {
    /// Who makes a call, and that they may call this method.
    ///
    /// # Errors
    /// When they are not known, or have no role that the method is for.
    pub fn admit(
        &self,
        path: &str,
        peer: Option<&Peer>,
        headers: &HeaderMap,
        now: DateTime<Utc>,
    ) -> Result<(Caller, &'static MethodRule), Denied> {
        let caller = self.identify(peer, headers, now)?;
        let rule = table::rule(path).ok_or(Denied::NoMethod)?;
        if rule.allows(&caller.grant) {
            return Ok((caller, rule));
        }
        if *caller.identity == *ANONYMOUS {
            return Err(Denied::unknown(
                "no_credentials",
                "no certificate and no token",
            ));
        }
        Err(Denied::NotAllowed {
            identity: caller.identity.to_string(),
            method: rule.path,
        })
    }

    /// Keeps the keys of an issuer of tokens fresh until `stop`.
    #[cfg(feature = "outbound")]
    pub async fn keep_fresh(&self, stop: tokio_util::sync::CancellationToken) {
        match &self.jwt {
            Some(jwt) => jwt.keep_fresh(stop).await,
            None => stop.cancelled().await,
        }
    }

    /// Who makes a call. A token that is shown must be a right one, even where the certificate
    /// would do.
    fn identify(
        &self,
        peer: Option<&Peer>,
        headers: &HeaderMap,
        now: DateTime<Utc>,
    ) -> Result<Caller, Denied> {
        let address = peer.and_then(|peer| peer.address);
        let known = |(identity, grant)| Caller::new(identity, grant, address);
        if let Some(bearer) = Bearer::of(headers)? {
            return self.of_bearer(&bearer, now).map(known);
        }
        match peer.and_then(|peer| peer.certificate.as_ref()) {
            Some(names) => Ok(known(self.of_certificate(names))),
            None => Ok(known((ANONYMOUS.into(), Arc::clone(&self.anonymous)))),
        }
    }

    fn of_bearer(
        &self,
        bearer: &Bearer<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Arc<str>, Arc<Grant>), Denied> {
        match bearer.credential() {
            Credential::Token(token) => self.tokens.find(token, now),
            #[cfg(feature = "outbound")]
            Credential::Jwt(token) => match &self.jwt {
                Some(jwt) => jwt.find(token),
                None => Err(Denied::unknown(
                    "token_unknown",
                    "tokens of an issuer are not taken here",
                )),
            },
            #[cfg(not(feature = "outbound"))]
            Credential::Jwt(_) => Err(Denied::unknown(
                "token_unknown",
                "tokens of an issuer are not taken here",
            )),
        }
    }

    /// The first name in a certificate that has a role; without one, its first name, with none.
    fn of_certificate(&self, names: &CertificateNames) -> (Arc<str>, Arc<Grant>) {
        let found = names.iter().find_map(|name| {
            let grant = self.certificates.get(name)?;
            Some((name.into(), Arc::clone(grant)))
        });
        found.unwrap_or_else(|| {
            let name = names
                .iter()
                .next()
                .unwrap_or("a certificate without a name");
            (name.into(), Arc::default())
        })
    }
}
