//! The API: requests in protobuf become the domain's types, and results become responses. Nothing
//! is decided here.

mod answer;
mod audit;
mod convert;
mod convert_incident;
mod convert_job;
mod convert_webhook;
mod details;
mod diagnosis;
mod dishonor;
mod door;
mod enums;
mod errors;
mod filter;
mod follow;
mod holds;
mod imports;
mod incidents;
mod jobs;
mod operations;
mod operator;
mod page;
mod progress;
mod proposals;
mod reads;
mod report;
mod requests;
mod returns;
mod services;
mod settle;
mod stream;
mod transfers;
mod verify;
mod view;
mod watch;
mod webhook_deliveries;
mod webhook_endpoints;
mod webhook_keys;
mod webhooks;

use std::collections::HashMap;
use std::sync::Arc;

use echeck_proto::returns::v1 as proto;
use echeck_service::clock::SharedClock;
use proto::incident_service_server::IncidentServiceServer;
use proto::operations_service_server::OperationsServiceServer;
use proto::returns_service_server::ReturnsServiceServer;
use proto::webhook_service_server::WebhookServiceServer;
use returns_alerts::IncidentManager;
use returns_alerts::diagnosis::Examiner;
use returns_feed::Feed;
use returns_feed::settle::SettlementRelease;
use returns_import::decide::Decider;
use returns_import::hold::Holds;
use returns_import::{ImportFaults, Spool};
use returns_reports::bucket::Bucket;
use returns_sources::schedule::Scheduler;
use returns_store::{Notifier, Store};
use returns_verify::JournalChecker;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

pub(crate) use incidents::IncidentApi;
pub(crate) use proposals::TwoPeople;
pub(crate) use reads::TransferReads;
pub(crate) use requests::{RequestSweeper, Requests};
pub(crate) use watch::Watches;
pub(crate) use webhooks::WebhookApi;

/// The services whose health is reported.
pub(crate) const SERVICE_NAMES: &[&str] = &[
    "echeck.returns.v1.ReturnsService",
    "echeck.returns.v1.OperationsService",
    "echeck.returns.v1.IncidentService",
    "echeck.returns.v1.WebhookService",
];

/// What the handlers of returns and operations need.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) decider: Arc<Decider>,
    pub(crate) holds: Holds,
    pub(crate) spool: Spool,
    pub(crate) faults: ImportFaults,
    pub(crate) feeds: Arc<HashMap<String, Arc<Feed>>>,
    /// The names of the databases, the system of record first.
    pub(crate) databases: Arc<[String]>,
    pub(crate) scheduler: Arc<Scheduler>,
    pub(crate) examiner: Arc<Examiner>,
    pub(crate) incidents: Arc<IncidentManager>,
    pub(crate) settlement: Arc<SettlementRelease>,
    pub(crate) checker: Arc<JournalChecker>,
    /// Where reports are; `None` when no bucket is configured.
    pub(crate) bucket: Option<Bucket>,
    pub(crate) clock: SharedClock,
    pub(crate) notifier: Notifier,
    pub(crate) watches: Watches,
    pub(crate) reads: TransferReads,
    /// How many entries a dry run decides together.
    pub(crate) batch_size: usize,
    pub(crate) max_file_bytes: u64,
    pub(crate) shutdown: CancellationToken,
    pub(crate) requests: Requests,
    pub(crate) two_people: TwoPeople,
}

/// What answers the calls of all services.
pub(crate) struct Apis {
    pub(crate) returns: Api,
    pub(crate) incidents: IncidentApi,
    pub(crate) webhooks: WebhookApi,
}

/// The routes of all services.
pub(crate) fn routes(apis: Apis, max_message_bytes: usize) -> RoutesBuilder {
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(
            ReturnsServiceServer::new(apis.returns.clone())
                .max_decoding_message_size(max_message_bytes),
        )
        .add_service(
            OperationsServiceServer::new(apis.returns).max_decoding_message_size(max_message_bytes),
        )
        .add_service(
            IncidentServiceServer::new(apis.incidents).max_decoding_message_size(max_message_bytes),
        )
        .add_service(
            WebhookServiceServer::new(apis.webhooks).max_decoding_message_size(max_message_bytes),
        );
    routes
}
