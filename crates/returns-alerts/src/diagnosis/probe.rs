//! What the job needs, each checked by the part that uses it.

use std::time::Duration;

use async_trait::async_trait;
use returns_model::check::{Check, CheckResult};
use tokio::time::Instant;

/// How long a database or an adapter may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Something that the job needs, and how it is checked. A check changes nothing that lasts.
#[async_trait]
pub trait Probe: Send + Sync + 'static {
    /// The source that it belongs to; `None` when every source needs it.
    fn source(&self) -> Option<&str>;

    /// Checks it, within about five seconds.
    async fn checks(&self) -> Vec<Check>;
}

/// Runs a check and measures how long it took.
pub async fn timed(
    name: &'static str,
    of: String,
    check: impl Future<Output = CheckResult>,
) -> Check {
    let began = Instant::now();
    let result = check.await;
    Check {
        name,
        of,
        result,
        took: began.elapsed(),
    }
}
