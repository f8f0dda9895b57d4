//! Parses what one step changes.

use chrono::{DateTime, NaiveDate, Utc};
use echeck_proto::adapter::v1 as proto;
use echeck_proto::adapter::v1::step::Change as ProtoChange;
use echeck_proto::timestamp;

use super::violations::Violations;
use crate::batch::{
    AddedTransfer, ExpectedState, ReleaseToSettlement, ReturnReason, TransferChange, TransferState,
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
        ProtoChange::FailTransfer(fail) => {
            let (messages, raw_json) = (fail.messages, fields.json(fail.raw_json));
            let effect = UpdateEffect::Fail { messages, raw_json };
            ((fail.transfer_id, fail.expected, fail.reason), Some(effect))
        }
        ProtoChange::ReturnTransfer(sent) => {
            let messages = sent.messages;
            let effect = UpdateEffect::Return { messages };
            ((sent.transfer_id, sent.expected, sent.reason), Some(effect))
        }
        ProtoChange::ReverseTransfer(sent) => {
            let reversal = fields.reversal(sent.reversal, &sent.transfer_id);
            let effect = reversal.map(UpdateEffect::Reverse);
            ((sent.transfer_id, sent.expected, sent.reason), effect)
        }
        ProtoChange::RestoreTransfer(sent) => {
            let restoration = fields.restoration(sent.restoration, &sent.transfer_id);
            let effect = restoration.map(UpdateEffect::Restore);
            ((sent.transfer_id, sent.expected, sent.reason), effect)
        }
        ProtoChange::ReapplyReturn(sent) => {
            let reversal = fields.reapplied(sent.reversal, &sent.transfer_id);
            let effect = reversal.map(UpdateEffect::Reapply);
            ((sent.transfer_id, sent.expected, sent.reason), effect)
        }
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

/// What all updates have, as it was sent: the transfer's id, its expected state, the reason.
type SentUpdate = (String, Option<proto::Expected>, Option<proto::Reason>);

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

    fn json(&mut self, raw_json: String) -> String {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&raw_json).is_ok();
        if !raw_json.is_empty() && !is_json {
            self.add("raw_json", "is not JSON");
        }
        raw_json
    }

    fn reversal(&mut self, sent: Option<proto::Reversal>, original: &str) -> Option<AddedTransfer> {
        let mut reversal = self.new_transfer("reversal", sent)?;
        if !["", original].contains(&reversal.parent_id.as_str()) {
            let what = "must be empty, since a reversal undoes the transfer itself";
            self.add("reversal.parent_id", what);
        }
        original.clone_into(&mut reversal.parent_id);
        Some(reversal)
    }

    fn restoration(
        &mut self,
        sent: Option<proto::Reversal>,
        original: &str,
    ) -> Option<AddedTransfer> {
        let mut restoration = self.new_transfer("restoration", sent)?;
        if restoration.parent_id.is_empty() {
            original.clone_into(&mut restoration.parent_id);
        }
        Some(restoration)
    }

    fn reapplied(
        &mut self,
        sent: Option<proto::Reversal>,
        original: &str,
    ) -> Option<AddedTransfer> {
        let reversal = self.new_transfer("reversal", sent)?;
        if ["", original].contains(&reversal.parent_id.as_str()) {
            self.add(
                "reversal.parent_id",
                "must name the restoration that it undoes",
            );
        }
        Some(reversal)
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
        let (transfer_id, expected, reason) = sent;
        self.required("transfer_id", &transfer_id);
        let expected = self.expected(expected);
        let reason = self.reason(reason);
        Some(TransferChange::Update(Update {
            transfer_id,
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
    fn new_transfer(&mut self, field: &str, new: Option<proto::Reversal>) -> Option<AddedTransfer> {
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
        Some(AddedTransfer {
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
