use echeck_proto::adapter::v1::step::Change as ProtoChange;

use super::*;
use crate::batch::{TransferChange, UpdateEffect};

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
        database: "gateway".into(),
        contract_version: CONTRACT_VERSION,
    }
}

fn violated(outcome: Result<StepBatch, Vec<Violation>>) -> Vec<String> {
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
        violated(parse_batch(request(vec![step(4), step(6)]))),
        ["steps[1].position"]
    );
    assert_eq!(
        violated(parse_batch(request(vec![step(4), step(4)]))),
        ["steps[1].position"]
    );
    assert_eq!(
        violated(parse_batch(request(vec![step(0)]))),
        ["steps[0].position"]
    );
    assert_eq!(
        violated(parse_batch(request(vec![step(u64::MAX)]))),
        ["steps[0].position"]
    );
}

#[test]
fn a_batch_has_one_to_ten_thousand_steps() {
    assert_eq!(violated(parse_batch(request(vec![]))), ["steps"]);
    let many = |count| (1..=count).map(step).collect();
    assert!(parse_batch(request(many(10_000))).is_ok());
    assert_eq!(violated(parse_batch(request(many(10_001)))), ["steps"]);
}

#[test]
fn every_violation_is_reported_with_its_field() {
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
        violated(parse_batch(bad)),
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
        violated(parse_batch(bad)),
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
    violated(parse_batch(bad))
}

#[test]
fn each_missing_field_of_a_later_stage_is_reported_by_its_path() {
    let head = |name: &str| {
        ["transfer_id", "expected.state", "reason"].map(|part| format!("steps[0].{name}.{part}"))
    };
    let fields = empty(ProtoChange::RestoreTransfer(
        proto::RestoreTransfer::default(),
    ));
    assert_eq!(fields[0], "steps[0].restore_transfer.restoration");
    assert_eq!(fields[1..], head("restore_transfer"));
    let fields = empty(ProtoChange::ReapplyReturn(proto::ReapplyReturn::default()));
    assert_eq!(fields[0], "steps[0].reapply_return.reversal");
    assert_eq!(fields[1..], head("reapply_return"));
    let made = Some(proto::Reversal::default());
    let fields = empty(ProtoChange::RestoreTransfer(proto::RestoreTransfer {
        restoration: made.clone(),
        ..Default::default()
    }));
    assert_eq!(
        fields[..3],
        ["id", "amount_minor", "currency"]
            .map(|part| format!("steps[0].restore_transfer.restoration.{part}"))
    );
    let fields = empty(ProtoChange::ReapplyReturn(proto::ReapplyReturn {
        reversal: made,
        ..Default::default()
    }));
    assert_eq!(
        fields[..4],
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

/// The parent of the transfer that the change creates, or the field that is wrong.
fn parent(change: ProtoChange) -> String {
    let mut one = request(vec![step(1)]);
    one.steps[0].change = Some(change);
    match parse_batch(one) {
        Err(violations) => violations[0].field.clone(),
        Ok(mut batch) => match batch.steps.remove(0).change.unwrap() {
            TransferChange::Update(update) => match update.effect {
                UpdateEffect::Reverse(new)
                | UpdateEffect::Restore(new)
                | UpdateEffect::Reapply(new) => new.parent_id,
                UpdateEffect::Fail { .. } | UpdateEffect::Return { .. } => {
                    panic!("it creates nothing")
                }
            },
            TransferChange::Release(_) => panic!("it creates nothing"),
        },
    }
}

#[test]
fn a_new_transfer_undoes_the_returned_one_unless_the_step_names_another() {
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
