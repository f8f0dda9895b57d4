//! A transfer as the decision needs it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::money::Money;

/// What "funded to the merchant" means in a system of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundingPolicy {
    /// A debit that SUCCEEDED counts as funded, since it settles the next day (Finix).
    State,
    /// A debit counts as funded once it is in a deposit (Rainforest).
    Deposit,
}

/// The kinds of transfer that the decision tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferType {
    /// Takes money from the customer.
    Debit,
    /// Sends money: a payout or a funding instruction.
    Credit,
    /// Gives the customer's money back (a REVERSAL that is not our own record of a return).
    Refund,
    /// Anything else; nothing of it can be returned.
    Other,
}

/// The neutral states of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// Sent, and not yet known to have worked.
    Pending,
    /// Accepted by the network.
    Succeeded,
    /// Did not work.
    Failed,
    /// Taken back before it was sent.
    Canceled,
    /// Returned before it was funded.
    Returned,
    /// A state that the system of record's mapping does not name.
    Unknown,
}

/// A transfer as the system of record has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its id.
    pub id: String,
    /// What kind it is.
    pub kind: TransferType,
    /// Its state.
    pub state: TransferState,
    /// Whether it is in a deposit; `None` when the system of record has no such fact.
    pub in_deposit: Option<bool>,
    /// Its amount.
    pub amount: Money,
    /// The id we gave the acquirer.
    pub trace_id: String,
    /// The trace number of the original entry, where the system of record keeps it.
    pub ach_trace: Option<String>,
    /// When the original entry settled, where the system of record keeps it.
    pub settled_on: Option<NaiveDate>,
    /// Whose it is.
    pub parties: Parties,
}

/// Whose a transfer is, as the system of record says. No decision rests on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parties {
    /// The merchant's identity.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub merchant: String,
    /// The application (platform) it belongs to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub application: String,
    /// Who or what the money comes from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Where the money goes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub destination: String,
    /// The subtype, such as API or SETTLEMENT_MERCHANT.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subtype: String,
}

/// The facts that a decision rests on. The update's WHERE clause names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Expected {
    /// The state.
    pub state: TransferState,
    /// Whether it is in a deposit; `None` when that was no part of the decision.
    pub in_deposit: Option<bool>,
}

impl Expected {
    /// What a decision about `transfer` under `policy` rests on.
    #[must_use]
    pub fn of(transfer: &Transfer, policy: FundingPolicy) -> Self {
        let in_deposit = match policy {
            FundingPolicy::State => None,
            FundingPolicy::Deposit => transfer.in_deposit,
        };
        Self {
            state: transfer.state,
            in_deposit,
        }
    }
}
