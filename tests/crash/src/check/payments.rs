//! The payments in both databases: effects counted, states, money and what was made of each
//! compared with the oracle, and the two databases with each other.

use std::collections::{HashMap, HashSet};

use super::entries::Acted;
use super::snapshot::{Row, Snapshot};
use super::{Findings, Invariant};
use crate::oracle::{Effect, Facts, Look, Made, look};
use crate::rig::Rig;
use crate::world::{InMirror, Kind, Transfer};

/// What the owner did about a payment.
pub(super) fn facts(snapshot: &Snapshot, transfer: &Transfer) -> Facts {
    let row = snapshot.transfers.get(&transfer.id);
    Facts {
        exists: row.is_some(),
        owner_acted: row.is_some_and(|row| row.owner_acted),
    }
}

pub(super) fn check(snapshot: &Snapshot, rig: &Rig, acted: &Acted, findings: &mut Findings) {
    let effects = Effects::of(snapshot);
    effects.check(snapshot, findings);
    let mut taken_minor = (0_i64, 0_i64);
    for transfer in rig.world.files().iter().flat_map(|file| &file.transfers) {
        let facts = facts(snapshot, transfer);
        let standing = acted.get(&transfer.id).map_or(&[][..], Vec::as_slice);
        let look = look(rig.world.policy, transfer, facts, standing);
        if facts.exists {
            gateway(snapshot, transfer, &look, findings);
            made(snapshot, &effects, transfer, &look, findings);
        }
        mirror(snapshot, transfer, facts, &look, findings);
        agree(snapshot, transfer, &look, findings);
        taken_minor.0 += look.taken_minor(transfer);
    }
    taken_minor.1 = snapshot
        .transfers
        .values()
        .filter(|row| row.parent_id.is_some())
        .map(|row| match row.kind.as_str() {
            "REVERSAL" => row.amount_minor,
            _ => -row.amount_minor,
        })
        .sum();
    findings.expect(Invariant::Money, taken_minor.0 == taken_minor.1, || {
        format!(
            "reversals less restorations are {} in all, the oracle says {}",
            taken_minor.1, taken_minor.0
        )
    });
}

/// What each database must have made of the journal.
struct Effects<'a> {
    /// By transfer: rows that must have taken effect in the gateway.
    in_gateway: HashMap<&'a str, Vec<&'a Row>>,
    /// By transfer: rows that must have taken effect in the mirror.
    in_mirror: HashMap<&'a str, Vec<&'a Row>>,
    /// By id: the rows that made reversals and restorations, which must be there.
    made: HashMap<&'a str, &'a Row>,
    /// By id of a reversal or restoration: the rows that made it ready to settle.
    ready: HashMap<&'a str, Vec<&'a Row>>,
}

/// Whether a row took effect in the mirror.
fn passed_mirror(snapshot: &Snapshot, row: &Row) -> bool {
    row.position <= snapshot.rallypay.cursor.0
        && !snapshot.rallypay.exceptions.contains_key(&row.position)
}

impl<'a> Effects<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let superseded: HashSet<u64> = snapshot
            .rows
            .iter()
            .filter_map(|row| row.supersedes)
            .collect();
        let mut effects = Self {
            in_gateway: HashMap::new(),
            in_mirror: HashMap::new(),
            made: HashMap::new(),
            ready: HashMap::new(),
        };
        for row in &snapshot.rows {
            let lost = superseded.contains(&row.position)
                || row.position > snapshot.gateway.cursor.0
                || snapshot.gateway.exceptions.contains_key(&row.position);
            if row.effect == Effect::Ready && !lost {
                let id = row.ready.as_deref().unwrap_or_default();
                effects.ready.entry(id).or_default().push(row);
                effects.in_gateway.entry(id).or_default().push(row);
                if passed_mirror(snapshot, row) {
                    let in_mirror = effects.in_mirror.entry(&row.transfer_id);
                    in_mirror.or_default().push(row);
                }
            }
            if lost || row.is_repeat || matches!(row.effect, Effect::Correct | Effect::Ready) {
                continue;
            }
            effects
                .in_gateway
                .entry(&row.transfer_id)
                .or_default()
                .push(row);
            if let Some(made) = &row.made {
                effects.made.insert(&made.id, row);
            }
            if passed_mirror(snapshot, row) {
                effects
                    .in_mirror
                    .entry(&row.transfer_id)
                    .or_default()
                    .push(row);
            }
        }
        effects
    }

    fn check(&self, snapshot: &Snapshot, findings: &mut Findings) {
        for (id, row) in &snapshot.transfers {
            let expected = self.in_gateway.get(id.as_str()).map_or(0, Vec::len) as u64;
            let invariant = if expected == 0 {
                Invariant::NoOtherEffect
            } else {
                Invariant::EffectOnce
            };
            findings.expect(invariant, row.changes == expected, || {
                format!(
                    "transfer {id} was changed {} times in the gateway, by the journal {expected}",
                    row.changes
                )
            });
        }
        for (id, row) in &snapshot.transactions {
            let expected = self.in_mirror.get(id.as_str()).map_or(0, Vec::len) as u64;
            let invariant = if expected == 0 {
                Invariant::NoOtherEffect
            } else {
                Invariant::EffectOnce
            };
            findings.expect(invariant, row.changes == expected, || {
                format!(
                    "the transaction of {id} was changed {} times in the Rails app, by the \
                     journal {expected}",
                    row.changes
                )
            });
        }
        self.check_made(snapshot, findings);
    }

    fn check_made(&self, snapshot: &Snapshot, findings: &mut Findings) {
        for row in self.made.values() {
            let Some(made) = &row.made else { continue };
            let right = snapshot.transfers.get(&made.id).is_some_and(|row| {
                row.parent_id.as_deref() == Some(&made.parent_id)
                    && row.amount_minor == made.amount_minor
            });
            findings.expect(Invariant::EffectOnce, right, || {
                format!(
                    "row {} makes {} of {} over {}; the gateway has none such",
                    row.position, made.id, made.parent_id, made.amount_minor
                )
            });
        }
        for (id, row) in &snapshot.transfers {
            let Some(parent) = &row.parent_id else {
                continue;
            };
            let by = self.made.get(id.as_str()).map(|row| row.position);
            let ready = self.ready.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            let once = matches!(ready, [one] if one.follows.is_some() && one.follows == by);
            findings.expect(Invariant::EffectOnce, once && row.is_ready, || {
                let at: Vec<u64> = ready.iter().map(|row| row.position).collect();
                format!(
                    "{id} of {parent}, made by row {by:?}, was made ready to settle by rows {at:?}; \
                     in the gateway that is {}",
                    row.is_ready
                )
            });
            findings.expect(Invariant::NoOtherEffect, by.is_some(), || {
                format!("the gateway has {id} of {parent}, which no row made")
            });
        }
    }
}

fn gateway(snapshot: &Snapshot, transfer: &Transfer, look: &Look, findings: &mut Findings) {
    let Some(row) = snapshot.transfers.get(&transfer.id) else {
        return;
    };
    let right = row.state == look.state
        && row.failure_code.as_deref() == look.code
        && row.amount_minor == transfer.amount_minor;
    findings.expect(Invariant::States, right, || {
        format!(
            "{} is {} with code {:?} in the gateway; the oracle says {look:?}",
            transfer.id, row.state, row.failure_code
        )
    });
}

/// What was made of a payment, one of the other, is what the oracle says, and no more.
fn made(
    snapshot: &Snapshot,
    effects: &Effects<'_>,
    transfer: &Transfer,
    look: &Look,
    findings: &mut Findings,
) {
    let mut parent = transfer.id.as_str();
    let mut chain = Vec::new();
    while let [child] = snapshot.children.get(parent).map_or(&[][..], Vec::as_slice) {
        chain.push(child.as_str());
        parent = child;
    }
    let in_all = effects
        .made
        .values()
        .filter(|row| row.transfer_id == transfer.id)
        .count();
    let one_each = in_all == chain.len() && !snapshot.children.contains_key(parent);
    let right = chain.len() == look.made.len()
        && chain.iter().zip(&look.made).all(|(id, made)| {
            snapshot.transfers.get(*id).is_some_and(|row| {
                row.kind == kind_of(*made, transfer)
                    && row.subtype == "SYSTEM"
                    && row.state == "SUCCEEDED"
                    && row.amount_minor == transfer.amount_minor
            })
        });
    findings.expect(Invariant::States, right && one_each, || {
        format!(
            "of {} the gateway has {chain:?}, and {in_all} by the journal; the oracle says {look:?}",
            transfer.id
        )
    });
}

/// How the gateway names what a made transfer is.
const fn kind_of(made: Made, transfer: &Transfer) -> &'static str {
    match (made, transfer.kind) {
        (Made::Reversal, _) | (Made::Restoration, Kind::Refund) => "REVERSAL",
        (Made::Restoration, Kind::Debit) => "DEBIT",
        (Made::Restoration, Kind::Credit) => "CREDIT",
    }
}

fn mirror(
    snapshot: &Snapshot,
    transfer: &Transfer,
    facts: Facts,
    look: &Look,
    findings: &mut Findings,
) {
    if !facts.exists {
        return;
    }
    let row = snapshot.transactions.get(&transfer.id);
    let status = row.map(|row| row.status.as_str());
    findings.expect(Invariant::States, status == look.status, || {
        format!(
            "{} is {status:?} in the Rails app; the oracle says {look:?}",
            transfer.id
        )
    });
    if transfer.mirror == InMirror::Open
        && let Some(row) = row
        && look.effects > 0
    {
        let right =
            row.failure_code.as_deref() == look.last_code && row.is_ready != look.made.is_empty();
        findings.expect(Invariant::States, right, || {
            format!(
                "{} has code {:?} in the Rails app, and something of it may be settled: {}; the \
                 oracle says {look:?}",
                transfer.id, row.failure_code, row.is_ready
            )
        });
    }
    // What the mirror could not take waits for a person, in one hold for each row.
    if transfer.mirror != InMirror::Open {
        let waiting = snapshot
            .holds
            .iter()
            .filter(|hold| {
                hold.failed.as_ref().is_some_and(|(name, position)| {
                    name == "rallypay"
                        && snapshot
                            .rows
                            .iter()
                            .any(|row| row.position == *position && row.transfer_id == transfer.id)
                })
            })
            .count();
        let expected = look.effects;
        findings.expect(Invariant::States, waiting == expected, || {
            format!(
                "{} has {waiting} holds for the Rails app, which cannot take it; {expected} is right",
                transfer.id
            )
        });
    }
}

/// The two databases side by side, without the oracle.
fn agree(snapshot: &Snapshot, transfer: &Transfer, look: &Look, findings: &mut Findings) {
    if transfer.mirror != InMirror::Open {
        return;
    }
    let (Some(gateway), Some(mirror)) = (
        snapshot.transfers.get(&transfer.id),
        snapshot.transactions.get(&transfer.id),
    ) else {
        return;
    };
    let back_in_gateway = gateway.changes > 0;
    let back_in_mirror = mirror.changes > 0;
    findings.expect(Invariant::Agree, back_in_gateway == back_in_mirror, || {
        format!(
            "{}: the gateway says {}, the Rails app {}; the oracle says {look:?}",
            transfer.id, gateway.state, mirror.status
        )
    });
}
