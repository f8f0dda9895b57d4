//! Incidents end to end, from a report to what a channel receives: on a real returns database,
//! a real web server and a real mail server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use echeck_service::clock::{Clock as _, ManualClock};
use echeck_service::config::Settings;
use echeck_test_fixtures::{empty_store, eventually, now};
use echeck_test_servers::http::{HttpReceiver, Received};
use returns_model::check::Diagnosis;
use returns_model::incident::{AlertRecord, Area, Cause, IncidentRecord, Problem, Subject};
use returns_store::Store;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;

mod channels;
mod escalation;
mod flapping;
mod heartbeat;
mod mail;
mod opening;
mod outage;
mod pagerduty;
mod secrets;

/// A store, a incidents, and an manager at work.
struct Rig {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    incidents: IncidentReporter,
    manager: Arc<IncidentManager>,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

fn alerts(toml: &str) -> AlertSettings {
    let settings = Settings::from_toml(toml).unwrap();
    let alerts = AlertSettings::read(&settings.root().section("alerts"));
    settings.finish().unwrap_or_else(|error| panic!("{error}"));
    alerts
}

/// Finds nothing.
struct NoDiagnosis;

#[async_trait]
impl Diagnoser for NoDiagnosis {
    async fn diagnose(&self, _trouble: &Problem) -> Diagnosis {
        Diagnosis::default()
    }
}

impl Rig {
    fn start(store: &Arc<dyn Store>, toml: &str) -> Self {
        Self::looking(store, toml, Arc::new(NoDiagnosis))
    }

    fn looking(store: &Arc<dyn Store>, toml: &str, look: Arc<dyn Diagnoser>) -> Self {
        let clock = Arc::new(ManualClock::new(now()));
        let (incidents, signals) = IncidentReporter::new();
        let database = store.clone();
        let manager = IncidentManager::new(
            alerts(toml),
            database,
            look,
            incidents.clone(),
            clock.clone(),
        );
        let manager = Arc::new(manager);
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(manager.clone().run(signals, shutdown.clone()));
        Self {
            store: store.clone(),
            clock,
            incidents,
            manager,
            shutdown,
            running,
        }
    }

    fn report(&self, cause: Cause) {
        self.incidents
            .report(Problem::new(subject(), cause, self.clock.now()));
    }

    fn clear(&self, area: Area) {
        self.incidents.clear(subject(), area, self.clock.now());
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// Every incident, the newest first.
    async fn incidents(&self) -> Vec<IncidentRecord> {
        self.store.incidents(None, None, 99).await.unwrap()
    }

    /// The one incident.
    async fn incident(&self) -> IncidentRecord {
        let mut incidents = self.incidents().await;
        assert_eq!(incidents.len(), 1, "{incidents:?}");
        incidents.remove(0)
    }

    async fn alerts(&self) -> Vec<AlertRecord> {
        let incidents = self.incidents().await.into_iter();
        let ids: Vec<String> = incidents.map(|one| one.incident_id).collect();
        self.store.alerts_of(&ids).await.unwrap()
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap();
    }
}

fn subject() -> Subject {
    Subject::Source("worldpay".into())
}

/// The problem of most tests.
fn port_closed() -> Cause {
    Cause::PortClosed {
        host: "sftp.example".into(),
        port: 22,
    }
}

const PORT_CLOSED: &str =
    "sftp.example is up, but nothing listens on port 22: the SFTP server is down.";

/// A channel named `name` that posts to `receiver`.
fn slack(name: &str, receiver: &HttpReceiver) -> String {
    let url = receiver.url("/services/T0/B0/token");
    format!("[alerts.channels.{name}]\nkind = \"slack\"\nurl = {url:?}\n")
}

/// The texts that a receiver was posted as Slack.
fn texts(receiver: &HttpReceiver) -> Vec<String> {
    let received = receiver.received();
    let text = |request: &Received| body(request)["text"].as_str().unwrap().to_owned();
    received.iter().map(text).collect()
}

fn first_lines(receiver: &HttpReceiver) -> Vec<String> {
    let texts = texts(receiver).into_iter();
    texts
        .map(|text| text.lines().next().unwrap().to_owned())
        .collect()
}

fn body(request: &Received) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

async fn receives(receiver: &HttpReceiver, count: usize) {
    eventually("the alerts arrive", async || {
        receiver.received().len() >= count
    })
    .await;
    assert_eq!(receiver.received().len(), count, "{:?}", texts(receiver));
}
