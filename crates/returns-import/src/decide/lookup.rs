//! Which transfer an entry is about: the keys by which it is looked up in the system of record,
//! and what was found.

use ach::decision::{MatchRule, Resolution, TransferKeyKind, resolve};
use ach::dishonor::foreign_original;
use ach::format::Format;

use super::EntryToDecide;
use crate::adapter::{Adapter, AdapterError, FoundTransfers, Lookup};

/// Looks up what all entries name, each key once: the same one may stand on many lines.
pub(crate) async fn look_up(
    system_of_record: &Adapter,
    entries: &[EntryToDecide<'_>],
) -> Result<Lookup, AdapterError> {
    let mut keys: Vec<(TransferKeyKind, String)> = entries.iter().flat_map(keys_of).collect();
    keys.sort_by(|a, b| (a.0 as u8, &a.1).cmp(&(b.0 as u8, &b.1)));
    keys.dedup();
    system_of_record.lookup(&keys).await
}

/// The key by which an entry is looked up, or all of them.
fn keys_of(one: &EntryToDecide<'_>) -> Vec<(TransferKeyKind, String)> {
    match one.transfer_id {
        Some(id) => vec![(TransferKeyKind::TransferId, id.to_owned())],
        None => rules_of(one)
            .filter_map(|rule| {
                let value = rule.value(&one.entry.keys)?;
                (!value.is_empty()).then(|| (rule.transfer, value.to_owned()))
            })
            .collect(),
    }
}

/// The rules by which an entry is about a transfer. An entry of zero is a prenote in a NACHA file, which is
/// about none. Elsewhere an amount may be zero for want of one, so its ids count; but not the customer's
/// id, which finds every payment of theirs.
fn rules_of<'a>(one: &EntryToDecide<'a>) -> impl Iterator<Item = &'a MatchRule> {
    let is_prenote = one.entry.is_prenote();
    let is_nacha = matches!(one.source.format, Format::Nacha(_));
    one.source.rules.iter().filter(move |rule| {
        !is_prenote || !is_nacha && rule.transfer != TransferKeyKind::IndividualId
    })
}

/// Which of the transfers that were found the entry is about.
pub(super) fn resolution(one: &EntryToDecide<'_>, lookup: &Lookup) -> Resolution {
    let find = |kind: TransferKeyKind, value: &str| -> FoundTransfers {
        let found = lookup.found.get(&(kind, value.to_owned()));
        found.cloned().unwrap_or_default()
    };
    if let Some(id) = one.transfer_id {
        let mut found = find(TransferKeyKind::TransferId, id);
        if let Some(unreadable) = unreadable(&found) {
            return unreadable;
        }
        let transfers = &mut found.transfers;
        return match transfers.len() {
            0 => Resolution::Unknown,
            1 => Resolution::One(transfers.remove(0)),
            _ => Resolution::Ambiguous(transfers.drain(..).map(|transfer| transfer.id).collect()),
        };
    }
    let found: Vec<_> = rules_of(one)
        .filter_map(|rule| {
            let value = rule.value(&one.entry.keys)?;
            Some((*rule, find(rule.transfer, value)))
        })
        .collect();
    let transfers = || {
        let found = found.iter();
        let transfers = found.map(|(rule, found)| (*rule, found.transfers.clone()));
        transfers.collect::<Vec<_>>()
    };
    unreadable_in(&found)
        .or_else(|| too_many(&found))
        .unwrap_or_else(|| ours_alone(one, resolve(one.entry, &transfers())))
}

/// An entry whose original another company or another bank sent is about no payment of ours, though
/// one has its ids.
fn ours_alone(one: &EntryToDecide<'_>, resolution: Resolution) -> Resolution {
    let transfer = match resolution {
        Resolution::One(transfer) => transfer,
        unsettled @ (Resolution::Unknown
        | Resolution::Ambiguous(_)
        | Resolution::Contradicted { .. }
        | Resolution::Unreadable { .. }) => return unsettled,
    };
    match foreign_original(one.entry, one.source.originator()) {
        Some(why) => {
            let why = format!("{why}; its ids name transfer {}", transfer.id);
            Resolution::Contradicted { transfer, why }
        }
        None => Resolution::One(transfer),
    }
}

/// A key that names more transfers than an adapter lists. The one that is meant may be among the
/// others, so no amount settles which it is.
fn too_many(found: &[(MatchRule, FoundTransfers)]) -> Option<Resolution> {
    let counting = counting(found);
    let cut = counting.iter().find(|found| found.more)?;
    let listed = cut.transfers.iter().map(|transfer| transfer.id.clone());
    Some(Resolution::Ambiguous(listed.collect()))
}

/// What the keys that count have found. As in [`resolve`], the weaker ids count only where no other
/// finds anything, and then the first that does.
fn counting(found: &[(MatchRule, FoundTransfers)]) -> Vec<&FoundTransfers> {
    let found = || found.iter().filter(|(_, found)| !found.is_empty());
    let strong = found().filter(|(rule, _)| rule.transfer.identifies());
    let strong: Vec<_> = strong.map(|(_, found)| found).collect();
    if !strong.is_empty() {
        return strong;
    }
    found().take(1).map(|(_, found)| found).collect()
}

/// Whether a transfer that the entry may be about cannot be read.
fn unreadable_in(found: &[(MatchRule, FoundTransfers)]) -> Option<Resolution> {
    counting(found).into_iter().find_map(unreadable)
}

fn unreadable(found: &FoundTransfers) -> Option<Resolution> {
    let first = found.unreadable.first()?;
    let readable = found.transfers.iter().map(|transfer| &transfer.id);
    let odd = found.unreadable.iter().map(|odd| &odd.id);
    let ids = readable.chain(odd).filter(|id| !id.is_empty());
    Some(Resolution::Unreadable {
        ids: ids.cloned().collect(),
        why: first.why.clone(),
    })
}

#[cfg(test)]
mod tests {
    use ach::code::ReturnCode;
    use ach::decision::FundingPolicy;
    use ach::entry::{Coded, Entry, EntryKind, FilePosition};
    use ach::format::nacha::Tolerance;
    use ach::format::{Format, worldpay};
    use ach::money::Money;
    use echeck_proto::adapter::v1 as proto;

    use super::*;
    use crate::source::{Ours, Source};

    /// What a rule found: transfers with these ids, of which one without an id cannot be read.
    fn found(rule: &str, ids: &[&str]) -> (MatchRule, FoundTransfers) {
        let sent = ids.iter().map(|id| proto::Transfer {
            id: (*id).to_owned(),
            amount_minor: 500,
            currency: "USD".to_owned(),
            ..proto::Transfer::default()
        });
        let transfers = sent.collect();
        let sent = proto::KeyMatches {
            transfers,
            more: false,
        };
        (rule.parse().unwrap(), FoundTransfers::new(&sent))
    }

    #[test]
    fn an_unreadable_transfer_counts_where_its_key_counts() {
        let (strong, weak) = ("payment_id:payment_id", "individual_id:individual_id");
        let held = |found: &[_]| match unreadable_in(found) {
            Some(Resolution::Unreadable { ids, .. }) => Some(ids),
            Some(other) => panic!("{other:?}"),
            None => None,
        };
        assert_eq!(held(&[found(strong, &[""])]), Some(vec![]));
        // It may be the one that is meant.
        let both = [found(strong, &["TR1", ""])];
        assert_eq!(held(&both), Some(vec!["TR1".to_owned()]));
        assert_eq!(
            held(&[found(strong, &[]), found(weak, &[""])]),
            Some(vec![])
        );
        // A key that others share says nothing where another names the transfer.
        assert_eq!(held(&[found(strong, &["TR1"]), found(weak, &[""])]), None);
        assert_eq!(held(&[found(strong, &[]), found(weak, &[])]), None);
    }

    #[test]
    fn a_key_of_more_transfers_than_are_listed_settles_nothing() {
        let (strong, weak) = ("payment_id:payment_id", "individual_id:individual_id");
        let mut many = found(weak, &["TR1", "TR2"]);
        many.1.more = true;
        let all = Resolution::Ambiguous(vec!["TR1".to_owned(), "TR2".to_owned()]);
        assert_eq!(too_many(&[found(strong, &[]), many.clone()]), Some(all));
        // A key that identifies does not need it.
        assert_eq!(too_many(&[found(strong, &["TR1"]), many]), None);
        assert_eq!(too_many(&[found(weak, &["TR1", "TR2"])]), None);
    }

    #[test]
    fn a_returned_prenote_is_not_looked_up_but_an_amount_of_zero_in_another_format_is() {
        let mut source = Source {
            name: "bank".to_owned(),
            format: Format::Delimited(Box::new(worldpay::echeck_return())),
            rules: ["original_trace:ach_trace", "individual_id:individual_id"]
                .map(|rule| rule.parse().unwrap())
                .to_vec(),
            ours: Ours::default(),
            role: crate::source::Role::Decide,
            is_conforming: true,
            allow_empty: Vec::new(),
        };
        let kind = EntryKind::Return {
            code: Coded::Known(ReturnCode::R03),
            date_of_death: None,
        };
        let mut entry = Entry::new(FilePosition { line: 1, byte: 0 }, kind);
        entry.keys.original_trace = Some("231380100000017".to_owned());
        entry.amount = Some(Money::cents(5_000));
        entry.keys.individual_id = Some("C-1".to_owned());
        assert_eq!(keys_of(&EntryToDecide::of_entry(&entry, &source)).len(), 2);
        entry.amount = Some(Money::cents(0));
        let keys = keys_of(&EntryToDecide::of_entry(&entry, &source));
        assert_eq!(
            keys,
            [(TransferKeyKind::AchTrace, "231380100000017".to_owned())]
        );
        source.format = Format::Nacha(Tolerance::default());
        assert_eq!(keys_of(&EntryToDecide::of_entry(&entry, &source)), []);
        // Nor is it about what another entry of the batch was looked up by.
        let key = (TransferKeyKind::AchTrace, "231380100000017".to_owned());
        let (_, of_another) = found("original_trace:ach_trace", &["TR1"]);
        let lookup = Lookup {
            policy: FundingPolicy::State,
            found: [(key, of_another)].into(),
        };
        let one = EntryToDecide::of_entry(&entry, &source);
        assert_eq!(resolution(&one, &lookup), Resolution::Unknown);
    }
}
