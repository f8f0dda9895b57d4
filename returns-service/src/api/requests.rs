//! Requests that can be repeated: the same id with the same arguments gets the first answer. What a
//! request did is recorded by its handler; what failed is recorded here.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use echeck_service::access::Caller;
use echeck_service::clock::SharedClock;
use echeck_service::limited::FirstOfAKind;
use prost::Message;
use returns_model::audit::{AuditFilter, DONE};
use returns_model::keyring::KeyRing;
use returns_store::{Job, KnownRequest, Lease, Pass, RequestKey, Store, StoreError, Topic};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::errors::{self, ApiError};
use super::operator::Operator;

/// The longest id of a request, in bytes.
const LONGEST_ID: usize = 200;

/// How long a claim on a request lasts without a renewal.
const LEASE: Duration = Duration::from_secs(15);

/// How often it is looked whether somebody else has answered.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// How long answers are kept.
const KEPT: TimeDelta = TimeDelta::days(7);

/// A request that changes something.
pub(super) trait Repeatable: Message {
    /// The caller's own id of it; empty for none.
    fn request_id(&self) -> &str;
}

/// What may be done when a process died between what a request did and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterCrash {
    /// Doing it again gives the same.
    Repeat,
    /// If it took effect, its caller is told so.
    Tell,
}

/// The requests of all services.
#[derive(Clone)]
pub(crate) struct Requests {
    pub(crate) store: Arc<dyn Store>,
    /// Encrypts the answers, which may hold a secret that is shown once.
    pub(crate) keys: KeyRing,
    pub(crate) clock: SharedClock,
    /// Which failures are recorded: the first of a kind in a minute.
    pub(crate) failures: Arc<FirstOfAKind<(String, &'static str, String)>>,
}

impl Requests {
    /// Answers a request, or repeats the answer to it.
    pub(super) async fn run<Q: Repeatable, A: Message + Default>(
        &self,
        caller: &Caller,
        (call, after_crash): (&'static str, AfterCrash),
        request: &Q,
        work: impl Future<Output = Result<A, ApiError>>,
    ) -> Result<A, ApiError> {
        let request_id = request.request_id();
        let outcome = match request_id {
            "" => work.await,
            _ => {
                check_id(request_id)?;
                let arguments = arguments_of(call, request);
                let key = RequestKey {
                    identity: &caller.identity,
                    request_id,
                };
                self.once(key, &arguments, after_crash, work).await
            }
        };
        if let Err(error) = &outcome {
            self.record_failure(caller, call, request_id, error).await;
        }
        outcome
    }

    async fn once<A: Message + Default>(
        &self,
        key: RequestKey<'_>,
        arguments: &str,
        after_crash: AfterCrash,
        work: impl Future<Output = Result<A, ApiError>>,
    ) -> Result<A, ApiError> {
        loop {
            let now = self.clock.now();
            match self.store.begin_request(key, arguments, now, LEASE).await? {
                KnownRequest::New => break,
                KnownRequest::Left => {
                    if after_crash == AfterCrash::Tell {
                        self.check_effect(key).await?;
                    }
                    break;
                }
                KnownRequest::Answered { answer } => return self.opened(&answer),
                KnownRequest::Other => return Err(errors::request_reused(key.request_id)),
                // The deadline of the call ends this.
                KnownRequest::Claimed => tokio::time::sleep(BETWEEN_LOOKS).await,
            }
        }
        let answer = self.renewing(key, work).await;
        let kept = match &answer {
            Ok(answer) => {
                let sealed = self.keys.seal(&answer.encode_to_vec());
                let sealed = sealed.map_err(|error| errors::of_keys(&error))?;
                self.store.answer_request(key, &sealed).await
            }
            Err(_) => self.store.forget_request(key).await,
        };
        if let Err(error) = kept {
            // It was done, and this caller is told; only a repetition will not know the answer.
            tracing::warn!(%error, request_id = key.request_id, "how a request ended is not kept");
        }
        answer
    }

    /// Does the work, with the claim on it prolonged meanwhile.
    async fn renewing<A>(&self, key: RequestKey<'_>, work: impl Future<Output = A>) -> A {
        let renewing = async {
            loop {
                tokio::time::sleep(LEASE / 3).await;
                // When it cannot be prolonged, another may look at what became of it.
                let _ = self.store.renew_request(key, LEASE).await;
            }
        };
        tokio::select! {
            done = work => done,
            never = renewing => never,
        }
    }

    /// Refuses to do again what was done by a process that died before it answered.
    async fn check_effect(&self, key: RequestKey<'_>) -> Result<(), ApiError> {
        let filter = AuditFilter {
            identity: Some(key.identity.to_owned()),
            request_id: Some(key.request_id.to_owned()),
            ..AuditFilter::default()
        };
        let records = self.store.audit(&filter, 50).await?;
        match records.iter().find(|entry| entry.record.outcome == DONE) {
            Some(done) => Err(errors::answer_lost(key.request_id, done.position)),
            None => Ok(()),
        }
    }

    fn opened<A: Message + Default>(&self, sealed: &str) -> Result<A, ApiError> {
        let bytes = self
            .keys
            .open(sealed)
            .map_err(|error| errors::of_keys(&error))?;
        A::decode(&*bytes).map_err(|error| errors::unreadable_answer(&error.to_string()))
    }

    /// Records that a call failed, unless the same has failed just now.
    async fn record_failure(
        &self,
        caller: &Caller,
        call: &'static str,
        request_id: &str,
        error: &ApiError,
    ) {
        let reason = error.reason();
        let kind = (caller.identity.to_string(), call, reason.clone());
        let Some(unrecorded) = self.failures.note(kind) else {
            return;
        };
        let operator = Operator::of(caller, request_id, "");
        let mut after = error.message().to_owned();
        if unrecorded > 0 {
            after = format!("{after} (and {unrecorded} times before, unrecorded)");
        }
        let what = (call, String::new(), ("", &*after));
        let record = operator.ended(self.clock.now(), &reason, what);
        if let Err(error) = self.store.record_audit(&record).await {
            tracing::warn!(%error, call, "a failed call is not in the audit log");
        }
    }
}

fn check_id(request_id: &str) -> Result<(), ApiError> {
    if request_id.len() > LONGEST_ID || request_id.contains(char::is_control) {
        let what = format!("must have at most {LONGEST_ID} bytes and no control character");
        return Err(errors::invalid("request_id", what));
    }
    Ok(())
}

fn arguments_of(call: &str, request: &impl Message) -> String {
    let mut hasher = Sha256::new();
    hasher.update(call);
    hasher.update([0]);
    hasher.update(request.encode_to_vec());
    returns_model::ids::hex(&hasher.finalize())
}

/// The worker that forgets old answers.
pub(crate) struct RequestSweeper(pub(crate) Requests);

impl Job for RequestSweeper {
    type Error = StoreError;

    fn lease(&self) -> String {
        "requests".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[]
    }

    fn longest_pause(&self) -> Duration {
        Duration::from_secs(3_600)
    }

    async fn pass(&mut self, _: &Lease, _: &CancellationToken) -> Result<Pass, StoreError> {
        let before = self.0.clock.now() - KEPT;
        self.0.store.forget_requests(before).await?;
        Ok(Pass::Idle(Duration::from_secs(3_600)))
    }
}
