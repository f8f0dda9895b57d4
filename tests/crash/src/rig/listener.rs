//! A platform that listens to webhooks, from outside the system: one address for each style, and
//! one that answers 410 whatever comes, so that it is disabled and its owner told.

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

/// The path of the address that wants nothing any more.
pub const GONE: &str = "/gone";

/// The platform.
pub struct Listener {
    listening: HttpReceiver,
    gone: HttpReceiver,
    /// Who is told when an endpoint is disabled: another in each round, whose mails are on one
    /// server.
    pub owner: String,
}

impl Listener {
    pub(super) async fn start(round: u64) -> Self {
        let gone = HttpReceiver::start().await;
        gone.answer(Answer::Status(410, String::new()));
        Self {
            listening: HttpReceiver::start().await,
            gone,
            owner: format!("owner-{round}@platform.example"),
        }
    }

    /// Makes the endpoints. Said again after a lost answer, it makes none twice.
    pub(super) async fn subscribe(&self, url: &str) -> Result<()> {
        let began = tokio::time::Instant::now();
        for listener in LISTENERS
            .into_iter()
            .chain([(GONE, WebhookStyle::Finix, "")])
        {
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
        let receiver = if path == GONE {
            &self.gone
        } else {
            &self.listening
        };
        let ask = proto::CreateEndpointRequest {
            url: receiver.url(path),
            owner_email: self.owner.clone(),
            style: style.into(),
            api_version: version.to_owned(),
            request_id: path.to_owned(),
            reason: "to listen".to_owned(),
            ..proto::CreateEndpointRequest::default()
        };
        let mut client = WebhookServiceClient::new(super::trust::connect(url).await?);
        client.create_endpoint(ask).await?;
        Ok(())
    }

    /// Enables the endpoint that is gone, where it was disabled: it is disabled again by the next
    /// message, and its owner told.
    ///
    /// # Errors
    /// When the service does not do it in time.
    pub async fn enable_gone(&self, url: &str) -> Result<()> {
        let began = tokio::time::Instant::now();
        while let Err(error) = self.enable(url).await {
            if began.elapsed() > PATIENCE {
                return Err(error).context("enabling an endpoint");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn enable(&self, url: &str) -> Result<()> {
        let mut client = WebhookServiceClient::new(super::trust::connect(url).await?);
        let listed = client
            .list_endpoints(proto::ListEndpointsRequest::default())
            .await?;
        let endpoints = listed.into_inner().endpoints;
        let gone = endpoints.into_iter().find(|one| one.url.ends_with(GONE));
        let ask = proto::EnableEndpointRequest {
            endpoint_id: gone.context("there is no such endpoint")?.endpoint_id,
            request_id: String::new(),
            reason: "to be disabled again".to_owned(),
        };
        client.enable_endpoint(ask).await?;
        Ok(())
    }

    /// What came so far to those that listen, in order.
    pub fn received(&self) -> Vec<Received> {
        self.listening.received()
    }

    /// After every third fault, answers the next message badly, in one way or another. Were all
    /// bad answers of a stretch for one message, five would make its pause longer than the time
    /// to drain.
    pub fn stumble(&self, fault: u64) {
        if !fault.is_multiple_of(3) || self.listening.answers_left() > 0 {
            return;
        }
        self.listening.answer_next(match (fault / 3) % 3 {
            0 => Answer::Status(500, "not now".to_owned()),
            1 => Answer::Reset,
            _ => Answer::Late(Duration::from_millis(700)),
        });
    }
}
