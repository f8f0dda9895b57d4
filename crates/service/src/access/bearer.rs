//! The token in a call's headers (RFC 6750, section 2.1). One in a query or a body is never looked
//! for.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::Denied;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 8 << 10;

/// A token as it came.
pub(super) struct Bearer<'a>(&'a str);

/// What kind of token it is.
pub(super) enum Credential<'a> {
    /// One of ours, which only whoever gave it out can read.
    Token(&'a str),
    /// One that an issuer signed (RFC 7519).
    Jwt(&'a str),
}

impl<'a> Bearer<'a> {
    /// The token of a call, if it has one.
    ///
    /// # Errors
    /// When there are several, or it is no bearer token.
    pub(super) fn of(headers: &'a HeaderMap) -> Result<Option<Self>, Denied> {
        let malformed = || {
            Denied::unknown(
                "token_malformed",
                "the authorization header is no bearer token",
            )
        };
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(malformed());
        }
        let text = value.to_str().map_err(|_| malformed())?;
        let (scheme, token) = text.split_once(' ').ok_or_else(malformed)?;
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.len() > LONGEST {
            return Err(malformed());
        }
        Ok(Some(Self(token)))
    }

    /// Ours have no dots; those of an issuer have two.
    pub(super) fn credential(&self) -> Credential<'a> {
        match self.0.contains('.') {
            true => Credential::Jwt(self.0),
            false => Credential::Token(self.0),
        }
    }
}
