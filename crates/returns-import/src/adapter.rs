//! The adapters as this service sees them: clients of `echeck.adapter.v1`, with what they
//! send turned into the rules' own types at the door.

use std::collections::HashMap;
use std::time::Duration;

use ach::decision::{
    FundingPolicy, Parties, Transfer, TransferKeyKind, TransferState, TransferType,
};
use ach::money::Money;
use echeck_proto::adapter::v1 as proto;
use echeck_proto::adapter::v1::adapter_service_client::AdapterServiceClient;
use returns_model::incident::Cause;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tonic_types::StatusExt as _;

/// What can go wrong with an adapter.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    /// It does not answer, or answers with an error.
    #[error("the adapter of {database} at {address} answered {} to {call}: {}", .status.code(), .status.message())]
    Status {
        database: String,
        address: String,
        call: &'static str,
        status: Box<tonic::Status>,
    },
    /// It answered something that the contract does not allow.
    #[error("the adapter of {database} at {address} sent what the contract does not allow: {what}")]
    Contract {
        database: String,
        address: String,
        what: String,
    },
}

/// The domain of the reasons that adapters give, and the one for a target without writes.
const REASONS: &str = "echeck-adapter";
const READ_ONLY: &str = "TARGET_READ_ONLY";

impl AdapterError {
    /// What is wrong, for people: the adapter itself, or its target.
    pub fn cause(&self) -> Cause {
        match self {
            Self::Contract { database, .. } => Cause::TargetFailed {
                database: database.clone(),
                why: self.to_string(),
            },
            Self::Status {
                database, status, ..
            } => {
                let database = database.clone();
                let why = why(status);
                match status.get_details_error_info() {
                    Some(info) if info.domain == REASONS && info.reason == READ_ONLY => {
                        Cause::TargetReadOnly { database }
                    }
                    Some(_) => Cause::TargetFailed { database, why },
                    None if no_answer(status.code()) => Cause::AdapterUnreachable { database, why },
                    None => Cause::TargetFailed { database, why },
                }
            }
        }
    }
}

impl AdapterError {
    /// Whether the adapter or its target is down, and not only unwilling to do this.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Contract { .. } => false,
            Self::Status { status, .. } => match status.get_details_error_info() {
                Some(_) => status.code() == Code::Unavailable,
                None => no_answer(status.code()),
            },
        }
    }
}

/// What a status says, with what is behind it, such as that a connection was refused.
fn why(status: &tonic::Status) -> String {
    let mut why = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        let said = error.to_string();
        if !why.contains(&said) {
            why = format!("{why}: {said}");
        }
        source = error.source();
    }
    why
}

/// Whether a status without a reason says that nobody answered. The client's own timer says
/// CANCELLED, and a connection that breaks off is UNKNOWN or INTERNAL to it.
fn no_answer(code: Code) -> bool {
    match code {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unknown
        | Code::Internal => true,
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated => false,
    }
}

/// A database behind an adapter.
#[derive(Debug, Clone)]
pub struct Adapter {
    pub database: String,
    address: String,
    client: AdapterServiceClient<Channel>,
}

/// The transfers that each key named, and how the system of record tells what is funded.
#[derive(Debug, Clone)]
pub struct Lookup {
    pub policy: FundingPolicy,
    pub found: HashMap<(TransferKeyKind, String), Vec<Transfer>>,
}

/// The contract's limit on the keys of one call.
const MAX_KEYS: usize = 10_000;

impl Adapter {
    /// A client that connects when it is first used, and again whenever it has to.
    ///
    /// # Errors
    /// When `address` is no address.
    pub fn new(
        database: &str,
        address: &str,
        timeout: Duration,
        max_message_bytes: usize,
    ) -> Result<Self, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(address.to_owned())?
            .connect_timeout(Duration::from_secs(5))
            .timeout(timeout)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_while_idle(true);
        let client = AdapterServiceClient::new(endpoint.connect_lazy())
            .max_decoding_message_size(max_message_bytes)
            .max_encoding_message_size(max_message_bytes);
        Ok(Self {
            database: database.to_owned(),
            address: address.to_owned(),
            client,
        })
    }

    fn status(&self, call: &'static str) -> impl FnOnce(tonic::Status) -> AdapterError {
        let (database, address) = (self.database.clone(), self.address.clone());
        move |status| AdapterError::Status {
            database,
            address,
            call,
            status: Box::new(status),
        }
    }

    fn contract(&self, what: impl Into<String>) -> AdapterError {
        AdapterError::Contract {
            database: self.database.clone(),
            address: self.address.clone(),
            what: what.into(),
        }
    }

    /// The transfers as the adapter sends them, one list for each key, and the policy.
    pub async fn lookup_raw(
        &self,
        keys: Vec<proto::TransferKey>,
    ) -> Result<(Vec<proto::KeyMatches>, FundingPolicy), AdapterError> {
        let asked = keys.len();
        let answer = self
            .client
            .clone()
            .lookup_transfers(proto::LookupTransfersRequest { keys })
            .await
            .map_err(self.status("LookupTransfers"))?
            .into_inner();
        if answer.matches.len() != asked {
            return Err(self.contract(format!(
                "{} answers to {asked} keys of LookupTransfers",
                answer.matches.len()
            )));
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

    /// Looks up all `keys`, in as many calls as the contract's limit asks for.
    pub async fn lookup(&self, keys: &[(TransferKeyKind, String)]) -> Result<Lookup, AdapterError> {
        let mut lookup = Lookup {
            policy: FundingPolicy::State,
            found: HashMap::new(),
        };
        // Even without a key the policy is wanted, so one call is always made.
        let chunks: Vec<&[(TransferKeyKind, String)]> = if keys.is_empty() {
            vec![keys]
        } else {
            keys.chunks(MAX_KEYS).collect()
        };
        for chunk in chunks {
            let sent = chunk
                .iter()
                .map(|(kind, value)| key(*kind, value))
                .collect();
            let (matches, policy) = self.lookup_raw(sent).await?;
            lookup.policy = policy;
            for (key, matches) in chunk.iter().zip(matches) {
                let transfers = matches
                    .transfers
                    .iter()
                    .map(|transfer| self.transfer(transfer))
                    .collect::<Result<Vec<_>, _>>()?;
                lookup.found.insert(key.clone(), transfers);
            }
        }
        Ok(lookup)
    }

    /// Turns a transfer of the contract into one of the rules.
    pub fn transfer(&self, sent: &proto::Transfer) -> Result<Transfer, AdapterError> {
        let currency = sent
            .currency
            .parse()
            .map_err(|error| self.contract(format!("transfer {}: {error}", sent.id)))?;
        let settled_on = match sent.settlement_date.as_str() {
            "" => None,
            text => Some(text.parse().map_err(|error| {
                self.contract(format!(
                    "transfer {}: settlement_date {text:?}: {error}",
                    sent.id
                ))
            })?),
        };
        Ok(Transfer {
            id: sent.id.clone(),
            kind: kind(sent),
            state: state_from_proto(sent.state()),
            in_deposit: sent.in_deposit,
            amount: Money::new(sent.amount_minor, currency),
            trace_id: sent.trace_id.clone(),
            ach_trace: Some(sent.ach_trace.clone()).filter(|trace| !trace.is_empty()),
            settled_on,
            parties: Parties {
                merchant: sent.merchant_identity.clone(),
                application: sent.application.clone(),
                source: sent.source.clone(),
                destination: sent.destination.clone(),
                subtype: sent.subtype.clone(),
            },
        })
    }

    /// Applies steps to the database, with its cursor.
    ///
    /// # Errors
    /// When the adapter refuses, or does not answer.
    pub async fn apply(
        &self,
        request: proto::ApplyUpdatesRequest,
    ) -> Result<proto::ApplyUpdatesResponse, AdapterError> {
        self.client
            .clone()
            .apply_updates(request)
            .await
            .map(tonic::Response::into_inner)
            .map_err(self.status("ApplyUpdates"))
    }

    /// Moves the database's cursor by an operator's decision.
    ///
    /// # Errors
    /// When the adapter refuses, or does not answer.
    pub async fn adopt(
        &self,
        request: proto::AdoptCursorRequest,
    ) -> Result<proto::AdoptCursorResponse, AdapterError> {
        self.client
            .clone()
            .adopt_cursor(request)
            .await
            .map(tonic::Response::into_inner)
            .map_err(self.status("AdoptCursor"))
    }

    /// Asks the adapter whether its target answers, fits and takes writes.
    pub async fn check(&self) -> Result<proto::CheckTargetResponse, AdapterError> {
        self.client
            .clone()
            .check_target(proto::CheckTargetRequest {})
            .await
            .map(tonic::Response::into_inner)
            .map_err(self.status("CheckTarget"))
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
        self.client
            .clone()
            .get_progress(proto::GetProgressRequest {
                exceptions_after,
                limit: 0,
            })
            .await
            .map(tonic::Response::into_inner)
            .map_err(self.status("GetProgress"))
    }
}

/// A key of the contract.
pub fn key(kind: TransferKeyKind, value: &str) -> proto::TransferKey {
    let kind = match kind {
        TransferKeyKind::TransferId => proto::TransferKeyKind::TransferId,
        TransferKeyKind::TraceId => proto::TransferKeyKind::TraceId,
        TransferKeyKind::PaymentId => proto::TransferKeyKind::PaymentId,
        TransferKeyKind::AchTrace => proto::TransferKeyKind::AchTrace,
        TransferKeyKind::IndividualId => proto::TransferKeyKind::IndividualId,
    };
    proto::TransferKey {
        kind: kind.into(),
        value: value.to_owned(),
    }
}

/// A REVERSAL of subtype SYSTEM is our own record of a return; every other is a refund.
fn kind(sent: &proto::Transfer) -> TransferType {
    match sent.r#type() {
        proto::TransferType::Debit => TransferType::Debit,
        proto::TransferType::Credit => TransferType::Credit,
        proto::TransferType::Reversal if sent.subtype.eq_ignore_ascii_case("SYSTEM") => {
            TransferType::Other
        }
        proto::TransferType::Reversal => TransferType::Refund,
        proto::TransferType::Unspecified => TransferType::Other,
    }
}

/// The state of a transfer, in the rules' words.
pub fn state_from_proto(sent: proto::TransferState) -> TransferState {
    match sent {
        proto::TransferState::Unspecified => TransferState::Unknown,
        proto::TransferState::Pending => TransferState::Pending,
        proto::TransferState::Succeeded => TransferState::Succeeded,
        proto::TransferState::Failed => TransferState::Failed,
        proto::TransferState::Canceled => TransferState::Canceled,
        proto::TransferState::Returned => TransferState::Returned,
    }
}

/// A state of the rules as the contract has it.
pub fn state_to_proto(state: TransferState) -> proto::TransferState {
    match state {
        TransferState::Unknown => proto::TransferState::Unspecified,
        TransferState::Pending => proto::TransferState::Pending,
        TransferState::Succeeded => proto::TransferState::Succeeded,
        TransferState::Failed => proto::TransferState::Failed,
        TransferState::Canceled => proto::TransferState::Canceled,
        TransferState::Returned => proto::TransferState::Returned,
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "an adapter that another team wrote may leave the reason out"
)]
mod tests {
    use tonic::Status;
    use tonic_types::ErrorDetails;

    use super::*;

    fn error(status: Status) -> AdapterError {
        let adapter = Adapter::new("gateway", "http://127.0.0.1:1", Duration::from_secs(1), 99);
        adapter.unwrap().status("ApplyUpdates")(status)
    }

    fn with_reason(code: Code, reason: &str) -> AdapterError {
        let details = ErrorDetails::with_error_info(reason, REASONS, HashMap::new());
        error(Status::with_error_details(code, "why", details))
    }

    #[tokio::test]
    async fn the_cause_of_an_adapters_error_is_the_adapter_or_its_target() {
        let (outage, refusal) = (true, false);
        for (error, kind, is_outage) in [
            (
                error(Status::unavailable("x")),
                "ADAPTER_UNREACHABLE",
                outage,
            ),
            (
                error(Status::cancelled("Timeout expired")),
                "ADAPTER_UNREACHABLE",
                outage,
            ),
            (error(Status::unimplemented("x")), "TARGET_FAILED", refusal),
            (
                with_reason(Code::Unavailable, "TARGET_READ_ONLY"),
                "TARGET_READ_ONLY",
                outage,
            ),
            (
                with_reason(Code::Unavailable, "TARGET_UNAVAILABLE"),
                "TARGET_FAILED",
                outage,
            ),
            (
                with_reason(Code::FailedPrecondition, "MAPPING_FAULT"),
                "TARGET_FAILED",
                refusal,
            ),
        ] {
            assert_eq!(error.cause().kind(), kind, "{error}");
            assert_eq!(error.is_outage(), is_outage, "{error}");
        }
    }
}
