//! OpenPGP: the private key that files are encrypted to, and the messages.

pub(super) mod message;

use std::sync::Arc;

use echeck_service::config::Section;
use message::Unlocked;
use pgp::composed::{Deserializable as _, SignedSecretKey, SignedSecretSubKey};
use pgp::types::Password;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::SourceError;
use crate::secret::StoredSecret;

/// The private key that files are encrypted to, and its passphrase.
#[derive(Debug, Clone)]
pub(crate) struct PgpKey(Arc<Stored>);

#[derive(Debug)]
struct Stored {
    key: StoredSecret,
    passphrase: Option<StoredSecret>,
}

impl PgpKey {
    /// The key of a source, if it has one. It is opened once, so that a wrong key or a wrong
    /// passphrase is a fault of the configuration.
    pub(crate) fn read(section: &Section<'_>) -> Option<Self> {
        let key = StoredSecret::read(section, "pgp_private_key");
        let passphrase = StoredSecret::read(section, "pgp_passphrase");
        let Some(key) = key else {
            if passphrase.is_some() && !section.has("pgp_private_key_file") {
                let what = "is for a pgp_private_key, and there is none";
                section.fault("pgp_passphrase", what);
            }
            return None;
        };
        let stored = Self(Arc::new(Stored { key, passphrase }));
        if let Err(error) = stored.unlocked() {
            section.fault("pgp_private_key", error.to_string());
        }
        Some(stored)
    }

    /// A key that is known already.
    #[cfg(test)]
    pub(crate) fn fixed(key: &str, passphrase: Option<&str>) -> Self {
        Self(Arc::new(Stored {
            key: StoredSecret::fixed("pgp_private_key", key),
            passphrase: passphrase.map(|text| StoredSecret::fixed("pgp_passphrase", text)),
        }))
    }

    /// The key as it is now, once it is sure that the passphrase opens it.
    pub(crate) fn unlocked(&self) -> Result<Unlocked, SourceError> {
        let text = self.0.key.now()?;
        let passphrase = self.0.passphrase.as_ref().map(StoredSecret::now);
        let passphrase = passphrase.transpose()?;
        let passphrase = passphrase.as_ref().map_or("", SecretString::expose_secret);
        let (key, _) = SignedSecretKey::from_string(text.expose_secret()).map_err(|_| {
            self.0.key.unusable(
                "it is not an armored OpenPGP private key (gpg --export-secret-keys --armor)",
            )
        })?;
        let passphrase = Password::from(passphrase);
        // The main key may be kept elsewhere; files are encrypted to one below it.
        let unlocks = |subkey: &SignedSecretSubKey| subkey.key.unlock(&passphrase, |_, _| Ok(()));
        let primary = key.primary_key.unlock(&passphrase, |_, _| Ok(()));
        let mut opened = key.secret_subkeys.iter().map(unlocks).chain([primary]);
        if !opened.any(|opened| matches!(opened, Ok(Ok(())))) {
            return Err(self.0.key.unusable("its passphrase is wrong or missing"));
        }
        Ok(Unlocked { key, passphrase })
    }
}
