//! The adapters as this service sees them: clients of `echeck.adapter.v1`, whose answers become
//! the rules' own types here.

mod error;
mod transfer;

use std::collections::HashMap;
use std::time::Duration;

use ach::decision::{FundingPolicy, Transfer, TransferKeyKind};
use echeck_proto::adapter::v1 as proto;
use echeck_proto::adapter::v1::adapter_service_client::AdapterServiceClient;
use echeck_proto::timestamp::from_proto;
use echeck_service::clock::ToldTime;
use echeck_service::telemetry;
use echeck_service::tls::{ClientTls, Connection, explain};
use returns_store::metrics::LOOKUP_DURATION;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

pub use error::AdapterError;
pub use transfer::{UnreadableTransfer, key, state_from_proto, state_to_proto};

/// A database behind an adapter.
#[derive(Debug, Clone)]
pub struct Adapter {
    pub database: String,
    address: String,
    connection: Connection,
    client: AdapterServiceClient<InterceptedService<Channel, TraceSender>>,
    /// Whose database it must be.
    identity: proto::TargetIdentity,
    /// What the clocks of the database and of the adapter showed last.
    clocks: [ToldTime; 2],
}

/// What a call of an adapter may take.
#[derive(Debug, Clone, Copy)]
pub struct AdapterLimits {
    /// How long it may last.
    pub timeout: Duration,
    /// The largest message, either way.
    pub max_message_bytes: usize,
}

/// Hands the trace of a call on to the adapter.
#[derive(Debug, Clone, Copy)]
struct TraceSender;

impl Interceptor for TraceSender {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        telemetry::send_trace(request.metadata_mut());
        Ok(request)
    }
}

/// The transfers that each key named, and how the system of record decides what is funded.
#[derive(Debug, Clone)]
pub struct Lookup {
    pub policy: FundingPolicy,
    pub found: HashMap<(TransferKeyKind, String), FoundTransfers>,
}

/// The transfers that one key named.
#[derive(Debug, Clone, Default)]
pub struct FoundTransfers {
    pub transfers: Vec<Transfer>,
    pub unreadable: Vec<UnreadableTransfer>,
    /// Whether the key names more than these.
    pub more: bool,
}

impl FoundTransfers {
    /// Whether the key named no transfer.
    pub fn is_empty(&self) -> bool {
        self.transfers.is_empty() && self.unreadable.is_empty()
    }

    pub(crate) fn new(sent: &proto::KeyMatches) -> Self {
        let mut found = Self {
            more: sent.more,
            ..Self::default()
        };
        for one in &sent.transfers {
            match UnreadableTransfer::or_transfer(one) {
                Ok(transfer) => found.transfers.push(transfer),
                Err(unreadable) => found.unreadable.push(unreadable),
            }
        }
        found
    }
}

/// The contract's limit on the keys of one call.
const MAX_KEYS: usize = 10_000;

impl Adapter {
    /// A client that connects when it is first used, and again whenever it has to.
    ///
    /// # Errors
    /// When `address` is not a valid one, or needs TLS that is not there.
    pub fn new(
        (database, journal_id): (&str, Uuid),
        address: &str,
        tls: Option<&ClientTls>,
        limits: AdapterLimits,
    ) -> Result<Self, String> {
        let connection = Connection::new(address, tls)?.with(|endpoint| {
            endpoint
                .connect_timeout(Duration::from_secs(5))
                .timeout(limits.timeout)
                .tcp_nodelay(true)
                .http2_keep_alive_interval(Duration::from_secs(20))
                .keep_alive_while_idle(true)
        });
        let client = AdapterServiceClient::with_interceptor(connection.lazy(), TraceSender)
            .max_decoding_message_size(limits.max_message_bytes)
            .max_encoding_message_size(limits.max_message_bytes);
        Ok(Self {
            database: database.to_owned(),
            address: address.to_owned(),
            connection,
            client,
            identity: proto::TargetIdentity {
                journal_id: journal_id.to_string(),
                database: database.to_owned(),
            },
            clocks: [ToldTime::default(), ToldTime::default()],
        })
    }

    /// Whose database it must be.
    pub fn identity(&self) -> &proto::TargetIdentity {
        &self.identity
    }

    /// What the clocks of the database and of the adapter showed last.
    pub fn clocks(&self) -> &[ToldTime; 2] {
        &self.clocks
    }

    fn status(&self, call: &'static str, status: Status) -> AdapterError {
        // An adapter's own error has details; one without may be what is left of TLS.
        if status.get_details_error_info().is_none()
            && let Some(why) = explain(&status).or_else(|| self.connection.told())
        {
            return AdapterError::Tls {
                database: self.database.clone(),
                address: self.address.clone(),
                why,
            };
        }
        AdapterError::Status {
            database: self.database.clone(),
            address: self.address.clone(),
            call,
            status: Box::new(status),
        }
    }

    /// The answer to a call, or its error with the call's name.
    async fn answer<T>(
        &self,
        call: &'static str,
        answer: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, AdapterError> {
        let answer = answer.await;
        answer
            .map(Response::into_inner)
            .map_err(|status| self.status(call, status))
    }

    fn contract(&self, what: impl Into<String>) -> AdapterError {
        AdapterError::Contract {
            database: self.database.clone(),
            address: self.address.clone(),
            what: what.into(),
        }
    }

    /// The transfers as the adapter sends them, one list for each key, and the policy.
    #[tracing::instrument(
        name = "look up",
        skip_all,
        fields(otel.kind = "client", rpc.system.name = "grpc", database = self.database, keys = keys.len())
    )]
    pub async fn lookup_raw(
        &self,
        keys: Vec<proto::TransferKey>,
    ) -> Result<(Vec<proto::KeyMatches>, FundingPolicy), AdapterError> {
        let asked = keys.len();
        let mut client = self.client.clone();
        let looking_up = client.lookup_transfers(proto::LookupTransfersRequest {
            keys,
            identity: Some(self.identity.clone()),
        });
        let looking_up = self.answer("LookupTransfers", looking_up);
        let answer = LOOKUP_DURATION.time(&[&self.database], looking_up).await?;
        let answered = answer.matches.len();
        if answered != asked {
            let what = format!("{answered} answers to {asked} keys of LookupTransfers");
            return Err(self.contract(what));
        }
        let policy = match answer.funding_policy() {
            proto::FundingPolicy::State => FundingPolicy::State,
            proto::FundingPolicy::Deposit => FundingPolicy::Deposit,
            proto::FundingPolicy::Unspecified => {
                return Err(self.contract("no funding policy; is it the system of record?"));
            }
        };
        Ok((answer.matches, policy))
    }

    /// Looks up all `keys`, in as many calls as the contract's limit asks for, and in more where the
    /// answer to one of them is larger than a message may be.
    pub async fn lookup(&self, keys: &[(TransferKeyKind, String)]) -> Result<Lookup, AdapterError> {
        let mut lookup = Lookup {
            policy: FundingPolicy::State,
            found: HashMap::new(),
        };
        // Even without a key the policy is wanted, so one call is always made.
        let mut chunks: Vec<&[(TransferKeyKind, String)]> = if keys.is_empty() {
            vec![keys]
        } else {
            keys.chunks(MAX_KEYS).collect()
        };
        while let Some(chunk) = chunks.pop() {
            let sent = chunk.iter().map(|(kind, value)| key(*kind, value));
            let (matches, policy) = match self.lookup_raw(sent.collect()).await {
                Ok(answer) => answer,
                Err(error) if error.is_too_large() && chunk.len() > 1 => {
                    chunks.extend(chunk.chunks(chunk.len().div_ceil(2)));
                    continue;
                }
                Err(error) => return Err(error),
            };
            lookup.policy = policy;
            for (key, matches) in chunk.iter().zip(matches) {
                let found = FoundTransfers::new(&matches);
                lookup.found.insert(key.clone(), found);
            }
        }
        Ok(lookup)
    }

    /// Applies steps to the database, with its cursor.
    ///
    /// # Errors
    /// When the adapter refuses, or does not answer.
    pub async fn apply(
        &self,
        request: proto::ApplyUpdatesRequest,
    ) -> Result<proto::ApplyUpdatesResponse, AdapterError> {
        let mut client = self.client.clone();
        self.answer("ApplyUpdates", client.apply_updates(request))
            .await
    }

    /// Which steps that the database has taken no longer show there.
    ///
    /// # Errors
    /// When the adapter does not answer.
    pub async fn verify(
        &self,
        steps: Vec<proto::AppliedStep>,
    ) -> Result<Vec<proto::MissingUpdate>, AdapterError> {
        let mut client = self.client.clone();
        let verifying = client.verify_updates(proto::VerifyUpdatesRequest { steps });
        Ok(self.answer("VerifyUpdates", verifying).await?.missing)
    }

    /// Records whose database it is, unless that is recorded already, and gives what is recorded.
    /// `seen` is where its cursor was seen.
    ///
    /// # Errors
    /// When the adapter does not answer.
    pub async fn claim(
        &self,
        seen: Option<proto::Cursor>,
    ) -> Result<proto::TargetIdentity, AdapterError> {
        let mut client = self.client.clone();
        let claiming = client.claim_target(proto::ClaimTargetRequest {
            identity: Some(self.identity.clone()),
            expected_cursor: seen,
        });
        let answer = self.answer("ClaimTarget", claiming).await?;
        Ok(answer.identity.unwrap_or_default())
    }

    /// Moves the database's cursor by an operator's decision.
    ///
    /// # Errors
    /// When the adapter refuses, or does not answer.
    pub async fn adopt(
        &self,
        request: proto::AdoptCursorRequest,
    ) -> Result<proto::AdoptCursorResponse, AdapterError> {
        let mut client = self.client.clone();
        self.answer("AdoptCursor", client.adopt_cursor(request))
            .await
    }

    /// Asks the adapter whether its target is available, fits and accepts writes.
    pub async fn check(
        &self,
        within: Duration,
    ) -> Result<proto::CheckTargetResponse, AdapterError> {
        let mut client = self.client.clone();
        // Its answer is to come before this side stops waiting for it.
        let within_ms = u32::try_from(within.as_millis() * 9 / 10).unwrap_or(u32::MAX);
        let checking = client.check_target(proto::CheckTargetRequest { within_ms });
        let answer = self.answer("CheckTarget", checking).await?;
        let told = [answer.database_time, answer.adapter_time];
        for (clock, at) in self.clocks.iter().zip(told) {
            if let Some(at) = at.and_then(from_proto) {
                clock.note(at);
            }
        }
        Ok(answer)
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How far the database is, and which rows after `after_position` had no effect.
    ///
    /// # Errors
    /// When the adapter does not answer.
    pub async fn progress(
        &self,
        exceptions_after: u64,
    ) -> Result<proto::GetProgressResponse, AdapterError> {
        let mut client = self.client.clone();
        let reading = client.get_progress(proto::GetProgressRequest {
            exceptions_after,
            limit: 0,
        });
        self.answer("GetProgress", reading).await
    }
}
