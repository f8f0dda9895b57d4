//! Keeping secrets out of what servers say: they may repeat what they were sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

/// What stands for a secret.
const HIDDEN: &str = "***";

/// Shorter pieces would be found in innocent words.
const SHORTEST: usize = 6;

/// Takes secrets out of texts, in clear and in base64.
#[derive(Clone, Default)]
pub struct Scrub {
    secrets: Vec<SecretString>,
}

impl Scrub {
    /// Takes out each of these and, of addresses, each part of the path.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut all = Vec::new();
        for secret in secrets {
            let text = secret.expose_secret();
            all.push(text.to_owned());
            all.push(STANDARD.encode(text));
            // The way in which SMTP's AUTH PLAIN sends it ends like this.
            all.push(STANDARD.encode(format!("\0{text}")));
            if text.contains("://") {
                let parts = text.split(['/', '?', '&', '=', '@']).skip(3);
                all.extend(parts.map(str::to_owned));
            }
        }
        all.retain(|secret| secret.len() >= SHORTEST);
        // The longest first, or a part of it would be left.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self {
            secrets: all.into_iter().map(SecretString::from).collect(),
        }
    }

    /// The text without them.
    pub fn clean(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.secrets {
            clean = clean.replace(secret.expose_secret(), HIDDEN);
        }
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_out_in_clear_in_base64_and_in_parts_of_an_address() {
        let password = SecretString::from("hunter-canary");
        let url = SecretString::from("https://hooks.example/services/T0000/CANARYTOKEN");
        let scrub = Scrub::new([&password, &url]);
        let said = format!(
            "no: hunter-canary, {}, /services/T0000/CANARYTOKEN at hooks.example",
            STANDARD.encode("hunter-canary")
        );
        let clean = scrub.clean(&said);
        assert_eq!(clean, "no: ***, ***, /***/T0000/*** at hooks.example");
    }
}
