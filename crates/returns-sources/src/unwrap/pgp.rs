//! OpenPGP: messages encrypted to our key, binary or armored, with integrity protection.
//! Signatures inside are passed over: there is no key of the acquirer to check them with, and
//! the pinned host vouches for the file.

use std::io::{BufReader, Read};
use std::sync::Arc;

use echeck_service::config::Section;
use pgp::composed::{
    DecryptionOptions, Deserializable as _, Message, SignedSecretKey, SignedSecretSubKey, TheRing,
};
use pgp::types::{Password, Seipdv1ReadMode};
use returns_import::ReadBack;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::SourceError;
use crate::secret::StoredSecret;

/// Messages within messages are opened so deep.
const MOST_COMPRESSED: usize = 3;

/// The private key that files are encrypted to, and its passphrase.
#[derive(Debug, Clone)]
pub(crate) struct PgpKey(Arc<Stored>);

#[derive(Debug)]
struct Stored {
    key: StoredSecret,
    passphrase: Option<StoredSecret>,
}

/// A key that is ready to be used.
pub(crate) struct Unlocked {
    key: SignedSecretKey,
    passphrase: Password,
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

/// The text inside a message. It is read as it is decrypted, and an error at its end says that
/// it was tampered with: until the last byte nothing of it may be used.
pub(super) fn open(wrapped: ReadBack, key: &Unlocked) -> Result<impl Read, String> {
    let failed = |what: &str, error: pgp::errors::Error| format!("{what}: {error}");
    let reader = BufReader::with_capacity(256 << 10, wrapped);
    let (message, _) = Message::from_reader(reader)
        .map_err(|error| failed("it is not an OpenPGP message", error))?;
    if !message.is_encrypted() {
        return Err("it is an OpenPGP message, but not encrypted".to_owned());
    }
    let ring = TheRing {
        secret_keys: vec![&key.key],
        key_passwords: vec![&key.passphrase],
        // GnuPG's own way of protected messages is as good as the standard's two.
        decrypt_options: DecryptionOptions::new()
            .enable_gnupg_aead()
            .set_seipdv1_read_mode(Seipdv1ReadMode::Streaming),
        ..TheRing::default()
    };
    let (mut message, _) = message
        .decrypt_the_ring(ring, true)
        .map_err(|error| failed("it cannot be decrypted with our key", error))?;
    for _ in 0..MOST_COMPRESSED {
        if message.is_compressed() {
            message = decompressed(message)?;
        }
    }
    if message.is_signed() {
        // A signature may lie around what is compressed as well as within.
        message = decompressed(message)?;
    }
    match message {
        Message::Literal { .. } | Message::Signed { .. } => Ok(message),
        Message::Compressed { .. } => Err("it is compressed too many times".to_owned()),
        Message::Encrypted { .. } => Err("it is encrypted twice".to_owned()),
    }
}

fn decompressed(message: Message<'_>) -> Result<Message<'_>, String> {
    let inner = message.decompress();
    inner.map_err(|error| format!("what is in it cannot be decompressed: {error}"))
}
