//! What a program says of itself: lines in a log, numbers, and traces. None of it may stop or slow the
//! work: what a collector does not take is dropped, and counted.

mod logs;
mod otlp;
mod port;
mod repeats;
mod trace;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::global;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use thiserror::Error;
use tracing::warn;
use tracing_subscriber::filter::FilterExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, reload};

pub(crate) use logs::lines;
pub use logs::{LogFormat, filter, set_filter};
pub use otlp::{OtlpConfig, OtlpProtocol};
pub(crate) use port::serve as serve_port;
pub(crate) use repeats::CALLS;
pub use trace::{Parent, continue_trace, parent, send_trace};
pub(crate) use trace::{parent_in, trace_id};

use crate::config::Section;
use crate::metrics::BUILD;
use repeats::Repeats;

/// How long the last numbers and spans may take to leave when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// The sections `[log]`, `[otlp]` and `[metrics]`.
#[derive(Debug, Clone, PartialEq)]
pub struct TelemetryConfig {
    /// `[log] format`: `text` (the default) or `json`.
    pub format: LogFormat,
    /// `[log] filter`: what is logged, such as `info` (the default) or `info,echeck_service=debug`.
    pub filter: String,
    /// `[otlp]`: where numbers and traces are sent, if anywhere.
    pub otlp: Option<OtlpConfig>,
    /// `[metrics] listen`: where numbers and health can be asked for, if anywhere.
    pub metrics: Option<SocketAddr>,
}

impl TelemetryConfig {
    /// Reads the sections. An invalid filter is a fault.
    pub fn read(root: &Section<'_>) -> Self {
        let (format, filter) = logs::read(&root.section("log"));
        Self {
            format,
            filter,
            otlp: OtlpConfig::read(root),
            metrics: metrics_listen(root),
        }
    }
}

/// Reads `[metrics] listen`.
pub fn metrics_listen(root: &Section<'_>) -> Option<SocketAddr> {
    let metrics = root.section("metrics");
    let text = metrics.optional_string("listen")?;
    let what = "must be an address and a port, such as 127.0.0.1:9464";
    let parsed = text.parse();
    parsed.map_err(|_| metrics.fault("listen", what)).ok()
}

/// Why telemetry could not start.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter is invalid.
    #[error("log.filter {0}")]
    Filter(String),
    /// Another part of the process has already set a global logger.
    #[error("logging cannot start: {0}")]
    LoggerAlreadySet(String),
    /// Numbers cannot be exported.
    #[error("otlp cannot be used: {0}")]
    Otlp(String),
}

/// Whether traces are sent.
static TRACES: AtomicBool = AtomicBool::new(false);

/// Whether this process sends traces, so that looking for where one stands is worth it.
pub fn has_traces() -> bool {
    TRACES.load(Ordering::Relaxed)
}

/// What sends the last numbers and spans when it is dropped, at the end of the process.
#[derive(Debug)]
pub struct Telemetry {
    meters: Option<SdkMeterProvider>,
    tracers: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Sends what is left. It blocks, so it is done on a thread for that.
    pub async fn end(self) {
        let ended = tokio::task::spawn_blocking(move || {
            if let Some(tracers) = self.tracers {
                // A collector that is away changes nothing.
                let _ = tracers.shutdown_with_timeout(LAST_WORDS);
            }
            if let Some(meters) = self.meters {
                let _ = meters.shutdown_with_timeout(LAST_WORDS);
            }
        });
        let _ = tokio::time::timeout(LAST_WORDS * 3, ended).await;
    }
}

/// Starts logs, numbers and traces for the whole process. With JSON, a panic is a JSON line too; with
/// text, it stays as Rust prints it. A second call changes nothing. Call it inside a tokio runtime.
///
/// # Errors
/// When the filter is invalid, or when something else has set a global logger.
pub fn init(config: &TelemetryConfig, program: &'static str) -> Result<Telemetry, TelemetryError> {
    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    let nothing = Telemetry {
        meters: None,
        tracers: None,
    };
    if *started {
        return Ok(nothing);
    }
    let filter = logs::parse_filter(&config.filter).map_err(TelemetryError::Filter)?;
    let (filter, handle) = reload::Layer::new(filter);
    let tracers = match &config.otlp {
        Some(otlp) => Some(otlp.tracers(resource(program))?),
        None => None,
    };
    let traces = tracers.as_ref().map(trace::layer);
    TRACES.store(traces.is_some(), Ordering::Relaxed);
    let repeats = Repeats::default();
    let written = filter.and(repeats.clone());
    Registry::default()
        .with(lines(config.format, std::io::stderr).with_filter(written))
        .with(traces)
        .try_init()
        .map_err(|fault| TelemetryError::LoggerAlreadySet(fault.to_string()))?;
    logs::remember(handle, config);
    tokio::spawn(repeats.sum_up());
    let meters = meters(config, program)?;
    BUILD.set(1, &[program, env!("CARGO_PKG_VERSION")]);
    *started = true;
    Ok(Telemetry { meters, tracers })
}

fn resource(program: &'static str) -> Resource {
    Resource::builder().with_service_name(program).build()
}

/// What collects numbers, where somebody wants them.
fn meters(
    config: &TelemetryConfig,
    program: &'static str,
) -> Result<Option<SdkMeterProvider>, TelemetryError> {
    if config.otlp.is_none() && config.metrics.is_none() {
        return Ok(None);
    }
    let mut meters = SdkMeterProvider::builder().with_resource(resource(program));
    if config.metrics.is_some() {
        match port::reader() {
            Ok(reader) => meters = meters.with_reader(reader),
            Err(why) => warn!(why, "numbers cannot be collected for Prometheus"),
        }
    }
    if let Some(otlp) = &config.otlp {
        meters = meters.with_reader(otlp.reader()?);
    }
    let meters = meters.build();
    global::set_meter_provider(meters.clone());
    Ok(Some(meters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn starting_twice_changes_nothing() {
        let config = TelemetryConfig {
            format: LogFormat::Text,
            filter: "off".to_owned(),
            otlp: None,
            metrics: None,
        };
        init(&config, "test").unwrap();
        init(&config, "test").unwrap().end().await;
    }
}
