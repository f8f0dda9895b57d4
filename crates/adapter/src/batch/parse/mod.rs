//! Parses requests. All violations of a request are told together, each with the path of
//! its field.

mod change;

use echeck_proto::adapter::v1 as proto;
use uuid::Uuid;

use crate::adopt::Adoption;
use crate::cursor::Cursor;

use super::{Batch, Hash, Key, KeyKind, Step};

use self::change::parse_change;

/// The most keys or steps of one request.
pub const MAX_ITEMS: usize = 10_000;
/// So many violations of a request are told; the rest is rarely news.
const MAX_VIOLATIONS: usize = 20;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, such as `steps[3].fail.transfer_id`.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
}

struct Violations(Vec<Violation>);

impl Violations {
    fn add(&mut self, field: impl Into<String>, what: impl Into<String>) {
        if self.0.len() < MAX_VIOLATIONS {
            self.0.push(Violation {
                field: field.into(),
                what: what.into(),
            });
        }
    }

    fn required(&mut self, field: String, text: &str) {
        if text.is_empty() {
            self.add(field, "must not be empty");
        }
    }

    fn finish<T>(self, value: T) -> Result<T, Vec<Violation>> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self.0)
        }
    }
}

/// Parses the keys of a lookup.
///
/// # Errors
/// The violations found.
pub fn parse_keys(keys: Vec<proto::TransferKey>) -> Result<Vec<Key>, Vec<Violation>> {
    let mut violations = Violations(Vec::new());
    if keys.len() > MAX_ITEMS {
        violations.add(
            "keys",
            format!("has {} keys; at most {MAX_ITEMS} are allowed", keys.len()),
        );
        return Err(violations.0);
    }
    let mut parsed = Vec::with_capacity(keys.len());
    for (at, key) in keys.into_iter().enumerate() {
        violations.required(format!("keys[{at}].value"), &key.value);
        match key_kind(key.kind()) {
            Some(kind) => parsed.push(Key {
                kind,
                value: key.value,
            }),
            None => violations.add(format!("keys[{at}].kind"), "is not a kind of key"),
        }
    }
    violations.finish(parsed)
}

fn key_kind(kind: proto::TransferKeyKind) -> Option<KeyKind> {
    match kind {
        proto::TransferKeyKind::Unspecified => None,
        proto::TransferKeyKind::TransferId => Some(KeyKind::TransferId),
        proto::TransferKeyKind::TraceId => Some(KeyKind::TraceId),
        proto::TransferKeyKind::PaymentId => Some(KeyKind::PaymentId),
        proto::TransferKeyKind::AchTrace => Some(KeyKind::AchTrace),
        proto::TransferKeyKind::IndividualId => Some(KeyKind::IndividualId),
    }
}

/// Parses a batch.
///
/// # Errors
/// The violations found.
pub fn parse_batch(request: proto::ApplyUpdatesRequest) -> Result<Batch, Vec<Violation>> {
    let mut violations = Violations(Vec::new());
    let journal = Uuid::parse_str(&request.journal_id).unwrap_or_else(|_| {
        violations.add("journal_id", "must be a UUID");
        Uuid::nil()
    });
    let previous = match request.previous_hash.as_slice() {
        [] => None,
        bytes => {
            let hash = Hash::from_bytes(bytes);
            if hash.is_none() {
                violations.add("previous_hash", not_a_hash(bytes));
            }
            hash
        }
    };
    let count = request.steps.len();
    if count == 0 || count > MAX_ITEMS {
        violations.add(
            "steps",
            format!("has {count} steps; 1 to {MAX_ITEMS} are allowed"),
        );
        return Err(violations.0);
    }
    let steps = parse_steps(request.steps, &mut violations);
    violations.finish(Batch {
        journal,
        previous,
        steps,
    })
}

/// Parses an operator's decision about the cursor.
///
/// # Errors
/// The violations found.
pub fn parse_adoption(request: proto::AdoptCursorRequest) -> Result<Adoption, Vec<Violation>> {
    let mut violations = Violations(Vec::new());
    let id = Uuid::parse_str(&request.adoption_id).unwrap_or_else(|_| {
        violations.add("adoption_id", "must be a UUID");
        Uuid::nil()
    });
    violations.required("actor".to_owned(), &request.actor);
    violations.required("reason".to_owned(), &request.reason);
    let from = parse_cursor("expected_cursor", request.expected_cursor, &mut violations);
    let to = parse_cursor("new_cursor", request.new_cursor, &mut violations);
    match (from, to) {
        (Some(from), Some(to)) => violations.finish(Adoption {
            id,
            from,
            to,
            actor: request.actor,
            reason: request.reason,
        }),
        _ => Err(violations.0),
    }
}

fn parse_cursor(
    field: &str,
    cursor: Option<proto::Cursor>,
    violations: &mut Violations,
) -> Option<Cursor> {
    let Some(cursor) = cursor else {
        violations.add(field, "must be set");
        return None;
    };
    let journal = Uuid::parse_str(&cursor.journal_id).ok();
    let position = i64::try_from(cursor.position).ok().filter(|at| *at > 0);
    let hash = Hash::from_bytes(&cursor.row_hash);
    if let (Some(journal), Some(position), Some(hash)) = (journal, position, hash) {
        return Some(Cursor {
            journal,
            position,
            hash,
        });
    }
    violations.add(
        field,
        "must have a journal's UUID, a position of 1 or more, and a hash of 32 bytes",
    );
    None
}

fn not_a_hash(bytes: &[u8]) -> String {
    format!("has {} bytes; a hash has 32", bytes.len())
}

fn parse_steps(steps: Vec<proto::Step>, violations: &mut Violations) -> Vec<Step> {
    let mut parsed: Vec<Step> = Vec::with_capacity(steps.len());
    for (at, step) in steps.into_iter().enumerate() {
        let position = i64::try_from(step.position).unwrap_or(0);
        if position < 1 {
            violations.add(
                format!("steps[{at}].position"),
                "must be 1 or more, within 63 bits",
            );
        } else if let Some(last) = parsed.last()
            && last.position.checked_add(1) != Some(position)
        {
            violations.add(
                format!("steps[{at}].position"),
                format!(
                    "is {position} after {}; positions have no gaps",
                    last.position
                ),
            );
        }
        let hash = Hash::from_bytes(&step.row_hash).unwrap_or_else(|| {
            violations.add(format!("steps[{at}].row_hash"), not_a_hash(&step.row_hash));
            Hash([0; 32])
        });
        let nothing_to_do = step.change.is_none();
        let change = step
            .change
            .and_then(|change| parse_change(at, change, violations));
        let withheld = Some(step.blocked_reason).filter(|why| !why.is_empty());
        if withheld.is_some() && nothing_to_do {
            violations.add(
                format!("steps[{at}].blocked_reason"),
                "must be empty when there is no change to block",
            );
        }
        parsed.push(Step {
            position,
            hash,
            change,
            withheld,
        });
    }
    parsed
}

#[cfg(test)]
mod tests {
    use echeck_proto::adapter::v1::step::Change as ProtoChange;

    use super::*;
    use crate::batch::{Change, Effect};

    fn step(position: u64) -> proto::Step {
        proto::Step {
            position,
            row_hash: vec![7; 32],
            change: None,
            blocked_reason: String::new(),
        }
    }

    fn request(steps: Vec<proto::Step>) -> proto::ApplyUpdatesRequest {
        proto::ApplyUpdatesRequest {
            journal_id: "018f3f1e-0000-7000-8000-000000000001".into(),
            previous_hash: Vec::new(),
            steps,
        }
    }

    fn fields(outcome: Result<Batch, Vec<Violation>>) -> Vec<String> {
        outcome
            .unwrap_err()
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn positions_must_follow_each_other() {
        assert!(parse_batch(request(vec![step(4), step(5), step(6)])).is_ok());
        assert_eq!(
            fields(parse_batch(request(vec![step(4), step(6)]))),
            ["steps[1].position"]
        );
        assert_eq!(
            fields(parse_batch(request(vec![step(4), step(4)]))),
            ["steps[1].position"]
        );
        assert_eq!(
            fields(parse_batch(request(vec![step(0)]))),
            ["steps[0].position"]
        );
        assert_eq!(
            fields(parse_batch(request(vec![step(u64::MAX)]))),
            ["steps[0].position"]
        );
    }

    #[test]
    fn a_batch_has_one_to_ten_thousand_steps() {
        assert_eq!(fields(parse_batch(request(vec![]))), ["steps"]);
        let many = |count| (1..=count).map(step).collect();
        assert!(parse_batch(request(many(10_000))).is_ok());
        assert_eq!(fields(parse_batch(request(many(10_001)))), ["steps"]);
    }

    #[test]
    fn every_violation_is_told_with_its_field() {
        let mut bad = request(vec![step(1)]);
        bad.journal_id = "journal".into();
        bad.previous_hash = vec![1];
        bad.steps[0].row_hash = vec![1; 31];
        bad.steps[0].change = Some(ProtoChange::FailTransfer(proto::FailTransfer {
            raw_json: "{".into(),
            reason: Some(proto::Reason {
                returned_on: "03/02/2026".into(),
                ..Default::default()
            }),
            ..Default::default()
        }));
        assert_eq!(
            fields(parse_batch(bad)),
            [
                "journal_id",
                "previous_hash",
                "steps[0].row_hash",
                "steps[0].fail_transfer.raw_json",
                "steps[0].fail_transfer.transfer_id",
                "steps[0].fail_transfer.expected.state",
                "steps[0].fail_transfer.reason.decided_at",
                "steps[0].fail_transfer.reason.returned_on",
            ]
        );
    }

    #[test]
    fn a_reversal_takes_back_a_positive_amount() {
        let mut bad = request(vec![step(1)]);
        bad.steps[0].change = Some(ProtoChange::ReverseTransfer(proto::ReverseTransfer {
            transfer_id: "TR1".into(),
            expected: Some(proto::Expected {
                state: 2,
                in_deposit: None,
            }),
            reason: Some(proto::Reason {
                decided_at: Some(prost_types::Timestamp {
                    seconds: 1,
                    nanos: 0,
                }),
                ..Default::default()
            }),
            reversal: Some(proto::Reversal {
                amount_minor: -5,
                ..Default::default()
            }),
            return_id: String::new(),
        }));
        assert_eq!(
            fields(parse_batch(bad)),
            [
                "steps[0].reverse_transfer.reversal.id",
                "steps[0].reverse_transfer.reversal.amount_minor",
                "steps[0].reverse_transfer.reversal.currency",
            ]
        );
    }

    /// The one step of a batch in which everything is missing.
    fn empty(change: ProtoChange) -> Vec<String> {
        let mut bad = request(vec![step(1)]);
        bad.steps[0].change = Some(change);
        fields(parse_batch(bad))
    }

    #[test]
    fn each_missing_part_of_a_later_stage_is_told_by_its_path() {
        let head = |name: &str| {
            ["transfer_id", "expected.state", "reason"]
                .map(|part| format!("steps[0].{name}.{part}"))
        };
        let told = empty(ProtoChange::RestoreTransfer(
            proto::RestoreTransfer::default(),
        ));
        assert_eq!(told[0], "steps[0].restore_transfer.restoration");
        assert_eq!(told[1..], head("restore_transfer"));
        let told = empty(ProtoChange::ReapplyReturn(proto::ReapplyReturn::default()));
        assert_eq!(told[0], "steps[0].reapply_return.reversal");
        assert_eq!(told[1..], head("reapply_return"));
        let made = Some(proto::Reversal::default());
        let told = empty(ProtoChange::RestoreTransfer(proto::RestoreTransfer {
            restoration: made.clone(),
            ..Default::default()
        }));
        assert_eq!(
            told[..3],
            ["id", "amount_minor", "currency"]
                .map(|part| format!("steps[0].restore_transfer.restoration.{part}"))
        );
        let told = empty(ProtoChange::ReapplyReturn(proto::ReapplyReturn {
            reversal: made,
            ..Default::default()
        }));
        assert_eq!(
            told[..4],
            ["id", "amount_minor", "currency", "parent_id"]
                .map(|part| format!("steps[0].reapply_return.reversal.{part}"))
        );
        assert_eq!(
            empty(ProtoChange::ReleaseToSettlement(
                proto::ReleaseToSettlement::default()
            )),
            [
                "transfer_id",
                "returned_transfer_id",
                "ready_to_settle_at",
                "decided_at"
            ]
            .map(|part| format!("steps[0].release_to_settlement.{part}"))
        );
    }

    fn update(
        parent_id: &str,
    ) -> (
        Option<proto::Expected>,
        Option<proto::Reason>,
        Option<proto::Reversal>,
    ) {
        let expected = Some(proto::Expected {
            state: 2,
            in_deposit: None,
        });
        let reason = Some(proto::Reason {
            decided_at: Some(prost_types::Timestamp::default()),
            ..Default::default()
        });
        let made = Some(proto::Reversal {
            id: "NEW".into(),
            amount_minor: 500,
            currency: "USD".into(),
            parent_id: parent_id.into(),
            ..Default::default()
        });
        (expected, reason, made)
    }

    fn reverse(parent_id: &str) -> ProtoChange {
        let (expected, reason, reversal) = update(parent_id);
        ProtoChange::ReverseTransfer(proto::ReverseTransfer {
            transfer_id: "TR1".into(),
            expected,
            reason,
            reversal,
            return_id: String::new(),
        })
    }

    fn restore(parent_id: &str) -> ProtoChange {
        let (expected, reason, restoration) = update(parent_id);
        ProtoChange::RestoreTransfer(proto::RestoreTransfer {
            transfer_id: "TR1".into(),
            expected,
            reason,
            restoration,
            return_id: String::new(),
        })
    }

    fn reapply(parent_id: &str) -> ProtoChange {
        let (expected, reason, reversal) = update(parent_id);
        ProtoChange::ReapplyReturn(proto::ReapplyReturn {
            transfer_id: "TR1".into(),
            expected,
            reason,
            reversal,
            return_id: String::new(),
        })
    }

    /// The parent of what the change makes, or the field that is wrong.
    fn parent(change: ProtoChange) -> String {
        let mut one = request(vec![step(1)]);
        one.steps[0].change = Some(change);
        match parse_batch(one) {
            Err(violations) => violations[0].field.clone(),
            Ok(mut batch) => match batch.steps.remove(0).change.unwrap() {
                Change::Update(update) => match update.effect {
                    Effect::Reverse(made) | Effect::Restore(made) | Effect::Reapply(made) => {
                        made.parent_id
                    }
                    Effect::Fail { .. } | Effect::Return { .. } => panic!("it makes nothing"),
                },
                Change::Ready(_) => panic!("it makes nothing"),
            },
        }
    }

    #[test]
    fn what_is_made_undoes_the_returned_transfer_unless_the_step_says_otherwise() {
        assert_eq!(parent(reverse("")), "TR1");
        assert_eq!(parent(reverse("TR1")), "TR1");
        assert_eq!(
            parent(reverse("TR2")),
            "steps[0].reverse_transfer.reversal.parent_id"
        );
        assert_eq!(parent(restore("")), "TR1");
        assert_eq!(parent(restore("RV1")), "RV1");
    }

    #[test]
    fn a_return_that_is_applied_again_names_the_restoration() {
        assert_eq!(parent(reapply("RS1")), "RS1");
        assert_eq!(
            parent(reapply("")),
            "steps[0].reapply_return.reversal.parent_id"
        );
        assert_eq!(
            parent(reapply("TR1")),
            "steps[0].reapply_return.reversal.parent_id"
        );
    }

    #[test]
    fn a_key_has_a_kind_and_a_value() {
        let key = |kind, value: &str| proto::TransferKey {
            kind,
            value: value.into(),
        };
        assert_eq!(
            parse_keys(vec![key(2, "FNX1"), key(2, "FNX1")])
                .unwrap()
                .len(),
            2
        );
        let fields: Vec<String> = parse_keys(vec![key(0, "a"), key(99, "b"), key(1, "")])
            .unwrap_err()
            .into_iter()
            .map(|violation| violation.field)
            .collect();
        assert_eq!(fields, ["keys[0].kind", "keys[1].kind", "keys[2].value"]);
        assert!(parse_keys(vec![key(1, "x"); 10_001]).is_err());
    }

    #[test]
    fn a_hash_survives_hex() {
        let hash = Hash::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
        assert_eq!(Hash::from_hex(&hash.to_hex()), Some(hash));
        assert_eq!(Hash::from_hex("zz"), None);
        assert_eq!(Hash::from_hex(&"+1".repeat(32)), None);
    }
}
