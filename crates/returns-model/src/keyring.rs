//! The keys that what is stored is encrypted to: the newest encrypts, all of them decrypt.

use std::sync::Arc;

use age::x25519::{Identity, Recipient};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

/// Why something cannot be encrypted or decrypted. It never quotes a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    #[error("a key is not an age identity (AGE-SECRET-KEY-1...): {0}")]
    Invalid(String),
    #[error("there is no key")]
    Empty,
    #[error("it cannot be encrypted: {0}")]
    Encrypt(String),
    #[error("none of the keys opens it ({0}): add the key that it was encrypted to")]
    Decrypt(String),
}

/// Keys, the newest first; at least one.
#[derive(Clone)]
pub struct KeyRing(Arc<[Identity]>);

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = self.0.iter().map(|identity| key_id(&identity.to_public()));
        f.debug_list().entries(ids).finish()
    }
}

impl KeyRing {
    /// Reads the text of a key file: a key a line, the newest first. Lines that begin with `#` are for
    /// people.
    ///
    /// # Errors
    /// When there is none, or one is not an `age` identity.
    pub fn read(text: &SecretString) -> Result<Self, KeyRingError> {
        let lines = text.expose_secret().lines().map(str::trim);
        let keys: Vec<SecretString> = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(SecretString::from)
            .collect();
        Self::new(&keys)
    }

    /// Takes keys, the newest first.
    ///
    /// # Errors
    /// When there is none, or one is not an `age` identity.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a SecretString>) -> Result<Self, KeyRingError> {
        let identity = |key: &SecretString| {
            let parsed = key.expose_secret().trim().parse::<Identity>();
            parsed.map_err(|error| KeyRingError::Invalid(error.to_owned()))
        };
        let identities: Vec<Identity> = keys.into_iter().map(identity).collect::<Result<_, _>>()?;
        if identities.is_empty() {
            return Err(KeyRingError::Empty);
        }
        Ok(Self(identities.into()))
    }

    /// The public key that is encrypted to.
    pub fn recipient(&self) -> Recipient {
        self.0[0].to_public()
    }

    /// The id of the key that is encrypted to.
    pub fn newest_id(&self) -> String {
        key_id(&self.recipient())
    }

    /// All keys, the newest first.
    pub fn identities(&self) -> &[Identity] {
        &self.0
    }

    /// Encrypts to the newest key, as text that begins with the id of that key.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn seal(&self, plain: &[u8]) -> Result<String, KeyRingError> {
        age::encrypt(&self.recipient(), plain)
            .map(|sealed| format!("{}:{}", self.newest_id(), STANDARD.encode(sealed)))
            .map_err(|error| KeyRingError::Encrypt(error.to_string()))
    }

    /// Decrypts what any of the keys has encrypted.
    ///
    /// # Errors
    /// When none of them did, or it was changed.
    pub fn open(&self, sealed: &str) -> Result<Vec<u8>, KeyRingError> {
        // The id is for people and for the rotation: each key is tried.
        let (_, encoded) = sealed.split_once(':').unwrap_or(("", sealed));
        let bytes = STANDARD.decode(encoded);
        let bytes = bytes.map_err(|error| KeyRingError::Decrypt(error.to_string()))?;
        let mut why = String::new();
        for identity in self.0.iter() {
            match age::decrypt(identity, &bytes) {
                Ok(plain) => return Ok(plain),
                Err(error) => why = error.to_string(),
            }
        }
        Err(KeyRingError::Decrypt(why))
    }
}

/// The id of a key: what its public half ends with. It is stored with what it encrypts.
pub fn key_id(recipient: &Recipient) -> String {
    /// Enough that two keys of one ring never share it.
    const LENGTH: usize = 12;
    let text = recipient.to_string();
    let from = text.len().saturating_sub(LENGTH);
    text.get(from..).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn() -> SecretString {
        Identity::generate().to_string()
    }

    #[test]
    fn the_newest_encrypts_and_the_older_ones_still_open() {
        let [old, new] = [drawn(), drawn()];
        let before = KeyRing::new([&old]).unwrap();
        let sealed = before.seal(b"secret").unwrap();
        let rotated = KeyRing::new([&new, &old]).unwrap();
        assert_eq!(rotated.open(&sealed).unwrap(), b"secret");
        assert_ne!(rotated.newest_id(), before.newest_id());
        let again = rotated.seal(b"secret").unwrap();
        assert!(again.starts_with(&rotated.newest_id()), "{again}");
        let file = format!(
            "# the new one\n{}\n{}\n",
            new.expose_secret(),
            old.expose_secret()
        );
        let read = KeyRing::read(&file.into()).unwrap();
        assert_eq!(read.newest_id(), rotated.newest_id());
        assert_eq!(read.open(&again).unwrap(), b"secret");
        assert!(before.open(&again).is_err());
        let error = KeyRing::new([&new]).unwrap().open(&sealed).unwrap_err();
        assert!(error.to_string().contains("add the key"), "{error}");
        assert!(KeyRing::new([]).is_err());
        assert!(!format!("{rotated:?}").contains("AGE-SECRET"));
    }
}
