//! Which transfer an entry is about: the keys by which it is looked up in the system of record,
//! and what was found.

use ach::decision::{Resolution, Transfer, TransferKeyKind, resolve};

use super::EntryToDecide;
use crate::adapter::{Adapter, AdapterError, Lookup};

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
        None => one
            .source
            .rules
            .iter()
            .filter_map(|rule| {
                let value = rule.value(&one.entry.keys)?;
                Some((rule.transfer, value.to_owned()))
            })
            .collect(),
    }
}

/// Which of the transfers that were found the entry is about.
pub(super) fn resolution(one: &EntryToDecide<'_>, lookup: &Lookup) -> Resolution {
    let find = |kind: TransferKeyKind, value: &str| -> Vec<Transfer> {
        let found = lookup.found.get(&(kind, value.to_owned()));
        found.cloned().unwrap_or_default()
    };
    if let Some(id) = one.transfer_id {
        let mut found = find(TransferKeyKind::TransferId, id);
        return match found.len() {
            0 => Resolution::Unknown,
            1 => Resolution::One(found.remove(0)),
            _ => Resolution::Ambiguous(found.into_iter().map(|transfer| transfer.id).collect()),
        };
    }
    let found: Vec<_> = one
        .source
        .rules
        .iter()
        .filter_map(|rule| {
            let value = rule.value(&one.entry.keys)?;
            Some((*rule, find(rule.transfer, value)))
        })
        .collect();
    resolve(one.entry, &found)
}
