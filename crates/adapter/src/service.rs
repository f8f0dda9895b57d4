//! The gRPC service over a target.

use echeck_proto::adapter::v1 as proto;
use echeck_proto::adapter::v1::adapter_service_server::AdapterService;
use echeck_service::clock::SharedClock;
use echeck_service::failpoint;
use tonic::{Request, Response, Status};
use tracing::{info, warn};

use crate::apply::{Applied, Target};
use crate::batch::{parse_adoption, parse_batch, parse_keys};
use crate::check::check;
use crate::cursor::Cursor;
use crate::dialect::{Access, DbError};
use crate::progress::{self, StepException};
use crate::status;

/// How many exceptions are listed when the caller does not say.
const DEFAULT_LIMIT: u32 = 1_000;
/// How many are listed at most.
const MAX_LIMIT: u32 = 10_000;

/// The adapter's RPCs.
pub struct Adapter {
    target: Target,
    clock: SharedClock,
}

impl Adapter {
    /// The RPCs over `target`.
    #[must_use]
    pub fn new(target: Target, clock: SharedClock) -> Self {
        Self { target, clock }
    }

    async fn lookup(
        &self,
        keys: Vec<proto::TransferKey>,
    ) -> Result<proto::LookupTransfersResponse, Status> {
        let keys = parse_keys(keys).map_err(|violations| status::invalid(&violations))?;
        failpoint::hit("lookup::before_read")
            .await
            .map_err(DbError::from)?;
        let mut session = self.target.database.begin(Access::Read).await?;
        let found = match self.target.fit(&mut *session).await {
            Ok(fitted) => fitted
                .mapping
                .lookup(&mut *session, &keys)
                .await
                .map_err(Status::from),
            Err(error) => Err(error.into()),
        };
        session.roll_back().await;
        let matches = found?
            .into_iter()
            .map(|transfers| proto::KeyMatches { transfers })
            .collect();
        let funding_policy = self.target.plan.funding_policy().into();
        Ok(proto::LookupTransfersResponse {
            matches,
            funding_policy,
        })
    }
}

#[tonic::async_trait]
impl AdapterService for Adapter {
    async fn lookup_transfers(
        &self,
        request: Request<proto::LookupTransfersRequest>,
    ) -> Result<Response<proto::LookupTransfersResponse>, Status> {
        self.lookup(request.into_inner().keys)
            .await
            .map(Response::new)
    }

    async fn apply_updates(
        &self,
        request: Request<proto::ApplyUpdatesRequest>,
    ) -> Result<Response<proto::ApplyUpdatesResponse>, Status> {
        let batch =
            parse_batch(request.into_inner()).map_err(|violations| status::invalid(&violations))?;
        let outcome = self.target.apply(&batch, self.clock.now()).await;
        let Applied { cursor, exceptions } = outcome.inspect_err(
            |error| warn!(journal = %batch.journal, %error, "a batch was not applied"),
        )?;
        let (steps, refused) = (batch.steps.len(), exceptions.len());
        info!(journal = %batch.journal, position = cursor.position, steps, exceptions = refused, "applied");
        Ok(Response::new(proto::ApplyUpdatesResponse {
            cursor: Some(cursor_to_proto(cursor)),
            exceptions: exceptions.into_iter().map(exception_to_proto).collect(),
        }))
    }

    async fn get_progress(
        &self,
        request: Request<proto::GetProgressRequest>,
    ) -> Result<Response<proto::GetProgressResponse>, Status> {
        let request = request.into_inner();
        let after = i64::try_from(request.exceptions_after).unwrap_or(i64::MAX);
        let limit = match request.limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MAX_LIMIT),
        };
        failpoint::hit("cursor::before_read")
            .await
            .map_err(DbError::from)?;
        let progress =
            progress::read(&*self.target.database, &self.target.adapter, after, limit).await?;
        Ok(Response::new(proto::GetProgressResponse {
            cursor: progress.cursor.map(cursor_to_proto),
            exceptions: progress
                .exceptions
                .into_iter()
                .map(exception_to_proto)
                .collect(),
            has_more: progress.has_more,
        }))
    }

    async fn adopt_cursor(
        &self,
        request: Request<proto::AdoptCursorRequest>,
    ) -> Result<Response<proto::AdoptCursorResponse>, Status> {
        let adoption = parse_adoption(request.into_inner())
            .map_err(|violations| status::invalid(&violations))?;
        let cursor = self.target.adopt(&adoption, self.clock.now()).await?;
        warn!(
            adoption = %adoption.id,
            from = adoption.from.position,
            to = adoption.to.position,
            actor = adoption.actor,
            reason = adoption.reason,
            "an operator has put the cursor onto another row"
        );
        Ok(Response::new(proto::AdoptCursorResponse {
            cursor: Some(cursor_to_proto(cursor)),
        }))
    }

    async fn check_target(
        &self,
        _request: Request<proto::CheckTargetRequest>,
    ) -> Result<Response<proto::CheckTargetResponse>, Status> {
        let report = check(&self.target).await.demanding_own_tables();
        Ok(Response::new(proto::CheckTargetResponse {
            ok: report.faults.is_empty(),
            faults: report.faults,
            target: self.target.database.shown().to_owned(),
            database_version: report
                .facts
                .as_ref()
                .map(|f| f.version.clone())
                .unwrap_or_default(),
            profile: self.target.plan.profile().to_owned(),
            funding_policy: self.target.plan.funding_policy().into(),
            database_time: report
                .facts
                .and_then(|facts| facts.now)
                .map(instant_to_proto),
        }))
    }
}

fn cursor_to_proto(cursor: Cursor) -> proto::Cursor {
    proto::Cursor {
        journal_id: cursor.journal.to_string(),
        position: cursor.position.unsigned_abs(),
        row_hash: cursor.hash.to_vec(),
    }
}

fn exception_to_proto(exception: StepException) -> proto::StepException {
    proto::StepException {
        position: exception.position.unsigned_abs(),
        kind: exception.kind.to_proto().into(),
        message: exception.message,
    }
}

/// An instant for the wire.
#[must_use]
pub fn instant_to_proto(at: chrono::DateTime<chrono::Utc>) -> prost_types::Timestamp {
    let nanos = i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0);
    prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos,
    }
}
