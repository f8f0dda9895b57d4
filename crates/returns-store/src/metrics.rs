//! What the returns service counts and measures. Labels are words of closed lists, or names of the
//! configuration; ids are in traces and logs.

use echeck_service::metrics::Metric;

/// Files, by what became of them.
pub static IMPORTS: Metric = Metric::counter(
    "echeck.imports",
    "{file}",
    &["source", "outcome"],
    "Files by source, and what became of them: received, known already, accepted, rejected, or decided to the end.",
);

/// Entries, as they were first decided.
pub static ENTRIES: Metric = Metric::counter(
    "echeck.entries",
    "{entry}",
    &["kind", "code", "decision"],
    "Entries as they were first decided, by kind, code and decision. A code that is not in the table is other.",
);

/// How long looking transfers up takes.
pub static LOOKUP_DURATION: Metric = Metric::seconds(
    "echeck.lookup.duration",
    &["database"],
    "How long one call that looks transfers up takes.",
);

/// How long an append takes.
pub static APPEND_DURATION: Metric = Metric::seconds(
    "echeck.append.duration",
    &["outcome"],
    "How long the transaction takes that appends rows to the journal: done, stale, or lost to another replica.",
);

/// How long a batch takes to reach a database.
pub static FEED_DURATION: Metric = Metric::seconds(
    "echeck.feed.duration",
    &["database", "outcome"],
    "How long one batch of rows takes to reach a database: done or failed.",
);

/// How long a message takes.
pub static DELIVERY_DURATION: Metric = Metric::seconds(
    "echeck.webhook.delivery.duration",
    &["outcome"],
    "How long it takes to post one message to a platform: delivered or failed.",
);

/// Looks at acquirers' servers.
pub static SOURCE_CALLS: Metric = Metric::counter(
    "echeck.source.calls",
    "{call}",
    &["source", "operation", "outcome"],
    "Calls of the acquirers' servers and folders: list, fetch and archive, by source and whether they worked.",
);

/// Calls of the bucket.
pub static BUCKET_CALLS: Metric = Metric::counter(
    "echeck.bucket.calls",
    "{call}",
    &["operation", "outcome"],
    "Objects put into the bucket and read back, and whether that worked.",
);

/// Alerts that were sent.
pub static ALERTS: Metric = Metric::counter(
    "echeck.alerts",
    "{alert}",
    &["channel", "outcome"],
    "Attempts to send an alert, by channel and whether it was delivered.",
);

/// Holds that are open.
pub static HOLDS_OPEN: Metric = Metric::gauge(
    "echeck.holds.open",
    "{hold}",
    &["reason"],
    "Entries that wait, by reason.",
);

/// How long the oldest hold waits.
pub static HOLDS_OLDEST: Metric = Metric::gauge(
    "echeck.holds.oldest_age",
    "s",
    &["reason"],
    "How long the entry waits that has waited longest, by reason; 0 when none does.",
);

/// How far each database is behind.
pub static LAG_ROWS: Metric = Metric::gauge(
    "echeck.follower.lag_rows",
    "{row}",
    &["database"],
    "Journal rows that a database has not passed.",
);

/// How long the next row of each database waits.
pub static LAG_SECONDS: Metric = Metric::gauge(
    "echeck.follower.lag",
    "s",
    &["database"],
    "How long the oldest journal row waits that a database has not passed; 0 when there is none.",
);

/// Incidents that are open.
pub static INCIDENTS_OPEN: Metric = Metric::gauge(
    "echeck.incidents.open",
    "{incident}",
    &["cause", "severity"],
    "Open incidents, by cause and severity.",
);

/// Incidents that nobody has acknowledged.
pub static INCIDENTS_UNACKNOWLEDGED: Metric = Metric::gauge(
    "echeck.incidents.unacknowledged",
    "{incident}",
    &["cause", "severity"],
    "Open incidents that nobody has acknowledged, by cause and severity.",
);

/// Messages that are not delivered.
pub static DELIVERIES: Metric = Metric::gauge(
    "echeck.webhook.deliveries",
    "{message}",
    &["state", "endpoint_state"],
    "Messages to platforms that are pending or undeliverable, by the state of their endpoint.",
);

/// Imports that are not finished.
pub static IMPORTS_OPEN: Metric = Metric::gauge(
    "echeck.imports.open",
    "{import}",
    &[],
    "Imports that are not rejected, and not applied everywhere.",
);

/// How old the last checkpoint is.
pub static UNSIGNED_ROWS: Metric = Metric::gauge(
    "echeck.checkpoint.unsigned_rows",
    "{row}",
    &[],
    "Journal rows and audit records after the last signed checkpoint. The replica that signs says so; the others say 0.",
);

/// Rows that were published.
pub static STREAM_ROWS: Metric = Metric::counter(
    "echeck.stream.rows",
    "{row}",
    &[],
    "Journal rows that this process has published to NATS.",
);

/// How far the stream is behind.
pub static STREAM_LAG_ROWS: Metric = Metric::gauge(
    "echeck.stream.lag_rows",
    "{row}",
    &[],
    "Journal rows that are not yet published to NATS. The replica that publishes says so; the others say 0.",
);

/// When the last checkpoint was signed.
pub static CHECKPOINTS: Metric = Metric::counter(
    "echeck.checkpoints",
    "{checkpoint}",
    &[],
    "Checkpoints that this process has signed.",
);

/// Connections to the returns database.
pub static CONNECTIONS: Metric = Metric::gauge(
    "echeck.database.connections",
    "{connection}",
    &["state"],
    "Connections to the returns database: used, idle, or more that there may be.",
);

/// Room on the disk of the spool.
pub static SPOOL_FREE: Metric = Metric::gauge(
    "echeck.spool.free",
    "By",
    &[],
    "Room on the disk of the spool.",
);

/// Every number of the returns service.
pub static ALL: &[&Metric] = &[
    &IMPORTS,
    &ENTRIES,
    &LOOKUP_DURATION,
    &APPEND_DURATION,
    &FEED_DURATION,
    &DELIVERY_DURATION,
    &SOURCE_CALLS,
    &BUCKET_CALLS,
    &ALERTS,
    &HOLDS_OPEN,
    &HOLDS_OLDEST,
    &LAG_ROWS,
    &LAG_SECONDS,
    &INCIDENTS_OPEN,
    &INCIDENTS_UNACKNOWLEDGED,
    &DELIVERIES,
    &IMPORTS_OPEN,
    &UNSIGNED_ROWS,
    &CHECKPOINTS,
    &STREAM_ROWS,
    &STREAM_LAG_ROWS,
    &CONNECTIONS,
    &SPOOL_FREE,
];

/// The word for how something ended.
pub fn outcome<T, E>(ended: &Result<T, E>) -> &'static str {
    match ended {
        Ok(_) => "done",
        Err(_) => "failed",
    }
}
