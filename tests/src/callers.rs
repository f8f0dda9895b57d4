//! Callers with tokens: one for each role, and those that nobody lets in.

use echeck_service::access::{NewToken, new_token};
use secrecy::ExposeSecret as _;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// A caller with a token.
pub struct TokenCaller {
    /// Its name in the configuration.
    pub name: String,
    drawn: NewToken,
    settings: String,
}

impl TokenCaller {
    /// A caller with these roles.
    pub fn new(name: &str, roles: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            drawn: new_token().expect("random bytes"),
            settings: format!("roles = {roles:?}\n"),
        }
    }

    /// With more settings of its token.
    pub fn with(mut self, settings: &str) -> Self {
        self.settings += settings;
        self
    }

    /// What a service's configuration has about it.
    pub fn section(&self) -> String {
        let (name, sha256) = (&self.name, &self.drawn.sha256);
        format!(
            "[access.tokens.{name}]\nsha256 = {sha256:?}\n{}",
            self.settings
        )
    }

    /// Its token.
    pub fn token(&self) -> &str {
        self.drawn.token.expose_secret()
    }

    /// What goes with each of its calls.
    pub fn bearer(&self) -> Bearer {
        Bearer::of(self.token())
    }
}

/// Sends a token with each call.
#[derive(Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Bearer {
    /// This token.
    pub fn of(token: &str) -> Self {
        Self(Some(format!("Bearer {token}").parse().expect("ASCII")))
    }

    /// None.
    pub fn none() -> Self {
        Self(None)
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        Ok(request)
    }
}
