//! Parses what one step changes.

use chrono::{DateTime, NaiveDate, Utc};
use echeck_proto::adapter::v1 as proto;
use echeck_proto::adapter::v1::step::Change as ProtoChange;
use echeck_proto::timestamp;

use super::violations::Violations;
use crate::batch::{
    ExpectedState, NewTransfer, ReleaseToSettlement, ReturnReason, TransferChange, TransferState,
    Update, UpdateEffect,
};

/// Parses the change of the step at `step`; `None` only after a violation.
pub(super) fn parse_change(
    step: &str,
    change: ProtoChange,
    violations: &mut Violations,
) -> Option<TransferChange> {
    let mut fields = ChangeFields {
        path: format!("{step}.{}", name(&change)),
        violations,
    };
    let (sent, effect) = match change {
        ProtoChange::FailTransfer(fail) => fields.fail(fail),
        ProtoChange::ReturnTransfer(returned) => {
            let messages = returned.messages;
            let sent = SentUpdate {
                transfer_id: returned.transfer_id,
                expected: returned.expected,
                reason: returned.reason,
            };
            (sent, Some(UpdateEffect::Return { messages }))
        }
        ProtoChange::ReverseTransfer(reverse) => fields.reverse(reverse),
        ProtoChange::RestoreTransfer(restore) => fields.restore(restore),
        ProtoChange::ReapplyReturn(reapply) => fields.reapply(reapply),
        ProtoChange::ReleaseToSettlement(release) => return fields.release(release),
    };
    fields.update(sent, effect)
}

/// The name of the change's field in a step.
const fn name(change: &ProtoChange) -> &'static str {
    match change {
        ProtoChange::FailTransfer(_) => "fail_transfer",
        ProtoChange::ReturnTransfer(_) => "return_transfer",
        ProtoChange::ReverseTransfer(_) => "reverse_transfer",
        ProtoChange::RestoreTransfer(_) => "restore_transfer",
        ProtoChange::ReapplyReturn(_) => "reapply_return",
        ProtoChange::ReleaseToSettlement(_) => "release_to_settlement",
    }
}

/// What all updates have, as it was sent.
struct SentUpdate {
    transfer_id: String,
    expected: Option<proto::Expected>,
    reason: Option<proto::Reason>,
}

/// An update as it was sent, and its effect unless that has a violation.
type ParsedUpdate = (SentUpdate, Option<UpdateEffect>);

/// The fields of one change, below its path.
struct ChangeFields<'a> {
    path: String,
    violations: &'a mut Violations,
}

impl ChangeFields<'_> {
    fn add(&mut self, field: &str, what: &str) {
        self.violations.add(format!("{}.{field}", self.path), what);
    }

    fn required(&mut self, field: &str, text: &str) {
        if text.is_empty() {
            self.add(field, "must not be empty");
        }
    }

    fn fail(&mut self, fail: proto::FailTransfer) -> ParsedUpdate {
        let (messages, raw_json) = (fail.messages, fail.raw_json);
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&raw_json).is_ok();
        if !raw_json.is_empty() && !is_json {
            self.add("raw_json", "is not JSON");
        }
        let sent = SentUpdate {
            transfer_id: fail.transfer_id,
            expected: fail.expected,
            reason: fail.reason,
        };
        (sent, Some(UpdateEffect::Fail { messages, raw_json }))
    }

    fn reverse(&mut self, reverse: proto::ReverseTransfer) -> ParsedUpdate {
        let mut reversal = self.new_transfer("reversal", reverse.reversal);
        if let Some(reversal) = &mut reversal {
            if !["", &reverse.transfer_id].contains(&reversal.parent_id.as_str()) {
                let what = "must be empty, since a reversal undoes the transfer itself";
                self.add("reversal.parent_id", what);
            }
            reversal.parent_id.clone_from(&reverse.transfer_id);
        }
        let sent = SentUpdate {
            transfer_id: reverse.transfer_id,
            expected: reverse.expected,
            reason: reverse.reason,
        };
        (sent, reversal.map(UpdateEffect::Reverse))
    }

    fn restore(&mut self, restore: proto::RestoreTransfer) -> ParsedUpdate {
        let mut restoration = self.new_transfer("restoration", restore.restoration);
        if let Some(restoration) = &mut restoration
            && restoration.parent_id.is_empty()
        {
            restoration.parent_id.clone_from(&restore.transfer_id);
        }
        let sent = SentUpdate {
            transfer_id: restore.transfer_id,
            expected: restore.expected,
            reason: restore.reason,
        };
        (sent, restoration.map(UpdateEffect::Restore))
    }

    fn reapply(&mut self, reapply: proto::ReapplyReturn) -> ParsedUpdate {
        let reversal = self.new_transfer("reversal", reapply.reversal);
        if let Some(reversal) = &reversal
            && ["", &reapply.transfer_id].contains(&reversal.parent_id.as_str())
        {
            let what = "must name the restoration that it undoes";
            self.add("reversal.parent_id", what);
        }
        let sent = SentUpdate {
            transfer_id: reapply.transfer_id,
            expected: reapply.expected,
            reason: reapply.reason,
        };
        (sent, reversal.map(UpdateEffect::Reapply))
    }

    fn release(&mut self, release: proto::ReleaseToSettlement) -> Option<TransferChange> {
        self.required("transfer_id", &release.transfer_id);
        self.required("returned_transfer_id", &release.returned_transfer_id);
        let ready_to_settle_at = self.instant("ready_to_settle_at", release.ready_to_settle_at);
        let decided_at = self.instant("decided_at", release.decided_at);
        Some(TransferChange::Release(ReleaseToSettlement {
            transfer_id: release.transfer_id,
            returned_transfer_id: release.returned_transfer_id,
            ready_to_settle_at: ready_to_settle_at?,
            decided_at: decided_at?,
        }))
    }

    fn update(&mut self, sent: SentUpdate, effect: Option<UpdateEffect>) -> Option<TransferChange> {
        self.required("transfer_id", &sent.transfer_id);
        let expected = self.expected(sent.expected);
        let reason = self.reason(sent.reason);
        Some(TransferChange::Update(Update {
            transfer_id: sent.transfer_id,
            expected: expected?,
            reason: reason?,
            effect: effect?,
        }))
    }

    fn expected(&mut self, expected: Option<proto::Expected>) -> Option<ExpectedState> {
        let sent = expected.unwrap_or_default();
        let state = TransferState::from_proto(sent.state());
        if state.is_none() {
            let what = "must be set: the update's WHERE clause names it";
            self.add("expected.state", what);
        }
        Some(ExpectedState {
            state: state?,
            in_deposit: sent.in_deposit,
        })
    }

    fn reason(&mut self, reason: Option<proto::Reason>) -> Option<ReturnReason> {
        let Some(reason) = reason else {
            self.add("reason", "must be set");
            return None;
        };
        let decided_at = self.instant("reason.decided_at", reason.decided_at);
        let returned_on = NaiveDate::parse_from_str(&reason.returned_on, "%Y-%m-%d").ok();
        if returned_on.is_none() && !reason.returned_on.is_empty() {
            self.add("reason.returned_on", "must be YYYY-MM-DD");
        }
        Some(ReturnReason {
            code: reason.code,
            description: reason.description,
            returned_on,
            decided_at: decided_at?,
        })
    }

    /// The transfer to create, with its parent as it was sent.
    fn new_transfer(&mut self, field: &str, new: Option<proto::Reversal>) -> Option<NewTransfer> {
        let Some(new) = new else {
            self.add(field, "must be set");
            return None;
        };
        self.required(&format!("{field}.id"), &new.id);
        if new.amount_minor <= 0 {
            self.add(&format!("{field}.amount_minor"), "must be more than 0");
        }
        if new.currency.len() != 3 {
            self.add(&format!("{field}.currency"), "must be an ISO 4217 code");
        }
        Some(NewTransfer {
            id: new.id,
            trace_id: new.trace_id,
            parent_id: new.parent_id,
            amount_minor: new.amount_minor,
            currency: new.currency,
            tags: new.tags.into_iter().collect(),
        })
    }

    fn instant(
        &mut self,
        field: &str,
        at: Option<prost_types::Timestamp>,
    ) -> Option<DateTime<Utc>> {
        let instant = at.and_then(timestamp::from_proto);
        if instant.is_none() {
            self.add(field, "must be a valid timestamp");
        }
        instant
    }
}
