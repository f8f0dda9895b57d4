//! The section `[server]`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use crate::config::Section;
use crate::tls::{ClientCertificates, ServerTls};

/// What keeps others from reading and changing what a server and its callers say.
#[derive(Debug, Clone)]
pub enum Protection {
    /// TLS.
    Tls(ServerTls),
    /// Nobody else can reach it: it listens on a loopback address.
    Loopback,
    /// Nothing, since `insecure_plaintext` says so.
    InsecurePlaintext,
}

impl Protection {
    /// `[server.tls]` and `insecure_plaintext`. A server that others can reach without either is a
    /// fault.
    fn read(section: &Section<'_>, listen: SocketAddr, certificates: ClientCertificates) -> Self {
        let insecure = section.bool_or("insecure_plaintext", false);
        let wants_tls = section.has("tls");
        if let Some(tls) = ServerTls::read(section, certificates) {
            if insecure {
                section.fault(
                    "insecure_plaintext",
                    "is set together with [server.tls]; keep one",
                );
            }
            return Self::Tls(tls);
        }
        if insecure {
            return Self::InsecurePlaintext;
        }
        if !wants_tls && !listen.ip().is_loopback() {
            let what = "can be reached by others, and has no [server.tls]; set certificate_file and \
                        key_file there, listen on 127.0.0.1, or set server.insecure_plaintext = true \
                        where something else encrypts";
            section.fault("listen", format!("{listen} {what}"));
        }
        Self::Loopback
    }

    /// TLS, if there is.
    pub(super) fn tls(&self) -> Option<&ServerTls> {
        match self {
            Self::Tls(tls) => Some(tls),
            Self::Loopback | Self::InsecurePlaintext => None,
        }
    }
}

/// How a gRPC server listens and what it allows.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// `listen`: the address, such as `0.0.0.0:7001`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `[server.tls]`, or why there is none.
    pub protection: Protection,
    /// `max_message_bytes`: the largest message that is taken. Each service is built with
    /// `XServer::new(…).max_decoding_message_size(config.max_message_bytes)`; tonic answers
    /// `OUT_OF_RANGE` to a longer one.
    pub max_message_bytes: usize,
    /// `default_timeout_ms`: how long a call may take until its response starts when the caller
    /// set no `grpc-timeout`.
    pub default_timeout: Duration,
    /// `max_timeout_ms`: the longest that a caller can ask for.
    pub max_timeout: Duration,
    /// `drain_timeout_ms`: how long calls may continue after the server was asked to stop.
    pub drain_timeout: Duration,
    /// `max_concurrent_calls`: calls of all connections together; one more is answered
    /// `RESOURCE_EXHAUSTED`. Health and reflection do not count.
    pub max_concurrent_calls: usize,
    /// `max_calls_per_peer`: calls from one address. Of one method it may make half as many as
    /// there may be, so that it never takes a method from others.
    pub max_calls_per_peer: usize,
    /// `max_calls_per_method`: calls of one method from all addresses.
    pub max_calls_per_method: usize,
    /// `max_calls_per_identity`: calls of one caller, from wherever.
    pub max_calls_per_identity: usize,
    /// `max_streams_per_identity`: of these, calls with many messages in one direction.
    pub max_streams_per_identity: usize,
    /// `max_calls_per_second`: calls that one caller may begin in a second.
    pub max_calls_per_second: NonZeroU32,
    /// `max_bytes_per_second`: what one caller may send in a second; more of it waits.
    pub max_bytes_per_second: NonZeroU32,
    /// `max_health_calls`: calls of health and reflection; one address and one method may have
    /// half of them.
    pub max_health_calls: usize,
    /// `message_timeout_ms`: how long a caller may take for its next message while the server
    /// waits for it.
    pub message_timeout: Duration,
    /// `max_connections`: connections of all peers; see [`ServerConfig::connection_limits`].
    pub max_connections: usize,
    /// `max_connections_per_peer`: connections from one address.
    pub max_connections_per_peer: usize,
    /// `handshake_timeout_ms`: how long a new connection may take to begin HTTP/2.
    pub handshake_timeout: Duration,
    /// `max_connection_age_ms`: after this a connection takes no new calls; those in flight
    /// continue, and the client connects again.
    pub max_connection_age: Duration,
    /// `max_concurrent_streams`: calls on one connection; more wait in the client.
    pub max_concurrent_streams: u32,
    /// `max_header_bytes`: the headers of a call, uncompressed.
    pub max_header_bytes: u32,
    /// `keepalive_interval_ms`: how often an idle connection is asked whether it is alive.
    pub keepalive_interval: Duration,
    /// `keepalive_timeout_ms`: how long the answer may take before the connection is closed.
    pub keepalive_timeout: Duration,
}

/// What a service is without a word in its section.
#[derive(Debug, Clone, Copy)]
pub struct ServerDefaults<'a> {
    /// The service's own address.
    pub listen: &'a str,
    /// Whether its callers need a certificate.
    pub certificates: ClientCertificates,
    /// The largest message that it takes.
    pub max_message_bytes: u64,
}

impl<'a> ServerDefaults<'a> {
    /// A service whose callers may come without a certificate, with small messages.
    pub fn at(listen: &'a str) -> Self {
        Self {
            listen,
            certificates: ClientCertificates::Optional,
            max_message_bytes: 4 << 20,
        }
    }
}

impl ServerConfig {
    /// Reads the section.
    pub fn read(section: &Section<'_>, defaults: ServerDefaults<'_>) -> Self {
        let ServerDefaults {
            listen: default_listen,
            certificates,
            max_message_bytes,
        } = defaults;
        const SECOND: u64 = 1_000;
        const HOUR: u64 = 3_600 * SECOND;
        let listen = section.string_or("listen", default_listen);
        let streams = section.u64_or("max_concurrent_streams", 256, 1..=10_000);
        let time = |key, default, range| section.duration_ms_or(key, default, range);
        let listen = listen.parse().unwrap_or_else(|_| {
            let what = "must be an address and a port, such as 0.0.0.0:7001";
            section.fault("listen", what);
            SocketAddr::from(([127, 0, 0, 1], 0))
        });
        let count = |key, default, most| size(section.u64_or(key, default, 1..=most));
        let rate = |key, default| {
            let rate = section.u64_or(key, default, 1..=u64::from(u32::MAX));
            NonZeroU32::new(small(rate)).unwrap_or(NonZeroU32::MAX)
        };
        let config = Self {
            listen,
            protection: Protection::read(section, listen, certificates),
            max_message_bytes: size(section.u64_or(
                "max_message_bytes",
                max_message_bytes,
                1024..=256 << 20,
            )),
            default_timeout: time("default_timeout_ms", 30 * SECOND, 1..=HOUR),
            max_timeout: time("max_timeout_ms", 600 * SECOND, 1..=24 * HOUR),
            drain_timeout: time("drain_timeout_ms", 25 * SECOND, 0..=HOUR),
            max_concurrent_calls: size(section.u64_or("max_concurrent_calls", 1_024, 1..=100_000)),
            max_calls_per_peer: size(section.u64_or("max_calls_per_peer", 512, 1..=100_000)),
            max_calls_per_method: size(section.u64_or("max_calls_per_method", 512, 1..=100_000)),
            max_calls_per_identity: count("max_calls_per_identity", 512, 100_000),
            max_streams_per_identity: count("max_streams_per_identity", 256, 100_000),
            max_calls_per_second: rate("max_calls_per_second", 10_000),
            max_bytes_per_second: rate("max_bytes_per_second", 256 << 20),
            max_health_calls: size(section.u64_or("max_health_calls", 256, 1..=10_000)),
            message_timeout: time("message_timeout_ms", 30 * SECOND, 10..=HOUR),
            max_connections: size(section.u64_or("max_connections", 1_024, 1..=100_000)),
            max_connections_per_peer: size(section.u64_or(
                "max_connections_per_peer",
                512,
                1..=100_000,
            )),
            handshake_timeout: time("handshake_timeout_ms", 10 * SECOND, 10..=HOUR),
            max_connection_age: time("max_connection_age_ms", HOUR, SECOND..=24 * HOUR),
            max_concurrent_streams: small(streams),
            max_header_bytes: small(section.u64_or("max_header_bytes", 16_384, 1_024..=1 << 20)),
            keepalive_interval: time("keepalive_interval_ms", 30 * SECOND, SECOND..=HOUR),
            keepalive_timeout: time("keepalive_timeout_ms", 10 * SECOND, 100..=HOUR),
        };
        if config.default_timeout > config.max_timeout {
            section.fault("default_timeout_ms", "must not be above max_timeout_ms");
        }
        config
    }

    /// Logs what everybody who runs this should know.
    pub(super) fn say_how_protected(&self) {
        if let Protection::InsecurePlaintext = self.protection {
            tracing::warn!(
                listen = %self.listen,
                "server.insecure_plaintext is set: what is sent here, tokens included, can be read and \
                 changed by whoever is in between, unless something else encrypts it"
            );
        }
    }

    /// The most connections of all peers, and of one. They take at most half of the file
    /// descriptors that this process may have: databases and files need the others.
    pub(super) fn connection_limits(&self) -> (usize, usize) {
        let (most, of_peer) = (self.max_connections, self.max_connections_per_peer);
        let descriptors = getrlimit(Resource::Nofile).current.map_or(usize::MAX, size);
        let half = (descriptors / 2).max(1);
        if most <= half {
            return (most, of_peer);
        }
        tracing::warn!(
            descriptors,
            max_connections = half,
            "the process may have too few file descriptors for server.max_connections; using half"
        );
        (half, of_peer.min(half.div_ceil(2)))
    }
}

/// The ranges above keep these values far below the limits of the narrower types.
fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
