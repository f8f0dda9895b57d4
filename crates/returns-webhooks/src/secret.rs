//! The keys of endpoints: drawn here, shown once, and stored encrypted to the service's own
//! identity, the one that the spool's files are encrypted to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use returns_model::endpoint::{SecretKind, SecretRecord};
use returns_model::keyring::KeyRing;
use ring::hmac;
use ring::rand::SecureRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use secrecy::{ExposeSecret as _, SecretString};

/// How many random bytes a key has. Standard Webhooks wants 24 to 64; a seed of Ed25519 has 32.
const KEY_BYTES: usize = 32;

/// What can go wrong with a key. Never quotes one.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("this machine gives no random bytes for a key")]
    NoRandomness,
    #[error("a key cannot be encrypted: {0}")]
    Seal(String),
    #[error(
        "the key {secret_id} of endpoint {endpoint_id} cannot be opened with spool.identity \
         ({why}): put the old identity back as a further line, or rotate the key"
    )]
    Open {
        secret_id: String,
        endpoint_id: String,
        why: String,
    },
}

/// A key that signs.
pub struct SigningKey {
    /// As the receiver is given it, where both sides need it.
    text: SecretString,
    signer: Signer,
}

enum Signer {
    Hmac(hmac::Key),
    Ed25519(Box<Ed25519KeyPair>),
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kind().as_str())
    }
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn draw(kind: SecretKind, random: &dyn SecureRandom) -> Result<Self, KeyError> {
        let mut bytes = [0_u8; KEY_BYTES];
        random
            .fill(&mut bytes)
            .map_err(|_| KeyError::NoRandomness)?;
        let text = format!("{}{}", kind.prefix(), STANDARD.encode(bytes));
        Self::read(&SecretString::from(text), kind).map_err(|why| KeyError::Seal(why.to_owned()))
    }

    /// Reads a key as [`SigningKey::draw`] writes it. An error never quotes it.
    fn read(text: &SecretString, kind: SecretKind) -> Result<Self, &'static str> {
        let bytes = text
            .expose_secret()
            .strip_prefix(kind.prefix())
            .ok_or("it is a key of another kind")
            .and_then(|text| STANDARD.decode(text).map_err(|_| "it is not in base64"))?;
        let signer = match kind {
            SecretKind::HmacSha256 if (24..=64).contains(&bytes.len()) => {
                Signer::Hmac(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
            }
            SecretKind::HmacSha256 => return Err("it has not 24 to 64 bytes"),
            SecretKind::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(&bytes);
                Signer::Ed25519(Box::new(pair.map_err(|_| "it has not 32 bytes")?))
            }
        };
        let text = text.clone();
        Ok(Self { text, signer })
    }

    /// Its kind.
    pub fn kind(&self) -> SecretKind {
        match self.signer {
            Signer::Hmac(_) => SecretKind::HmacSha256,
            Signer::Ed25519(_) => SecretKind::Ed25519,
        }
    }

    /// What receivers check signatures with, where that may be known to everybody.
    pub fn public_key(&self) -> Option<String> {
        match &self.signer {
            Signer::Hmac(_) => None,
            Signer::Ed25519(pair) => {
                let public = STANDARD.encode(pair.public_key().as_ref());
                Some(format!("whpk_{public}"))
            }
        }
    }

    /// What the receiver is given, once: the secret that both sides need. A private key stays.
    pub fn for_receiver(&self) -> Option<&SecretString> {
        matches!(self.signer, Signer::Hmac(_)).then_some(&self.text)
    }

    /// The signature of a message as the header `webhook-signature` has it.
    fn sign(&self, signed: &[u8]) -> String {
        match &self.signer {
            Signer::Hmac(key) => {
                format!("v1,{}", STANDARD.encode(hmac::sign(key, signed).as_ref()))
            }
            Signer::Ed25519(pair) => format!("v1a,{}", STANDARD.encode(pair.sign(signed).as_ref())),
        }
    }
}

/// The header `webhook-signature` (Standard Webhooks 1.0): one signature for each key, over id,
/// time in seconds, and body.
pub(crate) fn signatures(
    keys: &[SigningKey],
    message_id: &str,
    timestamp_s: i64,
    body: &str,
) -> String {
    let signed = format!("{message_id}.{timestamp_s}.{body}");
    let all: Vec<String> = keys.iter().map(|key| key.sign(signed.as_bytes())).collect();
    all.join(" ")
}

/// Encrypts keys for the database, and opens them again.
#[derive(Clone)]
pub struct KeyEncryptor {
    ring: KeyRing,
}

impl KeyEncryptor {
    /// An encryptor with the service's own keys, the newest first.
    ///
    /// # Errors
    /// When one is not valid.
    pub fn new(keys: &SecretString) -> Result<Self, KeyError> {
        let ring = KeyRing::read(keys);
        let ring = ring.map_err(|error| KeyError::Seal(error.to_string()))?;
        Ok(Self { ring })
    }

    /// A key, encrypted. It opens only under the id that it was sealed for, so that two rows
    /// which were swapped are noticed.
    pub fn seal(&self, secret_id: &str, key: &SigningKey) -> Result<String, KeyError> {
        let plain = SecretString::from(format!("{secret_id}\n{}", key.text.expose_secret()));
        let sealed = self.ring.seal(plain.expose_secret().as_bytes());
        sealed.map_err(|error| KeyError::Seal(error.to_string()))
    }

    /// The key of a row.
    ///
    /// # Errors
    /// When it was sealed to a key that is not there, or for another row.
    pub fn open(&self, secret: &SecretRecord) -> Result<SigningKey, KeyError> {
        self.opened(secret).map_err(|why| KeyError::Open {
            secret_id: secret.secret_id.clone(),
            endpoint_id: secret.endpoint_id.clone(),
            why,
        })
    }

    fn opened(&self, secret: &SecretRecord) -> Result<SigningKey, String> {
        let plain = self.ring.open(&secret.sealed);
        let plain = plain.map_err(|error| error.to_string())?;
        let plain = String::from_utf8(plain)
            .map(SecretString::from)
            .map_err(|_| "it is not text".to_owned())?;
        let (id, text) = plain
            .expose_secret()
            .split_once('\n')
            .ok_or("it has no id")?;
        if id != secret.secret_id {
            return Err("it was sealed for another row".to_owned());
        }
        SigningKey::read(&SecretString::from(text), secret.kind).map_err(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use ring::rand::SystemRandom;
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    /// A encryptor with a new identity.
    fn encryptor() -> KeyEncryptor {
        KeyEncryptor::new(&age::x25519::Identity::generate().to_string()).unwrap()
    }

    /// The row of a key.
    fn record(
        encryptor: &KeyEncryptor,
        id: &str,
        endpoint: &str,
        key: &SigningKey,
    ) -> SecretRecord {
        SecretRecord {
            secret_id: id.to_owned(),
            endpoint_id: endpoint.to_owned(),
            kind: key.kind(),
            sealed: encryptor.seal(id, key).unwrap(),
            public_key: key.public_key(),
            created_at: DateTime::UNIX_EPOCH,
            retires_at: None,
        }
    }

    /// Whether one of the signatures is good for a receiver that has this key, as a receiver
    /// written by the standard finds out.
    fn verifies(key: &SigningKey, signatures: &str, signed: &[u8]) -> bool {
        signatures.split(' ').any(|signature| {
            let Some((version, text)) = signature.split_once(',') else {
                return false;
            };
            let bytes = STANDARD.decode(text).unwrap();
            match (key.kind(), version) {
                (SecretKind::HmacSha256, "v1") => {
                    let secret = key.text.expose_secret().strip_prefix("whsec_").unwrap();
                    let secret = STANDARD.decode(secret).unwrap();
                    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
                    hmac::verify(&key, signed, &bytes).is_ok()
                }
                (SecretKind::Ed25519, "v1a") => {
                    let public = key.public_key().unwrap();
                    let public = STANDARD.decode(public.strip_prefix("whpk_").unwrap());
                    UnparsedPublicKey::new(&ED25519, public.unwrap())
                        .verify(signed, &bytes)
                        .is_ok()
                }
                _ => false,
            }
        })
    }

    fn draw(kind: SecretKind) -> SigningKey {
        SigningKey::draw(kind, &SystemRandom::new()).unwrap()
    }

    /// The example of the standard's own documents.
    #[test]
    fn the_known_vector_of_the_standard_is_signed_alike() {
        let text = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let key = SigningKey::read(&text, SecretKind::HmacSha256).unwrap();
        let body = "{\"test\": 2432232314}";
        assert_eq!(
            signatures(&[key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn both_kinds_verify_and_nothing_that_was_tampered_with_does() {
        let keys = [draw(SecretKind::HmacSha256), draw(SecretKind::Ed25519)];
        let header = signatures(&keys, "msg_1", 7, "{}");
        assert!(header.starts_with("v1,") && header.contains(" v1a,"));
        for key in &keys {
            assert!(verifies(key, &header, b"msg_1.7.{}"));
            for tampered in ["msg_2.7.{}", "msg_1.8.{}", "msg_1.7.{ }"] {
                assert!(!verifies(key, &header, tampered.as_bytes()), "{tampered}");
            }
        }
        let other = [draw(SecretKind::HmacSha256), draw(SecretKind::Ed25519)];
        assert!(
            !other
                .iter()
                .any(|key| verifies(key, &header, b"msg_1.7.{}"))
        );
    }

    #[test]
    fn a_sealed_key_opens_only_for_its_own_row_and_identity() {
        let encryptor = encryptor();
        for kind in SecretKind::ALL {
            let key = draw(kind);
            let row = record(&encryptor, "whs_1", "whe_1", &key);
            let opened = encryptor.open(&row).unwrap();
            assert_eq!(opened.text.expose_secret(), key.text.expose_secret());
            let swapped = SecretRecord {
                secret_id: "whs_2".to_owned(),
                ..row.clone()
            };
            assert!(matches!(
                encryptor.open(&swapped),
                Err(KeyError::Open { .. })
            ));
            assert!(matches!(
                self::encryptor().open(&row),
                Err(KeyError::Open { .. })
            ));
        }
    }

    #[test]
    fn no_key_is_in_what_is_stored_printed_or_sent() {
        let encryptor = encryptor();
        for kind in SecretKind::ALL {
            let key = draw(kind);
            let row = record(&encryptor, "whs_1", "whe_1", &key);
            let secret = key.text.expose_secret();
            let bare = secret.split_once('_').unwrap().1;
            let error = self::encryptor().open(&row).unwrap_err();
            let raw = STANDARD.decode(bare).unwrap();
            let (_, sealed) = row.sealed.split_once(':').unwrap();
            let sealed = STANDARD.decode(sealed).unwrap();
            assert!(!sealed.windows(raw.len()).any(|window| window == raw));
            for said in [format!("{key:?} {row:?}"), format!("{error} {error:?}")] {
                assert!(!said.contains(bare), "{said}");
            }
        }
        assert!(draw(SecretKind::Ed25519).for_receiver().is_none());
    }
}
