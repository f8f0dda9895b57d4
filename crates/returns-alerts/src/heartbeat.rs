//! The heartbeat: as long as the service is healthy, it calls a monitor outside again and again.
//! When the calls stop, the monitor raises the alarm, which a stopped service cannot. The first
//! call waits until the service has lived for a while, so that one which dies at every start is
//! silent.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::channel::{NotDelivered, within};
use super::settings::{HeartbeatSettings, Method};

/// Calls the monitor until `shutdown`, whenever `healthy` says so. A call that fails is only
/// logged: the monitor notices that it is missing.
pub async fn beat(
    settings: HeartbeatSettings,
    healthy: impl Fn() -> Result<(), String> + Send,
    shutdown: CancellationToken,
) {
    let first = tokio::time::Instant::now() + settings.after;
    let every = settings.every.max(Duration::from_millis(1));
    let mut ticks = tokio::time::interval_at(first, every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut was_fine = true;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let outcome = match healthy() {
            Ok(()) => call(&settings).await.map_err(|error| error.to_string()),
            Err(why) => Err(format!("the service is not healthy: {why}")),
        };
        match (&outcome, was_fine) {
            (Ok(()), false) => tracing::info!("the heartbeat is sent again"),
            (Err(error), true) => tracing::warn!(error, "the heartbeat is not sent"),
            (Ok(()), true) | (Err(_), false) => {}
        }
        was_fine = outcome.is_ok();
    }
}

async fn call(settings: &HeartbeatSettings) -> Result<(), NotDelivered> {
    let calling = async {
        match settings.method {
            Method::Get => settings.hook.get().await,
            Method::Post => settings.hook.post(&json!({ "status": "healthy" })).await,
        }
    };
    within(settings.timeout, settings.hook.host(), calling).await
}
