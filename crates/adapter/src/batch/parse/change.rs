//! Parses what one step changes.

use chrono::{DateTime, NaiveDate, Utc};
use echeck_proto::adapter::v1 as proto;
use echeck_proto::adapter::v1::step::Change as ProtoChange;

use super::Violations;
use crate::batch::{Change, Effect, Expected, NewTransfer, Ready, Reason, State, Update};

/// What all updates tell, as it was sent.
struct Head {
    transfer_id: String,
    expected: Option<proto::Expected>,
    reason: Option<proto::Reason>,
}

/// `None` only after a violation.
pub(super) fn parse_change(
    at: usize,
    change: ProtoChange,
    violations: &mut Violations,
) -> Option<Change> {
    let step = format!("steps[{at}]");
    match change {
        ProtoChange::FailTransfer(fail) => {
            parse_fail(&format!("{step}.fail_transfer"), fail, violations)
        }
        ProtoChange::ReturnTransfer(back) => {
            let head = Head {
                transfer_id: back.transfer_id,
                expected: back.expected,
                reason: back.reason,
            };
            let effect = Effect::Return {
                messages: back.messages,
            };
            parse_update(
                &format!("{step}.return_transfer"),
                head,
                Some(effect),
                violations,
            )
        }
        ProtoChange::ReverseTransfer(reverse) => {
            parse_reverse(&format!("{step}.reverse_transfer"), reverse, violations)
        }
        ProtoChange::RestoreTransfer(restore) => {
            parse_restore(&format!("{step}.restore_transfer"), restore, violations)
        }
        ProtoChange::ReapplyReturn(reapply) => {
            parse_reapply(&format!("{step}.reapply_return"), reapply, violations)
        }
        ProtoChange::ReleaseToSettlement(ready) => {
            parse_ready(&format!("{step}.release_to_settlement"), ready, violations)
        }
    }
}

fn parse_fail(
    field: &str,
    fail: proto::FailTransfer,
    violations: &mut Violations,
) -> Option<Change> {
    if !fail.raw_json.is_empty()
        && serde_json::from_str::<serde::de::IgnoredAny>(&fail.raw_json).is_err()
    {
        violations.add(format!("{field}.raw_json"), "is not JSON");
    }
    let head = Head {
        transfer_id: fail.transfer_id,
        expected: fail.expected,
        reason: fail.reason,
    };
    let effect = Effect::Fail {
        messages: fail.messages,
        raw_json: fail.raw_json,
    };
    parse_update(field, head, Some(effect), violations)
}

fn parse_reverse(
    field: &str,
    reverse: proto::ReverseTransfer,
    violations: &mut Violations,
) -> Option<Change> {
    let made = format!("{field}.reversal");
    let reversal = parse_made(&made, reverse.reversal, violations).map(|reversal| {
        let parent = &reversal.parent_id;
        if !parent.is_empty() && *parent != reverse.transfer_id {
            let what = "must be empty, since a reversal undoes the transfer itself";
            violations.add(format!("{made}.parent_id"), what);
        }
        undoing(&reverse.transfer_id, reversal)
    });
    let head = Head {
        transfer_id: reverse.transfer_id,
        expected: reverse.expected,
        reason: reverse.reason,
    };
    parse_update(field, head, reversal.map(Effect::Reverse), violations)
}

fn parse_restore(
    field: &str,
    restore: proto::RestoreTransfer,
    violations: &mut Violations,
) -> Option<Change> {
    let made = format!("{field}.restoration");
    let restoration = parse_made(&made, restore.restoration, violations).map(|restoration| {
        if restoration.parent_id.is_empty() {
            undoing(&restore.transfer_id, restoration)
        } else {
            restoration
        }
    });
    let head = Head {
        transfer_id: restore.transfer_id,
        expected: restore.expected,
        reason: restore.reason,
    };
    parse_update(field, head, restoration.map(Effect::Restore), violations)
}

fn parse_reapply(
    field: &str,
    reapply: proto::ReapplyReturn,
    violations: &mut Violations,
) -> Option<Change> {
    let made = format!("{field}.reversal");
    let reversal = parse_made(&made, reapply.reversal, violations).inspect(|reversal| {
        if reversal.parent_id.is_empty() || reversal.parent_id == reapply.transfer_id {
            let what = "must name the restoration that it undoes";
            violations.add(format!("{made}.parent_id"), what);
        }
    });
    let head = Head {
        transfer_id: reapply.transfer_id,
        expected: reapply.expected,
        reason: reapply.reason,
    };
    parse_update(field, head, reversal.map(Effect::Reapply), violations)
}

fn parse_ready(
    field: &str,
    ready: proto::ReleaseToSettlement,
    violations: &mut Violations,
) -> Option<Change> {
    violations.required(format!("{field}.transfer_id"), &ready.transfer_id);
    violations.required(
        format!("{field}.returned_transfer_id"),
        &ready.returned_transfer_id,
    );
    let from = parse_instant(
        format!("{field}.ready_to_settle_at"),
        ready.ready_to_settle_at,
        violations,
    );
    let decided_at = parse_instant(format!("{field}.decided_at"), ready.decided_at, violations);
    Some(Change::Ready(Ready {
        transfer_id: ready.transfer_id,
        returned_transfer_id: ready.returned_transfer_id,
        ready_to_settle_at: from?,
        decided_at: decided_at?,
    }))
}

fn parse_update(
    field: &str,
    head: Head,
    effect: Option<Effect>,
    violations: &mut Violations,
) -> Option<Change> {
    violations.required(format!("{field}.transfer_id"), &head.transfer_id);
    let expected = parse_expected(field, head.expected, violations);
    let reason = parse_reason(field, head.reason, violations);
    Some(Change::Update(Update {
        transfer_id: head.transfer_id,
        expected: expected?,
        reason: reason?,
        effect: effect?,
    }))
}

fn parse_expected(
    field: &str,
    expected: Option<proto::Expected>,
    violations: &mut Violations,
) -> Option<Expected> {
    let state = expected
        .as_ref()
        .and_then(|expected| State::from_proto(expected.state()));
    if state.is_none() {
        violations.add(
            format!("{field}.expected.state"),
            "must be set: the update's WHERE clause names it",
        );
    }
    Some(Expected {
        state: state?,
        in_deposit: expected?.in_deposit,
    })
}

fn parse_reason(
    field: &str,
    reason: Option<proto::Reason>,
    violations: &mut Violations,
) -> Option<Reason> {
    let Some(reason) = reason else {
        violations.add(format!("{field}.reason"), "must be set");
        return None;
    };
    let decided_at = parse_instant(
        format!("{field}.reason.decided_at"),
        reason.decided_at,
        violations,
    );
    let returned_on = match reason.returned_on.as_str() {
        "" => None,
        text => {
            let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
            if day.is_none() {
                violations.add(format!("{field}.reason.returned_on"), "must be YYYY-MM-DD");
            }
            day
        }
    };
    Some(Reason {
        code: reason.code,
        description: reason.description,
        returned_on,
        decided_at: decided_at?,
    })
}

/// The transfer to make, its parent as it was sent.
fn parse_made(
    field: &str,
    made: Option<proto::Reversal>,
    violations: &mut Violations,
) -> Option<NewTransfer> {
    let Some(made) = made else {
        violations.add(field, "must be set");
        return None;
    };
    violations.required(format!("{field}.id"), &made.id);
    if made.amount_minor <= 0 {
        violations.add(format!("{field}.amount_minor"), "must be more than 0");
    }
    if made.currency.len() != 3 {
        violations.add(format!("{field}.currency"), "must be an ISO 4217 code");
    }
    Some(NewTransfer {
        id: made.id,
        trace_id: made.trace_id,
        parent_id: made.parent_id,
        amount_minor: made.amount_minor,
        currency: made.currency,
        tags: made.tags.into_iter().collect(),
    })
}

fn undoing(transfer_id: &str, made: NewTransfer) -> NewTransfer {
    NewTransfer {
        parent_id: transfer_id.to_owned(),
        ..made
    }
}

fn parse_instant(
    field: String,
    at: Option<prost_types::Timestamp>,
    violations: &mut Violations,
) -> Option<DateTime<Utc>> {
    let instant =
        at.and_then(|at| DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?));
    if instant.is_none() {
        violations.add(field, "must be a valid timestamp");
    }
    instant
}
