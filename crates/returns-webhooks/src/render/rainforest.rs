//! Rainforest's messages: `{"data": …, "event_type": "payin.returned"}` and our own keys.

use ach::decision::TransferType;
use returns_model::endpoint::PayloadVersion;
use returns_model::event::EventRecord;
use returns_model::journal::TransferFacts;
use serde_json::{Value, json};

use super::{add_clock, add_common, text, time};
use crate::ach_return::{AchReturn, LaterStage};
use crate::event::{Correction, EventKind, Held, MoneyStep, WebhookEvent};
use crate::view::{ReturnOutcome, TransferView, ended};

/// What Rainforest calls a payment.
#[derive(strum::Display)]
#[strum(serialize_all = "snake_case")]
enum RainforestObject {
    Payin,
    /// Money for a merchant from a settlement.
    Deposit,
    /// Any other credit.
    Payout,
    Refund,
}

impl RainforestObject {
    fn of(payment: &TransferFacts) -> Self {
        match payment.kind {
            TransferType::Debit | TransferType::Other => Self::Payin,
            TransferType::Credit if payment.parties.subtype.starts_with("SETTLEMENT") => {
                Self::Deposit
            }
            TransferType::Credit => Self::Payout,
            TransferType::Refund => Self::Refund,
        }
    }

    fn key(payment: &TransferFacts) -> String {
        format!("{}_id", Self::of(payment))
    }
}

/// Every event type that [`types`] gives, besides that of a payin which was returned.
const TYPES: &[&str] = &[
    "payin.failed",
    "deposit.failed",
    "payout.failed",
    "refund.failed",
    "ach_return.created",
    // Our additions have three parts, which no type of Rainforest's has.
    "echeck.ach_return.dishonored",
    "echeck.ach_return.contested",
    "echeck.ach_return.settling",
    "echeck.ach_correction.created",
    "echeck.ach_hold.created",
    "echeck.ach_hold.closed",
];

/// Every event type of a version.
pub(super) fn all_types(payload_version: PayloadVersion) -> Vec<&'static str> {
    [&[returned(payload_version)][..], TYPES].concat()
}

/// What a payin that was returned is called: an older version has no such state.
fn returned(payload_version: PayloadVersion) -> &'static str {
    match payload_version {
        PayloadVersion::RainforestLegacy => "payin.succeeded",
        PayloadVersion::Rainforest20241016 | PayloadVersion::Finix => "payin.returned",
    }
}

pub(super) fn types(what: &EventKind, payload_version: PayloadVersion) -> Vec<String> {
    let one = match what {
        EventKind::Ended { payment, outcome } => match outcome {
            ReturnOutcome::Failed { ach_return, .. } => {
                let object = RainforestObject::of(payment);
                let failed = format!("{object}.failed");
                // A refund has returns of its own, as a payin has.
                return match (object, ach_return) {
                    (RainforestObject::Refund, Some(_)) => {
                        vec![failed, "ach_return.created".to_owned()]
                    }
                    (_, _) => vec![failed],
                };
            }
            ReturnOutcome::Returned { .. } => {
                let payin = returned(payload_version);
                return vec![payin.to_owned(), "ach_return.created".to_owned()];
            }
            ReturnOutcome::Reversed { .. } => "ach_return.created",
        },
        EventKind::Moved { step, .. } => match step {
            MoneyStep::Reversed => "ach_return.created",
            MoneyStep::Restored => "echeck.ach_return.dishonored",
            MoneyStep::Reapplied => "echeck.ach_return.contested",
            MoneyStep::Settling => "echeck.ach_return.settling",
        },
        EventKind::Corrected { .. } => "echeck.ach_correction.created",
        EventKind::HoldOpened { .. } => "echeck.ach_hold.created",
        EventKind::HoldClosed { .. } => "echeck.ach_hold.closed",
    };
    vec![one.to_owned()]
}

pub(super) fn body(
    event: &EventRecord,
    happened: &WebhookEvent,
    payload_version: PayloadVersion,
    event_type: &str,
) -> Value {
    let data = data(&happened.what, payload_version, event_type);
    let mut body = json!({"data": data, "event_type": event_type});
    add_common(&mut body, event, happened);
    body["occurred_at"] = json!(time(event.new.occurred_at));
    body
}

fn data(what: &EventKind, payload_version: PayloadVersion, event_type: &str) -> Value {
    match what {
        EventKind::Ended { payment, outcome } => match outcome.ach_return() {
            Some(one) if event_type.starts_with("ach_return.") => ach_return(payment, one),
            Some(_) | None => ended(outcome, payload_version)
                .map_or(Value::Null, |view| ended_payment(payment, &view)),
        },
        EventKind::Moved {
            payment,
            ach_return: one,
            ..
        } => ach_return(payment, one),
        EventKind::Corrected {
            payment,
            correction,
        } => ach_correction(payment, correction),
        EventKind::HoldOpened { hold } => ach_hold(hold, "open"),
        EventKind::HoldClosed { hold, state } => ach_hold(hold, state),
    }
}

fn ended_payment(payment: &TransferFacts, view: &TransferView) -> Value {
    json!({
        (RainforestObject::key(payment)): payment.id,
        "merchant_id": text(&payment.parties.merchant),
        "status": view.state,
        "method_type": "ACH",
        "amount": payment.amount.minor(),
        "currency_code": payment.amount.currency().to_string(),
        "has_ach_return": view.has_ach_return,
        "ach_return": view.ach_return.as_ref().map(|one| ach_return(payment, one)),
        "messages": view.messages,
    })
}

/// A return, whole, so that of two messages about it the newer one says everything. Its status
/// is the one that Rainforest documents; how far it has come is `stage`.
fn ach_return(payment: &TransferFacts, one: &AchReturn) -> Value {
    let stage = |stage: &Option<LaterStage>| {
        let stage = stage.as_ref();
        stage.map(|one| json!({"id": one.id, "code": one.code, "desc": one.desc}))
    };
    let adjustments = one.adjustments.iter().map(|one| {
        json!({
            "transfer_id": one.transfer_id,
            "type": one.kind,
            "ready_to_settle_at": one.ready_to_settle_at.map(time),
        })
    });
    json!({
        "ach_return_id": one.ach_return_id,
        "merchant_id": text(&payment.parties.merchant),
        // The next key replaces it where the payment is a payin.
        "payin_id": null,
        (RainforestObject::key(payment)): payment.id,
        "status": "CREATED",
        "return_code": one.return_code,
        "return_desc": one.return_desc,
        "questionable": one.questionable,
        "amount": payment.amount.minor(),
        "currency_code": payment.amount.currency().to_string(),
        "stage": one.stage(),
        "dishonor": stage(&one.dishonor),
        "contest": stage(&one.contest),
        "adjustments": adjustments.collect::<Vec<_>>(),
    })
}

fn ach_correction(payment: &TransferFacts, correction: &Correction) -> Value {
    let mut body = json!({
        "ach_correction_id": correction.id,
        "merchant_id": text(&payment.parties.merchant),
        (RainforestObject::key(payment)): payment.id,
        "correction_code": correction.code,
        "correction_desc": correction.desc,
        "corrected": super::fields(&correction.corrected),
    });
    add_clock(&mut body, correction);
    body
}

fn ach_hold(hold: &Held, state: &str) -> Value {
    json!({
        "ach_hold_id": hold.id,
        "status": state.to_uppercase(),
        "reason": hold.reason,
        "detail": super::hold::sentence(hold.reason),
        "entry_type": hold.entry,
        "code": hold.code,
        "amount": hold.amount_minor,
        "currency_code": hold.currency,
        "transfer_ids": hold.transfer_ids,
        "source": hold.source,
        "import_id": hold.import_id,
        "line": hold.line,
        "held_at": time(hold.held_at),
        "closed_at": hold.closed_at.map(time),
    })
}
