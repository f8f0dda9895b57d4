//! The rim: what callers ask in protobuf is turned into the domain's types, and what comes of
//! it back. Nothing is decided here.

mod convert;
mod convert_incident;
mod convert_job;
mod convert_webhook;
mod details;
mod diagnosis;
mod dishonor;
mod errors;
mod holds;
mod imports;
mod incidents;
mod jobs;
mod operations;
mod page;
mod progress;
mod report;
mod settle;
mod transfers;
mod view;
mod webhook_deliveries;
mod webhook_endpoints;
mod webhooks;

use std::collections::HashMap;
use std::sync::Arc;

use echeck_proto::returns::v1 as proto;
use echeck_service::clock::SharedClock;
use proto::incident_service_server::IncidentServiceServer;
use proto::operations_service_server::OperationsServiceServer;
use proto::returns_service_server::{ReturnsService, ReturnsServiceServer};
use proto::webhook_service_server::WebhookServiceServer;
use returns_alerts::diagnosis::Examiner;
use returns_feed::Feed;
use returns_feed::settle::SettlementRelease;
use returns_import::decide::Decider;
use returns_import::hold::Holds;
use returns_import::{ImportFaults, Spool};
use returns_reports::bucket::Bucket;
use returns_sources::schedule::Scheduler;
use returns_store::{Notifier, Store};
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status, Streaming};

pub(crate) use incidents::IncidentApi;
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
    pub(crate) settlement: Arc<SettlementRelease>,
    /// Where reports are; `None` when no bucket is configured.
    pub(crate) bucket: Option<Bucket>,
    pub(crate) clock: SharedClock,
    pub(crate) notifier: Notifier,
    /// Entries that a dry run decides at a time.
    pub(crate) batch_size: usize,
    pub(crate) max_file_bytes: u64,
    pub(crate) shutdown: CancellationToken,
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
                .max_decoding_message_size(max_message_bytes)
                .max_encoding_message_size(max_message_bytes),
        )
        .add_service(
            OperationsServiceServer::new(apis.returns)
                .max_decoding_message_size(max_message_bytes)
                .max_encoding_message_size(max_message_bytes),
        )
        .add_service(
            IncidentServiceServer::new(apis.incidents)
                .max_decoding_message_size(max_message_bytes)
                .max_encoding_message_size(max_message_bytes),
        )
        .add_service(
            WebhookServiceServer::new(apis.webhooks)
                .max_decoding_message_size(max_message_bytes)
                .max_encoding_message_size(max_message_bytes),
        );
    routes
}

/// Hands every call to the file that has its subject.
#[tonic::async_trait]
impl ReturnsService for Api {
    async fn import_file(
        &self,
        request: Request<Streaming<proto::ImportFileRequest>>,
    ) -> Result<Response<proto::ImportFileResponse>, Status> {
        Ok(Response::new(self.take_file(request.into_inner()).await?))
    }

    async fn get_import(
        &self,
        request: Request<proto::GetImportRequest>,
    ) -> Result<Response<proto::GetImportResponse>, Status> {
        let import = self.whole_import(&request.into_inner().import_id).await?;
        Ok(Response::new(proto::GetImportResponse {
            file_import: Some(import),
        }))
    }

    async fn list_imports(
        &self,
        request: Request<proto::ListImportsRequest>,
    ) -> Result<Response<proto::ListImportsResponse>, Status> {
        Ok(Response::new(
            self.page_of_imports(request.into_inner()).await?,
        ))
    }

    type WatchImportStream = imports::WatchStream;

    async fn watch_import(
        &self,
        request: Request<proto::WatchImportRequest>,
    ) -> Result<Response<Self::WatchImportStream>, Status> {
        Ok(Response::new(self.watch(request).await?))
    }

    type GetReportStream = report::ReportStream;

    async fn get_report(
        &self,
        request: Request<proto::GetReportRequest>,
    ) -> Result<Response<Self::GetReportStream>, Status> {
        Ok(Response::new(
            self.report(&request.into_inner().import_id).await?,
        ))
    }

    async fn get_transfer(
        &self,
        request: Request<proto::GetTransferRequest>,
    ) -> Result<Response<proto::GetTransferResponse>, Status> {
        let transfer = self.transfer(request.into_inner()).await?;
        Ok(Response::new(proto::GetTransferResponse {
            transfer: Some(transfer),
        }))
    }

    async fn get_return(
        &self,
        request: Request<proto::GetReturnRequest>,
    ) -> Result<Response<proto::GetReturnResponse>, Status> {
        let ach_return = self.ach_return(request.into_inner()).await?;
        Ok(Response::new(proto::GetReturnResponse {
            ach_return: Some(ach_return),
        }))
    }

    async fn list_returns(
        &self,
        request: Request<proto::ListReturnsRequest>,
    ) -> Result<Response<proto::ListReturnsResponse>, Status> {
        Ok(Response::new(
            self.page_of_returns(request.into_inner()).await?,
        ))
    }

    async fn list_dishonorable_returns(
        &self,
        request: Request<proto::ListDishonorableReturnsRequest>,
    ) -> Result<Response<proto::ListDishonorableReturnsResponse>, Status> {
        Ok(Response::new(
            self.page_of_dishonorable(request.into_inner()).await?,
        ))
    }

    async fn list_holds(
        &self,
        request: Request<proto::ListHoldsRequest>,
    ) -> Result<Response<proto::ListHoldsResponse>, Status> {
        Ok(Response::new(
            self.page_of_holds(request.into_inner()).await?,
        ))
    }

    async fn resolve_hold(
        &self,
        request: Request<proto::ResolveHoldRequest>,
    ) -> Result<Response<proto::ResolveHoldResponse>, Status> {
        Ok(Response::new(self.resolve(request.into_inner()).await?))
    }
}
