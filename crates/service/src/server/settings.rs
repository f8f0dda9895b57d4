//! The section `[server]`.

use std::net::SocketAddr;
use std::time::Duration;

use crate::config::Section;

/// How a gRPC server listens and what it allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// `listen`: the address, such as `0.0.0.0:7001`; port 0 takes a free one.
    pub listen: SocketAddr,
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
    /// `max_concurrent_streams`: calls on one connection; more wait in the client.
    pub max_concurrent_streams: u32,
    /// `max_header_bytes`: the headers of a call, uncompressed.
    pub max_header_bytes: u32,
    /// `keepalive_interval_ms`: how often an idle connection is asked whether it is alive.
    pub keepalive_interval: Duration,
    /// `keepalive_timeout_ms`: how long the answer may take before the connection is closed.
    pub keepalive_timeout: Duration,
}

impl ServerConfig {
    /// Reads the section; `default_listen` is the service's own address.
    pub fn read(section: &Section<'_>, default_listen: &str) -> Self {
        const SECOND: u64 = 1_000;
        const HOUR: u64 = 3_600 * SECOND;
        const MIB: u64 = 1 << 20;
        let listen = section.string_or("listen", default_listen);
        let streams = section.u64_or("max_concurrent_streams", 256, 1..=10_000);
        let time = |key, default, range| section.duration_ms_or(key, default, range);
        let config = Self {
            listen: listen.parse().unwrap_or_else(|_| {
                let what = "must be an address and a port, such as 0.0.0.0:7001";
                section.fault("listen", what);
                SocketAddr::from(([127, 0, 0, 1], 0))
            }),
            max_message_bytes: size(section.u64_or("max_message_bytes", 4 * MIB, 1024..=256 * MIB)),
            default_timeout: time("default_timeout_ms", 30 * SECOND, 1..=HOUR),
            max_timeout: time("max_timeout_ms", 600 * SECOND, 1..=24 * HOUR),
            drain_timeout: time("drain_timeout_ms", 25 * SECOND, 0..=HOUR),
            max_concurrent_calls: size(section.u64_or("max_concurrent_calls", 1_024, 1..=100_000)),
            max_concurrent_streams: small(streams),
            max_header_bytes: small(section.u64_or("max_header_bytes", 16_384, 1_024..=MIB)),
            keepalive_interval: time("keepalive_interval_ms", 30 * SECOND, SECOND..=HOUR),
            keepalive_timeout: time("keepalive_timeout_ms", 10 * SECOND, 100..=HOUR),
        };
        if config.default_timeout > config.max_timeout {
            section.fault("default_timeout_ms", "must not be above max_timeout_ms");
        }
        config
    }
}

/// The ranges above keep these values far below the limits of the narrower types.
fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
