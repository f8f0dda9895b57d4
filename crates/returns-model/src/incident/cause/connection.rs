//! Causes for which no connection to the acquirer's server comes about.

use super::{Area, Description};

/// What follows when a source cannot be used.
pub(super) const CANNOT_FETCH: &str = "Return files of this source cannot be fetched. Until they \
     are, merchants see, and may be paid, money that the customers' banks have taken back.";

fn unreachable(headline: String, to_do: &'static [&'static str]) -> Description {
    Description::new(Area::Reach, headline, CANNOT_FETCH, to_do)
}

pub(super) fn host_not_found(host: &str) -> Description {
    unreachable(
        format!("The host name {host:?} does not exist: no name server knows it."),
        &[
            "Compare the host name with the acquirer's documents.",
            "Resolve it on this machine (getent hosts NAME). If no name resolves, the name server \
             is the problem.",
        ],
    )
}

pub(super) fn name_server_failed(host: &str, why: &str) -> Description {
    unreachable(
        format!(
            "The host name {host:?} cannot be resolved: {why}. The host may be fine: our name \
             server is down, or the one of the acquirer's domain."
        ),
        &[
            "Resolve another name on this machine (getent hosts NAME). If none resolves, our name \
             server is the problem.",
            "If only this one fails, ask the acquirer about the name servers of their domain.",
        ],
    )
}

pub(super) fn port_closed(host: &str, port: u16) -> Description {
    unreachable(
        format!("{host} is up, but nothing listens on port {port}: the SFTP server is down."),
        &["Ask the acquirer whether their SFTP server is down or its port has changed."],
    )
}

pub(super) fn host_silent(host: &str, port: u16, after_ms: u64) -> Description {
    unreachable(
        format!(
            "{host} port {port} does not answer at all (waited {after_ms} ms): a firewall drops \
             our packets, or the host is off the network."
        ),
        &[
            "Ask the acquirer whether our address is still on their allow list.",
            "Check our own firewall and the route to the host.",
        ],
    )
}

pub(super) fn server_silent(host: &str, what: &str, after_ms: u64) -> Description {
    unreachable(
        format!("{host} took our connection, but did not answer {what} (waited {after_ms} ms)."),
        &[
            "Wait for the next try.",
            "If it fails again, ask the acquirer whether their SFTP server is overloaded.",
            "If their server needs longer for an answer, raise read_timeout_ms of the source.",
        ],
    )
}

pub(super) fn log_in_silent(host: &str, after_ms: u64) -> Description {
    unreachable(
        format!(
            "{host} took our connection, but does not answer the log-in (waited {after_ms} ms): it \
             is overloaded, or what it asks about its users hangs."
        ),
        &[
            "Wait for the next try.",
            "If it fails again, ask the acquirer whether their users can log in at all.",
        ],
    )
}

pub(super) fn handshake_failed(host: &str, why: &str) -> Description {
    unreachable(
        format!("{host} answers, but the SSH handshake fails: {why}."),
        &["Ask the acquirer whether their server changed or is behind a proxy now."],
    )
}

pub(super) fn host_unreachable(host: &str, port: u16, why: &str) -> Description {
    unreachable(
        format!("{host} cannot be reached on port {port}: {why}."),
        &[
            "Check our own network first: the interface, the route, and the rules on the way out.",
            "If those are right, ask the acquirer.",
        ],
    )
}

pub(super) fn handshake_silent(host: &str, after_ms: u64) -> Description {
    unreachable(
        format!(
            "{host} takes connections, but does not answer the SSH handshake (waited {after_ms} ms): \
             its SSH server hangs, or what answers is a firewall in front of it."
        ),
        &[
            "Wait for the next try.",
            "If it fails again, ask the acquirer whether their server is overloaded or down.",
        ],
    )
}

pub(super) fn host_key_changed(host: &str, expected: &str, seen: &str) -> Description {
    unreachable(
        format!(
            "The host key of {host} is not the pinned one (expected {expected}, seen {seen}): \
             nothing was sent to it."
        ),
        &[
            "Do not change the pin yet: this is what an attack looks like.",
            "Ask the acquirer by telephone for their new fingerprint. If it is the one seen, pin it.",
        ],
    )
}
