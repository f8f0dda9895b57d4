//! The calls of all services. Each is handed to the method of its name, in the file that has its
//! subject; what is wrong with it is an [`ApiError`](super::errors::ApiError) until here.

use echeck_proto::returns::v1 as proto;
use proto::incident_service_server::IncidentService;
use proto::operations_service_server::OperationsService;
use proto::returns_service_server::ReturnsService;
use proto::webhook_service_server::WebhookService;
use tonic::{Request, Response, Status, Streaming};

use super::stream::ResponseStream;
use super::{Api, IncidentApi, WebhookApi, door};

/// Implements a service: its calls with one message each way, and in braces the others.
macro_rules! serve {
    ($service:ident for $api:ident:
        $($call:ident($request:ident) -> $response:ident;)+
        $({ $($streaming:tt)+ })?
    ) => {
        #[tonic::async_trait]
        impl $service for $api {
            $(async fn $call(
                &self,
                request: Request<proto::$request>,
            ) -> Result<Response<proto::$response>, Status> {
                let request = door::admit(request.into_inner())?;
                Ok(Response::new($api::$call(self, request).await?))
            })+

            $($($streaming)+)?
        }
    };
}

serve! { ReturnsService for Api:
    get_import(GetImportRequest) -> GetImportResponse;
    list_rejected_lines(ListRejectedLinesRequest) -> ListRejectedLinesResponse;
    list_imports(ListImportsRequest) -> ListImportsResponse;
    get_transfer(GetTransferRequest) -> GetTransferResponse;
    get_return(GetReturnRequest) -> GetReturnResponse;
    list_returns(ListReturnsRequest) -> ListReturnsResponse;
    list_dishonorable_returns(ListDishonorableReturnsRequest) -> ListDishonorableReturnsResponse;
    list_holds(ListHoldsRequest) -> ListHoldsResponse;
    resolve_hold(ResolveHoldRequest) -> ResolveHoldResponse;
    retry_holds(RetryHoldsRequest) -> RetryHoldsResponse;
    {
        async fn import_file(
            &self,
            request: Request<Streaming<proto::ImportFileRequest>>,
        ) -> Result<Response<proto::ImportFileResponse>, Status> {
            Ok(Response::new(Api::import_file(self, request.into_inner()).await?))
        }

        type WatchImportStream = ResponseStream<proto::WatchImportResponse>;

        async fn watch_import(
            &self,
            request: Request<proto::WatchImportRequest>,
        ) -> Result<Response<Self::WatchImportStream>, Status> {
            Ok(Response::new(Api::watch_import(self, request).await?))
        }

        type GetReportStream = ResponseStream<proto::GetReportResponse>;

        async fn get_report(
            &self,
            request: Request<proto::GetReportRequest>,
        ) -> Result<Response<Self::GetReportStream>, Status> {
            Ok(Response::new(Api::get_report(self, request).await?))
        }
    }
}

serve! { OperationsService for Api:
    get_status(GetStatusRequest) -> GetStatusResponse;
    adopt_cursor(AdoptCursorRequest) -> AdoptCursorResponse;
    skip_journal_rows(SkipJournalRowsRequest) -> SkipJournalRowsResponse;
    list_journal(ListJournalRequest) -> ListJournalResponse;
    retry_import(RetryImportRequest) -> RetryImportResponse;
    list_sources(ListSourcesRequest) -> ListSourcesResponse;
    run_job(RunJobRequest) -> RunJobResponse;
    set_schedule(SetScheduleRequest) -> SetScheduleResponse;
    pause_source(PauseSourceRequest) -> PauseSourceResponse;
    resume_source(ResumeSourceRequest) -> ResumeSourceResponse;
    list_job_runs(ListJobRunsRequest) -> ListJobRunsResponse;
    get_job_run(GetJobRunRequest) -> GetJobRunResponse;
    list_audit_records(ListAuditRecordsRequest) -> ListAuditRecordsResponse;
    release_to_settlement(ReleaseToSettlementRequest) -> ReleaseToSettlementResponse;
    diagnose(DiagnoseRequest) -> DiagnoseResponse;
    {
        type VerifyJournalStream = ResponseStream<proto::VerifyJournalResponse>;

        async fn verify_journal(
            &self,
            request: Request<proto::VerifyJournalRequest>,
        ) -> Result<Response<Self::VerifyJournalStream>, Status> {
            Ok(Response::new(Api::verify_journal(self, &request)))
        }
    }
}

serve! { IncidentService for IncidentApi:
    list_incidents(ListIncidentsRequest) -> ListIncidentsResponse;
    get_incident(GetIncidentRequest) -> GetIncidentResponse;
    acknowledge_incident(AcknowledgeIncidentRequest) -> AcknowledgeIncidentResponse;
    close_incident(CloseIncidentRequest) -> CloseIncidentResponse;
    send_test_alert(SendTestAlertRequest) -> SendTestAlertResponse;
}

serve! { WebhookService for WebhookApi:
    create_endpoint(CreateEndpointRequest) -> CreateEndpointResponse;
    update_endpoint(UpdateEndpointRequest) -> UpdateEndpointResponse;
    rotate_secret(RotateSecretRequest) -> RotateSecretResponse;
    disable_endpoint(DisableEndpointRequest) -> DisableEndpointResponse;
    enable_endpoint(EnableEndpointRequest) -> EnableEndpointResponse;
    list_endpoints(ListEndpointsRequest) -> ListEndpointsResponse;
    get_endpoint(GetEndpointRequest) -> GetEndpointResponse;
    list_deliveries(ListDeliveriesRequest) -> ListDeliveriesResponse;
    list_events(ListEventsRequest) -> ListEventsResponse;
    replay(ReplayRequest) -> ReplayResponse;
    recover(RecoverRequest) -> RecoverResponse;
    send_test_event(SendTestEventRequest) -> SendTestEventResponse;
}
