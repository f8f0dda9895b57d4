//! Whether our bank may dishonor a return, why, and until when.
//!
//! Every return is checked against its deadline and against the original that it claims to
//! return. Source: Nacha Operating Rules 2013, Appendix 4 (R61 to R70) and §2.12.5.
//!
//! An entry can have several grounds, but a dishonor names one code. The strongest comes first:
//! the one that the customer's bank can answer least.
//! 1. **R61**, misrouted: the entry is not addressed to us at all.
//! 2. **R67**, duplicate: the money was taken twice, and another return stands.
//! 3. **R68**, untimely: two dates that both banks can see.
//! 4. **R69**, wrong fields: the other bank may simply correct them (R74).
//!
//! Of R69's seven fields these can be checked: 02 (original trace, where the system of record
//! has it), 03 (amount), 04 (individual id, where a match rule of the source says which of the
//! transfer's ids it was), 05 (transaction code, as far as it says debit or credit), 06 (company
//! id, where the source's settings name ours). 01 cannot, because account numbers are never
//! stored. 07 cannot, because the system of record has the day an entry settled and not the
//! effective date that was asked for.
//!
//! R62 (an entry was reversed and one of the two returned) rests on what only people know. It is
//! found only as something to check, where the returned entry is our own REVERSAL. R70 (R06 or R31,
//! though our bank neither asked nor agreed) is never found: a mark on each R06 would be wrong
//! nearly always.
//!
//! Nothing is found for what cannot be dishonored: IAT entries, what the ACH operator, a federal
//! agency or a gateway sent back, unknown codes, and everything that is not a return. Nothing is
//! found for a return whose day is unknown either, because its last day would be a guess.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::code::{Initiator, ReturnCode, ReturnStage};
use crate::deadline::{last_dishonor_day, return_deadline};
use crate::decision::{EntryKey, MatchRule, PriorDecision, Transfer, TransferKeyKind, is_same_id};
use crate::entry::{Direction, Entry};

/// Why a return may be dishonored, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DishonorGround {
    /// R61, R62, R67, R68 or R69.
    pub code: ReturnCode,
    /// For R69 the fields as its addenda lists them, such as `03*06`; otherwise empty.
    pub fields: String,
    /// The last banking day on which the dishonor may go to the operator: the fifth after the
    /// return settled.
    pub last_day: NaiveDate,
    /// The facts, in a sentence.
    pub why: String,
}

/// What is known of the originator: us. It is the same for every entry.
#[derive(Debug, Clone, Copy, Default)]
pub struct Originator<'a> {
    /// The routing numbers of our bank, the first eight digits of each; empty when unknown.
    pub odfi_routing: &'a [String],
    /// The company identifications under which we send; empty when unknown.
    pub company_ids: &'a [String],
    /// Which id of an entry is which id of a transfer.
    pub rules: &'a [MatchRule],
}

/// The grounds on which `entry` may be dishonored, strongest first; mostly none.
///
/// `transfer` is the original, when it is known. `prior` is the return of it that stands
/// already, when this one is a second, different one.
pub fn dishonorable(
    entry: &Entry,
    transfer: Option<&Transfer>,
    ours: Originator<'_>,
    prior: Option<&PriorDecision>,
) -> Vec<DishonorGround> {
    let Some(code) = dishonorable_code(entry) else {
        return Vec::new();
    };
    if entry.is_of_reversal() {
        return of_reversal(entry, ours);
    }
    let found = [
        misrouted(entry, ours).map(|why| (ReturnCode::R61, String::new(), why)),
        prior.map(|prior| (ReturnCode::R67, String::new(), duplicate(prior))),
        transfer
            .and_then(|transfer| untimely(code, entry, transfer))
            .map(|why| (ReturnCode::R68, String::new(), why)),
        transfer
            .and_then(|transfer| wrong_fields(entry, transfer, ours))
            .map(|(fields, why)| (ReturnCode::R69, fields, why)),
    ];
    with_last_day(entry, found.into_iter().flatten())
}

/// The return of one of our own reversals. What it differs in from the payment says nothing, since
/// it returns another entry, and one that settled on another day.
///
/// R62 is for a receiver who keeps money by it: the bank returned the debit with which we took back
/// a credit. Whether that credit still stands only people know. Source: Nacha Operating Rules,
/// Appendix Four, R62.
fn of_reversal(entry: &Entry, ours: Originator<'_>) -> Vec<DishonorGround> {
    let is_of_debit = entry.direction == Direction::Debit;
    let unintended = is_of_debit.then(|| {
        "the bank returned our REVERSAL, a debit that takes back a credit; a person must check \
         whether the receiver keeps that credit"
            .to_owned()
    });
    let found = [
        misrouted(entry, ours).map(|why| (ReturnCode::R61, String::new(), why)),
        unintended.map(|why| (ReturnCode::R62, String::new(), why)),
    ];
    with_last_day(entry, found.into_iter().flatten())
}

/// The grounds with the last day for them; none where that is not known.
fn with_last_day(
    entry: &Entry,
    found: impl Iterator<Item = (ReturnCode, String, String)>,
) -> Vec<DishonorGround> {
    let mut found = found.peekable();
    // Most returns have no ground, and counting banking days takes time.
    let last_day = found.peek().and_then(|_| return_day(entry));
    let Some(last_day) = last_day.and_then(last_dishonor_day) else {
        return Vec::new();
    };
    found
        .map(|(code, fields, why)| DishonorGround {
            code,
            fields,
            last_day,
            why,
        })
        .collect()
}

/// The day from which the five banking days are counted: the return's settlement date. In a file
/// without one it is the day on which the customer's bank issued the return, or the acquirer
/// received it. The earlier of the two counts, so that no day is promised that may be too late.
fn return_day(entry: &Entry) -> Option<NaiveDate> {
    entry
        .settlement_date
        .or_else(|| match (entry.issued_on, entry.received_on) {
            (Some(issued), Some(received)) => Some(issued.min(received)),
            (one, other) => one.or(other),
        })
}

/// The entry's code, if a return with it can be dishonored.
fn dishonorable_code(entry: &Entry) -> Option<ReturnCode> {
    if !entry.kind.is_return() || entry.is_international() {
        return None;
    }
    let code = entry.kind.return_code()?;
    let by_bank = match code.info().initiated_by {
        Initiator::Rdfi | Initiator::RdfiOrGateway => true,
        Initiator::AchOperator
        | Initiator::FederalAgency
        | Initiator::Gateway
        | Initiator::Odfi => false,
    };
    (by_bank && code.info().stage == ReturnStage::Return).then_some(code)
}

/// Whether the entry is addressed to a bank that is not ours, or returns an entry of one. Our
/// bank is the one that the source names. Without it, the entry and its original must at least
/// agree.
fn misrouted(entry: &Entry, ours: Originator<'_>) -> Option<String> {
    let addressed = entry.odfi.as_deref()?;
    let originated = entry.keys.original_trace.as_deref().and_then(bank_of_trace);
    let is_ours = |bank: &str| ours.odfi_routing.iter().any(|own| own == bank);
    if ours.odfi_routing.is_empty() {
        let originated = originated.filter(|bank| *bank != addressed)?;
        return Some(format!(
            "the return is addressed to bank {addressed}, but its original trace is of bank \
             {originated}"
        ));
    }
    if !is_ours(addressed) {
        let own = ours.odfi_routing.join(", ");
        return Some(format!(
            "the return is addressed to bank {addressed}, but ours is {own}"
        ));
    }
    foreign_bank(originated?, ours)
}

/// The first eight digits of a trace number: the bank that sent the entry.
fn bank_of_trace(trace: &str) -> Option<&str> {
    let is_trace = trace.len() == 15 && trace.bytes().all(|byte| byte.is_ascii_digit());
    trace.get(..8).filter(|_| is_trace)
}

fn duplicate(prior: &PriorDecision) -> String {
    let code = prior.kind.code().map(|(code, _)| code).unwrap_or_default();
    let trace = prior.keys.return_trace.as_ref();
    let trace = trace.map_or_else(String::new, |trace| format!(", return trace {trace}"));
    let id = &prior.return_id;
    format!("another return of this payment already stands: {id} ({code}{trace})")
}

/// Whether it settled after its deadline. Only settlement dates count here: the day on which the
/// acquirer received a return does not show when the bank did.
fn untimely(code: ReturnCode, entry: &Entry, transfer: &Transfer) -> Option<String> {
    let settled = entry.settlement_date?;
    let original = entry.original_settled_on(transfer.settled_on)?;
    let by = match transfer.settled_on {
        Some(recorded) if recorded == original => "",
        Some(_) | None => " (by the file's date)",
    };
    let deadline = return_deadline(code.as_of(settled), original)?;
    let due = deadline.available_by;
    deadline.is_past(settled).then(|| {
        format!(
            "the original settled on {original}{by}, so {code} was due by {due}; the return \
             settled on {settled}"
        )
    })
}

/// The fields that differ from the original, as R69 lists them, and what they say.
fn wrong_fields(
    entry: &Entry,
    transfer: &Transfer,
    ours: Originator<'_>,
) -> Option<(String, String)> {
    let wrong = [
        wrong_trace(entry, transfer).map(|why| ("02", why)),
        wrong_amount(entry, transfer).map(|why| ("03", why)),
        wrong_individual_id(entry, transfer, ours).map(|why| ("04", why)),
        wrong_direction(entry, transfer).map(|why| ("05", why)),
        wrong_company(entry, ours).map(|why| ("06", why)),
    ];
    if wrong.iter().all(Option::is_none) {
        return None;
    }
    let (fields, why): (Vec<&str>, Vec<String>) = wrong.into_iter().flatten().unzip();
    Some((fields.join("*"), why.join("; ")))
}

fn wrong_trace(entry: &Entry, transfer: &Transfer) -> Option<String> {
    let given = entry.keys.original_trace.as_deref()?;
    let sent = transfer.ach_trace.as_deref()?;
    // Systems that treat a trace as a number drop its leading zeros.
    let padded = |trace: &str| format!("{trace:0>15}");
    let id = &transfer.id;
    (given != sent && padded(given) != padded(sent))
        .then(|| format!("the original trace is {given}, but transfer {id} has {sent}"))
}

/// An amount of zero is a returned prenote: it returns another entry than the payment, and
/// nothing in it is wrong. Amounts in different currencies cannot be compared.
fn wrong_amount(entry: &Entry, transfer: &Transfer) -> Option<String> {
    let given = entry.amount_to_match()?;
    let (id, sent) = (&transfer.id, transfer.amount);
    let differs = given != sent && given.currency() == sent.currency() && given.minor() != 0;
    differs.then(|| format!("the amount is {given}, but transfer {id} has {sent}"))
}

/// The id may be any of several of ours.
fn wrong_individual_id(entry: &Entry, transfer: &Transfer, ours: Originator<'_>) -> Option<String> {
    let given = entry.keys.individual_id.as_deref()?;
    let id = transfer.id.as_str();
    let mut sent = Vec::new();
    for rule in ours
        .rules
        .iter()
        .filter(|rule| rule.entry == EntryKey::IndividualId)
    {
        sent.push(match rule.transfer {
            TransferKeyKind::TransferId => id,
            TransferKeyKind::TraceId => transfer.trace_id.as_str(),
            TransferKeyKind::AchTrace => transfer.ach_trace.as_deref()?,
            // The transfer comes without them, so it may be one of these.
            TransferKeyKind::PaymentId | TransferKeyKind::IndividualId => return None,
        });
    }
    let is_one = sent
        .iter()
        .any(|one| is_same_id(EntryKey::IndividualId, given, one));
    let first = sent.first().filter(|_| !is_one)?;
    Some(format!(
        "the individual id is {given}, but transfer {id} has {first}"
    ))
}

fn wrong_direction(entry: &Entry, transfer: &Transfer) -> Option<String> {
    let (direction, kind) = (entry.direction, transfer.kind);
    let (id, noun) = (&transfer.id, kind.noun());
    direction.contradicts(kind.direction()).then(|| {
        format!("the transaction code is that of a {direction}, but transfer {id} is {noun}")
    })
}

/// Why we did not send the original of `entry`: another company or another bank did. Its ids may
/// name a payment of ours all the same.
pub fn foreign_original(entry: &Entry, ours: Originator<'_>) -> Option<String> {
    wrong_company(entry, ours).or_else(|| {
        let trace = entry.keys.original_trace.as_deref()?;
        foreign_bank(bank_of_trace(trace)?, ours)
    })
}

/// The bank of an original trace, where ours are known and it is none of them.
fn foreign_bank(originated: &str, ours: Originator<'_>) -> Option<String> {
    let known = ours.odfi_routing;
    let is_foreign = !known.is_empty() && known.iter().all(|own| own != originated);
    is_foreign.then(|| {
        let own = known.join(", ");
        format!("the original trace is of bank {originated}, but ours is {own}")
    })
}

fn wrong_company(entry: &Entry, ours: Originator<'_>) -> Option<String> {
    let given = entry.keys.company_id.as_ref()?;
    let is_foreign = !ours.company_ids.is_empty() && !ours.company_ids.contains(given);
    let own = || ours.company_ids.join(", ");
    is_foreign.then(|| format!("the company id is {given}, but ours is {}", own()))
}

#[cfg(test)]
mod tests;
