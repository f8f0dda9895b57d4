//! Which transfer an entry is about. The source's match rules say which id of the entry
//! is which id of the transfer; this says what to make of the transfers they found.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::{Transfer, contradiction};
use crate::entry::{Entry, EntryKeys};
use crate::text_enum::text_enum;

text_enum! {
    /// An id of an entry that may be matched.
    EntryKey {
        /// The acquirer's id of the payment.
        PaymentId = "payment_id",
        /// Our id in the acquirer's records.
        OrderId = "order_id",
        /// Our id of a payout.
        TransferRequestId = "transfer_request_id",
        /// Trace number of the original entry.
        OriginalTrace = "original_trace",
        /// Individual identification number.
        IndividualId = "individual_id",
        /// Serial number of the check that the entry stands for.
        CheckSerialNumber = "check_serial_number",
    }
}

text_enum! {
    /// An id of a transfer that may be matched.
    TransferKeyKind {
        /// Its own id.
        TransferId = "transfer_id",
        /// The id we gave the acquirer.
        TraceId = "trace_id",
        /// The acquirer's id of the payment.
        PaymentId = "payment_id",
        /// The ACH trace number of the original entry.
        AchTrace = "ach_trace",
        /// The individual identification number sent with the entry.
        IndividualId = "individual_id",
    }
}

impl TransferKeyKind {
    /// Whether one value names one payment for good. Trace numbers wrap and are shared by
    /// originators (Nacha Appendix Three); individual ids are cut to fifteen characters.
    pub const fn identifies(self) -> bool {
        match self {
            Self::TransferId | Self::TraceId | Self::PaymentId => true,
            Self::AchTrace | Self::IndividualId => false,
        }
    }
}

/// "This id of the entry is that id of the transfer", written `order_id:trace_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MatchRule {
    /// The entry's id.
    pub entry: EntryKey,
    /// The transfer's id.
    pub transfer: TransferKeyKind,
}

impl MatchRule {
    /// The value that this rule looks up for `entry`.
    pub fn value<'a>(&self, keys: &'a EntryKeys) -> Option<&'a str> {
        self.entry.of(keys)
    }
}

impl EntryKey {
    /// The id among those of an entry.
    pub(super) fn of(self, keys: &EntryKeys) -> Option<&str> {
        match self {
            Self::PaymentId => keys.payment_id.as_deref(),
            Self::OrderId => keys.order_id.as_deref(),
            Self::TransferRequestId => keys.transfer_request_id.as_deref(),
            Self::OriginalTrace => keys.original_trace.as_deref(),
            Self::IndividualId => keys.individual_id.as_deref(),
            Self::CheckSerialNumber => keys.check_serial_number.as_deref(),
        }
    }
}

/// A match rule that is not `ENTRY_ID:TRANSFER_ID` with known names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a valid match rule; write ENTRY_ID:TRANSFER_ID with payment_id, order_id, \
     transfer_request_id, original_trace, individual_id or check_serial_number before the colon, \
     and transfer_id, trace_id, payment_id, ach_trace or individual_id after it"
)]
pub struct BadMatchRule(pub String);

impl FromStr for MatchRule {
    type Err = BadMatchRule;

    fn from_str(text: &str) -> Result<Self, BadMatchRule> {
        let (entry, transfer) = text.split_once(':').unwrap_or((text, ""));
        let (entry, transfer) = (entry.trim(), transfer.trim());
        let entry = EntryKey::ALL.iter().find(|key| key.as_str() == entry);
        let transfer = TransferKeyKind::ALL
            .iter()
            .find(|key| key.as_str() == transfer);
        match (entry, transfer) {
            (Some(&entry), Some(&transfer)) => Ok(Self { entry, transfer }),
            (None, _) | (_, None) => Err(BadMatchRule(text.to_owned())),
        }
    }
}

impl fmt::Display for MatchRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.entry, self.transfer)
    }
}

/// Which transfer an entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// None that the system of record knows.
    Unknown,
    /// This one.
    One(Transfer),
    /// More than one: their ids.
    Ambiguous(Vec<String>),
    /// This one, but another id of the entry is not its.
    Contradicted {
        /// The transfer that an id named.
        transfer: Transfer,
        /// Which id is another, with both values.
        why: String,
    },
    /// The system of record has it, but not in a form on which a decision can rest.
    Unreadable {
        /// The ids of the transfers that may be meant, where they have one.
        ids: Vec<String>,
        /// What cannot be used.
        why: String,
    },
}

/// Settles which transfer `entry` is about from what each rule found, in the order of the
/// rules.
///
/// Ids that identify a payment must all agree: if two of them name different transfers the
/// answer is ambiguous, never the first. The weaker ids (trace number, individual id) count
/// only when none of the others finds anything, one rule at a time. Of several transfers with
/// the same weak id, the one with the entry's amount is meant, if it is the only one.
///
/// A transfer that was found by one id and is contradicted by another is never settled.
pub fn resolve(entry: &Entry, found: &[(MatchRule, Vec<Transfer>)]) -> Resolution {
    match named(entry, found) {
        Resolution::One(transfer) => match contradiction::of(entry, &transfer, found) {
            Some(why) => Resolution::Contradicted { transfer, why },
            None => Resolution::One(transfer),
        },
        unsettled => unsettled,
    }
}

/// The transfer that the ids name, before the other ids are compared with it.
fn named(entry: &Entry, found: &[(MatchRule, Vec<Transfer>)]) -> Resolution {
    let strong: Vec<&Transfer> = found
        .iter()
        .filter(|(rule, _)| rule.transfer.identifies())
        .flat_map(|(_, transfers)| transfers)
        .collect();
    if !strong.is_empty() {
        return one_of(&strong);
    }
    let Some((_, transfers)) = found.iter().find(|(_, transfers)| !transfers.is_empty()) else {
        return Resolution::Unknown;
    };
    let all: Vec<&Transfer> = transfers.iter().collect();
    let amount = entry.amount_to_match();
    let fitting: Vec<&Transfer> = all
        .iter()
        .copied()
        .filter(|transfer| Some(transfer.amount) == amount)
        .collect();
    match one_of(&all) {
        Resolution::Ambiguous(ids) => match one_of(&fitting) {
            Resolution::One(transfer) => Resolution::One(transfer),
            Resolution::Unknown
            | Resolution::Ambiguous(_)
            | Resolution::Contradicted { .. }
            | Resolution::Unreadable { .. } => Resolution::Ambiguous(ids),
        },
        settled @ (Resolution::One(_)
        | Resolution::Unknown
        | Resolution::Contradicted { .. }
        | Resolution::Unreadable { .. }) => settled,
    }
}

fn one_of(transfers: &[&Transfer]) -> Resolution {
    let ids: BTreeSet<&str> = transfers
        .iter()
        .map(|transfer| transfer.id.as_str())
        .collect();
    match transfers.first() {
        None => Resolution::Unknown,
        Some(first) if ids.len() == 1 => Resolution::One((*first).clone()),
        Some(_) => Resolution::Ambiguous(ids.into_iter().map(str::to_owned).collect()),
    }
}
