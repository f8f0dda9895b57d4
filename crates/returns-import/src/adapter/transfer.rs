//! Transfers and their keys: between the contract's types and those of the rules.

use ach::decision::{Parties, Transfer, TransferKeyKind, TransferState, TransferType};
use ach::money::Money;
use echeck_proto::adapter::v1 as proto;

/// A transfer on which no decision can rest. It holds the entries that name it, and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableTransfer {
    /// Its id, which may be empty.
    pub id: String,
    /// What cannot be used.
    pub why: String,
}

/// How much of an adapter's sentence about a transfer is kept.
const MAX_WHY_CHARS: usize = 500;
/// The longest id of a transfer.
const MAX_ID_BYTES: usize = 255;

impl UnreadableTransfer {
    fn new(sent: &proto::Transfer, why: &str) -> Self {
        Self {
            id: Some(&sent.id)
                .filter(|id| id.len() <= MAX_ID_BYTES)
                .cloned()
                .unwrap_or_default(),
            why: why.chars().take(MAX_WHY_CHARS).collect(),
        }
    }

    /// Turns a transfer of the contract into one of the rules. What an adapter does not see itself
    /// is found here.
    pub(super) fn or_transfer(sent: &proto::Transfer) -> Result<Transfer, Self> {
        let unreadable = |why: &str| Self::new(sent, why);
        if !sent.unreadable.is_empty() {
            return Err(unreadable(&sent.unreadable));
        }
        if !(1..=MAX_ID_BYTES).contains(&sent.id.len()) {
            let why = format!(
                "its id has {} bytes, not 1 to {MAX_ID_BYTES}",
                sent.id.len()
            );
            return Err(unreadable(&why));
        }
        if sent.amount_minor <= 0 {
            let why = format!("its amount is {}, which is not above 0", sent.amount_minor);
            return Err(unreadable(&why));
        }
        let currency = sent.currency.parse();
        let currency = currency.map_err(|error| unreadable(&format!("{error}")))?;
        let settled_on =
            match sent.settlement_date.as_str() {
                "" => None,
                text => Some(text.parse().map_err(|_| {
                    unreadable(&format!("its settlement date {text:?} is not a date"))
                })?),
            };
        let given = |id: &String| Some(id.clone()).filter(|id| !id.is_empty());
        Ok(Transfer {
            id: sent.id.clone(),
            kind: kind(sent),
            state: state_from_proto(sent.state()),
            in_deposit: sent.in_deposit,
            amount: Money::new(sent.amount_minor, currency),
            trace_id: sent.trace_id.clone(),
            payment_id: given(&sent.payment_id),
            ach_trace: given(&sent.ach_trace),
            individual_id: given(&sent.individual_id),
            settled_on,
            parties: Parties {
                merchant: sent.merchant_identity.clone(),
                application: sent.application.clone(),
                source: sent.source.clone(),
                destination: sent.destination.clone(),
                subtype: sent.subtype.clone(),
            },
            unnamed: sent.unnamed.chars().take(MAX_WHY_CHARS).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> proto::Transfer {
        proto::Transfer {
            id: "TR1".into(),
            amount_minor: 500,
            currency: "USD".into(),
            settlement_date: "2026-02-23".into(),
            ..proto::Transfer::default()
        }
    }

    type Change = fn(&mut proto::Transfer);

    #[test]
    fn what_no_decision_can_rest_on_is_found_whatever_the_adapter_says_of_it() {
        let read = |sent: &proto::Transfer| {
            UnreadableTransfer::or_transfer(sent).map_err(|unreadable| unreadable.why)
        };
        assert_eq!(read(&sent()).unwrap().amount, Money::cents(500));
        let odd: [(Change, &str); 6] = [
            (|sent| sent.unreadable = "column x".into(), "column x"),
            (|sent| sent.id.clear(), "its id has 0 bytes, not 1 to 255"),
            (
                |sent| sent.amount_minor = 0,
                "its amount is 0, which is not above 0",
            ),
            (
                |sent| sent.currency = "dollars".into(),
                "\"dollars\" is not a currency code of three letters",
            ),
            (
                |sent| sent.settlement_date = "soon".into(),
                "its settlement date \"soon\" is not a date",
            ),
            (
                |sent| sent.unreadable = "x".repeat(9_000),
                &"x".repeat(MAX_WHY_CHARS),
            ),
        ];
        for (change, why) in odd {
            let mut sent = sent();
            change(&mut sent);
            assert_eq!(read(&sent), Err(why.to_owned()));
        }
    }
}
