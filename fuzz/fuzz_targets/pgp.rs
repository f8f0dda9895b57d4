//! OpenPGP. The first byte says whether a message is opened as it comes from the acquirer, or read
//! as one that is decrypted already: nobody finds by chance what decrypts to something.

#![no_main]

use std::io::Cursor;
use std::sync::LazyLock;

use echeck_fuzz::{drain, within};
use libfuzzer_sys::fuzz_target;
use pgp::composed::{Deserializable as _, Message, SignedSecretKey};
use pgp::types::Password;

#[path = "../../crates/returns-sources/src/unwrap/pgp/message.rs"]
mod message;

/// A buffer for each layer, and the state of the decompressors.
const MOST_MEMORY: usize = 8 << 20;
const MOST_BYTES: u64 = 1 << 20;

static KEY: LazyLock<message::Unlocked> = LazyLock::new(|| {
    let (key, _) = match SignedSecretKey::from_string(include_str!("../key.asc")) {
        Ok(key) => key,
        Err(error) => panic!("{error}"),
    };
    let passphrase = Password::empty();
    message::Unlocked { key, passphrase }
});

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else {
        return;
    };
    LazyLock::force(&KEY);
    let wrapped = Cursor::new(bytes.to_vec());
    within(MOST_MEMORY, || {
        let said = if *first == b'e' {
            message::open(wrapped, &KEY).map(|text| drain(text, MOST_BYTES))
        } else {
            let Ok((message, _)) = Message::from_reader(wrapped) else {
                return;
            };
            message::inside(message).map(|text| drain(text, MOST_BYTES))
        };
        assert!(said.err().is_none_or(|why| why.len() < 1_000));
    });
});
