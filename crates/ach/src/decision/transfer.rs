//! A transfer as the decision needs it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::entry::Direction;
use crate::money::Money;
use crate::text_enum::text_enum;

/// What "funded to the merchant" means in a system of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundingPolicy {
    /// A debit that SUCCEEDED counts as funded, since it settles the next day (Finix).
    State,
    /// A debit counts as funded once it is in a deposit (Rainforest).
    Deposit,
}

text_enum! {
    /// The types of transfer that the decision distinguishes.
    TransferType {
        /// Takes money from the customer.
        Debit = "debit",
        /// Sends money: a payout or a funding instruction.
        Credit = "credit",
        /// Gives the customer's money back (a REVERSAL that is not our own record of a return).
        Refund = "refund",
        /// Anything else; it cannot be returned.
        Other = "other",
    }
}

impl TransferType {
    /// Which way its money goes; unknown for other types.
    pub(crate) const fn direction(self) -> Direction {
        match self {
            Self::Debit => Direction::Debit,
            Self::Credit | Self::Refund => Direction::Credit,
            Self::Other => Direction::Unknown,
        }
    }

    /// The type in a sentence.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Debit => "a debit",
            Self::Credit => "a credit",
            Self::Refund => "a refund",
            Self::Other => "neither a debit, a credit nor a refund",
        }
    }
}

text_enum! {
    /// The neutral states of a transfer.
    TransferState {
        /// Sent; its outcome is not known yet.
        Pending = "pending",
        /// Accepted by the network.
        Succeeded = "succeeded",
        /// Not accepted.
        Failed = "failed",
        /// Taken back before it was sent.
        Canceled = "canceled",
        /// Returned before it was funded.
        Returned = "returned",
        /// A state that the system of record's mapping does not name.
        Unknown = "unknown",
    }
}

/// A transfer as the system of record has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: TransferType,
    /// Its state.
    pub state: TransferState,
    /// Whether it is in a deposit; `None` when the system of record has no such fact.
    pub in_deposit: Option<bool>,
    /// Its amount.
    pub amount: Money,
    /// The id we gave the acquirer.
    pub trace_id: String,
    /// The acquirer's id of the payment, where the system of record has it.
    pub payment_id: Option<String>,
    /// The trace number of the original entry, where the system of record has it.
    pub ach_trace: Option<String>,
    /// The individual identification number that was sent, where the system of record has it.
    pub individual_id: Option<String>,
    /// When the original entry settled, where the system of record has it.
    pub settled_on: Option<NaiveDate>,
    /// The parties to it.
    pub parties: Parties,
    /// The type or the state that the system of record's mapping does not name, in a sentence for
    /// people; empty when it names both.
    pub unnamed: String,
}

/// The parties to a transfer, as the system of record says. No decision rests on them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parties {
    /// The merchant's identity.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub merchant: String,
    /// The application (platform) it belongs to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub application: String,
    /// Where the money comes from.
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
    /// Whether it is in a deposit; `None` when the decision does not rest on it.
    pub in_deposit: Option<bool>,
}

impl Expected {
    /// What a decision about `transfer` under `policy` rests on.
    pub(super) fn of(transfer: &Transfer, policy: FundingPolicy) -> Self {
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
