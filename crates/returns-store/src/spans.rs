//! Spans of work on several imports at once: each belongs to the trace of its import.

use echeck_service::telemetry;
use tracing::Span;

use crate::Store;

/// More imports than this in one batch share the span of the first.
const MOST_IMPORTS: usize = 16;

/// A span for each import that a batch is about; the first is the one to work in, and the others are
/// dropped when the work is done. Where no traces are sent, there is one span and nothing is looked up.
pub async fn spans_of<'a>(
    store: &dyn Store,
    import_ids: impl Iterator<Item = &'a str>,
    begin: impl Fn() -> Span,
) -> (Span, Vec<Span>) {
    let mut ids: Vec<&str> = Vec::new();
    for id in import_ids {
        if !ids.contains(&id) && ids.len() < MOST_IMPORTS {
            ids.push(id);
        }
    }
    let first = begin();
    if !telemetry::has_traces() {
        return (first, Vec::new());
    }
    let mut others = Vec::new();
    for (index, id) in ids.into_iter().enumerate() {
        // Where it cannot be read, the span begins a trace of its own.
        let trace = store.trace_of(id).await.ok().flatten();
        if index == 0 {
            telemetry::continue_trace(&first, trace.as_deref());
        } else {
            let other = begin();
            telemetry::continue_trace(&other, trace.as_deref());
            others.push(other);
        }
    }
    (first, others)
}
