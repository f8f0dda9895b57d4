//! The heartbeat: a monitor outside is called again and again, as long as the service is
//! healthy. When the calls stop the monitor raises the alarm, which a dead service cannot.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::channel::NotDelivered;
use super::settings::{HeartbeatSettings, Method};

/// Calls the monitor until `shutdown`, whenever `healthy` says so. A call that fails is only
/// logged: that it is missed is the monitor's to notice.
pub async fn beat(
    settings: HeartbeatSettings,
    healthy: impl Fn() -> Result<(), String> + Send,
    shutdown: CancellationToken,
) {
    let mut ticks = tokio::time::interval(settings.every.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut was_fine = true;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let outcome = match healthy() {
            Ok(()) => call(&settings).await.map_err(|error| error.to_string()),
            Err(why) => Err(format!("none is sent: {why}")),
        };
        match (&outcome, was_fine) {
            (Ok(()), false) => tracing::info!("the heartbeat goes out again"),
            (Err(error), true) => tracing::warn!(error, "the heartbeat fails"),
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
    tokio::time::timeout(settings.timeout, calling)
        .await
        .unwrap_or_else(|_| {
            Err(NotDelivered(format!(
                "{} gave no answer within {} ms",
                settings.hook.host(),
                settings.timeout.as_millis()
            )))
        })
}
