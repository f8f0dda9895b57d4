//! Feeds against an adapter that keeps no data but its cursor.

#![expect(
    clippy::disallowed_methods,
    reason = "an adapter that another team wrote may leave the reason out"
)]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use echeck_proto::adapter::CONTRACT_VERSION;
use echeck_proto::adapter::v1 as proto;
use echeck_service::clock::SystemClock;
use echeck_test_fixtures::{append, deciding_import, empty_store, eventually, now, row};
use proto::adapter_service_server::{AdapterService, AdapterServiceServer};
use returns_alerts::{IncidentReporter, Signal};
use returns_import::adapter::{Adapter, AdapterLimits};
use returns_import::decide::Decider;
use returns_import::hold::RetryPolicy;
use returns_model::follower::Fault;
use returns_model::ids;
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_model::journal::{NewTransfer, Row, RowEffect};
use returns_store::{Appended, Notifier, Replica, Store, Writes};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

use super::*;

mod unreadable;

const LONG: Duration = Duration::from_secs(60);
/// Long enough that a slow disk does not make a living replica lose it.
const LEASE: Duration = Duration::from_secs(2);
/// The identity of the journal that the fixtures make.
const JOURNAL_OF_TESTS: Uuid = Uuid::from_u128(7);

const GATEWAY: &str = "gateway";

/// A target that takes every row, but says of row 2 that it refused it.
#[derive(Clone, Default)]
struct Target {
    state: Arc<Mutex<State>>,
    /// How often this one was asked, and not its twin.
    asked: Arc<AtomicUsize>,
}

#[derive(Default)]
struct State {
    cursor: Option<proto::Cursor>,
    cursor_reads: usize,
    /// Where another replica records progress while a batch is on its way, the first time.
    rival: Option<Arc<dyn Store>>,
    /// What is answered to a batch instead, and how often it was.
    refusal: Option<Status>,
    refused: usize,
    /// The positions of each batch, those negative whose change was blocked.
    sent: Vec<Vec<i64>>,
    /// Positions that have no effect.
    without_effect: Vec<u64>,
    /// Positions whose change cannot be read.
    unreadable: Vec<u64>,
    /// Whether the next answer to a batch is lost.
    loses_reply: bool,
    /// Whose target it says it is.
    identity: Option<proto::TargetIdentity>,
    /// The version of the contract that it speaks, if that is not ours.
    other_version: Option<u32>,
}

impl Target {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Another adapter of the same target.
    fn twin(&self) -> Self {
        Self {
            state: self.state.clone(),
            asked: Arc::default(),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Serves the target; gives its address.
    async fn serve(&self) -> String {
        self.serve_at("127.0.0.1:0").await
    }

    async fn serve_at(&self, address: &str) -> String {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tonic::transport::Server::builder()
            .add_service(AdapterServiceServer::new(self.clone()))
            .serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener));
        tokio::spawn(server);
        format!("http://{address}")
    }
}

/// The refusal of a batch with a step whose transfer has no id.
fn unreadable(at: usize) -> Status {
    let mut details =
        ErrorDetails::with_error_info("INVALID_REQUEST", "echeck-adapter", HashMap::new());
    let field = format!("steps[{at}].return_transfer.transfer_id");
    details.add_bad_request_violation(field, "must not be empty");
    Status::with_error_details(Code::InvalidArgument, "wrong", details)
}

#[tonic::async_trait]
impl AdapterService for Target {
    async fn lookup_transfers(
        &self,
        _: Request<proto::LookupTransfersRequest>,
    ) -> Result<Response<proto::LookupTransfersResponse>, Status> {
        Err(Status::unimplemented("nothing is looked up here"))
    }

    async fn apply_updates(
        &self,
        request: Request<proto::ApplyUpdatesRequest>,
    ) -> Result<Response<proto::ApplyUpdatesResponse>, Status> {
        let request = request.into_inner();
        let last = request.steps.last().unwrap();
        let cursor = proto::Cursor {
            journal_id: request.journal_id,
            position: last.position,
            row_hash: last.row_hash.clone(),
        };
        let mut exceptions = Vec::new();
        let rival = {
            let mut state = self.lock();
            if let Some(refusal) = state.refusal.clone() {
                state.refused += 1;
                return Err(refusal);
            }
            let is_unreadable = |step: &proto::Step| {
                step.change.is_some() && state.unreadable.contains(&step.position)
            };
            if let Some(at) = request.steps.iter().position(is_unreadable) {
                return Err(unreadable(at));
            }
            let mut batch = Vec::new();
            for step in &request.steps {
                let position = i64::try_from(step.position).unwrap();
                let blocked = !step.blocked_reason.is_empty();
                batch.push(if blocked { -position } else { position });
                if blocked || state.without_effect.contains(&step.position) {
                    // Refused, and not moved on, so that nothing is decided again here.
                    exceptions.push(proto::StepException {
                        position: step.position,
                        kind: proto::StepExceptionKind::Refused.into(),
                        message: step.blocked_reason.clone(),
                    });
                }
            }
            state.sent.push(batch);
            state.cursor = Some(cursor.clone());
            if std::mem::take(&mut state.loses_reply) {
                return Err(Status::unavailable("the reply is lost"));
            }
            state.rival.take()
        };
        if let Some(rival) = rival {
            let moved = rival.record_progress(GATEWAY, 0, 1, &[], now()).await;
            assert!(moved.unwrap());
        }
        Ok(Response::new(proto::ApplyUpdatesResponse {
            cursor: Some(cursor),
            exceptions,
        }))
    }

    async fn get_progress(
        &self,
        request: Request<proto::GetProgressRequest>,
    ) -> Result<Response<proto::GetProgressResponse>, Status> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut state = self.lock();
        state.cursor_reads += 1;
        let passed = state.cursor.as_ref().map_or(0, |cursor| cursor.position);
        let refused = proto::StepException {
            position: 2,
            kind: proto::StepExceptionKind::Refused.into(),
            message: "no".into(),
        };
        let after = request.into_inner().exceptions_after;
        let exceptions = (passed >= 2 && after < 2).then_some(refused);
        Ok(Response::new(proto::GetProgressResponse {
            cursor: state.cursor.clone(),
            exceptions: exceptions.into_iter().collect(),
            has_more: false,
            identity: state.identity.clone(),
            target: "the target of a test".into(),
            contract_version: state.other_version.unwrap_or(CONTRACT_VERSION),
        }))
    }

    async fn claim_target(
        &self,
        request: Request<proto::ClaimTargetRequest>,
    ) -> Result<Response<proto::ClaimTargetResponse>, Status> {
        let mut state = self.lock();
        let known = state.identity.take().or(request.into_inner().identity);
        state.identity = known.clone();
        Ok(Response::new(proto::ClaimTargetResponse {
            identity: known,
        }))
    }

    async fn verify_updates(
        &self,
        _: Request<proto::VerifyUpdatesRequest>,
    ) -> Result<Response<proto::VerifyUpdatesResponse>, Status> {
        Err(Status::unimplemented("nothing is compared here"))
    }

    async fn adopt_cursor(
        &self,
        _: Request<proto::AdoptCursorRequest>,
    ) -> Result<Response<proto::AdoptCursorResponse>, Status> {
        Err(Status::unimplemented("nothing is adopted here"))
    }

    async fn check_target(
        &self,
        _: Request<proto::CheckTargetRequest>,
    ) -> Result<Response<proto::CheckTargetResponse>, Status> {
        Err(Status::unimplemented("nothing is checked here"))
    }
}

/// A replica that feeds.
struct Feeding {
    feed: Arc<Feed>,
    replica: Replica,
}

impl Feeding {
    /// Feeds until `stop`.
    async fn run(self, stop: CancellationToken) {
        let notifier = self.feed.notifier.clone();
        returns_store::run(FeedJob::new(self.feed), self.replica, notifier, stop).await;
    }
}

/// The replica `name`, whose adapter is at `address`.
fn feed(store: &Arc<dyn Store>, name: &str, address: &str) -> Feeding {
    reporting_feed(store, name, address).0
}

/// The same, with what it reports.
fn reporting_feed(
    store: &Arc<dyn Store>,
    name: &str,
    address: &str,
) -> (Feeding, UnboundedReceiver<Signal>) {
    let (incidents, signals) = IncidentReporter::new();
    let whose = (GATEWAY, JOURNAL_OF_TESTS);
    let limits = AdapterLimits {
        timeout: LONG,
        max_message_bytes: 1 << 20,
    };
    let adapter = Adapter::new(whose, address, None, limits).unwrap();
    let decider = Decider {
        store: store.clone(),
        gateway: adapter.clone(),
        sources: HashMap::new(),
        retry: RetryPolicy {
            first: LONG,
            longest: LONG,
        },
    };
    let feed = Feed {
        adapter,
        role: Role::SystemOfRecord,
        store: store.clone(),
        system_of_record: GATEWAY.into(),
        databases: vec![GATEWAY.into()],
        batch_size: 10,
        clock: Arc::new(SystemClock),
        notifier: Notifier::new(),
        incidents,
        decider: Arc::new(decider),
    };
    let feeding = Feeding {
        feed: Arc::new(feed),
        replica: Replica {
            store: store.clone(),
            name: name.into(),
            lease: LEASE,
        },
    };
    (feeding, signals)
}

/// The next problem that is reported.
async fn problem(signals: &mut UnboundedReceiver<Signal>) -> Problem {
    loop {
        match signals.recv().await.unwrap() {
            Signal::Problem(problem) => return *problem,
            Signal::Clear { .. } => {}
        }
    }
}

/// Waits until it is reported that all is well.
async fn well(signals: &mut UnboundedReceiver<Signal>) {
    loop {
        match signals.recv().await.unwrap() {
            Signal::Problem(_) => {}
            Signal::Clear {
                area: Area::Refusal,
                ..
            } => {}
            Signal::Clear { subject, area, .. } => {
                assert_eq!(subject, Subject::Database(GATEWAY.into()));
                assert_eq!(area, Area::Target);
                return;
            }
        }
    }
}

/// Appends a number of rows for an import of their own.
async fn rows(store: &Arc<dyn Store>, bytes: &str, number: u64) {
    let import = deciding_import(store, bytes, number).await;
    let writes = Writes {
        rows: (0..number)
            .map(|one| row(&import, &format!("TR {bytes} {one}")))
            .collect(),
        ..Writes::default()
    };
    let outcome = store.append(append(&import, (0, number), 0, writes)).await;
    assert!(matches!(outcome.unwrap(), Appended::Done(_)));
}

async fn position(store: &Arc<dyn Store>) -> u64 {
    store.progress(GATEWAY).await.unwrap().position
}

async fn fault(store: &Arc<dyn Store>) -> Option<Fault> {
    store.progress(GATEWAY).await.unwrap().fault
}

#[tokio::test]
async fn an_adapter_of_another_version_says_so_and_is_sent_nothing() {
    let (_folder, store) = empty_store().await;
    let target = Target::default();
    target.lock().other_version = Some(7);
    let address = target.serve().await;
    rows(&store, "a", 2).await;
    let stop = CancellationToken::new();
    let run = tokio::spawn(feed(&store, "a", &address).run(stop.clone()));
    eventually("the fault says so", async || {
        let fault = fault(&store).await;
        fault.is_some_and(|fault| fault.what.contains("speaks version 7 of the contract"))
    })
    .await;
    assert!(target.lock().sent.is_empty());
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn a_feed_that_another_overtook_asks_the_target_what_it_missed() {
    let (_folder, store) = empty_store().await;
    let target = Target::default();
    target.lock().rival = Some(store.clone());
    let address = target.serve().await;
    rows(&store, "a", 3).await;
    let stop = CancellationToken::new();
    let feeding = feed(&store, "a", &address);
    let run = tokio::spawn(feeding.run(stop.clone()));
    eventually("all is recorded", async || position(&store).await == 3).await;
    let missed = store.exceptions(GATEWAY, 0, 3).await.unwrap();
    assert_eq!(missed.len(), 1, "the answer to the batch did not have it");
    assert_eq!(target.lock().cursor_reads, 2);
    assert_eq!(fault(&store).await, None, "being overtaken is no fault");
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn one_replica_feeds_until_it_stops_and_then_the_other_goes_on() {
    let (_folder, store) = empty_store().await;
    let target = Target::default();
    let twin = target.twin();
    let addresses = [target.serve().await, twin.serve().await];
    let stop = [CancellationToken::new(), CancellationToken::new()];
    let a = tokio::spawn(feed(&store, "a", &addresses[0]).run(stop[0].clone()));
    eventually("a feeds", async || target.asked() > 0).await;
    let b = tokio::spawn(feed(&store, "b", &addresses[1]).run(stop[1].clone()));
    rows(&store, "a", 3).await;
    eventually("a fed", async || position(&store).await == 3).await;
    tokio::time::sleep(LEASE * 2).await;
    assert_eq!(twin.asked(), 0, "b does not feed");
    stop[0].cancel();
    a.await.unwrap();
    rows(&store, "b", 2).await;
    eventually("b fed", async || position(&store).await == 5).await;
    assert!(twin.asked() > 0);
    stop[1].cancel();
    b.await.unwrap();
}

#[tokio::test]
async fn a_fault_is_there_for_every_replica_to_show_until_the_feed_goes_on() {
    let (_folder, store) = empty_store().await;
    let stop = [CancellationToken::new(), CancellationToken::new()];
    let nowhere = feed(&store, "a", "http://127.0.0.1:1");
    let a = tokio::spawn(nowhere.run(stop[0].clone()));
    eventually("the fault shows", async || fault(&store).await.is_some()).await;
    let address = Target::default().serve().await;
    let b = tokio::spawn(feed(&store, "b", &address).run(stop[1].clone()));
    stop[0].cancel();
    a.await.unwrap();
    eventually("the feed goes on", async || fault(&store).await.is_none()).await;
    stop[1].cancel();
    b.await.unwrap();
}

#[tokio::test]
async fn an_adapter_that_is_gone_is_reported_and_its_return_too() {
    let (_folder, store) = empty_store().await;
    let stop = CancellationToken::new();
    let address = format!("127.0.0.1:{}", echeck_test_servers::port());
    let url = format!("http://{address}");
    let (feeding, mut signals) = reporting_feed(&store, "a", &url);
    let run = tokio::spawn(feeding.run(stop.clone()));
    let met = problem(&mut signals).await;
    assert_eq!(met.subject, Subject::Database(GATEWAY.into()));
    assert!(met.next_try_at.is_some());
    let Cause::AdapterUnreachable { database, why, .. } = met.cause else {
        panic!("{met:?}");
    };
    assert_eq!(database, GATEWAY);
    assert!(why.contains("refused"), "{why}");
    Target::default().serve_at(&address).await;
    well(&mut signals).await;
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn a_target_that_takes_no_writes_is_reported_and_its_reads_do_not_make_it_well() {
    let (_folder, store) = empty_store().await;
    let details =
        ErrorDetails::with_error_info("TARGET_READ_ONLY", "echeck-adapter", HashMap::new());
    let refusal = Status::with_error_details(Code::Unavailable, "read-only", details);
    let target = Target::default();
    target.lock().refusal = Some(refusal);
    let address = target.serve().await;
    rows(&store, "a", 3).await;
    let stop = CancellationToken::new();
    let (feeding, mut signals) = reporting_feed(&store, "a", &address);
    let run = tokio::spawn(feeding.run(stop.clone()));
    for _ in 0..3 {
        let met = match signals.recv().await.unwrap() {
            Signal::Problem(met) => met,
            // It has refused no row.
            Signal::Clear { area, .. } => {
                assert_eq!(area, Area::Refusal, "it is not well");
                continue;
            }
        };
        assert_eq!(met.cause.kind(), "TARGET_READ_ONLY");
    }
    target.lock().refusal = None;
    well(&mut signals).await;
    assert_eq!(position(&store).await, 3);
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn a_row_that_another_session_has_locked_is_waited_for_without_an_incident() {
    let (_folder, store) = empty_store().await;
    let details = ErrorDetails::with_error_info("TARGET_BUSY", "echeck-adapter", HashMap::new());
    let locked = "the row of transfer TR1 is locked by another session";
    let refusal = Status::with_error_details(Code::Aborted, locked, details);
    let target = Target::default();
    target.lock().refusal = Some(refusal);
    let address = target.serve().await;
    rows(&store, "a", 3).await;
    let stop = CancellationToken::new();
    let (feeding, mut signals) = reporting_feed(&store, "a", &address);
    let run = tokio::spawn(feeding.run(stop.clone()));
    eventually("it came back", async || target.lock().refused >= 3).await;
    while let Ok(signal) = signals.try_recv() {
        assert!(matches!(signal, Signal::Clear { .. }), "{signal:?}");
    }
    assert_eq!(fault(&store).await, None);
    target.lock().refusal = None;
    eventually("it went on", async || position(&store).await == 3).await;
    stop.cancel();
    run.await.unwrap();
}

/// A return that failed a payout, its dishonor, the contest of that, and another return.
async fn life(store: &Arc<dyn Store>) {
    let import = deciding_import(store, "life", 4).await;
    let made = |id: &str, parent_id| NewTransfer {
        id: id.to_owned(),
        trace_id: format!("FNX{id}"),
        tags: Vec::new(),
        parent_id,
    };
    let first = Row {
        effect: RowEffect::Fail {
            messages: Vec::new(),
        },
        ..row(&import, "TR1")
    };
    let dishonor = Row {
        effect: RowEffect::Restore {
            of_return: first.return_id.clone(),
            restoration: made("RS", None),
        },
        return_id: "ret_dishonor".into(),
        ..first.clone()
    };
    let contest = Row {
        effect: RowEffect::Reapply {
            of_return: first.return_id.clone(),
            reversal: made("RA", Some("RS".into())),
        },
        return_id: "ret_contest".into(),
        ..first.clone()
    };
    let writes = Writes {
        rows: vec![first, dishonor, contest, row(&import, "TR2")],
        ..Writes::default()
    };
    let outcome = store.append(append(&import, (0, 4), 0, writes)).await;
    assert!(matches!(outcome.unwrap(), Appended::Done(_)));
}

#[tokio::test]
async fn a_later_stage_is_fed_once_what_it_undoes_is_known_to_have_taken_effect() {
    let (_folder, store) = empty_store().await;
    let target = Target::default();
    let address = target.serve().await;
    life(&store).await;
    let stop = CancellationToken::new();
    let run = tokio::spawn(feed(&store, "a", &address).run(stop.clone()));
    eventually("all is fed", async || position(&store).await == 4).await;
    assert_eq!(target.lock().sent, [vec![1], vec![2], vec![3, 4]]);
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn what_undoes_a_row_without_effect_is_blocked_and_what_undoes_that_too() {
    let (_folder, store) = empty_store().await;
    let target = Target::default();
    target.lock().without_effect = vec![1];
    let address = target.serve().await;
    life(&store).await;
    let stop = CancellationToken::new();
    let run = tokio::spawn(feed(&store, "a", &address).run(stop.clone()));
    eventually("all is fed", async || position(&store).await == 4).await;
    let sent = target.lock().sent.concat();
    assert_eq!(sent, [1, -2, -3, 4]);
    let recorded = store.exceptions(GATEWAY, 0, 4).await.unwrap();
    let why: Vec<&str> = recorded.iter().map(|one| one.message.as_str()).collect();
    let of = ids::return_id("TR1", 1);
    assert_eq!(
        why,
        [
            String::new(),
            format!("it undoes return {of}, which did not take effect in gateway"),
            format!("it undoes the dishonor of return {of}, which did not take effect in gateway"),
        ]
    );
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn after_a_restore_of_the_target_a_return_may_end_otherwise_and_its_dishonor_knows() {
    let (_folder, store) = empty_store().await;
    let target = Target::default();
    let address = target.serve().await;
    life(&store).await;
    let stop = CancellationToken::new();
    let run = tokio::spawn(feed(&store, "a", &address).run(stop.clone()));
    eventually("all is fed", async || position(&store).await == 4).await;
    {
        let mut state = target.lock();
        state.cursor = None;
        state.without_effect = vec![1];
        state.sent.clear();
    }
    eventually("all is fed again", async || {
        target.lock().sent.concat() == [1, -2, -3, 4]
    })
    .await;
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn a_row_that_is_refused_again_after_a_restore_of_the_target_is_counted_as_held_once() {
    let (_folder, store) = empty_store().await;
    let target = Target::default();
    target.lock().without_effect = vec![2];
    let address = target.serve().await;
    rows(&store, "a", 3).await;
    let import = store.row(1).await.unwrap().unwrap().row.import_id;
    let held = async || {
        let import = store.import(&import).await.unwrap().unwrap();
        import.totals_now().held.count
    };
    let stop = CancellationToken::new();
    let run = tokio::spawn(feed(&store, "a", &address).run(stop.clone()));
    eventually("it is held", async || held().await == 1).await;
    {
        let mut state = target.lock();
        state.cursor = None;
        state.sent.clear();
    }
    eventually("all is fed again, and dealt with", async || {
        target.lock().sent.concat() == [1, 2, 3]
            && position(&store).await == 3
            && store.exceptions(GATEWAY, 0, 3).await.unwrap().len() == 1
            && store.open_exceptions(GATEWAY, 1).await.unwrap().is_empty()
    })
    .await;
    assert_eq!(held().await, 1);
    stop.cancel();
    run.await.unwrap();
}
