//! What a program counts and measures. Each number is declared once, with its unit, its labels and what
//! it means; the same declarations are exported, checked and documented. A label is one of a closed list
//! of words, or the name of something that the configuration has: never an id.

use std::fmt;
use std::sync::OnceLock;

use opentelemetry::metrics::{Counter, Gauge, Histogram};
use opentelemetry::{KeyValue, global};

/// The name of everything that is exported here.
const SCOPE: &str = "echeck";

/// The bounds of the buckets of a duration, in seconds.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
];

/// What kind of number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It is what it is now.
    Gauge,
    /// How often something took how long.
    Histogram,
}

/// A number that is exported.
pub struct Metric {
    /// Its name, in the conventions of OpenTelemetry.
    pub name: &'static str,
    /// What kind it is.
    pub kind: MetricKind,
    /// Its unit, in UCUM: `s`, `By`, or `{thing}` for what is counted.
    pub unit: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    instrument: OnceLock<Instrument>,
}

enum Instrument {
    Counter(Counter<u64>),
    Gauge(Gauge<f64>),
    Histogram(Histogram<f64>),
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metric").field(&self.name).finish()
    }
}

impl Metric {
    const fn new(
        kind: MetricKind,
        (name, unit): (&'static str, &'static str),
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            unit,
            help,
            labels,
            instrument: OnceLock::new(),
        }
    }

    /// Counts things of a unit such as `{import}`.
    pub const fn counter(
        name: &'static str,
        unit: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self::new(MetricKind::Counter, (name, unit), labels, help)
    }

    /// Says how much there is now.
    pub const fn gauge(
        name: &'static str,
        unit: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self::new(MetricKind::Gauge, (name, unit), labels, help)
    }

    /// Measures how long something takes, in seconds.
    pub const fn seconds(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self::new(MetricKind::Histogram, (name, "s"), labels, help)
    }

    fn instrument(&self) -> &Instrument {
        self.instrument.get_or_init(|| {
            let meter = global::meter(SCOPE);
            let (name, unit, help) = (self.name, self.unit, self.help);
            match self.kind {
                MetricKind::Counter => {
                    let built = meter.u64_counter(name).with_unit(unit);
                    Instrument::Counter(built.with_description(help).build())
                }
                MetricKind::Gauge => {
                    let built = meter.f64_gauge(name).with_unit(unit);
                    Instrument::Gauge(built.with_description(help).build())
                }
                MetricKind::Histogram => {
                    let built = meter.f64_histogram(name).with_unit(unit);
                    let built = built.with_boundaries(SECONDS.to_vec());
                    Instrument::Histogram(built.with_description(help).build())
                }
            }
        })
    }

    fn labeled(&self, values: &[&str]) -> Vec<KeyValue> {
        debug_assert_eq!(values.len(), self.labels.len(), "{}", self.name);
        let pairs = self.labels.iter().zip(values);
        pairs
            .map(|(label, value)| KeyValue::new(*label, (*value).to_owned()))
            .collect()
    }

    /// Counts `number` more. `values` are those of the labels.
    pub fn add(&self, number: u64, values: &[&str]) {
        if let Instrument::Counter(counter) = self.instrument() {
            counter.add(number, &self.labeled(values));
        }
    }

    /// Says how much there is now.
    pub fn set(&self, number: u64, values: &[&str]) {
        // Above 2^53 a number is shown rounded.
        let number =
            u32::try_from(number).map_or_else(|_| number.to_string().parse(), |one| Ok(one.into()));
        if let (Instrument::Gauge(gauge), Ok(number)) = (self.instrument(), number) {
            gauge.record(number, &self.labeled(values));
        }
    }

    /// Records how long something took.
    pub fn record(&self, took: std::time::Duration, values: &[&str]) {
        if let Instrument::Histogram(histogram) = self.instrument() {
            histogram.record(took.as_secs_f64(), &self.labeled(values));
        }
    }

    /// Does some work, and records how long it took.
    pub async fn time<T>(&self, values: &[&str], work: impl Future<Output = T>) -> T {
        let began = tokio::time::Instant::now();
        let done = work.await;
        self.record(began.elapsed(), values);
        done
    }

    /// Its name as Prometheus has it.
    pub fn prometheus_name(&self) -> String {
        let name = self.name.replace('.', "_");
        match (self.kind, self.unit) {
            (MetricKind::Counter, _) => format!("{name}_total"),
            (_, "s") => format!("{name}_seconds"),
            (_, "By") => format!("{name}_bytes"),
            (MetricKind::Gauge | MetricKind::Histogram, _) => name,
        }
    }
}

/// How long calls take, by method and how they end.
pub static CALL_DURATION: Metric = Metric::seconds(
    "rpc.server.call.duration",
    &["rpc.system.name", "rpc.method", "rpc.response.status_code"],
    "How long calls take until their last message, by method and status. A method that there is not is _OTHER.",
);

/// Calls and connections that were refused.
pub static REFUSED: Metric = Metric::counter(
    "echeck.server.refused",
    "{refusal}",
    &["reason"],
    "Calls and connections that were refused before a handler saw them, by the reason.",
);

/// Calls in flight.
pub static CALLS_IN_FLIGHT: Metric = Metric::gauge(
    "echeck.server.calls_in_flight",
    "{call}",
    &[],
    "Calls that are being answered, as of the last one that began or ended.",
);

/// What runs.
pub static BUILD: Metric = Metric::gauge(
    "echeck.build",
    "{process}",
    &["program", "version"],
    "Always 1; its labels say which program of which version runs.",
);

/// When the server's certificate ends.
pub static CERTIFICATE_LEFT: Metric = Metric::gauge(
    "echeck.server.certificate_left",
    "s",
    &[],
    "How long the server's certificate is still valid; 0 once it has expired.",
);

/// Every number of this crate.
pub static ALL: &[&Metric] = &[
    &CALL_DURATION,
    &REFUSED,
    &CALLS_IN_FLIGHT,
    &BUILD,
    &CERTIFICATE_LEFT,
];
