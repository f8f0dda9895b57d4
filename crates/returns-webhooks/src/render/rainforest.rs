//! Rainforest's messages: `{"data": …, "event_type": "payin.returned"}` and our own keys.

use ach::decision::TransferType;
use returns_model::endpoint::PayloadVersion;
use returns_model::event::EventRecord;
use returns_model::journal::TransferFacts;
use serde_json::{Map, Value, json};

use super::{add_common, text, time};
use crate::ach_return::AchReturn;
use crate::event::{Correction, EventKind, Held, WebhookEvent};
use crate::view::{ReturnOutcome, TransferView, ended};

/// What Rainforest calls a payment.
enum Object {
    Payin,
    /// Money for a merchant from a settlement.
    Deposit,
    /// Any other credit.
    Payout,
    Refund,
}

impl Object {
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

    const fn key(&self) -> &'static str {
        match self {
            Self::Payin => "payin_id",
            Self::Deposit => "deposit_id",
            Self::Payout => "payout_id",
            Self::Refund => "refund_id",
        }
    }

    const fn failed(&self) -> &'static str {
        match self {
            Self::Payin => "payin.failed",
            Self::Deposit => "deposit.failed",
            Self::Payout => "payout.failed",
            Self::Refund => "refund.failed",
        }
    }
}

pub(super) fn types(what: &EventKind, payload_version: PayloadVersion) -> Vec<&'static str> {
    match what {
        EventKind::Ended { payment, verdict } => match verdict {
            ReturnOutcome::Failed { .. } => vec![Object::of(payment).failed()],
            ReturnOutcome::Returned { .. }
                if payload_version == PayloadVersion::RainforestLegacy =>
            {
                vec!["payin.succeeded", "ach_return.created"]
            }
            ReturnOutcome::Returned { .. } => vec!["payin.returned", "ach_return.created"],
            ReturnOutcome::Reversed { .. } => vec!["ach_return.created"],
        },
        EventKind::Reversed { .. } => vec!["ach_return.created"],
        EventKind::Restored { .. } => vec!["ach_return.dishonored"],
        EventKind::Reapplied { .. } => vec!["ach_return.contested"],
        EventKind::Settling { .. } => vec!["ach_return.settling"],
        EventKind::Corrected { .. } => vec!["ach_correction.created"],
        EventKind::HoldOpened { .. } => vec!["ach_hold.created"],
        EventKind::HoldClosed { .. } => vec!["ach_hold.closed"],
    }
}

pub(super) fn body(
    event: &EventRecord,
    told: &WebhookEvent,
    payload_version: PayloadVersion,
    event_type: &str,
) -> Value {
    let data = data(&told.what, payload_version, event_type);
    let mut body = Map::new();
    body.insert("data".to_owned(), data);
    body.insert("event_type".to_owned(), json!(event_type));
    add_common(&mut body, event, told);
    body.insert("occurred_at".to_owned(), json!(time(event.new.occurred_at)));
    Value::Object(body)
}

fn data(what: &EventKind, payload_version: PayloadVersion, event_type: &str) -> Value {
    match what {
        EventKind::Ended { payment, verdict } => match verdict.ach_return() {
            Some(one) if event_type.starts_with("ach_return.") => ach_return(payment, one),
            Some(_) | None => ended(verdict, payload_version)
                .map_or(Value::Null, |view| ended_payment(payment, &view)),
        },
        EventKind::Reversed {
            payment,
            ach_return: one,
            ..
        }
        | EventKind::Restored {
            payment,
            ach_return: one,
            ..
        }
        | EventKind::Reapplied {
            payment,
            ach_return: one,
            ..
        }
        | EventKind::Settling {
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
    let found = view.ach_return.as_ref();
    json!({
        (Object::of(payment).key()): payment.id,
        "merchant_id": text(&payment.parties.merchant),
        "status": view.state,
        "method_type": "ACH",
        "amount": payment.amount.minor(),
        "currency_code": payment.amount.currency().to_string(),
        "has_ach_return": view.has_ach_return,
        "ach_return": found.map(|one| json!({
            "ach_return_id": one.ach_return_id,
            "return_code": one.return_code,
            "stage": one.stage().as_str(),
        })),
        "messages": view.messages,
    })
}

/// A return, whole, so that of two messages about it the newer one says everything. Its status
/// is the one that Rainforest documents; how far it has come is `stage`.
fn ach_return(payment: &TransferFacts, one: &AchReturn) -> Value {
    let object = Object::of(payment);
    let mut data = Map::new();
    let mut add = |key: &str, value: Value| data.insert(key.to_owned(), value);
    add("ach_return_id", json!(one.ach_return_id));
    add("merchant_id", text(&payment.parties.merchant));
    add("payin_id", Value::Null);
    add(object.key(), json!(payment.id));
    add("status", json!("CREATED"));
    add("return_code", json!(one.return_code));
    add("return_desc", json!(one.return_desc));
    add("amount", json!(payment.amount.minor()));
    add(
        "currency_code",
        json!(payment.amount.currency().to_string()),
    );
    add("stage", json!(one.stage().as_str()));
    for (key, stage) in [("dishonor", &one.dishonor), ("contest", &one.contest)] {
        let stage = stage.as_ref();
        let stage = stage.map(|one| json!({"id": one.id, "code": one.code, "desc": one.desc}));
        add(key, json!(stage));
    }
    let adjustments = one.adjustments.iter().map(|one| {
        json!({
            "transfer_id": one.transfer_id,
            "type": one.kind.as_str(),
            "ready_to_settle_at": one.ready_to_settle_at.map(time),
        })
    });
    add("adjustments", adjustments.collect());
    Value::Object(data)
}

fn ach_correction(payment: &TransferFacts, correction: &Correction) -> Value {
    json!({
        "ach_correction_id": correction.id,
        "merchant_id": text(&payment.parties.merchant),
        (Object::of(payment).key()): payment.id,
        "correction_code": correction.code,
        "correction_desc": correction.desc,
        "corrected": super::fields(&correction.corrected),
    })
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
