//! Questions to the returns service, of whichever copy answers.

use std::time::Duration;

use anyhow::Result;
use echeck_proto::returns::v1::returns_service_client::ReturnsServiceClient;
use tokio::time::Instant;
use tonic::transport::Channel;

use crate::rig::{Rig, trust};

/// How long to ask: a service may have been started just now.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks until a copy answers.
///
/// # Errors
/// When none does in time; that of the last one.
pub(super) async fn ask<T>(
    rig: &Rig,
    call: impl AsyncFn(ReturnsServiceClient<Channel>) -> Result<T>,
) -> Result<T> {
    let began = Instant::now();
    loop {
        for url in &rig.urls {
            let answer = match trust::connect(url).await {
                Ok(channel) => call(ReturnsServiceClient::new(channel)).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) if began.elapsed() > PATIENCE => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}
