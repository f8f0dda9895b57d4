//! Whether an id of an entry speaks against the transfer that another of its ids named.

use std::collections::BTreeMap;

use super::{EntryKey, MatchRule, Transfer, TransferKeyKind};
use crate::entry::{Entry, EntryKeys};

/// What a match rule found.
type Found<'a> = &'a (MatchRule, Vec<Transfer>);

/// The first id of `entry` that is not the id of `transfer`, in a sentence with both values.
/// `found` is what each rule found. An id that the transfer comes without says nothing.
pub(super) fn of(
    entry: &Entry,
    transfer: &Transfer,
    found: &[(MatchRule, Vec<Transfer>)],
) -> Option<String> {
    let mut by_key: BTreeMap<&str, Vec<Found<'_>>> = BTreeMap::new();
    for one in found {
        by_key.entry(one.0.entry.as_str()).or_default().push(one);
    }
    let named = by_key
        .values()
        .find_map(|rules| of_key(&entry.keys, transfer, rules, found));
    named.or_else(|| network_ids(&entry.keys, transfer, found))
}

/// One id of the entry, which may be any of several ids of the transfer.
fn of_key(
    keys: &EntryKeys,
    transfer: &Transfer,
    rules: &[Found<'_>],
    all: &[(MatchRule, Vec<Transfer>)],
) -> Option<String> {
    let (first, _) = rules.first()?;
    let value = first.value(keys)?;
    let has = |found: &[Transfer]| found.iter().any(|one| one.id == transfer.id);
    let carried: Vec<&str> = rules
        .iter()
        .filter_map(|(rule, _)| carried(rule.transfer, transfer))
        .collect();
    let agrees = rules.iter().any(|(_, found)| has(found))
        || carried
            .iter()
            .any(|theirs| is_same_id(first.entry, value, theirs));
    if agrees {
        return None;
    }
    let (name, id) = (first.entry.as_str().replace('_', " "), &transfer.id);
    if let Some(theirs) = carried.first() {
        return Some(format!(
            "the entry's {name} is {value}, but transfer {id} has {theirs}"
        ));
    }
    // A weak id may be shared, so it says nothing against an id that identifies.
    let is_identified = all
        .iter()
        .any(|(rule, found)| rule.transfer.identifies() && has(found));
    let other = rules.iter().find_map(|(_, found)| found.first());
    let other = &other.filter(|_| !is_identified)?.id;
    Some(format!(
        "the entry's {name} is {value}, which is transfer {other}'s, but its other ids name \
         transfer {id}"
    ))
}

/// The ids that are the network's or the acquirer's own mean the same on both sides, so they are compared
/// also where no rule looks them up. A rule may say that what came as the individual id or the payment id
/// is another id of ours.
fn network_ids(
    keys: &EntryKeys,
    transfer: &Transfer,
    found: &[(MatchRule, Vec<Transfer>)],
) -> Option<String> {
    let id = &transfer.id;
    let differs = |key, name: &str, given: Option<&str>, kind| {
        let (given, theirs) = (given?, carried(kind, transfer)?);
        (!is_same_id(key, given, theirs))
            .then(|| format!("the entry's {name} is {given}, but transfer {id} has {theirs}"))
    };
    let trace = keys.original_trace.as_deref();
    let is_looked_up = |key| found.iter().any(|(rule, _)| rule.entry == key);
    let individual_id = keys.individual_id.as_deref();
    let individual_id = individual_id.filter(|_| !is_looked_up(EntryKey::IndividualId));
    let payment_id = keys.payment_id.as_deref();
    let payment_id = payment_id.filter(|_| !is_looked_up(EntryKey::PaymentId));
    let trace = differs(
        EntryKey::OriginalTrace,
        "original trace",
        trace,
        TransferKeyKind::AchTrace,
    );
    trace
        .or_else(|| {
            differs(
                EntryKey::IndividualId,
                "individual id",
                individual_id,
                TransferKeyKind::IndividualId,
            )
        })
        .or_else(|| {
            differs(
                EntryKey::PaymentId,
                "payment id",
                payment_id,
                TransferKeyKind::PaymentId,
            )
        })
}

/// The id of that kind, where the transfer comes with it.
fn carried(kind: TransferKeyKind, transfer: &Transfer) -> Option<&str> {
    let id = match kind {
        TransferKeyKind::TransferId => Some(transfer.id.as_str()),
        TransferKeyKind::TraceId => Some(transfer.trace_id.as_str()),
        TransferKeyKind::AchTrace => transfer.ach_trace.as_deref(),
        TransferKeyKind::PaymentId => transfer.payment_id.as_deref(),
        TransferKeyKind::IndividualId => transfer.individual_id.as_deref(),
    };
    id.filter(|id| !id.is_empty())
}

/// Whether two ids are one: systems that treat a trace as a number drop its leading zeros, and
/// formats cut a long individual id off at 15 or 22 characters, and write it in capitals.
pub(crate) fn is_same_id(key: EntryKey, given: &str, theirs: &str) -> bool {
    given == theirs
        || match key {
            EntryKey::OriginalTrace => format!("{given:0>15}") == format!("{theirs:0>15}"),
            EntryKey::IndividualId => {
                let given = given.to_ascii_uppercase();
                let theirs = theirs.to_ascii_uppercase();
                given == theirs || matches!(given.len(), 15 | 22) && theirs.starts_with(&given)
            }
            EntryKey::PaymentId
            | EntryKey::OrderId
            | EntryKey::TransferRequestId
            | EntryKey::CheckSerialNumber => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_individual_id_is_the_same_when_its_format_cut_it_off_and_not_otherwise() {
        let is_same = |given, theirs| is_same_id(EntryKey::IndividualId, given, theirs);
        assert!(is_same("123456789012345", "1234567890123456"));
        assert!(!is_same("123456789012345", "9234567890123456"));
        assert!(!is_same("12345", "123456"));
        assert!(is_same(
            "AB-1234567890123",
            "ab-1234567890123456"[..16].trim()
        ));
        assert!(is_same("AB-123456789012", "ab-1234567890123"));
    }
}
