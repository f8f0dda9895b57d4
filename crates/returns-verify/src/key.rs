//! The key that signs checkpoints, and the keys whose signatures count.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use secrecy::{ExposeSecret as _, SecretString};

/// The bytes of a public key.
const PUBLIC_KEY: usize = 32;

/// The key that signs, and those that signed before it.
pub struct CheckpointKey {
    pair: Ed25519KeyPair,
    /// In base64, the own one first.
    trusted: Vec<String>,
}

/// A new key as a PEM file (PKCS#8) has it; `None` when the machine gives no random bytes.
pub fn new_signing_key() -> Option<SecretString> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).ok()?;
    let text = STANDARD.encode(document.as_ref());
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    );
    Some(SecretString::from(pem))
}

impl CheckpointKey {
    /// Reads a key as `openssl genpkey -algorithm ed25519` writes it, with or without the lines
    /// around it, and the public keys of earlier ones.
    ///
    /// # Errors
    /// What is wrong. It never quotes the key.
    pub fn read(text: &SecretString, earlier: &[String]) -> Result<Self, String> {
        let lines = text.expose_secret().lines().map(str::trim);
        let body: String = lines.filter(|line| !line.starts_with("-----")).collect();
        let wrong = "is not an Ed25519 key in PKCS#8, as `openssl genpkey -algorithm ed25519` \
                     writes it";
        let bytes = STANDARD.decode(body).map_err(|_| wrong)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes).map_err(|_| wrong)?;
        let mut trusted = vec![STANDARD.encode(pair.public_key().as_ref())];
        for key in earlier {
            let bytes = STANDARD.decode(key).unwrap_or_default();
            if bytes.len() != PUBLIC_KEY {
                return Err(format!(
                    "has the earlier public key {key:?}, which is not 32 bytes in base64"
                ));
            }
            trusted.push(STANDARD.encode(bytes));
        }
        Ok(Self { pair, trusted })
    }

    /// Its public key, in base64.
    pub fn public_key(&self) -> &str {
        self.trusted.first().map_or("", String::as_str)
    }

    /// The signature of a text, in base64.
    pub(crate) fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.pair.sign(text.as_bytes()).as_ref())
    }

    /// Whether this key, or one before it, signed a text.
    pub(crate) fn has_signed(&self, text: &str, public_key: &str, signature: &str) -> bool {
        let (Ok(key), Ok(signature)) = (STANDARD.decode(public_key), STANDARD.decode(signature))
        else {
            return false;
        };
        let is_trusted = self.trusted.iter().any(|trusted| trusted == public_key);
        let key = UnparsedPublicKey::new(&ED25519, key);
        is_trusted && key.verify(text.as_bytes(), &signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From RFC 8410, section 10.3. OpenSSL writes the same.
    const OPENSSL: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";

    fn key(text: &str, earlier: &[String]) -> CheckpointKey {
        CheckpointKey::read(&SecretString::from(text), earlier).unwrap()
    }

    #[test]
    fn a_key_of_openssl_signs_and_only_trusted_signatures_count() {
        let (old, new) = (key(OPENSSL, &[]), new_signing_key().unwrap());
        let signature = old.sign("text");
        assert!(old.has_signed("text", old.public_key(), &signature));
        assert!(!old.has_signed("another", old.public_key(), &signature));
        let alone = key(new.expose_secret(), &[]);
        assert!(!alone.has_signed("text", old.public_key(), &signature));
        let rotated = key(new.expose_secret(), &[old.public_key().to_owned()]);
        assert!(rotated.has_signed("text", old.public_key(), &signature));
        assert!(!rotated.has_signed("text", rotated.public_key(), &signature));
    }

    #[test]
    fn a_key_may_stand_in_one_line() {
        let body = OPENSSL.lines().nth(1).unwrap();
        assert_eq!(key(body, &[]).public_key(), key(OPENSSL, &[]).public_key());
    }
}
