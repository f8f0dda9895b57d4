//! A service that does what the id in the request says.

#![expect(
    clippy::disallowed_methods,
    reason = "its errors have no reason, so that the server adds one"
)]

use std::pin::Pin;
use std::sync::Arc;

use echeck_proto::returns::v1::get_transfer_request::Key;
use echeck_proto::returns::v1::returns_service_server::{ReturnsService, ReturnsServiceServer};
use echeck_proto::returns::v1::*;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use crate::server::deadline_of;

/// The sample and the events by which a test follows it.
#[derive(Clone)]
pub(super) struct Sample {
    /// A permit for each slow call that was entered.
    pub(super) entered: Arc<Semaphore>,
    /// A permit for each slow call that was given up.
    pub(super) dropped: Arc<Semaphore>,
    /// A slow call ends when it gets a permit.
    pub(super) gate: Arc<Semaphore>,
}

impl Default for Sample {
    fn default() -> Self {
        let event = || Arc::new(Semaphore::new(0));
        Self {
            entered: event(),
            dropped: event(),
            gate: event(),
        }
    }
}

struct OnDrop(Arc<Semaphore>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

impl Sample {
    pub(super) fn server(&self) -> ReturnsServiceServer<Self> {
        ReturnsServiceServer::new(self.clone())
    }

    async fn pass_gate(&self) {
        let given_up = OnDrop(self.dropped.clone());
        self.entered.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
        std::mem::forget(given_up);
    }
}

type Answer<T> = Result<Response<T>, Status>;

fn missing<T>() -> Answer<T> {
    Err(Status::unimplemented("not part of the sample"))
}

#[tonic::async_trait]
impl ReturnsService for Sample {
    async fn get_transfer(
        &self,
        request: Request<GetTransferRequest>,
    ) -> Answer<GetTransferResponse> {
        let deadline = deadline_of(&request);
        let Some(Key::TransferId(what)) = request.into_inner().key else {
            return Err(Status::invalid_argument("no key"));
        };
        match what.as_str() {
            "slow" => self.pass_gate().await,
            "panic" => panic!("asked to panic"),
            "defect" => return Err(Status::internal("asked\nto fail")),
            "deadline" => {
                return Err(Status::failed_precondition(match deadline {
                    Some(_) => "a deadline",
                    None => "no deadline",
                }));
            }
            _ => {}
        }
        Ok(Response::new(GetTransferResponse::default()))
    }

    async fn import_file(
        &self,
        request: Request<Streaming<ImportFileRequest>>,
    ) -> Answer<ImportFileResponse> {
        let _given_up = OnDrop(self.dropped.clone());
        self.entered.add_permits(1);
        let mut parts = request.into_inner();
        while parts.message().await?.is_some() {}
        Ok(Response::new(ImportFileResponse::default()))
    }

    type WatchImportStream =
        Pin<Box<dyn Stream<Item = Result<WatchImportResponse, Status>> + Send>>;

    /// One message at once and another behind the gate, or a panic there.
    async fn watch_import(
        &self,
        request: Request<WatchImportRequest>,
    ) -> Answer<Self::WatchImportStream> {
        let sample = self.clone();
        let panics = request.into_inner().import_id == "panic";
        let first = stream::once(std::future::ready(Ok(WatchImportResponse::default())));
        let second = stream::once(async move {
            sample.pass_gate().await;
            assert!(!panics, "asked to panic in a stream");
            Ok(WatchImportResponse::default())
        });
        Ok(Response::new(first.chain(second).boxed()))
    }

    async fn batch_get_transfers(
        &self,
        _: Request<BatchGetTransfersRequest>,
    ) -> Answer<BatchGetTransfersResponse> {
        missing()
    }

    async fn get_hold(&self, _: Request<GetHoldRequest>) -> Answer<GetHoldResponse> {
        missing()
    }

    type StreamReturnsStream =
        Pin<Box<dyn Stream<Item = Result<StreamReturnsResponse, Status>> + Send>>;

    async fn stream_returns(
        &self,
        _: Request<StreamReturnsRequest>,
    ) -> Answer<Self::StreamReturnsStream> {
        missing()
    }

    type GetReportStream = Pin<Box<dyn Stream<Item = Result<GetReportResponse, Status>> + Send>>;

    async fn get_report(&self, _: Request<GetReportRequest>) -> Answer<Self::GetReportStream> {
        missing()
    }

    async fn get_import(&self, _: Request<GetImportRequest>) -> Answer<GetImportResponse> {
        missing()
    }

    async fn list_imports(&self, _: Request<ListImportsRequest>) -> Answer<ListImportsResponse> {
        missing()
    }

    async fn get_return(&self, _: Request<GetReturnRequest>) -> Answer<GetReturnResponse> {
        missing()
    }

    async fn list_returns(&self, _: Request<ListReturnsRequest>) -> Answer<ListReturnsResponse> {
        missing()
    }

    async fn list_rejected_lines(
        &self,
        _: Request<ListRejectedLinesRequest>,
    ) -> Answer<ListRejectedLinesResponse> {
        missing()
    }

    async fn list_dishonorable_returns(
        &self,
        _: Request<ListDishonorableReturnsRequest>,
    ) -> Answer<ListDishonorableReturnsResponse> {
        missing()
    }

    async fn list_holds(&self, _: Request<ListHoldsRequest>) -> Answer<ListHoldsResponse> {
        missing()
    }

    async fn retry_holds(&self, _: Request<RetryHoldsRequest>) -> Answer<RetryHoldsResponse> {
        missing()
    }

    async fn resolve_hold(&self, _: Request<ResolveHoldRequest>) -> Answer<ResolveHoldResponse> {
        missing()
    }
}
