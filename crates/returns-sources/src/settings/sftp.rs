//! An SFTP server: `[sources.NAME.sftp]`. It must have a pinned host key: an impostor would be
//! given our credentials, and would give us files that move money.

use echeck_service::config::Section;

use super::location::time_out;
use crate::location::{Pace, SftpLocation};
use crate::secret::StoredSecret;
use crate::sftp::pin::{Fingerprint, Pin};

/// Reads the server; `None` after a fault.
pub(super) fn read(section: &Section<'_>) -> Option<SftpLocation> {
    let host = host(section);
    let port = u16::try_from(section.u64_or("port", 22, 1..=65_535)).unwrap_or(22);
    let user = section.string("user");
    let pin = pin(section, &host, port);
    let private_key = StoredSecret::read(section, "private_key");
    let passphrase = StoredSecret::read(section, "passphrase");
    let password = StoredSecret::read(section, "password");
    let set = |key: &str| section.has(key) || section.has(&format!("{key}_file"));
    if !set("private_key") && !set("password") {
        section.fault(
            "private_key",
            "or private_key_file, or password or password_file, is required to log in",
        );
    }
    if set("passphrase") && !set("private_key") {
        section.fault("passphrase", "is for a private_key, and there is none");
    }
    let pace = Pace {
        connect: time_out(section, "connect_timeout_ms", 10_000),
        read: time_out(section, "read_timeout_ms", 30_000),
        keepalive: time_out(section, "keepalive_ms", 15_000),
        least_bytes_per_second: section.u64_or("least_bytes_per_second", 16_384, 0..=1 << 40),
        slow_after: time_out(section, "slow_after_ms", 30_000),
        longest_download: time_out(section, "longest_download_ms", 3_600_000),
    };
    Some(SftpLocation {
        host,
        port,
        user,
        pin: pin?,
        private_key,
        passphrase,
        password,
        pace,
    })
}

/// A name or an address. It goes into known-hosts look-ups and messages as it is.
fn host(section: &Section<'_>) -> String {
    let host = section.string("host");
    let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
    if host.len() > 253 || host.contains(odd) {
        section.fault("host", "is not a valid host name or address");
    }
    host
}

fn pin(section: &Section<'_>, host: &str, port: u16) -> Option<Pin> {
    let fingerprints = section.strings_or("host_key", &[]);
    let file = section.optional_string("known_hosts_file");
    match (fingerprints.is_empty(), file) {
        (true, None) => {
            let what = "is required: the fingerprint of the server's key (SHA256:…, as \
                        `ssh-keygen -lf` prints it, from the acquirer's documents), or \
                        known_hosts_file; without a pin this service does not connect";
            section.fault("host_key", what);
            None
        }
        (false, Some(_)) => {
            let what = "is set together with known_hosts_file; keep one of the two";
            section.fault("host_key", what);
            None
        }
        (false, None) => {
            let pins: Vec<Fingerprint> = fingerprints
                .iter()
                .filter_map(|text| {
                    let fault = |why| section.fault("host_key", format!("{text:?} {why}"));
                    text.parse().map_err(fault).ok()
                })
                .collect();
            (pins.len() == fingerprints.len()).then_some(Pin::Fingerprints(pins))
        }
        (true, Some(file)) => {
            let pin = Pin::KnownHosts(file.into());
            let keys = pin.keys_of(host, port);
            let keys = keys.map_err(|why| section.fault("known_hosts_file", why));
            keys.is_ok().then_some(pin)
        }
    }
}
