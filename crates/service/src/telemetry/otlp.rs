//! Sending numbers and spans to a collector, by OTLP.

use std::time::Duration;

use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};

use super::TelemetryError;
use super::trace::{ErrorsToo, RatioOrErrors};
use crate::config::Section;

/// Spans that may wait for the collector; more are dropped, and the log says how many.
const MOST_WAITING: usize = 8_192;

/// How the collector is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// gRPC, usually at port 4317.
    Grpc,
    /// HTTP with protobuf, usually at port 4318.
    Http,
}

/// The section `[otlp]`.
#[derive(Debug, Clone, PartialEq)]
pub struct OtlpConfig {
    /// `endpoint`, such as `http://127.0.0.1:4317`.
    pub endpoint: String,
    /// `protocol`: `grpc` (the default) or `http`.
    pub protocol: OtlpProtocol,
    /// `sample_per_mille`: of how many of a thousand traces every span is sent. Of the others, spans
    /// with an error are.
    pub sample_per_mille: u32,
    /// `timeout_ms`: how long the collector may take.
    pub timeout: Duration,
    /// `interval_ms`: how often numbers are sent.
    pub interval: Duration,
}

impl OtlpConfig {
    pub(super) fn read(root: &Section<'_>) -> Option<Self> {
        if !root.has("otlp") {
            return None;
        }
        let section = root.section("otlp");
        let protocols = [("grpc", OtlpProtocol::Grpc), ("http", OtlpProtocol::Http)];
        let endpoint = section.string("endpoint");
        if !endpoint.is_empty()
            && !endpoint.starts_with("http://")
            && !endpoint.starts_with("https://")
        {
            section.fault("endpoint", "must begin with http:// or https://");
        }
        let sampled = section.u64_or("sample_per_mille", 1_000, 0..=1_000);
        Some(Self {
            endpoint,
            protocol: section.one_of("protocol", &protocols, Some(OtlpProtocol::Grpc)),
            sample_per_mille: u32::try_from(sampled).unwrap_or(1_000),
            timeout: section.duration_ms_or("timeout_ms", 5_000, 100..=60_000),
            interval: section.duration_ms_or("interval_ms", 15_000, 100..=3_600_000),
        })
    }

    /// The HTTP client has TLS without cryptography of its own.
    fn bring_cryptography(&self) {
        if self.protocol == OtlpProtocol::Http {
            // Where something else was installed already, that serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
    }

    pub(super) fn tracers(&self, resource: Resource) -> Result<SdkTracerProvider, TelemetryError> {
        self.bring_cryptography();
        let exporter = match self.protocol {
            OtlpProtocol::Grpc => SpanExporter::builder()
                .with_tonic()
                .with_endpoint(&self.endpoint)
                .with_timeout(self.timeout)
                .build(),
            OtlpProtocol::Http => SpanExporter::builder()
                .with_http()
                .with_endpoint(self.http_path("traces"))
                .with_protocol(Protocol::HttpBinary)
                .with_timeout(self.timeout)
                .build(),
        };
        let exporter = exporter.map_err(|error| TelemetryError::Otlp(error.to_string()))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(MOST_WAITING)
            .with_scheduled_delay(Duration::from_millis(500))
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batches)
            .build();
        let tracers = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(RatioOrErrors::new(self.sample_per_mille))
            .with_span_processor(ErrorsToo(processor));
        Ok(tracers.build())
    }

    pub(super) fn reader(&self) -> Result<PeriodicReader<MetricExporter>, TelemetryError> {
        let exporter = match self.protocol {
            OtlpProtocol::Grpc => MetricExporter::builder()
                .with_tonic()
                .with_endpoint(&self.endpoint)
                .with_timeout(self.timeout)
                .build(),
            OtlpProtocol::Http => MetricExporter::builder()
                .with_http()
                .with_endpoint(self.http_path("metrics"))
                .with_protocol(Protocol::HttpBinary)
                .with_timeout(self.timeout)
                .build(),
        };
        let exporter = exporter.map_err(|error| TelemetryError::Otlp(error.to_string()))?;
        Ok(PeriodicReader::builder(exporter)
            .with_interval(self.interval)
            .build())
    }

    /// The path of a signal (OTLP 1.9, section "OTLP/HTTP Request").
    fn http_path(&self, signal: &str) -> String {
        format!("{}/v1/{signal}", self.endpoint.trim_end_matches('/'))
    }
}
