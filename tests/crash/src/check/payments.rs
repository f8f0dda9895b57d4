//! The payments in both databases: effects counted, states and money compared with the
//! oracle, and the two databases with each other.

use std::collections::{HashMap, HashSet};

use super::entries::Acted;
use super::snapshot::{Row, Snapshot};
use super::{Findings, Invariant};
use crate::oracle::{Effect, Facts, Look, look};
use crate::rig::Rig;
use crate::world::{InMirror, Transfer};

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
    let mut back_minor = (0_i64, 0_i64);
    for transfer in rig.world.files().iter().flat_map(|file| &file.transfers) {
        let facts = facts(snapshot, transfer);
        let standing = acted
            .get(&transfer.id)
            .map(|(effect, entry)| (*effect, entry));
        let look = look(rig.world.policy, transfer, facts, standing);
        if facts.exists {
            gateway(snapshot, &effects, transfer, &look, findings);
        }
        mirror(snapshot, transfer, facts, &look, findings);
        agree(snapshot, transfer, &look, findings);
        if look.reversals == 1 {
            back_minor.0 += transfer.amount_minor;
        }
    }
    back_minor.1 = snapshot
        .transfers
        .values()
        .filter(|row| row.parent_id.is_some())
        .map(|row| row.amount_minor)
        .sum();
    findings.expect(Invariant::Money, back_minor.0 == back_minor.1, || {
        format!(
            "the reversals are {} in all, the oracle says {}",
            back_minor.1, back_minor.0
        )
    });
}

/// What each database must have made of the journal.
struct Effects<'a> {
    /// By transfer: rows that must have taken effect in the gateway.
    in_gateway: HashMap<&'a str, Vec<&'a Row>>,
    /// By transfer: rows that must have taken effect in the mirror.
    in_mirror: HashMap<&'a str, Vec<&'a Row>>,
    /// By id: the reversals that must be there, with parent and amount.
    reversals: HashMap<&'a str, (&'a str, i64)>,
    /// By reversal: how many rows made it ready to settle.
    ready: HashMap<&'a str, u64>,
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
            reversals: HashMap::new(),
            ready: HashMap::new(),
        };
        for row in &snapshot.rows {
            let lost = superseded.contains(&row.position)
                || row.position > snapshot.gateway.cursor.0
                || snapshot.gateway.exceptions.contains_key(&row.position);
            if row.effect == Effect::Ready && !lost {
                let id = row.reversal.as_ref().map_or("", |(id, _)| id);
                *effects.ready.entry(id).or_default() += 1;
                effects.in_gateway.entry(id).or_default().push(row);
                if passed_mirror(snapshot, row) {
                    let in_mirror = effects.in_mirror.entry(&row.transfer_id);
                    in_mirror.or_default().push(row);
                }
            }
            if lost || row.is_repeat || row.effect == Effect::Correct {
                continue;
            }
            effects
                .in_gateway
                .entry(&row.transfer_id)
                .or_default()
                .push(row);
            if let Some((id, amount)) = &row.reversal {
                effects.reversals.insert(id, (&row.transfer_id, *amount));
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
        self.check_reversals(snapshot, findings);
    }

    fn check_reversals(&self, snapshot: &Snapshot, findings: &mut Findings) {
        for (id, (parent, amount_minor)) in &self.reversals {
            let right = snapshot.transfers.get(*id).is_some_and(|row| {
                row.parent_id.as_deref() == Some(*parent) && row.amount_minor == *amount_minor
            });
            findings.expect(Invariant::EffectOnce, right, || {
                format!("the journal says reversal {id} of {parent} over {amount_minor}; the gateway has none such")
            });
        }
        for (id, row) in &snapshot.transfers {
            let Some(parent) = &row.parent_id else {
                continue;
            };
            let ready = self.ready.get(id.as_str()).copied().unwrap_or_default();
            findings.expect(Invariant::EffectOnce, ready == 1 && row.is_ready, || {
                format!(
                    "reversal {id} was made ready to settle {ready} times by the journal; in the \
                     gateway that is {}",
                    row.is_ready
                )
            });
            findings.expect(
                Invariant::NoOtherEffect,
                self.reversals.contains_key(id.as_str()),
                || format!("the gateway has reversal {id} of {parent}, which no row made"),
            );
        }
    }
}

fn gateway(
    snapshot: &Snapshot,
    effects: &Effects<'_>,
    transfer: &Transfer,
    look: &Look,
    findings: &mut Findings,
) {
    let Some(row) = snapshot.transfers.get(&transfer.id) else {
        return;
    };
    let reversals = effects
        .reversals
        .values()
        .filter(|(parent, _)| *parent == transfer.id)
        .count() as u64;
    let code = match look.reversals {
        // The original of a reversal stays as it is.
        1 => None,
        _ => look.code,
    };
    let right = row.state == look.state
        && reversals == look.reversals
        && row.failure_code.as_deref() == code
        && row.amount_minor == transfer.amount_minor;
    findings.expect(Invariant::States, right, || {
        format!(
            "{} is {} with {reversals} reversals and code {:?} in the gateway; the oracle says {look:?}",
            transfer.id, row.state, row.failure_code
        )
    });
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
        && look.code.is_some()
    {
        findings.expect(
            Invariant::States,
            row.failure_code.as_deref() == look.code,
            || {
                format!(
                    "{} has code {:?} in the Rails app; the oracle says {look:?}",
                    transfer.id, row.failure_code
                )
            },
        );
    }
    // What the mirror could not take waits for a person, in one hold.
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
        let expected = usize::from(look.code.is_some());
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
