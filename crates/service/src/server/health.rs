//! Health that is earned: a service says SERVING only while its probe succeeds.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthProtocol, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tracing::{debug, info, warn};

use super::refusal::refusal;

/// The health of a process, for the standard gRPC health protocol. All its services share one
/// state, which starts as NOT_SERVING; so does the overall one, named "". (tonic-health's own
/// reporter starts "" as SERVING, and so reports a process ready before it is.)
#[derive(Clone)]
pub struct Health {
    shared: Arc<SharedHealth>,
}

struct SharedHealth {
    services: Vec<&'static str>,
    /// Whether it has served once.
    started: AtomicBool,
    state: watch::Sender<HealthState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HealthState {
    NotServing,
    Serving,
    /// Not serving, for good: a probe that ends late must not take this back.
    Draining,
}

impl Health {
    /// Health for the services with these full names, such as `echeck.adapter.v1.AdapterService`.
    pub fn new(services: &[&'static str]) -> Self {
        let state = watch::Sender::new(HealthState::NotServing);
        Self {
            shared: Arc::new(SharedHealth {
                services: services.to_vec(),
                started: AtomicBool::new(false),
                state,
            }),
        }
    }

    /// Runs `probe` now and then every `interval`; SERVING only while its last run succeeded.
    /// A probe that takes longer than `interval` has failed. Changes are logged, with the
    /// probe's own words for the reason. Ends, with NOT_SERVING, when `shutdown` is cancelled,
    /// and never leaves SERVING behind, even if the probe panics. One watch per `Health`.
    pub fn watch<F, Fut>(
        &self,
        interval: Duration,
        shutdown: CancellationToken,
        probe: F,
    ) -> JoinHandle<()>
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), String>> + Send,
    {
        let interval = interval.max(Duration::from_millis(1));
        let end = NotServingAtEnd(self.clone());
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval_at(Instant::now(), interval);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let probing = async move {
                loop {
                    ticks.tick().await;
                    let outcome = tokio::time::timeout(interval, probe())
                        .await
                        .unwrap_or_else(|_| Err(format!("no answer within {interval:?}")));
                    end.0.note(outcome);
                }
            };
            tokio::select! {
                () = probing => {}
                () = shutdown.cancelled() => {}
            }
        })
    }

    /// Whether it serves now.
    pub fn is_serving(&self) -> bool {
        *self.shared.state.borrow() == HealthState::Serving
    }

    /// Whether it has served once: its start is over, and what keeps it from serving since is no
    /// reason to start it again.
    pub fn has_started(&self) -> bool {
        self.shared.started.load(Ordering::Relaxed)
    }

    /// Sets NOT_SERVING for good and ends the streams of those who watch.
    pub(super) fn drain(&self) {
        self.shared.state.send_replace(HealthState::Draining);
    }

    /// The full names of the services.
    pub(super) fn services(&self) -> &[&'static str] {
        &self.shared.services
    }

    /// The service that answers health calls.
    pub(super) fn server(&self) -> HealthServer<Responder> {
        HealthServer::new(Responder(self.shared.clone()))
    }

    fn note(&self, outcome: Result<(), String>) {
        let state = if outcome.is_ok() {
            HealthState::Serving
        } else {
            HealthState::NotServing
        };
        let changed = self.set(state);
        if state == HealthState::Serving {
            self.shared.started.store(true, Ordering::Relaxed);
        }
        match outcome {
            Ok(()) if changed => info!("the health probe succeeds: SERVING"),
            Ok(()) => {}
            Err(reason) if changed => warn!(reason, "the health probe fails: NOT_SERVING"),
            Err(reason) => debug!(reason, "the health probe still fails"),
        }
    }

    /// Returns whether this changed anything.
    fn set(&self, state: HealthState) -> bool {
        self.shared.state.send_if_modified(|current| {
            let changes = *current != HealthState::Draining && *current != state;
            if changes {
                *current = state;
            }
            changes
        })
    }
}

struct NotServingAtEnd(Health);

impl Drop for NotServingAtEnd {
    fn drop(&mut self) {
        self.0.set(HealthState::NotServing);
    }
}

/// Answers from the shared state.
pub(super) struct Responder(Arc<SharedHealth>);

impl Responder {
    fn knows(&self, service: &str) -> bool {
        service.is_empty() || self.0.services.contains(&service)
    }
}

#[tonic::async_trait]
impl HealthProtocol for Responder {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if !self.knows(&service) {
            let what = format!("there is no service {service:?} here");
            return Err(refusal(Code::NotFound, "UNKNOWN_SERVICE", what));
        }
        let state = *self.0.state.borrow();
        Ok(Response::new(answer(state)))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let known = self.knows(&request.into_inner().service);
        let mut last = None;
        let answers = states(self.0.state.subscribe())
            .map(move |state| {
                if known {
                    answer(state)
                } else {
                    unknown_service()
                }
            })
            .filter(move |answer| {
                let changed = last.replace(answer.status) != Some(answer.status);
                std::future::ready(changed)
            })
            .map(Ok);
        Ok(Response::new(Box::pin(answers)))
    }
}

/// The state now and each one after it. Ends after `Draining`: a stream that stayed open would
/// hold up the drain.
fn states(mut receiver: watch::Receiver<HealthState>) -> impl Stream<Item = HealthState> + Send {
    receiver.mark_changed();
    futures_util::stream::unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        receiver.changed().await.ok()?;
        let state = *receiver.borrow_and_update();
        Some((state, (state != HealthState::Draining).then_some(receiver)))
    })
}

fn answer(state: HealthState) -> HealthCheckResponse {
    let status = match state {
        HealthState::Serving => ServingStatus::Serving,
        HealthState::NotServing | HealthState::Draining => ServingStatus::NotServing,
    };
    HealthCheckResponse {
        status: status.into(),
    }
}

/// The protocol wants this answer to a watch of an unknown service, and not an error.
fn unknown_service() -> HealthCheckResponse {
    HealthCheckResponse {
        status: ServingStatus::ServiceUnknown.into(),
    }
}
