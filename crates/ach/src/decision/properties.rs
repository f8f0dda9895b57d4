//! What must hold for any sequence of entries, on a small model of a gateway.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::tests::{POLICIES, correction, debit, one, prior, returned, today, validation_failure};
use super::*;
use crate::entry::Direction;
use crate::money::Money;

/// A gateway with nothing but what the decision can change.
#[derive(Default)]
struct Gateway {
    transfers: BTreeMap<String, Transfer>,
    known: BTreeMap<String, Vec<PriorDecision>>,
    reversals: BTreeMap<String, Vec<Money>>,
    failed_or_returned: BTreeMap<String, u32>,
}

impl Gateway {
    fn apply(&mut self, id: &str, entry: &Entry, policy: FundingPolicy) -> Decision<'static> {
        let found = one(self.transfers[id].clone());
        let known = self.known.entry(id.to_owned()).or_default();
        let decision = decide(entry, found, known, policy, today());
        if let Decision::Act(act) = &decision {
            known.push(prior(entry));
            let transfer = self.transfers.get_mut(id).unwrap();
            let effect = act.action.effect();
            match effect {
                Effect::Fail => transfer.state = TransferState::Failed,
                Effect::Return => transfer.state = TransferState::Returned,
                Effect::Reverse => {
                    self.reversals
                        .entry(id.to_owned())
                        .or_default()
                        .push(transfer.amount);
                }
                Effect::Correct | Effect::Restore | Effect::Reapply => {}
            }
            if matches!(effect, Effect::Fail | Effect::Return) {
                *self.failed_or_returned.entry(id.to_owned()).or_default() += 1;
            }
        }
        decision
    }
}

fn any_transfer() -> impl Strategy<Value = Transfer> {
    let kinds = prop_oneof![
        Just(TransferType::Debit),
        Just(TransferType::Credit),
        Just(TransferType::Refund),
        Just(TransferType::Other),
    ];
    let states = prop_oneof![
        4 => Just(TransferState::Pending),
        4 => Just(TransferState::Succeeded),
        1 => Just(TransferState::Failed),
        1 => Just(TransferState::Canceled),
        1 => Just(TransferState::Unknown),
    ];
    (
        kinds,
        states,
        proptest::option::of(any::<bool>()),
        4_999..5_001_i64,
    )
        .prop_map(|(kind, state, in_deposit, amount)| Transfer {
            kind,
            state,
            in_deposit,
            amount: Money::cents(amount),
            ..debit()
        })
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let codes: Vec<&'static str> = ReturnCode::ALL
        .iter()
        .map(|code| code.as_str())
        .chain(["R97", "X01"])
        .collect();
    let kinds = prop_oneof![
        8 => proptest::sample::select(codes).prop_map(returned),
        1 => Just(correction("C01", "021000021")),
        1 => Just(validation_failure("Invalid")),
    ];
    let directions = prop_oneof![
        Just(Direction::Debit),
        Just(Direction::Credit),
        Just(Direction::Unknown),
    ];
    let ids = proptest::option::of(proptest::sample::select(vec!["1", "2"]));
    (kinds, directions, ids).prop_map(|(mut entry, direction, case_id)| {
        entry.direction = direction;
        entry.keys.case_id = case_id.map(str::to_owned);
        entry
    })
}

proptest! {
    #[test]
    fn any_sequence_keeps_the_money_right(
        transfers in proptest::collection::vec(any_transfer(), 1..4),
        entries in proptest::collection::vec((0_usize..4, any_entry()), 1..40),
        by_deposit in any::<bool>(),
    ) {
        let policy = POLICIES[usize::from(by_deposit)];
        let mut gateway = Gateway::default();
        let count = transfers.len();
        for (index, transfer) in transfers.into_iter().enumerate() {
            let id = format!("TR{index}");
            gateway.transfers.insert(id.clone(), Transfer { id, ..transfer });
        }
        let before = gateway.transfers.clone();
        for (index, entry) in &entries {
            let id = format!("TR{}", index % count);
            let state = gateway.transfers[&id].clone();
            let first = gateway.apply(&id, entry, policy);
            if !matches!(first, Decision::Act(_)) {
                prop_assert_eq!(&gateway.transfers[&id], &state, "only an effect changes anything");
            }
            let second = gateway.apply(&id, entry, policy);
            match first {
                Decision::Act(_) => {
                    let duplicate = matches!(second, Decision::Duplicate { .. });
                    prop_assert!(duplicate, "the same entry again");
                }
                Decision::Duplicate { .. } | Decision::Prenote | Decision::Hold(_) => {
                    prop_assert_eq!(first, second);
                }
            }
        }
        for (id, original) in &before {
            let reversed = gateway.reversals.get(id).map_or(0, Vec::len);
            let ended = gateway.failed_or_returned.get(id).copied().unwrap_or_default();
            prop_assert!(u32::try_from(reversed).unwrap() + ended <= 1, "one effect a transfer, never two");
            for amount in gateway.reversals.get(id).into_iter().flatten() {
                prop_assert_eq!(*amount, original.amount, "a reversal is the transfer's amount");
                prop_assert_eq!(original.kind, TransferType::Debit);
                prop_assert_eq!(original.state, TransferState::Succeeded);
            }
        }
    }
}
