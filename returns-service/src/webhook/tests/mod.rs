//! The sender against real receivers.

mod canary;
mod endings;
mod guarded;
mod lanes;
mod owners;
mod receivers;
mod rpc;
mod touched;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use echeck_service::clock::{Clock as _, SharedClock, SystemClock};
use echeck_test_servers::http::{HttpReceiver, Received};
use futures_util::future::BoxFuture;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::client::ClientSettings;
use super::endpoint::tests::settings;
use super::guard::Lookup;
use super::schedule::Schedule;
use super::secret::tests::{draw, record, sealer, verifies};
use super::sender::SenderSettings;
use super::*;
use crate::api::WebhookApi;
use crate::changes::Changes;
use crate::incident::{Cause, Desk, Signal};
use crate::replica::Replica;
use crate::store::testing::{empty_store, eventually, insert_event};
use crate::store::{
    AuditRecord, Delivery, DeliveryFilter, DeliveryState, Redelivery, SecretRecord, Store,
};

/// What a test of the sender stands on.
struct World {
    folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    sealer: Sealer,
    clock: SharedClock,
    changes: Changes,
    desk: Desk,
    signals: UnboundedReceiver<Signal>,
    mail: Arc<Mail>,
    owners: Arc<dyn OwnerMail>,
    guard: Guard,
    timeout: Duration,
    sender: SenderSettings,
}

/// Keeps what is written to owners.
#[derive(Default)]
struct Mail {
    /// What was sent.
    sent: Mutex<Vec<Letter>>,
    /// What was tried in vain.
    refused: Mutex<Vec<Letter>>,
    /// How the server answers just now.
    answer: Mutex<MailAnswer>,
}

#[derive(Clone, Copy, Default)]
enum MailAnswer {
    #[default]
    Takes,
    Refuses,
    /// It has taken the mail and never says so.
    Hangs,
    /// There is none.
    NoChannel,
}

impl Mail {
    fn answer(&self, answer: MailAnswer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn sent(&self) -> Vec<Letter> {
        self.sent.lock().unwrap().clone()
    }

    fn refused(&self) -> usize {
        self.refused.lock().unwrap().len()
    }
}

impl OwnerMail for Mail {
    fn write(&self, letter: Letter) -> BoxFuture<'_, Result<bool, String>> {
        let answer = *self.answer.lock().unwrap();
        Box::pin(async move {
            match answer {
                MailAnswer::Takes => self.sent.lock().unwrap().push(letter),
                MailAnswer::Refuses => {
                    self.refused.lock().unwrap().push(letter);
                    return Err("mail.example:25: 451 Try later".to_owned());
                }
                MailAnswer::Hangs => {
                    self.sent.lock().unwrap().push(letter);
                    std::future::pending::<()>().await;
                }
                MailAnswer::NoChannel => return Ok(false),
            }
            Ok(true)
        })
    }
}

/// Every name is this machine.
struct Here;

impl Lookup for Here {
    fn lookup(&self, _name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, String>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

impl World {
    async fn new() -> Self {
        let (folder, store) = empty_store().await;
        let (desk, signals) = Desk::new();
        let mail: Arc<Mail> = Arc::default();
        Self {
            folder,
            store,
            sealer: sealer(),
            clock: Arc::new(SystemClock),
            changes: Changes::new(),
            desk,
            signals,
            owners: mail.clone(),
            mail,
            guard: Guard {
                allow_private: true,
                allow_http: true,
            },
            // No exchange fails because the machine is busy.
            timeout: Duration::from_secs(30),
            sender: SenderSettings {
                per_endpoint: 4,
                concurrency: 128,
                failing_concurrency: 32,
                // Every pause is nothing.
                schedule: Schedule { scale: 0 },
                disable_after: TimeDelta::hours(120),
            },
        }
    }

    fn url(&self) -> String {
        format!("sqlite://{}/returns.db", self.folder.path().display())
    }

    fn client(&self, lookup: Arc<dyn Lookup>) -> WebhookClient {
        let settings = ClientSettings {
            guard: self.guard,
            timeout: self.timeout,
            ca_pem: None,
        };
        WebhookClient::new(&settings, lookup, self.clock.clone()).unwrap()
    }

    fn poster(&self) -> Poster {
        let client = self.client(Arc::new(Here));
        Poster::new(client, self.sealer.clone(), self.clock.clone())
    }

    fn api(&self) -> WebhookApi {
        WebhookApi {
            store: self.store.clone(),
            poster: self.poster(),
            clock: self.clock.clone(),
            changes: self.changes.clone(),
            desk: self.desk.clone(),
        }
    }

    fn sender(&self) -> Arc<Sender> {
        let parts = Parts {
            store: self.store.clone(),
            replica: Replica {
                store: self.store.clone(),
                name: "a".into(),
                lease: Duration::from_secs(5),
            },
            poster: self.poster(),
            clock: self.clock.clone(),
            changes: self.changes.clone(),
            desk: self.desk.clone(),
            owners: self.owners.clone(),
            jitter: || 0,
        };
        Arc::new(Sender::new(parts, self.sender))
    }

    /// Starts a sender, as another process would; aborted, it has crashed.
    fn start(&self) -> JoinHandle<()> {
        tokio::spawn(self.sender().run(CancellationToken::new()))
    }

    /// An endpoint with a key of each kind.
    async fn endpoint(&self, id: &str, url: &str, ordered: bool) -> [SigningKey; 2] {
        let keys = [draw(SecretKind::HmacSha256), draw(SecretKind::Ed25519)];
        let secrets: Vec<SecretRecord> = keys
            .iter()
            .map(|key| {
                let secret_id = format!("whs_{id}_{}", key.kind().as_str());
                record(&self.sealer, &secret_id, id, key)
            })
            .collect();
        let now = self.clock.now();
        let endpoint = Endpoint {
            endpoint_id: id.to_owned(),
            settings: EndpointSettings {
                ordered,
                ..settings(url)
            },
            disabled_why: None,
            failing_since: None,
            created_at: now,
            updated_at: now,
            version: 0,
            owner_notice: None,
        };
        let made = self
            .store
            .create_endpoint(&endpoint, &secrets, &audit(id))
            .await;
        assert!(made.unwrap());
        keys
    }

    /// Events from the first sequence to the last, told to nobody yet.
    async fn events(&self, first: u64, last: u64) {
        for sequence in first..=last {
            insert_event(&self.url(), sequence, "M1").await;
        }
    }

    /// One message of each of these events to the endpoint, due now.
    async fn due(&self, id: &str, first: u64, last: u64) {
        let all: Vec<_> = (first..=last)
            .map(|sequence| Redelivery {
                endpoint_id: id.to_owned(),
                sequence,
                event_type: "payin.returned".to_owned(),
                message_id: format!("msg_{sequence}"),
            })
            .collect();
        let made = self.store.redeliver(&all, true, self.clock.now()).await;
        assert_eq!(made.unwrap(), all.len() as u64);
        self.changes.bump();
    }

    /// An endpoint at the receiver, with one message due.
    async fn one_message(&self, receiver: &HttpReceiver) -> [SigningKey; 2] {
        let keys = self.endpoint("whe_1", &receiver.url("/hook"), false).await;
        self.events(1, 1).await;
        self.due("whe_1", 1, 1).await;
        keys
    }

    async fn deliveries(&self, id: &str) -> Vec<Delivery> {
        let filter = DeliveryFilter {
            endpoint_id: Some(id.to_owned()),
            ..DeliveryFilter::default()
        };
        self.store.deliveries(&filter, None, 10_000).await.unwrap()
    }

    /// Waits until nothing of the endpoint's is pending.
    async fn settled(&self, id: &str) -> Vec<Delivery> {
        eventually("every delivery has ended", async || {
            let all = self.deliveries(id).await;
            let pending = |one: &Delivery| one.state == DeliveryState::Pending;
            !all.iter().any(pending)
        })
        .await;
        self.deliveries(id).await
    }

    /// Waits until the endpoint's one message was tried.
    async fn tried(&self, id: &str) -> Delivery {
        eventually("it was tried", async || {
            self.deliveries(id).await[0].attempts >= 1
        })
        .await;
        self.deliveries(id).await.remove(0)
    }

    /// The causes that were reported so far, and `None` for each that is over.
    fn signals(&mut self) -> Vec<Option<Cause>> {
        let mut all = Vec::new();
        while let Ok(signal) = self.signals.try_recv() {
            all.push(match signal {
                Signal::Trouble(trouble) => Some(trouble.cause),
                Signal::Clear { .. } => None,
            });
        }
        all
    }
}

fn audit(id: &str) -> AuditRecord {
    AuditRecord {
        audit_id: format!("aud_{id}"),
        at: SystemClock.now(),
        actor: "ann".to_owned(),
        action: "create_endpoint".to_owned(),
        subject: format!("endpoint:{id}"),
        before: String::new(),
        after: String::new(),
        reason: "a test".to_owned(),
    }
}

/// The ids of the messages that came, in order.
fn ids(receiver: &HttpReceiver) -> Vec<String> {
    let received = receiver.received();
    let id = |one: &Received| one.header("webhook-id").unwrap().to_owned();
    received.iter().map(id).collect()
}
