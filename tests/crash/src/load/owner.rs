//! The owner of the two target databases: records payments, and funds, cancels or brings them
//! while their returns are being imported. It knows nothing of returns.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;

use crate::oracle::first_status;
use crate::rig::REFUSING_MERCHANT;
use crate::rig::Rig;
use crate::seed::{Purpose, draws};
use crate::world::{InMirror, Kind, Owner, Policy, ReturnFile, State, Transfer};

/// The longest that the owner lets pass before it acts on a payment, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 900;

/// How long it waits when a database does not answer.
const RETRY: Duration = Duration::from_millis(40);

/// Records the payments of a file that are there before the file is.
pub(super) async fn record(rig: &Rig, file: &ReturnFile) {
    let there: Vec<&Transfer> = file
        .transfers
        .iter()
        .filter(|transfer| {
            matches!(
                transfer.owner,
                Owner::Leaves | Owner::Funds | Owner::Cancels
            )
        })
        .collect();
    insert(rig, &there).await;
}

/// What the owner does about the payments of a file, each at its own moment.
pub(super) async fn act(rig: Arc<Rig>, file: Arc<ReturnFile>, seed: u64, round: u64) {
    let mut draws = draws(seed, round, Purpose::Owner(file.index));
    let mut plan: Vec<(u64, &Transfer)> = file
        .transfers
        .iter()
        .filter(|transfer| {
            matches!(
                transfer.owner,
                Owner::Funds | Owner::Cancels | Owner::Brings
            )
        })
        .map(|transfer| (draws.random_range(0..LONGEST_PAUSE_MS), transfer))
        .collect();
    plan.sort_by_key(|(at, _)| *at);
    let began = tokio::time::Instant::now();
    for (at, transfer) in plan {
        tokio::time::sleep_until(began + Duration::from_millis(at)).await;
        if transfer.owner == Owner::Brings {
            insert(&rig, &[transfer]).await;
        } else {
            let statement = change(rig.world.policy, transfer);
            // Said again after a lost answer it changes nothing more: the state has moved on.
            while rig.gateway.run(&statement).await.is_err() {
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// The mirror first, so that no return of a payment reaches it before the payment.
async fn insert(rig: &Rig, transfers: &[&Transfer]) {
    let mirrored: Vec<String> = transfers
        .iter()
        .filter(|transfer| transfer.mirror != InMirror::Absent)
        .map(|transfer| transaction_values(transfer))
        .collect();
    if !mirrored.is_empty() {
        let insert = rig.rallypay.insert_new(&format!(
            "INSERT INTO transactions (transfer_id, status, amount_cents, created_at, updated_at) \
             VALUES {}",
            mirrored.join(", ")
        ));
        while rig.rallypay.run(&insert).await.is_err() {
            tokio::time::sleep(RETRY).await;
        }
    }
    let values: Vec<String> = transfers
        .iter()
        .map(|transfer| transfer_values(rig.world.policy, transfer))
        .collect();
    if !values.is_empty() {
        let insert = rig.gateway.insert_new(&format!(
            "INSERT INTO transfers (id, type, subtype, state, amount, currency, fee, trace_id, \
             payment_id, ach_trace, source, merchant_identity, application, deposit_id, \
             messages, tags, created_at, updated_at) VALUES {}",
            values.join(", ")
        ));
        while rig.gateway.run(&insert).await.is_err() {
            tokio::time::sleep(RETRY).await;
        }
    }
}

fn transfer_values(policy: Policy, transfer: &Transfer) -> String {
    let (kind, subtype) = match transfer.kind {
        Kind::Debit => ("DEBIT", "API"),
        Kind::Credit => ("CREDIT", "SETTLEMENT_MERCHANT"),
        Kind::Refund => ("REVERSAL", "API"),
    };
    let id = &transfer.id;
    let merchant = if transfer.refused {
        REFUSING_MERCHANT
    } else {
        "IDmerchant"
    };
    let deposit = if transfer.in_deposit {
        "'DEP1'"
    } else {
        "NULL"
    };
    format!(
        "('{id}', '{kind}', '{subtype}', '{}', {}, 'USD', 0, 'FNX{id}', '8399{id}', '{}', \
         'PIbuyer', '{merchant}', 'APplatform', {deposit}, '[]', '{{}}', \
         '2026-11-01 12:00:00', '2026-11-01 12:00:00')",
        policy.spelling(transfer.state),
        transfer.amount_minor,
        transfer.ach_trace,
    )
}

fn transaction_values(transfer: &Transfer) -> String {
    format!(
        "('{}', '{}', {}, '2026-11-01 12:00:00', '2026-11-01 12:00:00')",
        transfer.id,
        first_status(transfer),
        transfer.amount_minor
    )
}

/// The statement by which the owner funds, settles or cancels a payment, if it still can.
/// Raising the fee marks the change as the owner's.
fn change(policy: Policy, transfer: &Transfer) -> String {
    let pending = policy.spelling(State::Pending);
    let (set, only_if) = match (transfer.owner, transfer.kind, policy) {
        (Owner::Cancels, ..) => (
            format!("state = '{}'", policy.spelling(State::Canceled)),
            format!("state = '{pending}'"),
        ),
        (_, Kind::Debit, Policy::Deposit) => (
            "deposit_id = 'DEP1'".to_owned(),
            format!(
                "state = '{}' AND deposit_id IS NULL",
                policy.spelling(State::Succeeded)
            ),
        ),
        _ => (
            format!("state = '{}'", policy.spelling(State::Succeeded)),
            format!("state = '{pending}'"),
        ),
    };
    format!(
        "UPDATE transfers SET {set}, fee = fee + 1 WHERE id = '{}' AND fee = 0 AND {only_if}",
        transfer.id
    )
}
