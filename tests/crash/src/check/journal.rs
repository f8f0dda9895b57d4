//! The journal by itself, and against the cursors. The chain is computed here from its
//! description, not by the code under test.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::snapshot::{Snapshot, Target};
use super::{Findings, Invariant};
use crate::db::hex;

pub(super) fn check(snapshot: &Snapshot, findings: &mut Findings) {
    chain(snapshot, findings);
    order(snapshot, findings);
    for (name, target) in [
        ("gateway", &snapshot.gateway),
        ("mirror", &snapshot.rallypay),
    ] {
        cursor(snapshot, name, target, findings);
    }
    heard(snapshot, findings);
}

/// A row's hash: of a label, the journal's identity, the position, the hash before with its
/// length in front, the time it was recorded in microseconds, and the row as it is stored.
fn chain(snapshot: &Snapshot, findings: &mut Findings) {
    let identity = uuid::Uuid::parse_str(&snapshot.journal_id).unwrap_or_default();
    let mut previous: Vec<u8> = Vec::new();
    for (expected, row) in (1..).zip(&snapshot.rows) {
        findings.expect(Invariant::Dense, row.position == expected, || {
            format!("position {} stands where {expected} should", row.position)
        });
        let mut hasher = Sha256::new();
        hasher.update(b"echeck journal 2\0");
        hasher.update(identity.as_bytes());
        hasher.update(row.position.to_be_bytes());
        hasher.update((previous.len() as u64).to_be_bytes());
        hasher.update(&previous);
        hasher.update(row.recorded_micros.to_be_bytes());
        hasher.update(row.payload.as_bytes());
        previous = hasher.finalize().to_vec();
        let computed = format!("\\x{}", hex(&previous));
        findings.expect(Invariant::Chain, row.hash == computed, || {
            format!(
                "row {} has hash {}, computed is {computed}",
                row.position, row.hash
            )
        });
    }
    let (position, hash) = &snapshot.head;
    findings.expect(
        Invariant::Dense,
        *position == snapshot.rows.len() as u64,
        || {
            format!(
                "the head is {position}, there are {} rows",
                snapshot.rows.len()
            )
        },
    );
    let computed = format!("\\x{}", hex(&previous));
    findings.expect(Invariant::Chain, *hash == computed, || {
        format!("the head's hash is {hash}, the last row's {computed}")
    });
}

/// The rows that an import's entries became on their first decision stand in the order of the
/// file. Those that a hold or an exception led to come later, by their nature.
fn order(snapshot: &Snapshot, findings: &mut Findings) {
    let resolved: Vec<u64> = snapshot
        .holds
        .iter()
        .filter_map(|hold| hold.resolved_position)
        .collect();
    let mut last: HashMap<&str, u64> = HashMap::new();
    for row in &snapshot.rows {
        if row.supersedes.is_some() || row.is_repeat || resolved.contains(&row.position) {
            continue;
        }
        let before = last.insert(&row.import_id, row.ordinal);
        findings.expect(
            Invariant::Order,
            before.is_none_or(|before| before < row.ordinal),
            || {
                format!(
                    "row {} is line {} of {}, after line {before:?}",
                    row.position, row.ordinal, row.import_id
                )
            },
        );
    }
}

fn cursor(snapshot: &Snapshot, name: &str, target: &Target, findings: &mut Findings) {
    let (position, hash) = &target.cursor;
    let head = snapshot.head.0;
    findings.expect(Invariant::CursorNotAhead, *position <= head, || {
        format!("the {name}'s cursor is {position}, the journal ends at {head}")
    });
    let row = snapshot.rows.iter().find(|row| row.position == *position);
    if *position > 0 {
        findings.expect(
            Invariant::CursorHash,
            row.is_some_and(|row| row.hash == format!("\\x{hash}")),
            || {
                format!(
                    "at {position} the {name}'s cursor has hash {hash}, which is not the journal's"
                )
            },
        );
    }
}

/// What the returns service has heard of exceptions is what the targets recorded.
fn heard(snapshot: &Snapshot, findings: &mut Findings) {
    for (name, target) in [
        ("gateway", &snapshot.gateway),
        ("rallypay", &snapshot.rallypay),
    ] {
        let mut heard: Vec<u64> = snapshot
            .heard
            .iter()
            .filter(|(database, ..)| database == name)
            .map(|(_, position, _)| *position)
            .collect();
        heard.sort_unstable();
        let told: Vec<u64> = target.exceptions.keys().copied().collect();
        findings.expect(Invariant::EffectOnce, heard == told, || {
            format!("{name} recorded exceptions at {told:?}, the returns service knows {heard:?}")
        });
    }
}
