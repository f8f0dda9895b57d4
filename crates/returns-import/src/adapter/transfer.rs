//! Transfers and their keys: between the contract's types and those of the rules.

use ach::decision::{Parties, Transfer, TransferKeyKind, TransferState, TransferType};
use ach::money::Money;
use echeck_proto::adapter::v1 as proto;

use super::{Adapter, AdapterError};

impl Adapter {
    /// Turns a transfer of the contract into one of the rules.
    pub fn transfer(&self, sent: &proto::Transfer) -> Result<Transfer, AdapterError> {
        let wrong = |what: String| self.contract(format!("transfer {}: {what}", sent.id));
        let currency = sent.currency.parse();
        let currency = currency.map_err(|error| wrong(format!("{error}")))?;
        let settled_on = match sent.settlement_date.as_str() {
            "" => None,
            text => {
                let date = text.parse();
                Some(date.map_err(|error| wrong(format!("settlement_date {text:?}: {error}")))?)
            }
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

/// The state of a transfer, as the rules have it.
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
