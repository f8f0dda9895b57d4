//! A platform that listens to webhooks, from outside the system: one address for each style.

use std::time::Duration;

use anyhow::{Context as _, Result};
use echeck_proto::returns::v1 as proto;
use echeck_test_servers::http::{Answer, HttpReceiver, Received};
use proto::WebhookStyle;
use proto::webhook_service_client::WebhookServiceClient;

/// How long a round waits for its endpoints to be made.
const PATIENCE: Duration = Duration::from_secs(30);

/// What listens, by the path of its address: style and version. None wants strict order, which
/// takes one message at a time: that would be the longest part of each drain.
const LISTENERS: [(&str, WebhookStyle, &str); 3] = [
    ("/finix", WebhookStyle::Finix, ""),
    ("/old", WebhookStyle::Rainforest, "2023-12-01"),
    ("/new", WebhookStyle::Rainforest, "2024-10-16"),
];

/// The platform.
pub struct Listener(HttpReceiver);

impl Listener {
    pub(super) async fn start() -> Self {
        Self(HttpReceiver::start().await)
    }

    /// Makes the endpoints. Said again after a lost answer, it makes none twice.
    pub(super) async fn subscribe(&self, url: &str) -> Result<()> {
        let began = tokio::time::Instant::now();
        for listener in LISTENERS {
            while let Err(error) = self.create(url, listener).await {
                if began.elapsed() > PATIENCE {
                    return Err(error).context("making an endpoint");
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    async fn create(
        &self,
        url: &str,
        (path, style, version): (&str, WebhookStyle, &str),
    ) -> Result<()> {
        let ask = proto::CreateEndpointRequest {
            url: self.0.url(path),
            style: style.into(),
            api_version: version.to_owned(),
            idempotency_key: path.to_owned(),
            actor: "campaign".to_owned(),
            reason: "to listen".to_owned(),
            ..proto::CreateEndpointRequest::default()
        };
        let mut client = WebhookServiceClient::connect(url.to_owned()).await?;
        client.create_endpoint(ask).await?;
        Ok(())
    }

    /// What came so far, in order.
    pub fn received(&self) -> Vec<Received> {
        self.0.received()
    }

    /// After every third fault, answers the next message badly, in one way or another. Were all
    /// bad answers of a stretch for one message, five would make its pause longer than the time
    /// to drain.
    pub fn stumble(&self, fault: u64) {
        if !fault.is_multiple_of(3) || self.0.answers_left() > 0 {
            return;
        }
        self.0.answer_next(match (fault / 3) % 3 {
            0 => Answer::Status(500, "not now".to_owned()),
            1 => Answer::Reset,
            _ => Answer::Late(Duration::from_millis(700)),
        });
    }
}
