//! What the machine says of itself and of its processes.

use std::fs;

/// The name of this machine; `replica` where it has none.
pub fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "replica".to_owned(),
        name => name.to_owned(),
    }
}

/// Whether a name or an address leads to this machine itself.
pub fn is_this(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether an address such as `http://127.0.0.1:50052` leads to this machine itself.
pub fn is_in_url(url: &str) -> bool {
    let (_, rest) = url.split_once("//").unwrap_or(("", url));
    let authority = rest.split('/').next().unwrap_or(rest);
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host = authority.rsplit_once(':').filter(|(_, port)| is_port(port));
    is_this(host.map_or(authority, |(host, _)| host))
}

/// What is another after each start of the machine; empty where it does not say.
pub fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// When a process was started, in ticks since the machine was: proc(5), field 22 of `stat`. `None`
/// where there is no such process.
pub fn started_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may have blanks.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_has_a_start_and_one_that_never_was_has_none() {
        assert!(started_ticks(std::process::id()).is_some());
        assert_eq!(started_ticks(u32::MAX), None);
        assert!(!host_name().is_empty());
    }

    #[test]
    fn an_address_of_this_machine_is_known_with_and_without_a_port() {
        for own in [
            "http://127.0.0.1:9000",
            "http://localhost/x",
            "[::1]:22",
            "https://[::1]",
        ] {
            assert!(is_in_url(own), "{own}");
        }
        for other in ["https://s3.example", "http://10.0.0.7:9000/localhost", ""] {
            assert!(!is_in_url(other), "{other}");
        }
    }
}
