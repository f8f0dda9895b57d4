//! Messages encrypted to our key, binary or armored, with integrity protection. Signatures
//! inside are passed over: there is no key of the acquirer to check them with, and the pinned
//! host vouches for the file.

use std::io::{BufReader, Read};

use pgp::composed::{DecryptionOptions, Message, SignedSecretKey, TheRing};
use pgp::types::{Password, Seipdv1ReadMode};

/// Messages within messages are opened so deep.
const MOST_COMPRESSED: usize = 3;

/// The letters of the library's own words that are shown. Some of its errors quote the message.
const MOST_LETTERS: usize = 200;

/// A key that is ready to be used.
pub(crate) struct Unlocked {
    pub(crate) key: SignedSecretKey,
    pub(crate) passphrase: Password,
}

/// The text inside a message. It is read as it is decrypted, and an error at its end says that
/// it was tampered with: until the last byte nothing of it may be used.
pub(crate) fn open(
    wrapped: impl Read + Send + std::fmt::Debug + 'static,
    key: &Unlocked,
) -> Result<impl Read, String> {
    let reader = BufReader::with_capacity(256 << 10, wrapped);
    let (message, _) = Message::from_reader(reader)
        .map_err(|error| failed("it is not an OpenPGP message", &error))?;
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
    let (message, _) = message
        .decrypt_the_ring(ring, true)
        .map_err(|error| failed("it cannot be decrypted with our key", &error))?;
    inside(message)
}

/// The text of a message that is not encrypted any more.
pub(crate) fn inside(mut message: Message<'_>) -> Result<Message<'_>, String> {
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
    inner.map_err(|error| failed("what is in it cannot be decompressed", &error))
}

/// Why a message cannot be opened.
fn failed(what: &str, error: &pgp::errors::Error) -> String {
    let said = error.to_string();
    match said.char_indices().nth(MOST_LETTERS) {
        None => format!("{what}: {said}"),
        Some((end, _)) => format!("{what}: {}…", &said[..end]),
    }
}
