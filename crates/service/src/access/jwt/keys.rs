//! The public keys of an issuer, from a file or from its address.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::Section;
use crate::outbound::{client_builder, is_this_machine};
use crate::reloaded::{FileFault, Reloaded};

/// The longest list of keys, in bytes.
const LONGEST: usize = 1 << 20;

/// How long an issuer may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it is left alone, whatever keys are asked for.
const BETWEEN_FETCHES: Duration = Duration::from_secs(10);

/// The keys.
#[derive(Debug)]
pub(super) enum Keys {
    File(Reloaded<JwkSet>),
    Fetched(Fetched),
}

impl Keys {
    /// Reads `jwks_url` or `jwks_file`, and `refresh_ms`.
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let url = section.optional_string("jwks_url");
        let file = section.optional_string("jwks_file");
        let refresh = section.duration_ms_or("refresh_ms", 300_000, 1_000..=86_400_000);
        match (url, file) {
            (Some(url), None) => Fetched::new(url, refresh)
                .map_err(|why| section.fault("jwks_url", why))
                .ok()
                .map(Self::Fetched),
            (None, Some(file)) => {
                let file = PathBuf::from(file);
                let read = {
                    let file = file.clone();
                    move || {
                        let text =
                            std::fs::read(&file).map_err(|error| FileFault::of(&file, error))?;
                        parse(&text).map_err(|why| FileFault::of(&file, why))
                    }
                };
                Reloaded::new(vec![file], read)
                    .map_err(|fault| section.fault("jwks_file", fault.to_string()))
                    .ok()
                    .map(Self::File)
            }
            (None, None) | (Some(_), Some(_)) => {
                section.fault("jwks_url", "or jwks_file is required, and not both");
                None
            }
        }
    }

    /// The key with this id. A token that names none may be signed with the only key there is.
    pub(super) fn find(&self, kid: &str) -> Option<Jwk> {
        let set = match self {
            Self::File(file) => Some(file.now()),
            Self::Fetched(fetched) => fetched.now(),
        };
        let found = set.as_ref().and_then(|set| match (kid, &set.keys[..]) {
            ("", [only]) => Some(only.clone()),
            _ => set.find(kid).cloned(),
        });
        if let (None, Self::Fetched(fetched)) = (&found, self) {
            // The issuer may have begun to sign with a new one.
            fetched.wanted.notify_one();
        }
        found
    }

    /// Fetches them again and again until `stop`.
    pub(super) async fn keep_fresh(&self, stop: CancellationToken) {
        match self {
            Self::File(_) => stop.cancelled().await,
            Self::Fetched(fetched) => {
                tokio::select! {
                    () = fetched.keep_fresh() => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }
}

/// Keys from the issuer's address.
#[derive(Debug)]
pub(super) struct Fetched {
    url: String,
    refresh: Duration,
    client: reqwest::Client,
    keys: RwLock<Option<Arc<JwkSet>>>,
    /// Somebody asked for a key that is not here.
    wanted: Notify,
}

impl Fetched {
    fn new(url: String, refresh: Duration) -> Result<Self, String> {
        let parsed = reqwest::Url::parse(&url).map_err(|error| format!("is no URL: {error}"))?;
        let is_local = parsed.host_str().is_some_and(is_this_machine);
        if parsed.scheme() != "https" && !is_local {
            return Err(
                "must be https://: whoever changes the keys on the way can sign".to_owned(),
            );
        }
        let client = client_builder(None, PATIENCE).map_err(|error| error.to_string())?;
        let client = client.timeout(PATIENCE).build();
        Ok(Self {
            url,
            refresh,
            client: client.map_err(|error| error.to_string())?,
            keys: RwLock::default(),
            wanted: Notify::new(),
        })
    }

    fn now(&self) -> Option<Arc<JwkSet>> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn keep_fresh(&self) {
        let mut said = None;
        loop {
            match self.fetch().await {
                Ok(keys) => {
                    if self.now().is_none() || said.is_some() {
                        info!(
                            url = self.url,
                            keys = keys.keys.len(),
                            "the issuer's keys are here"
                        );
                    }
                    said = None;
                    *self.keys.write().unwrap_or_else(PoisonError::into_inner) =
                        Some(Arc::new(keys));
                }
                Err(why) if said.as_ref() != Some(&why) => {
                    warn!(
                        url = self.url,
                        why, "the issuer's keys cannot be fetched; those that were stay in use"
                    );
                    said = Some(why);
                }
                Err(_) => {}
            }
            tokio::time::sleep(BETWEEN_FETCHES.min(self.refresh)).await;
            if said.is_none() {
                // What is left of the pause ends early when a key is missing.
                let rest = self.refresh.saturating_sub(BETWEEN_FETCHES);
                let _ = tokio::time::timeout(rest, self.wanted.notified()).await;
            }
        }
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let failed = |error: reqwest::Error| crate::innermost(&error).to_string();
        let answer = self.client.get(&self.url).send().await.map_err(failed)?;
        let mut answer = answer.error_for_status().map_err(failed)?;
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            text.extend_from_slice(&chunk);
            if text.len() > LONGEST {
                return Err(format!("the answer is longer than {LONGEST} bytes"));
            }
        }
        parse(&text)
    }
}

fn parse(text: &[u8]) -> Result<JwkSet, String> {
    serde_json::from_slice(text).map_err(|error| format!("is no list of keys (JWKS): {error}"))
}
