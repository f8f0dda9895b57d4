//! Finix's messages: `{"type": "updated", "entity": "transfer", …}` with the transfer as a GET
//! shows it, as far as the journal knows it, and our own keys.

use ach::decision::TransferType;
use returns_model::endpoint::PayloadVersion;
use returns_model::event::EventRecord;
use returns_model::journal::TransferFacts;
use serde_json::{Value, json};

use super::failure::{is_inferred, word};
use super::{add_clock, add_common, short, text, time};
use returns_model::journal::MadeKind;

use crate::ach_return::{AchReturn, LinkedTransfer};
use crate::event::{Correction, EventKind, Held, MoneyStep, WebhookEvent};
use crate::view::{ReturnOutcome, TransferView, ended};

/// Every event type that [`types`] gives.
pub(super) const TYPES: &[&str] = &[
    "transfer.updated",
    "transfer.created",
    "ach_correction.created",
    "ach_hold.created",
    "ach_hold.updated",
];

pub(super) fn types(what: &EventKind) -> Vec<String> {
    let one = match what {
        EventKind::Ended { outcome, .. } => match outcome {
            ReturnOutcome::Failed { .. } | ReturnOutcome::Returned { .. } => "transfer.updated",
            ReturnOutcome::Reversed { .. } => return Vec::new(),
        },
        // The payment itself stays as it is.
        EventKind::Moved { step, .. } => match step {
            MoneyStep::Reversed | MoneyStep::Restored | MoneyStep::Reapplied => "transfer.created",
            MoneyStep::Settling => "transfer.updated",
        },
        EventKind::Corrected { .. } => "ach_correction.created",
        EventKind::HoldOpened { .. } => "ach_hold.created",
        EventKind::HoldClosed { .. } => "ach_hold.updated",
    };
    vec![one.to_owned()]
}

pub(super) fn body(event: &EventRecord, happened: &WebhookEvent, event_type: &str) -> Value {
    let (entity, kind) = event_type.split_once('.').unwrap_or((event_type, ""));
    let embedded: Vec<Value> = embedded(event, &happened.what).into_iter().collect();
    let mut body = json!({
        "id": event.new.event_id,
        "type": kind,
        "entity": entity,
        "occurred_at": time(event.new.occurred_at),
        "_embedded": { format!("{entity}s"): embedded },
    });
    add_common(&mut body, event, happened);
    body
}

fn embedded(event: &EventRecord, what: &EventKind) -> Option<Value> {
    match what {
        EventKind::Ended { payment, outcome } => {
            ended(outcome, PayloadVersion::Finix).map(|view| ended_transfer(event, payment, &view))
        }
        EventKind::Moved {
            payment,
            ach_return,
            made,
            ..
        } => Some(made_transfer(event, payment, ach_return, made)),
        EventKind::Corrected {
            payment,
            correction,
        } => Some(ach_correction(payment, correction)),
        EventKind::HoldOpened { hold } => Some(ach_hold(hold, "OPEN")),
        EventKind::HoldClosed { hold, state } => Some(ach_hold(hold, &state.to_uppercase())),
    }
}

const fn type_word(kind: TransferType) -> &'static str {
    match kind {
        TransferType::Debit => "DEBIT",
        TransferType::Credit => "CREDIT",
        TransferType::Refund => "REVERSAL",
        TransferType::Other => "UNKNOWN",
    }
}

fn link(id: &str) -> Value {
    json!({"href": format!("/transfers/{id}")})
}

/// A transfer that failed. What the journal does not know of it (fee, tags, descriptor, the
/// caller's idempotency id) is left out, not said to be null.
fn ended_transfer(event: &EventRecord, payment: &TransferFacts, view: &TransferView) -> Value {
    let parties = &payment.parties;
    let raw = match view.raw.as_slice() {
        [] => Value::Null,
        cells => super::raw(cells),
    };
    let code = view.ach_return.as_ref().map(|one| one.return_code.as_str());
    let failure = code.and_then(word);
    json!({
        "id": payment.id,
        "amount": payment.amount.minor(),
        "state": view.state,
        "trace_id": text(&payment.trace_id),
        "currency": payment.amount.currency().to_string(),
        "application": text(&parties.application),
        "source": text(&parties.source),
        "destination": text(&parties.destination),
        "ready_to_settle_at": null,
        "type": type_word(payment.kind),
        "messages": view.messages,
        "raw": raw,
        "updated_at": time(event.new.occurred_at),
        "merchant_identity": text(&parties.merchant),
        "subtype": text(&parties.subtype),
        "has_ach_return": view.has_ach_return,
        "ach_return": view.ach_return.as_ref().map(short),
        "failure_code": failure,
        "failure_message": view.ach_return.as_ref().map(|one| one.return_desc.as_str()),
        "failure_code_is_inferred": code.is_some_and(is_inferred),
        "_links": {"self": link(&payment.id)},
    })
}

/// A transfer that moves a return's money, with every field in every message.
fn made_transfer(
    event: &EventRecord,
    payment: &TransferFacts,
    ach_return: &AchReturn,
    made: &LinkedTransfer,
) -> Value {
    let parties = &payment.parties;
    let (kind, source, destination) = match made.kind {
        // The buyer, whose instrument the payment came from, has the money back.
        MadeKind::Reversal => ("REVERSAL", "", parties.source.as_str()),
        MadeKind::Restoration => (
            type_word(payment.kind),
            parties.source.as_str(),
            parties.destination.as_str(),
        ),
    };
    json!({
        "id": made.id,
        "amount": payment.amount.minor(),
        "tags": super::object(&made.tags),
        "state": "SUCCEEDED",
        "trace_id": made.trace_id,
        "currency": payment.amount.currency().to_string(),
        "application": text(&parties.application),
        "source": text(source),
        "destination": text(destination),
        "ready_to_settle_at": made.ready_to_settle_at.map(time),
        "fee": 0,
        "statement_descriptor": null,
        "type": kind,
        "messages": [],
        "raw": null,
        "created_at": time(made.created_at),
        "updated_at": time(event.new.occurred_at),
        "idempotency_id": null,
        "merchant_identity": text(&parties.merchant),
        "subtype": "SYSTEM",
        "returned_transfer": payment.id,
        "parent_transfer": made.parent_id,
        "parent_transfer_trace_id": parent_trace_id(payment, made),
        "ach_return": short(ach_return),
        "_links": {"self": link(&made.id), "parent": link(&made.parent_id)},
    })
}

fn ach_correction(payment: &TransferFacts, correction: &Correction) -> Value {
    let mut body = json!({
        "id": correction.id,
        "transfer": payment.id,
        "merchant_identity": text(&payment.parties.merchant),
        "correction_code": correction.code,
        "correction_desc": correction.desc,
        "corrected": super::fields(&correction.corrected),
        "_links": {"transfer": link(&payment.id)},
    });
    add_clock(&mut body, correction);
    body
}

/// The trace id of the parent, where it is the payment; that of a transfer of ours is not known here.
fn parent_trace_id(payment: &TransferFacts, made: &LinkedTransfer) -> Value {
    match made.parent_id == payment.id {
        true => text(&payment.trace_id),
        false => Value::Null,
    }
}

fn ach_hold(hold: &Held, state: &str) -> Value {
    json!({
        "id": hold.id,
        "state": state,
        "reason": hold.reason,
        "detail": super::hold::sentence(hold.reason),
        "entry_type": hold.entry,
        "code": hold.code,
        "amount": hold.amount_minor,
        "currency": hold.currency,
        "transfers": hold.transfer_ids,
        "source_name": hold.source,
        "import": hold.import_id,
        "line": hold.line,
        "created_at": time(hold.held_at),
        "closed_at": hold.closed_at.map(time),
    })
}
