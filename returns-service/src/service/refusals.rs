//! What the server refuses before a handler sees it, in the audit log: the first of a kind in a
//! minute.

use std::sync::Arc;

use echeck_service::clock::SharedClock;
use echeck_service::server::{Refusals, Refused};
use returns_model::audit::{AuditRecord, REFUSED};
use returns_store::Store;
use tokio::sync::mpsc::{self, Receiver};
use tokio_util::sync::CancellationToken;

/// Refusals that may wait to be recorded. There are few kinds, and each comes once a minute.
const MOST_WAITING: usize = 256;

/// Where the server notes refusals, and what comes of them.
pub(super) fn channel() -> (Refusals, Receiver<Refused>) {
    let (sender, receiver) = mpsc::channel(MOST_WAITING);
    (Refusals::to(sender), receiver)
}

/// Records refusals until `stop`.
pub(super) async fn record(
    mut refused: Receiver<Refused>,
    store: Arc<dyn Store>,
    clock: SharedClock,
    stop: CancellationToken,
) {
    loop {
        let next = tokio::select! {
            next = refused.recv() => next,
            () = stop.cancelled() => None,
        };
        let Some(next) = next else {
            stop.cancelled().await;
            return;
        };
        let record = audit(next, clock.now());
        if let Err(error) = store.record_audit(&record).await {
            tracing::warn!(%error, outcome = record.outcome, "a refusal is not in the audit log");
        }
    }
}

fn audit(refused: Refused, at: chrono::DateTime<chrono::Utc>) -> AuditRecord {
    let address = refused.address.map(|address| address.to_string());
    let mut after = refused.what;
    if refused.unrecorded > 0 {
        after = format!(
            "{after} (and {} times before, unrecorded)",
            refused.unrecorded
        );
    }
    AuditRecord {
        at,
        identity: refused.identity,
        address: address.unwrap_or_default(),
        request_id: String::new(),
        action: REFUSED.to_owned(),
        subject: refused.method.to_owned(),
        before: String::new(),
        after,
        reason: String::new(),
        outcome: refused.word.to_owned(),
    }
}
