//! The changes that the cases send.

use echeck_proto::adapter::v1 as proto;
use prost_types::Timestamp;
use proto::TransferState;
use proto::step::Change;
use uuid::Uuid;

/// When everything was decided, in seconds since 1970.
const DECIDED_AT_SECONDS: i64 = 1_772_000_000;

/// A pending debit comes back.
pub(super) fn returns(payment: &str) -> Change {
    Change::ReturnTransfer(proto::ReturnTransfer {
        transfer_id: payment.to_owned(),
        expected: expected(TransferState::Pending, None),
        reason: reason("R01", "2026-03-02"),
        messages: vec!["R01".to_owned()],
        return_id: String::new(),
    })
}

/// A pending debit is refused before it reaches the network.
pub(super) fn fails(payment: &str) -> Change {
    Change::FailTransfer(proto::FailTransfer {
        transfer_id: payment.to_owned(),
        expected: expected(TransferState::Pending, None),
        reason: reason("R03", ""),
        messages: vec!["R03".to_owned()],
        raw_json: "{}".to_owned(),
    })
}

/// The stages of the return of a funded payment.
pub(super) struct Stages<'a> {
    payment: &'a str,
    amount_minor: i64,
    currency: String,
    in_deposit: Option<bool>,
    /// What the stages make, in ids that no target has yet.
    reversal: String,
    restoration: String,
    second_reversal: String,
}

impl<'a> Stages<'a> {
    /// Of a payment, as it was looked up, or else of this amount.
    pub(super) fn of(
        payment: &'a str,
        amount_minor: i64,
        transfer: Option<&proto::Transfer>,
    ) -> Self {
        let fresh = || format!("TR{}", &Uuid::new_v4().simple().to_string()[..22]);
        Self {
            payment,
            amount_minor: transfer.map_or(amount_minor, |transfer| transfer.amount_minor),
            currency: transfer.map_or_else(|| "USD".to_owned(), |found| found.currency.clone()),
            in_deposit: transfer.and_then(|transfer| transfer.in_deposit),
            reversal: fresh(),
            restoration: fresh(),
            second_reversal: fresh(),
        }
    }

    /// Each with its name.
    pub(super) fn in_order(&self) -> [(&'static str, Change); 5] {
        let now = TransferState::Succeeded;
        let reverse = Change::ReverseTransfer(proto::ReverseTransfer {
            transfer_id: self.payment.to_owned(),
            expected: expected(now, self.in_deposit),
            reason: reason("R01", "2026-03-02"),
            reversal: self.made(&self.reversal, ""),
            return_id: "ret_contract_test".to_owned(),
        });
        let restore = Change::RestoreTransfer(proto::RestoreTransfer {
            transfer_id: self.payment.to_owned(),
            expected: expected(now, None),
            reason: reason("R68", "2026-03-04"),
            restoration: self.made(&self.restoration, &self.reversal),
            return_id: "dis_contract_test".to_owned(),
        });
        let reapply = Change::ReapplyReturn(proto::ReapplyReturn {
            transfer_id: self.payment.to_owned(),
            expected: expected(now, None),
            reason: reason("R73", "2026-03-06"),
            reversal: self.made(&self.second_reversal, &self.restoration),
            return_id: "con_contract_test".to_owned(),
        });
        [
            ("reverse", reverse),
            ("release the reversal", self.release(&self.reversal)),
            ("restore", restore),
            ("reapply", reapply),
            (
                "release the second reversal",
                self.release(&self.second_reversal),
            ),
        ]
    }

    fn made(&self, id: &str, parent_id: &str) -> Option<proto::Reversal> {
        Some(proto::Reversal {
            id: id.to_owned(),
            trace_id: format!("FNX{}", &id[2..]),
            amount_minor: self.amount_minor,
            currency: self.currency.clone(),
            tags: [("result_message_0".to_owned(), "R01".to_owned())].into(),
            parent_id: parent_id.to_owned(),
        })
    }

    fn release(&self, made: &str) -> Change {
        Change::ReleaseToSettlement(proto::ReleaseToSettlement {
            transfer_id: made.to_owned(),
            returned_transfer_id: self.payment.to_owned(),
            ready_to_settle_at: at(3_600),
            decided_at: at(0),
        })
    }
}

fn expected(state: TransferState, in_deposit: Option<bool>) -> Option<proto::Expected> {
    Some(proto::Expected {
        state: state.into(),
        in_deposit,
    })
}

/// The bank's date may be empty.
fn reason(code: &str, returned_on: &str) -> Option<proto::Reason> {
    Some(proto::Reason {
        code: code.to_owned(),
        description: "told by a test".to_owned(),
        returned_on: returned_on.to_owned(),
        decided_at: at(0),
    })
}

fn at(after_seconds: i64) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: DECIDED_AT_SECONDS + after_seconds,
        nanos: 0,
    })
}
