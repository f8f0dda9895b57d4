//! Whether the stream can be published to, for the diagnosis.

use async_trait::async_trait;
use returns_alerts::diagnosis::{PATIENCE, Probe, timed};
use returns_model::check::{Check, CheckResult};
use tokio::time::timeout;

use crate::{StreamError, StreamSettings, opened};

/// Checks the stream.
pub struct StreamProbe(pub StreamSettings);

#[async_trait]
impl Probe for StreamProbe {
    fn source(&self) -> Option<&str> {
        None
    }

    async fn checks(&self) -> Vec<Check> {
        let of = self.0.stream.clone();
        vec![timed("nats: stream", of, self.look()).await]
    }
}

impl StreamProbe {
    async fn look(&self) -> CheckResult {
        let looking = async {
            let context = opened::connect(&self.0).await?;
            opened::stream(&context, &self.0).await
        };
        let looked = timeout(PATIENCE, looking).await.unwrap_or_else(|_| {
            let waited = PATIENCE.as_millis();
            Err(StreamError::Unreachable(format!(
                "no answer within {waited} ms"
            )))
        });
        match looked {
            Ok(stream) => {
                let state = &stream.cached_info().state;
                CheckResult::Passed(format!("{} messages", state.messages))
            }
            Err(error) => match error.cause(&self.0) {
                Some(cause) => CheckResult::Failed(cause),
                None => CheckResult::Skipped(error.to_string()),
            },
        }
    }
}
