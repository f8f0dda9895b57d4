//! `[nats]` of the configuration.

use std::sync::Arc;
use std::time::Duration;

use async_nats::ServerAddr;
use echeck_service::config::Section;
use echeck_service::tls::ClientTls;
use secrecy::SecretString;

/// Where the journal is published.
#[derive(Clone)]
pub struct StreamSettings {
    /// The servers of the cluster.
    pub servers: Arc<[ServerAddr]>,
    /// The name of the stream.
    pub stream: String,
    /// The subject of its messages.
    pub subject: String,
    /// On how many servers each message must be.
    pub replicas: usize,
    /// The journal's position after which an empty stream begins. `None` means at the beginning, and
    /// only in a stream that never had a message.
    pub after_position: Option<u64>,
    /// How this service logs in.
    pub log_in: LogIn,
    pub tls: Option<ClientTls>,
    /// How long connecting, or an answer, may take.
    pub timeout: Duration,
}

/// How this service logs in to NATS.
#[derive(Clone)]
pub enum LogIn {
    /// By a certificate, or not at all.
    None,
    /// With the content of a credentials file: a JWT, and the key that signs the server's challenge.
    Credentials(SecretString),
    Password {
        user: String,
        password: SecretString,
    },
    Token(SecretString),
}

impl StreamSettings {
    /// Reads `[nats]`; `None` without it.
    pub fn read(root: &Section<'_>) -> Option<Self> {
        if !root.has("nats") {
            return None;
        }
        let section = root.section("nats");
        let servers = servers(&section);
        let tls = ClientTls::read(&section, "tls");
        let log_in = log_in(&section);
        if tls.is_none() && servers.iter().any(ServerAddr::tls_required) {
            section.fault("tls", "is required for tls:// (ca_file, and certificate_file and key_file where the server wants a certificate)");
        }
        let in_clear = |server: &ServerAddr| !server.tls_required() && !is_here(server.host());
        let is_shown = matches!(log_in, LogIn::Password { .. } | LogIn::Token(_));
        if is_shown && servers.iter().any(in_clear) {
            let what = "must begin with tls://, since the password or token would be sent in clear";
            section.fault("servers", what);
        }
        let name = |key: &str, default: &str, fits: fn(char) -> bool| {
            let name = section.string_or(key, default);
            if name.is_empty() || name.len() > 200 || !name.chars().all(fits) {
                section.fault(key, format!("{name:?} is not a name that NATS takes"));
            }
            name
        };
        let of_stream = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let of_subject = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
        let after_position = section
            .has("after_position")
            .then(|| section.u64_or("after_position", 0, 0..=i64::MAX.unsigned_abs()));
        let replicas = section.u64_or("replicas", 3, 1..=5);
        Some(Self {
            stream: name("stream", "ECHECK_JOURNAL", of_stream),
            subject: name("subject", "echeck.journal", of_subject),
            replicas: usize::try_from(replicas).unwrap_or(3),
            after_position,
            log_in,
            tls,
            timeout: section.duration_ms_or("timeout_ms", 5_000, 100..=60_000),
            servers: servers.into(),
        })
    }

    /// The servers, for people. Their addresses have no secret: see [`servers`].
    pub(crate) fn servers_told(&self) -> String {
        let told = |server: &ServerAddr| format!("{}:{}", server.host(), server.port());
        let told: Vec<String> = self.servers.iter().map(told).collect();
        told.join(", ")
    }
}

/// The addresses. A user and a password in one would be shown wherever the address is.
fn servers(section: &Section<'_>) -> Vec<ServerAddr> {
    let mut servers = Vec::new();
    for address in section.strings_or("servers", &[]) {
        let parsed: Option<ServerAddr> = address.parse().ok();
        match parsed.filter(|server| matches!(server.scheme(), "nats" | "tls")) {
            Some(server) if server.has_user_pass() || server.password().is_some() => {
                let what =
                    "must not hold a user or a password; use nats.user and nats.password_file";
                section.fault("servers", what);
            }
            Some(server) => servers.push(server),
            None => section.fault(
                "servers",
                "must hold addresses such as nats://host:4222 or tls://host:4222",
            ),
        }
    }
    if servers.is_empty() {
        section.fault("servers", "must name at least one server");
    }
    servers
}

fn log_in(section: &Section<'_>) -> LogIn {
    let credentials = section.secret("credentials");
    let user = section.optional_string("user");
    let password = section.secret("password");
    let token = section.secret("token");
    match (credentials, user, password, token) {
        (None, None, None, None) => LogIn::None,
        (Some(credentials), None, None, None) => LogIn::Credentials(credentials),
        (None, Some(user), Some(password), None) => LogIn::Password { user, password },
        (None, None, None, Some(token)) => LogIn::Token(token),
        (None, Some(_), None, None) => {
            section.fault("password", "is required with nats.user");
            LogIn::None
        }
        (None, None, Some(_), None) => {
            section.fault("user", "is required with nats.password");
            LogIn::None
        }
        (Some(_) | None, _, _, _) => {
            let what = "is one of several ways to log in; keep one: credentials, user and password, or token";
            section.fault("credentials", what);
            LogIn::None
        }
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use echeck_service::config::Settings;

    use super::*;

    fn read(text: &str) -> Result<Option<StreamSettings>, String> {
        let settings = Settings::from_toml(text).unwrap();
        let read = StreamSettings::read(&settings.root());
        settings
            .finish()
            .map(|()| read)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_section_nothing_is_published() {
        assert!(read("").unwrap().is_none());
    }

    #[test]
    fn what_is_not_said_is_three_replicas_of_everything() {
        let settings = read("[nats]\nservers = [\"nats://nats-0:4222\", \"nats-1\"]\n");
        let settings = settings.unwrap().unwrap();
        assert_eq!(settings.servers_told(), "nats-0:4222, nats-1:4222");
        assert_eq!((settings.replicas, settings.after_position), (3, None));
        assert!(matches!(settings.log_in, LogIn::None));
    }

    #[test]
    fn every_fault_is_told_by_its_key_and_without_a_secret() {
        for (text, key) in [
            ("servers = []", "nats.servers"),
            ("servers = [\"http://nats\"]", "nats.servers"),
            ("servers = [\"nats://ann:CANARY@nats\"]", "nats.servers"),
            (
                "servers = [\"nats://nats\"]\ntoken = \"CANARY\"",
                "nats.servers",
            ),
            ("servers = [\"tls://nats\"]", "nats.tls"),
            (
                "servers = [\"nats://nats\"]\nuser = \"ann\"",
                "nats.password",
            ),
            (
                "servers = [\"nats://127.0.0.1\"]\npassword = \"CANARY\"",
                "nats.user",
            ),
            (
                "servers = [\"nats://127.0.0.1\"]\ntoken = \"CANARY\"\ncredentials = \"CANARY\"",
                "nats.credentials",
            ),
            (
                "servers = [\"nats://nats\"]\nstream = \"a.b\"",
                "nats.stream",
            ),
            (
                "servers = [\"nats://nats\"]\nsubject = \"a.>\"",
                "nats.subject",
            ),
            ("servers = [\"nats://nats\"]\nreplicas = 0", "nats.replicas"),
        ] {
            let said = read(&format!("[nats]\n{text}\n"))
                .err()
                .unwrap_or_else(|| panic!("{text}"));
            assert!(said.contains(key), "{text}: {said}");
            assert!(!said.contains("CANARY"), "{said}");
        }
    }

    #[test]
    fn a_password_may_be_sent_in_clear_on_this_machine_only() {
        let with = |host: &str| {
            format!("[nats]\nservers = [\"nats://{host}\"]\nuser = \"a\"\npassword = \"b\"\n")
        };
        for here in ["localhost", "127.0.0.1", "[::1]:4222"] {
            assert!(read(&with(here)).is_ok(), "{here}");
        }
        assert!(read(&with("10.0.0.1")).is_err());
    }
}
