//! Traces: spans that become one trace across processes, and across the databases between them. What is
//! handed on is the text of W3C Trace Context, in the metadata of a call or in a column.

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::{
    Link, SpanContext, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample,
    Span as SdkSpan, SpanData, SpanProcessor,
};
use tonic::metadata::{MetadataKey, MetadataMap, MetadataValue};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// The header of W3C Trace Context.
const TRACE_PARENT: &str = "traceparent";

/// Whose spans are sent: ours, and not those of the libraries.
const OURS: [&str; 14] = [
    "echeck",
    "echeck_service",
    "echeck_adapter",
    "gateway_adapter",
    "rallypay_adapter",
    "returns_service",
    "returns_store",
    "returns_import",
    "returns_feed",
    "returns_sources",
    "returns_webhooks",
    "returns_alerts",
    "returns_reports",
    "returns_verify",
];

/// The layer that makes spans of `tracing` those of a trace.
pub(super) fn layer<S>(tracers: &SdkTracerProvider) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let ours = OURS.map(|target| (target, LevelFilter::INFO));
    tracing_opentelemetry::layer()
        .with_tracer(tracers.tracer("echeck"))
        // Where in the code it is says the name of the span.
        .with_location(false)
        .with_threads(false)
        // A future is entered at each of its polls, and these two are work at every one of them: the
        // time between polls, and a context for libraries that make spans by themselves.
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(Targets::new().with_targets(ours))
        .boxed()
}

/// Where a trace stands, as text: kept with what is worked on later, or by another process.
pub type Parent = String;

/// Where the trace of this span stands; `None` where there is none.
pub fn parent() -> Option<Parent> {
    let mut text = HashMap::new();
    let context = Span::current().context();
    TraceContextPropagator::new().inject_context(&context, &mut Headers(&mut text));
    text.remove(TRACE_PARENT)
}

/// The trace that a span belongs to; `None` where there is none.
pub(crate) fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let found = context.span().span_context().clone();
    found.is_valid().then(|| found.trace_id().to_string())
}

/// Lets a span that was not entered yet continue a trace. Without one, or with a text that is none, it
/// begins a trace of its own.
pub fn continue_trace(span: &Span, parent: Option<&str>) {
    let Some(parent) = parent else {
        return;
    };
    let mut text = HashMap::from([(TRACE_PARENT.to_owned(), parent.to_owned())]);
    let context = TraceContextPropagator::new().extract(&Headers(&mut text));
    if context.span().span_context().is_valid() {
        // It was made just now, so it has not begun.
        let _ = span.set_parent(context);
    }
}

/// The header's value in a call's headers.
pub(crate) fn parent_in(headers: &http::HeaderMap) -> Option<&str> {
    headers.get(TRACE_PARENT)?.to_str().ok()
}

/// Hands the trace of this span on with a call.
pub fn send_trace(metadata: &mut MetadataMap) {
    let Some(text) = parent() else {
        return;
    };
    if let Ok(value) = MetadataValue::try_from(text) {
        metadata.insert(MetadataKey::from_static(TRACE_PARENT), value);
    }
}

struct Headers<'a>(&'a mut HashMap<String, String>);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// Samples a part of the traces. Spans of the others are recorded, and sent if they end with an error.
#[derive(Debug, Clone)]
pub(super) struct RatioOrErrors {
    per_mille: u64,
}

impl RatioOrErrors {
    pub(super) fn new(per_mille: u32) -> Self {
        Self {
            per_mille: per_mille.into(),
        }
    }
}

impl ShouldSample for RatioOrErrors {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let before = parent.map(|context| context.span().span_context().clone());
        let before = before.filter(SpanContext::is_valid);
        let sampled = match &before {
            // What began it has decided.
            Some(before) => before.is_sampled(),
            None => {
                let bytes = trace_id.to_bytes();
                let [.., a, b] = bytes;
                u64::from(u16::from_be_bytes([a, b])) * 1_000 < self.per_mille * 65_536
            }
        };
        SamplingResult {
            decision: match sampled {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::RecordOnly,
            },
            attributes: Vec::new(),
            trace_state: before.map_or_else(TraceState::default, |one| one.trace_state().clone()),
        }
    }
}

/// Sends what was sampled, and every span with an error.
#[derive(Debug)]
pub(super) struct ErrorsToo(pub(super) BatchSpanProcessor);

impl SpanProcessor for ErrorsToo {
    fn on_start(&self, span: &mut SdkSpan, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        let context = &span.span_context;
        if !context.is_sampled() && matches!(span.status, Status::Error { .. }) {
            span.span_context = SpanContext::new(
                context.trace_id(),
                context.span_id(),
                TraceFlags::SAMPLED,
                context.is_remote(),
                context.trace_state().clone(),
            );
        }
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
