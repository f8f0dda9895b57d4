//! What operators ask: the state of the whole, and whether the journal is sound.

use std::pin::Pin;

use echeck_proto::returns::v1 as proto;
use echeck_service::server::deadline_of;
use futures_util::Stream;
use proto::operations_service_server::OperationsService;
use returns_feed::{AdoptRequest, Role, timestamp};
use returns_model::adoption::Point;
use returns_model::follower::Progress;
use returns_model::ids::hex;
use returns_model::journal::Verifier;
use returns_store::StoreError;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

use super::Api;
use super::errors::{self, ApiError};
use super::jobs::who;

/// Rows that a check reads at a time.
const ROWS_AT_A_TIME: u32 = 1_000;

type VerifySender = mpsc::Sender<Result<proto::VerifyJournalResponse, Status>>;

#[tonic::async_trait]
impl OperationsService for Api {
    async fn get_status(
        &self,
        _request: Request<proto::GetStatusRequest>,
    ) -> Result<Response<proto::GetStatusResponse>, Status> {
        Ok(Response::new(self.status().await?))
    }

    type VerifyJournalStream =
        Pin<Box<dyn Stream<Item = Result<proto::VerifyJournalResponse, Status>> + Send>>;

    async fn verify_journal(
        &self,
        request: Request<proto::VerifyJournalRequest>,
    ) -> Result<Response<Self::VerifyJournalStream>, Status> {
        let deadline = deadline_of(&request).map(|deadline| deadline.0);
        let (sender, receiver) = mpsc::channel(4);
        let api = self.clone();
        tokio::spawn(async move {
            let verifying = api.verify(&sender);
            let ended = match deadline {
                Some(at) => tokio::time::timeout_at(at, verifying)
                    .await
                    .unwrap_or_else(|_| {
                        let what = "the journal is long; allow the call more time";
                        Err(errors::deadline_exceeded(what))
                    }),
                None => verifying.await,
            };
            if let Err(error) = ended {
                // A caller that has gone needs no answer.
                let _ = sender.send(Err(error.into())).await;
            }
        });
        Ok(Response::new(Box::pin(
            tokio_stream::wrappers::ReceiverStream::new(receiver),
        )))
    }

    async fn adopt_cursor(
        &self,
        request: Request<proto::AdoptCursorRequest>,
    ) -> Result<Response<proto::AdoptCursorResponse>, Status> {
        Ok(Response::new(self.adopt(request.into_inner()).await?))
    }

    async fn list_journal(
        &self,
        request: Request<proto::ListJournalRequest>,
    ) -> Result<Response<proto::ListJournalResponse>, Status> {
        Ok(Response::new(self.journal(request.into_inner()).await?))
    }

    async fn list_sources(
        &self,
        _request: Request<proto::ListSourcesRequest>,
    ) -> Result<Response<proto::ListSourcesResponse>, Status> {
        Ok(Response::new(self.sources().await?))
    }

    async fn run_job(
        &self,
        request: Request<proto::RunJobRequest>,
    ) -> Result<Response<proto::RunJobResponse>, Status> {
        Ok(Response::new(
            Self::run_job(self, request.into_inner()).await?,
        ))
    }

    async fn set_schedule(
        &self,
        request: Request<proto::SetScheduleRequest>,
    ) -> Result<Response<proto::SetScheduleResponse>, Status> {
        Ok(Response::new(
            Self::set_schedule(self, request.into_inner()).await?,
        ))
    }

    async fn pause_source(
        &self,
        request: Request<proto::PauseSourceRequest>,
    ) -> Result<Response<proto::PauseSourceResponse>, Status> {
        Ok(Response::new(
            Self::pause_source(self, request.into_inner()).await?,
        ))
    }

    async fn resume_source(
        &self,
        request: Request<proto::ResumeSourceRequest>,
    ) -> Result<Response<proto::ResumeSourceResponse>, Status> {
        Ok(Response::new(
            Self::resume_source(self, request.into_inner()).await?,
        ))
    }

    async fn list_job_runs(
        &self,
        request: Request<proto::ListJobRunsRequest>,
    ) -> Result<Response<proto::ListJobRunsResponse>, Status> {
        Ok(Response::new(
            self.page_of_runs(request.into_inner()).await?,
        ))
    }

    async fn get_job_run(
        &self,
        request: Request<proto::GetJobRunRequest>,
    ) -> Result<Response<proto::GetJobRunResponse>, Status> {
        Ok(Response::new(
            self.one_run(&request.into_inner().run_id).await?,
        ))
    }

    async fn list_audit_records(
        &self,
        request: Request<proto::ListAuditRecordsRequest>,
    ) -> Result<Response<proto::ListAuditRecordsResponse>, Status> {
        let limit = request.into_inner().limit;
        Ok(Response::new(self.audit_records(limit).await?))
    }

    async fn release_to_settlement(
        &self,
        request: Request<proto::ReleaseToSettlementRequest>,
    ) -> Result<Response<proto::ReleaseToSettlementResponse>, Status> {
        let request = request.into_inner();
        Ok(Response::new(self.release(request).await?))
    }

    async fn diagnose(
        &self,
        request: Request<proto::DiagnoseRequest>,
    ) -> Result<Response<proto::DiagnoseResponse>, Status> {
        Ok(Response::new(
            self.diagnosis(&request.into_inner().source).await?,
        ))
    }
}

/// A place in a journal for the wire.
fn point(point: Point) -> proto::JournalPosition {
    proto::JournalPosition {
        journal_id: point.journal_id,
        position: point.position,
        row_hash: hex(&point.hash),
    }
}

impl Api {
    async fn adopt(
        &self,
        request: proto::AdoptCursorRequest,
    ) -> Result<proto::AdoptCursorResponse, ApiError> {
        who(&request.actor, &request.reason)?;
        let feed = self
            .feeds
            .get(&request.database)
            .ok_or_else(|| errors::not_found("database", &request.database))?;
        let ask = AdoptRequest {
            position: request.position,
            actor: request.actor,
            reason: request.reason,
        };
        let mut adoption = feed.plan_adoption(ask).await?;
        if request.validate_only {
            adoption.id.clear();
        } else {
            feed.adopt(&adoption).await?;
        }
        Ok(proto::AdoptCursorResponse {
            adoption_id: adoption.id,
            previous_cursor: Some(point(adoption.from)),
            new_cursor: Some(point(adoption.to)),
        })
    }

    async fn journal(
        &self,
        request: proto::ListJournalRequest,
    ) -> Result<proto::ListJournalResponse, ApiError> {
        let limit = match request.limit {
            0 => 100,
            limit => limit.min(1_000),
        };
        let rows = self
            .store
            .rows_after(request.after_position, limit)
            .await?
            .into_iter()
            .map(|row| proto::JournalRow {
                position: row.position,
                row_hash: hex(row.hash.as_bytes()),
                payload_json: row.payload,
                recorded_at: Some(timestamp(row.recorded_at)),
            })
            .collect();
        Ok(proto::ListJournalResponse { rows })
    }

    async fn status(&self) -> Result<proto::GetStatusResponse, ApiError> {
        let store = &self.store;
        let head = store.head().await?;
        let leading = &self.decider.gateway.database;
        let limit = store.progress(leading).await?.position;
        let mut databases = Vec::new();
        for database in self.databases.iter() {
            let Some(feed) = self.feeds.get(database) else {
                continue;
            };
            let Progress { position, fault } = store.progress(database).await?;
            let goal = if feed.role == Role::Mirror {
                limit
            } else {
                head.position
            };
            let state = match &fault {
                Some(_) => proto::DatabaseState::Fault,
                None if position >= goal => proto::DatabaseState::Applied,
                None => proto::DatabaseState::Pending,
            };
            databases.push(proto::DatabaseStatus {
                database: database.clone(),
                system_of_record: feed.role == Role::SystemOfRecord,
                position,
                fault_since: fault.as_ref().map(|fault| timestamp(fault.since)),
                fault: fault.map(|fault| fault.what).unwrap_or_default(),
                state: state.into(),
            });
        }
        let imports = store.imports_per_source().await?;
        let mut sources: Vec<proto::SourceStatus> = self
            .decider
            .sources
            .values()
            .map(|source| proto::SourceStatus {
                name: source.name.clone(),
                format: source.format_name().to_owned(),
                imports: imports.get(&source.name).copied().unwrap_or_default(),
            })
            .collect();
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(proto::GetStatusResponse {
            journal_id: head.journal_id.to_string(),
            head_position: head.position,
            databases,
            open_holds: store.open_holds().await?,
            open_imports: store.open_imports().await?.len() as u64,
            sources,
        })
    }

    /// Reads the journal from its start to where it ended when the check began.
    async fn verify(&self, sender: &VerifySender) -> Result<(), ApiError> {
        let store = &self.store;
        let head = store.head().await?;
        let mut verifier = Verifier::new(head.journal_id);
        let mut checked = 0_u64;
        loop {
            let (position, _) = verifier.reached();
            let rows = match store.rows_after(position, ROWS_AT_A_TIME).await {
                Ok(rows) => rows,
                // A row that cannot be read is just what the check is for.
                Err(error @ StoreError::Unreadable { .. }) => {
                    verifier.fault(error.to_string());
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            let rows: Vec<_> = rows
                .into_iter()
                .take_while(|row| row.position <= head.position)
                .collect();
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                verifier.check(row);
                checked += 1;
            }
            let message = proto::VerifyJournalResponse {
                checked,
                head_position: head.position,
                done: false,
                sound: false,
                faults: Vec::new(),
            };
            if sender.send(Ok(message)).await.is_err() {
                return Ok(());
            }
        }
        let (position, hash) = verifier.reached();
        if position != head.position || *hash != head.hash {
            let what = format!(
                "the journal's head says position {} with hash {}, its rows end at {position} with {hash}",
                head.position, head.hash
            );
            verifier.fault(what);
        }
        self.check_cursors(&mut verifier).await?;
        let faults = verifier.faults();
        let message = proto::VerifyJournalResponse {
            checked,
            head_position: head.position,
            done: true,
            sound: faults.is_empty(),
            faults,
        };
        // A caller that has gone needs no answer.
        let _ = sender.send(Ok(message)).await;
        Ok(())
    }

    /// Each database's own cursor must stand on a row of this journal, with that row's hash.
    async fn check_cursors(&self, verifier: &mut Verifier) -> Result<(), ApiError> {
        for database in self.databases.iter() {
            let Some(feed) = self.feeds.get(database) else {
                continue;
            };
            if let Err(error) = feed.check_cursor().await {
                verifier.fault(echeck_service::ErrorChain(&error).to_string());
            }
        }
        Ok(())
    }
}
