//! The changes that the tests send.

use echeck_proto::adapter::v1::step::Change;
use echeck_proto::adapter::v1::{self as proto, Expected, Reason, TransferState};

use super::DECIDED_AT_SECONDS;

/// The state that a change was decided on.
pub fn expected(state: TransferState, in_deposit: Option<bool>) -> Option<Expected> {
    Some(Expected {
        state: state.into(),
        in_deposit,
    })
}

/// R01, decided at [`DECIDED_AT_SECONDS`]; the bank's date may be empty.
pub fn reason(returned_on: &str) -> Option<Reason> {
    Some(Reason {
        code: "R01".to_owned(),
        description: "Insufficient Funds".to_owned(),
        returned_on: returned_on.to_owned(),
        decided_at: at(0),
    })
}

/// A change that fails a transfer which is in `state`.
pub fn fail(id: &str, state: TransferState) -> Change {
    Change::FailTransfer(proto::FailTransfer {
        transfer_id: id.to_owned(),
        expected: expected(state, None),
        reason: reason(""),
        messages: vec!["ReasonCode: R01".to_owned()],
        raw_json: r#"{"Reason Code":"R01"}"#.to_owned(),
    })
}

/// A change that returns a transfer which is in `state`.
pub fn give_back(id: &str, state: TransferState, in_deposit: Option<bool>) -> Change {
    Change::ReturnTransfer(proto::ReturnTransfer {
        transfer_id: id.to_owned(),
        expected: expected(state, in_deposit),
        reason: reason("2026-02-27"),
        messages: vec!["ReasonCode: R01".to_owned()],
        return_id: format!("RET_{id}"),
    })
}

/// A change that reverses a transfer which SUCCEEDED; the reversal is `RV_` and its id.
pub fn reverse(id: &str, amount_minor: i64, in_deposit: Option<bool>) -> Change {
    Change::ReverseTransfer(proto::ReverseTransfer {
        transfer_id: id.to_owned(),
        expected: expected(TransferState::Succeeded, in_deposit),
        reason: reason(""),
        reversal: Some(proto::Reversal {
            id: format!("RV_{id}"),
            trace_id: format!("FNX_RV_{id}"),
            amount_minor,
            currency: "USD".to_owned(),
            tags: [("result_message_0".to_owned(), "ReasonCode: R01 ".to_owned())].into(),
            parent_id: String::new(),
        }),
        return_id: format!("RET_{id}"),
    })
}

/// A change that restores a returned transfer which is in `state`; the restoration is `RS_`
/// and its id, and undoes `parent_id`.
pub fn restore(id: &str, amount_minor: i64, state: TransferState, parent_id: &str) -> Change {
    Change::RestoreTransfer(proto::RestoreTransfer {
        transfer_id: id.to_owned(),
        expected: expected(state, None),
        reason: later("R68", "Untimely Return"),
        restoration: Some(new_transfer(&format!("RS_{id}"), amount_minor, parent_id)),
        return_id: format!("DIS_{id}"),
    })
}

/// A change that applies the return of a transfer again which is in `state`; the reversal is
/// `RA_` and its id, and undoes the restoration that [`restore`] creates.
pub fn reapply(id: &str, amount_minor: i64, state: TransferState) -> Change {
    Change::ReapplyReturn(proto::ReapplyReturn {
        transfer_id: id.to_owned(),
        expected: expected(state, None),
        reason: later("R73", "Timely Original Return"),
        reversal: Some(new_transfer(
            &format!("RA_{id}"),
            amount_minor,
            &format!("RS_{id}"),
        )),
        return_id: format!("CON_{id}"),
    })
}

/// A change that releases to settlement, some seconds after everything was decided, the transfer
/// `id`, which an earlier step of the transfer `returned` created.
pub fn release(id: &str, returned: &str, after_seconds: i64) -> Change {
    Change::ReleaseToSettlement(proto::ReleaseToSettlement {
        transfer_id: id.to_owned(),
        returned_transfer_id: returned.to_owned(),
        ready_to_settle_at: at(after_seconds),
        decided_at: at(0),
    })
}

fn at(after_seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp {
        seconds: DECIDED_AT_SECONDS + after_seconds,
        nanos: 0,
    })
}

/// The reason of a later stage, decided at [`DECIDED_AT_SECONDS`].
fn later(code: &str, description: &str) -> Option<Reason> {
    reason("2026-03-01").map(|reason| Reason {
        code: code.to_owned(),
        description: description.to_owned(),
        ..reason
    })
}

fn new_transfer(id: &str, amount_minor: i64, parent_id: &str) -> proto::Reversal {
    proto::Reversal {
        id: id.to_owned(),
        trace_id: format!("FNX_{id}"),
        amount_minor,
        currency: "USD".to_owned(),
        tags: [("dishonor".to_owned(), "R68".to_owned())].into(),
        parent_id: parent_id.to_owned(),
    }
}
