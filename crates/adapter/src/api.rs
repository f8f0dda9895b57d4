//! The gRPC service over a target.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_proto::adapter::CONTRACT_VERSION;
use echeck_proto::adapter::v1::adapter_service_server::AdapterService;
use echeck_proto::adapter::v1::{self as proto, StepExceptionKind};
use echeck_proto::timestamp;
use echeck_service::ErrorChain;
use echeck_service::clock::Clocks;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tonic::{Code, Request, Response, Status};
use tracing::{Instrument as _, info, warn};

use crate::apply::{Applied, ApplyError, Target};
use crate::batch::{
    LookupKey, parse_adoption, parse_applied, parse_batch, parse_claim, parse_identity, parse_keys,
};
use crate::check::{TargetCheck, check};
use crate::conflict::CONFLICT_PAUSES;
use crate::cursor::{Cursor, position_of};
use crate::dialect::{Access, DbError, PoolLimits, failpoint};
use crate::fit::SchemaAge;
use crate::identity::{self, IdentityMismatch, TargetIdentity};
use crate::mapping::LookupError;
use crate::metrics::{APPLY_DURATION, STEPS};
use crate::progress::{self, StepException};
use crate::status::{another_target, invalid};

/// More keys than this are looked up for an import, and fewer for somebody who waits. The returns
/// service asks for as many at once when several wait.
const MOST_KEYS_OF_A_CALL: usize = 100;

/// The number of exceptions that are listed when the caller names none.
const DEFAULT_LIMIT: u32 = 1_000;
/// The maximum number of exceptions that are listed.
const MAX_LIMIT: u32 = 10_000;

/// How long a check takes at most, when the caller does not say.
const CHECK_WITHIN: Duration = Duration::from_millis(1_800);

/// The adapter's RPCs.
pub struct AdapterApi {
    target: Target,
    clocks: Clocks,
    /// Looking many transfers up. The other connections are for those who ask for one, and for the feed.
    for_batches: Semaphore,
}

impl AdapterApi {
    pub(crate) fn new(target: Target, clocks: Clocks, limits: PoolLimits) -> Self {
        let half = (limits.max_connections / 2).max(1);
        Self {
            target,
            clocks,
            for_batches: Semaphore::new(usize::try_from(half).unwrap_or(1)),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.clocks.work.now()
    }

    /// Says which database it is.
    fn another_target(&self, mismatch: &IdentityMismatch) -> Status {
        let target = self.target.database.shown().to_owned();
        another_target(mismatch, HashMap::from([("target".to_owned(), target)]))
    }

    /// Looks transfers up: many in one transaction, and a few without, since its beginning and end
    /// would double the round trips. What fails by a remembered schema counts as a conflict, since
    /// the next try reads the schema.
    async fn look_up(
        &self,
        keys: &[LookupKey],
        meant: Option<&TargetIdentity>,
    ) -> Result<Vec<proto::KeyMatches>, Status> {
        let access = match keys.len() {
            0..=MOST_KEYS_OF_A_CALL => Access::Look,
            _ => Access::Read,
        };
        let mut session = self.target.database.begin(access).await?;
        if let Some(meant) = meant
            && let Err(mismatch) =
                identity::check(&mut *session, &self.target.adapter, meant).await?
        {
            session.roll_back().await;
            return Err(match mismatch {
                // The returns service claims it with its first look at it.
                IdentityMismatch::Unclaimed => DbError::Conflict(mismatch.to_string()).into(),
                IdentityMismatch::Other { .. } => self.another_target(&mismatch),
            });
        }
        let found = match self.target.fit(&mut *session, SchemaAge::Recent).await {
            Ok((fitted, schema_age)) => {
                let found = fitted.mapping.lookup(&mut *session, keys).await;
                found.map_err(|error| match error {
                    LookupError::Db(error) if schema_age == SchemaAge::Recent => {
                        self.target.forget_schema();
                        DbError::Conflict(error.message().to_owned()).into()
                    }
                    error => Status::from(error),
                })
            }
            Err(error) => Err(error.into()),
        };
        session.roll_back().await;
        found
    }
}

#[tonic::async_trait]
impl AdapterService for AdapterApi {
    async fn lookup_transfers(
        &self,
        request: Request<proto::LookupTransfersRequest>,
    ) -> Result<Response<proto::LookupTransfersResponse>, Status> {
        let request = request.into_inner();
        let meant = request.identity.map(parse_identity).transpose();
        let meant = meant.map_err(|found| invalid(&found))?;
        let keys = parse_keys(request.keys).map_err(|found| invalid(&found))?;
        failpoint("lookup::before_read").await?;
        // It is never closed.
        let _place = match keys.len() {
            0..=MOST_KEYS_OF_A_CALL => None,
            _ => self.for_batches.acquire().await.ok(),
        };
        let mut pauses = CONFLICT_PAUSES.iter();
        let matches = loop {
            match (self.look_up(&keys, meant.as_ref()).await, pauses.next()) {
                // Such as a connection from before a change of the schema, which is closed now.
                (Err(busy), Some(pause)) if busy.code() == Code::Aborted => {
                    tokio::time::sleep(*pause).await;
                }
                (found, _) => break found?,
            }
        };
        Ok(Response::new(proto::LookupTransfersResponse {
            matches,
            funding_policy: self.target.mapping.settings().funding_policy.into(),
        }))
    }

    async fn apply_updates(
        &self,
        request: Request<proto::ApplyUpdatesRequest>,
    ) -> Result<Response<proto::ApplyUpdatesResponse>, Status> {
        let batch = parse_batch(request.into_inner()).map_err(|found| invalid(&found))?;
        let journal = batch.identity.journal;
        let (began, span) = (Instant::now(), tracing::info_span!("apply"));
        let applying = self.target.apply(&batch, self.now());
        let applied = applying.instrument(span).await;
        let outcome = if applied.is_ok() { "done" } else { "failed" };
        APPLY_DURATION.record(began.elapsed(), &[outcome]);
        let applied = applied.inspect_err(|error| {
            warn!(%journal, error = %ErrorChain(error), "a batch was not applied");
        });
        let Applied { cursor, exceptions } = match applied {
            Err(ApplyError::Identity(mismatch)) => return Err(self.another_target(&mismatch)),
            applied => applied?,
        };
        let excepted = exceptions.len() as u64;
        STEPS.add(
            (batch.steps.len() as u64).saturating_sub(excepted),
            &["passed"],
        );
        STEPS.add(excepted, &["exception"]);
        info!(
            %journal,
            position = cursor.position,
            steps = batch.steps.len(),
            exceptions = exceptions.len(),
            "a batch was applied"
        );
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
        failpoint("cursor::before_read").await?;
        let (database, adapter) = (&*self.target.database, &self.target.adapter);
        let progress = progress::read(database, adapter, after, limit).await?;
        let exceptions = progress.exceptions.into_iter();
        Ok(Response::new(proto::GetProgressResponse {
            cursor: progress.cursor.map(cursor_to_proto),
            exceptions: exceptions.map(exception_to_proto).collect(),
            has_more: progress.has_more,
            identity: progress.identity.map(identity_to_proto),
            target: database.shown().to_owned(),
            contract_version: CONTRACT_VERSION,
        }))
    }

    async fn claim_target(
        &self,
        request: Request<proto::ClaimTargetRequest>,
    ) -> Result<Response<proto::ClaimTargetResponse>, Status> {
        let claim = parse_claim(request.into_inner()).map_err(|found| invalid(&found))?;
        let known = self
            .target
            .claim(&claim.identity, claim.seen, self.now())
            .await?;
        Ok(Response::new(proto::ClaimTargetResponse {
            identity: Some(identity_to_proto(known)),
        }))
    }

    async fn verify_updates(
        &self,
        request: Request<proto::VerifyUpdatesRequest>,
    ) -> Result<Response<proto::VerifyUpdatesResponse>, Status> {
        let steps = parse_applied(request.into_inner().steps).map_err(|found| invalid(&found))?;
        let mut session = self.target.database.begin(Access::Read).await?;
        let found = match self.target.fit_live(&mut *session).await {
            Ok(fitted) => {
                let found = fitted.mapping.verify(&mut *session, &steps).await;
                found.map_err(Status::from)
            }
            Err(error) => Err(error.into()),
        };
        session.roll_back().await;
        let missing = steps.iter().zip(found?).filter_map(|(step, what)| {
            Some(proto::MissingUpdate {
                position: step.position.unsigned_abs(),
                message: what?,
            })
        });
        Ok(Response::new(proto::VerifyUpdatesResponse {
            missing: missing.collect(),
        }))
    }

    async fn adopt_cursor(
        &self,
        request: Request<proto::AdoptCursorRequest>,
    ) -> Result<Response<proto::AdoptCursorResponse>, Status> {
        let adoption = parse_adoption(request.into_inner()).map_err(|found| invalid(&found))?;
        self.target.adopt(&adoption, self.now()).await?;
        warn!(
            adoption = %adoption.id,
            from = position_of(adoption.from),
            to = position_of(adoption.to),
            actor = adoption.actor,
            reason = adoption.reason,
            "an operator has moved the cursor to another row"
        );
        Ok(Response::new(proto::AdoptCursorResponse {
            cursor: adoption.to.map(cursor_to_proto),
        }))
    }

    async fn check_target(
        &self,
        request: Request<proto::CheckTargetRequest>,
    ) -> Result<Response<proto::CheckTargetResponse>, Status> {
        let within = match request.into_inner().within_ms {
            0 => CHECK_WITHIN,
            ms => Duration::from_millis(ms.into()),
        };
        let checking = tokio::time::timeout(within, check(&self.target)).await;
        let found = checking.unwrap_or_else(|_| TargetCheck::unanswered(within));
        let found = found.demanding_own_tables();
        let settings = self.target.mapping.settings();
        let (database_version, now) = match found.facts {
            Some(facts) => (facts.version, facts.now),
            None => (String::new(), None),
        };
        Ok(Response::new(proto::CheckTargetResponse {
            ok: found.faults.is_empty(),
            faults: found.faults,
            target: self.target.database.shown().to_owned(),
            database_version,
            profile: settings.profile.to_owned(),
            funding_policy: settings.funding_policy.into(),
            database_time: now.map(timestamp::to_proto),
            adapter_version: env!("CARGO_PKG_VERSION").to_owned(),
            read_only: found.read_only,
            adapter_time: Some(timestamp::to_proto(self.clocks.machine.now())),
        }))
    }
}

fn identity_to_proto(identity: TargetIdentity) -> proto::TargetIdentity {
    proto::TargetIdentity {
        journal_id: identity.journal.to_string(),
        database: identity.database,
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
        kind: StepExceptionKind::from(exception.kind).into(),
        message: exception.message,
    }
}
