//! What a test of the sender stands on: a store, a receiver, and the time.

pub(crate) use std::net::IpAddr;
pub(crate) use std::sync::{Arc, Mutex};
pub(crate) use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
pub(crate) use chrono::{DateTime, TimeDelta};
pub(crate) use echeck_service::clock::{Clock as _, SharedClock, SystemClock};
pub(crate) use echeck_test_fixtures::{
    empty_store, endpoint_settings, eventually, facts, insert_event,
};
pub(crate) use echeck_test_servers::http::{HttpReceiver, Received};
pub(crate) use futures_util::future::BoxFuture;
pub(crate) use returns_alerts::{IncidentReporter, Signal};
pub(crate) use returns_alerts::{OwnerMail, OwnerMailer};
pub(crate) use returns_model::audit::AuditRecord;
pub(crate) use returns_model::delivery::{Delivery, DeliveryFilter, DeliveryState, Redelivery};
pub(crate) use returns_model::endpoint::SecretRecord;
pub(crate) use returns_model::endpoint::{Endpoint, EndpointSettings, SecretKind};
pub(crate) use returns_model::incident::Cause;
pub(crate) use returns_store::Notifier;
pub(crate) use returns_store::Replica;
pub(crate) use returns_store::{Store, run};
pub(crate) use returns_webhooks::{
    ClientSettings, Guard, KeyEncryptor, Lookup, OwnerJob, Schedule, Sender, SenderJob,
    SenderParts, SenderSettings, SignedClient, SigningKey, WebhookClient,
};
use ring::rand::SystemRandom;
use ring::signature::{ED25519, UnparsedPublicKey};
use secrecy::ExposeSecret as _;
pub(crate) use tokio::sync::mpsc::UnboundedReceiver;
pub(crate) use tokio::task::JoinHandle;
pub(crate) use tokio_util::sync::CancellationToken;

/// What a test of the sender stands on.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) encryptor: KeyEncryptor,
    pub(crate) clock: SharedClock,
    pub(crate) notifier: Notifier,
    pub(crate) incidents: IncidentReporter,
    pub(crate) signals: UnboundedReceiver<Signal>,
    pub(crate) mail: Arc<Mail>,
    pub(crate) owners: Arc<dyn OwnerMailer>,
    pub(crate) guard: Guard,
    pub(crate) timeout: Duration,
    pub(crate) sender: SenderSettings,
}

/// Keeps what is written to owners.
#[derive(Default)]
pub(crate) struct Mail {
    /// What was sent.
    sent: Mutex<Vec<OwnerMail>>,
    /// What was tried without success.
    refused: Mutex<Vec<OwnerMail>>,
    /// How the server answers just now.
    answer: Mutex<MailAnswer>,
}

#[derive(Clone, Copy, Default)]
pub(crate) enum MailAnswer {
    #[default]
    Takes,
    Refuses,
    /// It has taken the mail and never says so.
    Hangs,
    /// There is none.
    NoChannel,
}

impl Mail {
    pub(crate) fn answer(&self, answer: MailAnswer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(crate) fn sent(&self) -> Vec<OwnerMail> {
        self.sent.lock().unwrap().clone()
    }

    pub(crate) fn refused(&self) -> usize {
        self.refused.lock().unwrap().len()
    }
}

impl OwnerMailer for Mail {
    fn write(&self, letter: OwnerMail) -> BoxFuture<'_, Result<bool, String>> {
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
pub(crate) struct Here;

impl Lookup for Here {
    fn lookup(&self, _name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, String>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let (folder, store) = empty_store().await;
        let (incidents, signals) = IncidentReporter::new();
        let mail: Arc<Mail> = Arc::default();
        Self {
            folder,
            store,
            encryptor: encryptor(),
            clock: Arc::new(SystemClock),
            notifier: Notifier::new(),
            incidents,
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

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}/returns.db", self.folder.path().display())
    }

    pub(crate) fn client(&self, lookup: Arc<dyn Lookup>) -> WebhookClient {
        let settings = ClientSettings {
            guard: self.guard,
            timeout: self.timeout,
            ca_pem: None,
        };
        WebhookClient::new(&settings, lookup, self.clock.clone()).unwrap()
    }

    pub(crate) fn signed_client(&self) -> SignedClient {
        let client = self.client(Arc::new(Here));
        SignedClient::new(client, self.encryptor.clone(), self.clock.clone())
    }

    pub(crate) fn sender(&self) -> Arc<Sender> {
        let parts = SenderParts {
            store: self.store.clone(),
            client: self.signed_client(),
            clock: self.clock.clone(),
            notifier: self.notifier.clone(),
            incidents: self.incidents.clone(),
            owners: self.owners.clone(),
            jitter: || 0,
        };
        Arc::new(Sender::new(parts, self.sender))
    }

    /// Starts a sender, as another process would; aborted, it has crashed.
    pub(crate) fn start(&self) -> JoinHandle<()> {
        let (sender, notifier) = (self.sender(), self.notifier.clone());
        let replica = Replica {
            store: self.store.clone(),
            name: "a".into(),
            lease: Duration::from_secs(5),
        };
        tokio::spawn(async move {
            let stop = CancellationToken::new();
            tokio::join!(
                run(
                    SenderJob::new(sender.clone()),
                    replica.clone(),
                    notifier.clone(),
                    stop.clone()
                ),
                run(OwnerJob(sender), replica, notifier, stop),
            );
        })
    }

    /// An endpoint at a receiver that wants nothing any more, with one message due.
    pub(crate) async fn gone(&self) -> HttpReceiver {
        let receiver = HttpReceiver::start().await;
        receiver.answer(echeck_test_servers::http::Answer::Status(
            410,
            String::new(),
        ));
        self.one_message(&receiver).await;
        receiver
    }

    /// An endpoint with a key of each kind.
    pub(crate) async fn endpoint(&self, id: &str, url: &str, ordered: bool) -> [SigningKey; 2] {
        let keys = [draw(SecretKind::HmacSha256), draw(SecretKind::Ed25519)];
        let secrets: Vec<SecretRecord> = keys
            .iter()
            .map(|key| {
                let secret_id = format!("whs_{id}_{}", key.kind().as_str());
                record(&self.encryptor, &secret_id, id, key)
            })
            .collect();
        let now = self.clock.now();
        let endpoint = Endpoint {
            endpoint_id: id.to_owned(),
            settings: EndpointSettings {
                ordered,
                ..endpoint_settings(url)
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
    pub(crate) async fn events(&self, first: u64, last: u64) {
        for sequence in first..=last {
            insert_event(
                &self.url(),
                sequence,
                "M1",
                &facts(&format!("TR{sequence}")),
            )
            .await;
        }
    }

    /// One message of each of these events to the endpoint, due now.
    pub(crate) async fn due(&self, id: &str, first: u64, last: u64) {
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
        self.notifier.messages_due();
    }

    /// An endpoint at the receiver, with one message due.
    pub(crate) async fn one_message(&self, receiver: &HttpReceiver) -> [SigningKey; 2] {
        let keys = self.endpoint("whe_1", &receiver.url("/hook"), false).await;
        self.events(1, 1).await;
        self.due("whe_1", 1, 1).await;
        keys
    }

    pub(crate) async fn deliveries(&self, id: &str) -> Vec<Delivery> {
        let filter = DeliveryFilter {
            endpoint_id: Some(id.to_owned()),
            ..DeliveryFilter::default()
        };
        self.store.deliveries(&filter, None, 10_000).await.unwrap()
    }

    /// Waits until nothing of the endpoint's is pending.
    pub(crate) async fn settled(&self, id: &str) -> Vec<Delivery> {
        eventually("every delivery has ended", async || {
            let all = self.deliveries(id).await;
            let pending = |one: &Delivery| one.state == DeliveryState::Pending;
            !all.iter().any(pending)
        })
        .await;
        self.deliveries(id).await
    }

    /// Waits until the endpoint's one message was tried.
    pub(crate) async fn tried(&self, id: &str) -> Delivery {
        eventually("it was tried", async || {
            self.deliveries(id).await[0].attempts >= 1
        })
        .await;
        self.deliveries(id).await.remove(0)
    }

    /// The causes that were reported so far, and `None` for each that is over.
    pub(crate) fn signals(&mut self) -> Vec<Option<Cause>> {
        let mut all = Vec::new();
        while let Ok(signal) = self.signals.try_recv() {
            all.push(match signal {
                Signal::Problem(problem) => Some(problem.cause),
                Signal::Clear { .. } => None,
            });
        }
        all
    }
}

pub(crate) fn audit(id: &str) -> AuditRecord {
    AuditRecord {
        at: SystemClock.now(),
        identity: "ann".to_owned(),
        address: String::new(),
        request_id: format!("aud_{id}"),
        action: "create_endpoint".to_owned(),
        subject: format!("endpoint:{id}"),
        before: String::new(),
        after: String::new(),
        reason: "a test".to_owned(),
        outcome: "OK".to_owned(),
    }
}

/// The ids of the messages that came, in order.
pub(crate) fn ids(receiver: &HttpReceiver) -> Vec<String> {
    let received = receiver.received();
    let id = |one: &Received| one.header("webhook-id").unwrap().to_owned();
    received.iter().map(id).collect()
}

/// A encryptor with a new identity.
pub(crate) fn encryptor() -> KeyEncryptor {
    KeyEncryptor::new(&age::x25519::Identity::generate().to_string()).unwrap()
}

/// The row of a key.
pub(crate) fn record(
    encryptor: &KeyEncryptor,
    id: &str,
    endpoint: &str,
    key: &SigningKey,
) -> SecretRecord {
    SecretRecord {
        secret_id: id.to_owned(),
        endpoint_id: endpoint.to_owned(),
        kind: key.kind(),
        sealed: encryptor.seal(id, key).unwrap(),
        public_key: key.public_key(),
        created_at: DateTime::UNIX_EPOCH,
        retires_at: None,
    }
}

/// Whether one of the signatures is good for a receiver that has this key, as a receiver
/// written by the standard finds out.
pub(crate) fn verifies(key: &SigningKey, signatures: &str, signed: &[u8]) -> bool {
    signatures.split(' ').any(|signature| {
        let Some((version, text)) = signature.split_once(',') else {
            return false;
        };
        let bytes = STANDARD.decode(text).unwrap();
        match (key.kind(), version) {
            (SecretKind::HmacSha256, "v1") => {
                let secret = key
                    .for_receiver()
                    .unwrap()
                    .expose_secret()
                    .strip_prefix("whsec_")
                    .unwrap();
                let secret = STANDARD.decode(secret).unwrap();
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
                ring::hmac::verify(&key, signed, &bytes).is_ok()
            }
            (SecretKind::Ed25519, "v1a") => {
                let public = key.public_key().unwrap();
                let public = STANDARD.decode(public.strip_prefix("whpk_").unwrap());
                UnparsedPublicKey::new(&ED25519, public.unwrap())
                    .verify(signed, &bytes)
                    .is_ok()
            }
            _ => false,
        }
    })
}

/// A new key.
pub(crate) fn draw(kind: SecretKind) -> SigningKey {
    SigningKey::draw(kind, &SystemRandom::new()).unwrap()
}
