//! Parses requests. All violations of a request are reported together, each with the path of its
//! field.

mod change;
#[cfg(test)]
mod tests;
mod violations;

use echeck_proto::adapter::CONTRACT_VERSION;
use echeck_proto::adapter::v1 as proto;
use uuid::Uuid;

use self::change::parse_change;
use self::violations::Violations;
use super::{AppliedStep, KeyKind, LookupKey, RowHash, Step, StepBatch};
use crate::adopt::CursorAdoption;
use crate::cursor::Cursor;
use crate::identity::TargetIdentity;

pub use violations::Violation;

/// The maximum number of keys or steps of one request.
const MAX_ITEMS: usize = 10_000;

/// Parses the keys of a lookup.
pub(crate) fn parse_keys(keys: Vec<proto::TransferKey>) -> Result<Vec<LookupKey>, Vec<Violation>> {
    let mut violations = Violations::default();
    if keys.len() > MAX_ITEMS {
        let what = format!("has {} keys; at most {MAX_ITEMS} are allowed", keys.len());
        violations.add("keys", what);
        return violations.finish(None);
    }
    let mut parsed = Vec::with_capacity(keys.len());
    for (at, key) in keys.into_iter().enumerate() {
        violations.required(format!("keys[{at}].value"), &key.value);
        match KeyKind::from_proto(key.kind()) {
            Some(kind) => parsed.push(LookupKey {
                kind,
                value: key.value,
            }),
            None => violations.add(format!("keys[{at}].kind"), "is not a kind of key"),
        }
    }
    violations.finish(Some(parsed))
}

/// Parses a batch.
///
/// # Errors
/// The violations found.
pub fn parse_batch(request: proto::ApplyUpdatesRequest) -> Result<StepBatch, Vec<Violation>> {
    let mut violations = Violations::default();
    let journal = parse_uuid("journal_id", &request.journal_id, &mut violations);
    violations.required("database".to_owned(), &request.database);
    if request.contract_version != CONTRACT_VERSION {
        let theirs = request.contract_version;
        let what = format!("is {theirs}, and this adapter speaks {CONTRACT_VERSION}");
        violations.add("contract_version", what);
    }
    let previous = match request.previous_hash.as_slice() {
        [] => None,
        bytes => Some(parse_hash("previous_hash", bytes, &mut violations)),
    };
    let count = request.steps.len();
    if count == 0 || count > MAX_ITEMS {
        let what = format!("has {count} steps; 1 to {MAX_ITEMS} are allowed");
        violations.add("steps", what);
        return violations.finish(None);
    }
    let steps = parse_steps(request.steps, &mut violations);
    let database = request.database;
    violations.finish(journal.map(|journal| StepBatch {
        identity: TargetIdentity { journal, database },
        previous,
        steps,
    }))
}

/// Parses steps that took effect. Each must have a change.
pub(crate) fn parse_applied(
    steps: Vec<proto::AppliedStep>,
) -> Result<Vec<AppliedStep>, Vec<Violation>> {
    let mut violations = Violations::default();
    let count = steps.len();
    if count == 0 || count > MAX_ITEMS {
        let what = format!("has {count} steps; 1 to {MAX_ITEMS} are allowed");
        violations.add("steps", what);
        return violations.finish(None);
    }
    let mut parsed = Vec::with_capacity(count);
    for (at, applied) in steps.into_iter().enumerate() {
        let path = format!("steps[{at}].step");
        let step = applied.step.unwrap_or_default();
        let change = match step.change {
            Some(change) => parse_change(&path, change, &mut violations),
            None => {
                violations.add(format!("{path}.change"), "must be set");
                None
            }
        };
        parsed.extend(change.map(|change| AppliedStep {
            position: i64::try_from(step.position).unwrap_or(i64::MAX),
            change,
            followed: applied.followed,
        }));
    }
    violations.finish(Some(parsed))
}

/// Parses an operator's decision about the cursor.
pub(crate) fn parse_adoption(
    request: proto::AdoptCursorRequest,
) -> Result<CursorAdoption, Vec<Violation>> {
    let mut violations = Violations::default();
    let id = parse_uuid("adoption_id", &request.adoption_id, &mut violations);
    violations.required("actor".to_owned(), &request.actor);
    violations.required("reason".to_owned(), &request.reason);
    violations.required("database".to_owned(), &request.database);
    let new = request.new_cursor.unwrap_or_default();
    let journal = parse_uuid("new_cursor.journal_id", &new.journal_id, &mut violations);
    let from = request.expected_cursor;
    let to = match (&from, new.position) {
        (None, 0) => None,
        _ => parse_cursor("new_cursor", &new, &mut violations),
    };
    let from = from.and_then(|from| parse_cursor("expected_cursor", &from, &mut violations));
    let adoption = id.zip(journal).map(|(id, journal)| CursorAdoption {
        id,
        from,
        to,
        identity: TargetIdentity {
            journal,
            database: request.database,
        },
        actor: request.actor,
        reason: request.reason,
    });
    violations.finish(adoption)
}

/// Who claims a target, and where its cursor was seen.
pub(crate) struct TargetClaim {
    pub(crate) identity: TargetIdentity,
    pub(crate) seen: Option<Cursor>,
}

/// Parses whose target a database is to be.
pub(crate) fn parse_claim(
    request: proto::ClaimTargetRequest,
) -> Result<TargetClaim, Vec<Violation>> {
    let mut violations = Violations::default();
    let identity = identity(request.identity.unwrap_or_default(), &mut violations);
    let seen = request.expected_cursor;
    let seen = seen.and_then(|seen| parse_cursor("expected_cursor", &seen, &mut violations));
    violations.finish(identity.map(|identity| TargetClaim { identity, seen }))
}

/// Parses whose target is meant.
pub(crate) fn parse_identity(
    identity: proto::TargetIdentity,
) -> Result<TargetIdentity, Vec<Violation>> {
    let mut violations = Violations::default();
    let parsed = self::identity(identity, &mut violations);
    violations.finish(parsed)
}

fn identity(
    identity: proto::TargetIdentity,
    violations: &mut Violations,
) -> Option<TargetIdentity> {
    let journal = parse_uuid("identity.journal_id", &identity.journal_id, violations);
    violations.required("identity.database".to_owned(), &identity.database);
    let database = identity.database;
    journal.map(|journal| TargetIdentity { journal, database })
}

fn parse_uuid(field: &str, text: &str, violations: &mut Violations) -> Option<Uuid> {
    let uuid = Uuid::parse_str(text).ok();
    if uuid.is_none() {
        violations.add(field, "must be a UUID");
    }
    uuid
}

fn parse_hash(field: &str, bytes: &[u8], violations: &mut Violations) -> RowHash {
    RowHash::from_bytes(bytes).unwrap_or_else(|| {
        violations.add(field, format!("has {} bytes; a hash has 32", bytes.len()));
        RowHash::PLACEHOLDER
    })
}

fn parse_cursor(
    field: &str,
    cursor: &proto::Cursor,
    violations: &mut Violations,
) -> Option<Cursor> {
    let journal = Uuid::parse_str(&cursor.journal_id).ok();
    let position = i64::try_from(cursor.position).ok().filter(|at| *at > 0);
    let hash = RowHash::from_bytes(&cursor.row_hash);
    if let (Some(journal), Some(position), Some(hash)) = (journal, position, hash) {
        return Some(Cursor {
            journal,
            position,
            hash,
        });
    }
    let what = "must have a journal's UUID, a position of 1 or more, and a hash of 32 bytes";
    violations.add(field, what);
    None
}

fn parse_steps(steps: Vec<proto::Step>, violations: &mut Violations) -> Vec<Step> {
    let mut parsed: Vec<Step> = Vec::with_capacity(steps.len());
    for (at, step) in steps.into_iter().enumerate() {
        let path = format!("steps[{at}]");
        let position = i64::try_from(step.position).unwrap_or(0);
        let last = parsed.last().map(|last| last.position);
        if position < 1 {
            let what = "must be 1 or more, within 63 bits";
            violations.add(format!("{path}.position"), what);
        } else if let Some(last) = last
            && last.checked_add(1) != Some(position)
        {
            let what = format!("is {position} after {last}; positions have no gaps");
            violations.add(format!("{path}.position"), what);
        }
        let hash = parse_hash(&format!("{path}.row_hash"), &step.row_hash, violations);
        let blocked = Some(step.blocked_reason).filter(|why| !why.is_empty());
        if blocked.is_some() && step.change.is_none() {
            let what = "must be empty when there is no change to block";
            violations.add(format!("{path}.blocked_reason"), what);
        }
        let change = step
            .change
            .and_then(|change| parse_change(&path, change, violations));
        parsed.push(Step {
            position,
            hash,
            change,
            blocked,
        });
    }
    parsed
}
