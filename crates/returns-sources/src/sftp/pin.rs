//! The pinned host key: either the fingerprints themselves, or a known-hosts file as OpenSSH
//! keeps it. A server that shows another key is refused.

use std::path::PathBuf;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};
use ssh2::KnownHostFileKind;

/// The SHA-256 of a host key, as `ssh-keygen -l` and `ssh` print it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a key as it goes over the wire.
    pub(super) fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }
}

impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "is not a valid fingerprint: it must be SHA256: and 43 characters, as \
                             `ssh-keygen -lf` prints it";
        let base64 = text.trim().strip_prefix("SHA256:").ok_or(WRONG)?;
        let bytes = STANDARD_NO_PAD
            .decode(base64.trim_end_matches('='))
            .map_err(|_| WRONG)?;
        Ok(Self(bytes.try_into().map_err(|_| WRONG)?))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SHA256:{}", STANDARD_NO_PAD.encode(self.0))
    }
}

/// Which host keys are right.
#[derive(Debug, Clone)]
pub(crate) enum Pin {
    /// Any of these.
    Fingerprints(Vec<Fingerprint>),
    /// Those that the file has for the host. It is read at each connection.
    KnownHosts(PathBuf),
}

/// The keys that are right for one host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PinnedKeys {
    pub(super) fingerprints: Vec<Fingerprint>,
    /// The types of the keys where they are known, such as `ssh-ed25519`.
    pub(super) types: Vec<String>,
    /// Keys that are marked as stolen, which no host may show.
    revoked: Vec<Fingerprint>,
}

impl Pin {
    /// The keys that are right for `host`.
    ///
    /// # Errors
    /// When the file cannot be read or has no key for the host; the text says so.
    pub(crate) fn keys_of(&self, host: &str, port: u16) -> Result<PinnedKeys, String> {
        match self {
            Self::Fingerprints(fingerprints) => Ok(PinnedKeys {
                fingerprints: fingerprints.clone(),
                ..PinnedKeys::default()
            }),
            Self::KnownHosts(file) => {
                let shown = file.display();
                let unreadable =
                    |error: &dyn std::fmt::Display| format!("{shown} cannot be read: {error}");
                let text = std::fs::read_to_string(file).map_err(|error| unreadable(&error))?;
                let keys = known(&text, host, port).map_err(|error| unreadable(&error))?;
                if keys.fingerprints.is_empty() {
                    let looked_up = match port {
                        22 => host.to_owned(),
                        port => format!("[{host}]:{port}"),
                    };
                    return Err(format!(
                        "{shown} has no key for {looked_up}; `ssh-keyscan -p {port} {host}` shows \
                         the server's keys, and the acquirer's documents say which is right"
                    ));
                }
                Ok(keys)
            }
        }
    }
}

impl PinnedKeys {
    pub(super) fn accepts(&self, key: Fingerprint) -> bool {
        self.fingerprints.contains(&key) && !self.revoked.contains(&key)
    }

    /// The fingerprints, for people.
    pub(super) fn shown(&self) -> String {
        join(&self.fingerprints)
    }

    /// What the server is asked for: signature algorithms by the types of the keys, or `None`
    /// where any will do. A server that has several keys shows the one that is asked for, and
    /// one that is asked for nothing may show one that is not on file.
    pub(crate) fn algorithms(&self) -> Option<String> {
        algorithms_of(&self.types)
    }
}

pub(super) fn join(fingerprints: &[Fingerprint]) -> String {
    let shown: Vec<String> = fingerprints.iter().map(ToString::to_string).collect();
    shown.join(" or ")
}

/// The signature algorithms of key types, the better first; `None` when there are no types.
pub(super) fn algorithms_of(key_types: &[impl AsRef<str>]) -> Option<String> {
    let algorithms = key_types.iter().map(|key_type| match key_type.as_ref() {
        "ssh-rsa" => "rsa-sha2-512,rsa-sha2-256,ssh-rsa",
        other => other,
    });
    (!key_types.is_empty()).then(|| algorithms.collect::<Vec<_>>().join(","))
}

/// The keys that a known-hosts text has for `host`. Lines that are not understood are passed
/// over: they can only make fewer keys right. Hashed names work, patterns and certificate
/// authorities do not.
fn known(text: &str, host: &str, port: u16) -> Result<PinnedKeys, ssh2::Error> {
    // Never connected: libssh2 keeps its reader of known hosts with a session.
    let session = ssh2::Session::new()?;
    let mut expected = PinnedKeys::default();
    for line in text.lines().map(str::trim) {
        if let Some(revoked) = line.strip_prefix("@revoked") {
            expected
                .revoked
                .extend(key_of(revoked).map(|(_, key)| Fingerprint::of(&key)));
            continue;
        }
        if line.is_empty() || line.starts_with(['#', '@']) {
            continue;
        }
        let Some((key_type, key)) = key_of(line) else {
            continue;
        };
        let mut alone = session.known_hosts()?;
        if alone.read_str(line, KnownHostFileKind::OpenSSH).is_ok()
            && matches!(alone.check_port(host, port, &key), ssh2::CheckResult::Match)
        {
            expected.fingerprints.push(Fingerprint::of(&key));
            expected.types.push(key_type.to_owned());
        }
    }
    Ok(expected)
}

/// Type and bytes of the key in a line `HOSTS TYPE BASE64 COMMENT`.
fn key_of(line: &str) -> Option<(&str, Vec<u8>)> {
    let mut fields = line.split_whitespace().skip(1);
    let key_type = fields.next()?;
    let key = STANDARD.decode(fields.next()?).ok()?;
    Some((key_type, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made with ssh-keygen for these tests; nobody has the private halves.
    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPRlkx3VDdZuvD20KdBd7HE8gg6vB5mtT20QCWiajcCU";
    const PRINTED: &str = "SHA256:nJlEn2nMjuJb1k1h/lWWHqC7qS+yt9xb/y5/WrCdC7E";

    fn key() -> Vec<u8> {
        key_of(&format!("host {ED25519}")).unwrap().1
    }

    #[test]
    fn a_fingerprint_reads_and_prints_as_ssh_keygen_prints_it() {
        let fingerprint: Fingerprint = PRINTED.parse().unwrap();
        assert_eq!(fingerprint.to_string(), PRINTED);
        assert_eq!(Fingerprint::of(&key()), fingerprint);
        for wrong in ["", "MD5:aa:bb", "SHA256:short", "SHA256:", &PRINTED[7..]] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_host_has_the_keys_of_its_own_lines() {
        let text = format!(
            "# comment\n\nother {ED25519}\n[sftp.example]:2222,10.0.0.1 {ED25519} comment\nbroken line\n"
        );
        assert_eq!(
            known(&text, "sftp.example", 22).unwrap(),
            PinnedKeys::default()
        );
        let expected = known(&text, "sftp.example", 2222).unwrap();
        assert!(expected.accepts(Fingerprint::of(&key())));
        assert_eq!(expected.algorithms().as_deref(), Some("ssh-ed25519"));
        assert!(!expected.accepts(Fingerprint::of(b"another key")));
    }

    #[test]
    fn a_revoked_key_is_right_for_nobody() {
        let text = format!("sftp.example {ED25519}\n@revoked * {ED25519}\n");
        let expected = known(&text, "sftp.example", 22).unwrap();
        assert!(!expected.accepts(Fingerprint::of(&key())));
    }

    #[test]
    fn rsa_is_asked_for_with_the_better_signatures_first() {
        assert_eq!(
            algorithms_of(&["ssh-rsa"]).unwrap(),
            "rsa-sha2-512,rsa-sha2-256,ssh-rsa"
        );
    }
}
