//! The oracle: from the generated facts alone, what each entry may come to, and what each
//! payment must look like then. It shares no code with the system under test.
//!
//! Two imports may be decided in either order, and the gateway's owner may act before or
//! after a decision. So the oracle runs a model of the rules over every order that is
//! possible, and whatever the system did must be one of the results.

use std::collections::BTreeSet;

use crate::world::{Entry, Kind, Owner, Policy, STRANGE_CODE, Says, State, Transfer};

/// What is done to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It came back before it was funded.
    Return,
    /// It came back after it was funded: a reversal takes the money back.
    Reverse,
    /// It failed.
    Fail,
    /// Its data changes; money and state stay.
    Correct,
    /// Its reversal may be settled. No entry says so; it follows by itself.
    Ready,
}

impl Effect {
    /// The word that the journal uses.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "return" => Self::Return,
            "reverse" => Self::Reverse,
            "fail" => Self::Fail,
            "correct" => Self::Correct,
            "ready" => Self::Ready,
            _ => return None,
        })
    }
}

/// Why an entry waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// No payment has its ids.
    UnknownTransfer,
    /// No table has its code.
    UnknownCode,
    /// Its amount is not the payment's.
    AmountDiffers,
    /// It says debit and the payment is a credit, or the other way round.
    WrongDirection,
    /// The payment is over already.
    StateConflict,
    /// Another return of the payment stands.
    SecondReturn,
    /// The database will not have the change.
    DatabaseRefused,
}

impl Reason {
    /// The word that the returns database uses.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "unknown_transfer" => Self::UnknownTransfer,
            "unknown_code" => Self::UnknownCode,
            "amount_differs" => Self::AmountDiffers,
            "wrong_direction" => Self::WrongDirection,
            "state_conflict" => Self::StateConflict,
            "second_return" => Self::SecondReturn,
            "database_refused" => Self::DatabaseRefused,
            _ => return None,
        })
    }
}

/// What became of an entry in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It stands in the journal.
    Acted(Effect),
    /// Its return was known already.
    Duplicate,
    /// It waits.
    Held(Reason),
}

/// What the owner did about a payment, as the gateway's database says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Whether the gateway has it.
    pub exists: bool,
    /// Whether the owner funded, settled or canceled it.
    pub owner_acted: bool,
}

/// An entry and its place: number of the file, number of the line.
pub type Placed<'a> = (u64, u64, &'a Entry);

/// Every combination of fates that is right for the entries about one payment, in the order
/// in which they are given.
#[must_use]
pub fn legal(
    policy: Policy,
    transfer: &Transfer,
    facts: Facts,
    entries: &[Placed<'_>],
) -> BTreeSet<Vec<Fate>> {
    // Where the owner acts meanwhile, or a hold is tried again later, the order of the
    // decisions that stand in the end need not be the order of the file.
    let loose = transfer.owner != Owner::Leaves;
    let mut orders = Vec::new();
    permute(&mut (0..entries.len()).collect(), 0, &mut orders);
    orders
        .into_iter()
        .filter(|order| loose || keeps_files_in_order(order, entries))
        .map(|order| run(policy, transfer, facts, entries, &order))
        .collect()
}

fn permute(order: &mut Vec<usize>, fixed: usize, all: &mut Vec<Vec<usize>>) {
    if fixed == order.len() {
        all.push(order.clone());
        return;
    }
    for at in fixed..order.len() {
        order.swap(fixed, at);
        permute(order, fixed + 1, all);
        order.swap(fixed, at);
    }
}

fn keeps_files_in_order(order: &[usize], entries: &[Placed<'_>]) -> bool {
    order.iter().enumerate().all(|(at, one)| {
        order[at..]
            .iter()
            .all(|later| entries[*one].0 != entries[*later].0 || one <= later)
    })
}

fn run(
    policy: Policy,
    transfer: &Transfer,
    facts: Facts,
    entries: &[Placed<'_>],
    order: &[usize],
) -> Vec<Fate> {
    let mut fates = vec![Fate::Duplicate; entries.len()];
    let mut standing: Vec<&Entry> = Vec::new();
    for at in order {
        let entry = entries[*at].2;
        let fate = decide(policy, transfer, facts, entry, &standing);
        if matches!(fate, Fate::Acted(_)) {
            standing.push(entry);
        }
        fates[*at] = fate;
    }
    fates
}

fn decide(
    policy: Policy,
    transfer: &Transfer,
    facts: Facts,
    entry: &Entry,
    standing: &[&Entry],
) -> Fate {
    if entry.says.code() == STRANGE_CODE {
        return Fate::Held(Reason::UnknownCode);
    }
    if !facts.exists {
        return Fate::Held(Reason::UnknownTransfer);
    }
    if standing.iter().any(|earlier| same(entry, earlier)) {
        return Fate::Duplicate;
    }
    if matches!(entry.says, Says::Correction { .. }) {
        return Fate::Acted(Effect::Correct);
    }
    if standing
        .iter()
        .any(|earlier| matches!(earlier.says, Says::Return { .. }))
    {
        return Fate::Held(Reason::SecondReturn);
    }
    if entry.is_credit == (transfer.kind == Kind::Debit) {
        return Fate::Held(Reason::WrongDirection);
    }
    if entry.amount_minor != transfer.amount_minor {
        return Fate::Held(Reason::AmountDiffers);
    }
    match effect(policy, transfer, facts) {
        None => Fate::Held(Reason::StateConflict),
        Some(_) if transfer.refused => Fate::Held(Reason::DatabaseRefused),
        Some(effect) => Fate::Acted(effect),
    }
}

/// What a return does to the payment; `None` when it is over already.
fn effect(policy: Policy, transfer: &Transfer, facts: Facts) -> Option<Effect> {
    let canceled = facts.owner_acted && transfer.owner == Owner::Cancels;
    let over = matches!(
        transfer.state,
        State::Failed | State::Canceled | State::Returned
    );
    if canceled || over {
        return None;
    }
    match transfer.kind {
        Kind::Credit | Kind::Refund => Some(Effect::Fail),
        Kind::Debit if is_funded(policy, transfer, facts) => Some(Effect::Reverse),
        Kind::Debit => Some(Effect::Return),
    }
}

fn is_funded(policy: Policy, transfer: &Transfer, facts: Facts) -> bool {
    let meanwhile = facts.owner_acted && transfer.owner == Owner::Funds;
    let before = match policy {
        Policy::State => transfer.state == State::Succeeded,
        Policy::Deposit => transfer.in_deposit,
    };
    before || meanwhile
}

fn same(one: &Entry, other: &Entry) -> bool {
    one.says == other.says && one.return_trace == other.return_trace
}

/// How a payment must look once everything has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Its state in the gateway, as it is spelled there.
    pub state: &'static str,
    /// How many reversals it has.
    pub reversals: u64,
    /// The return code that stands; `None` without an effect.
    pub code: Option<&'static str>,
    /// Its status in the Rails app; `None` when that has no such payment.
    pub status: Option<&'static str>,
}

/// How the payment must look when `acted` is the entry that stands, with its effect.
#[must_use]
pub fn look(
    policy: Policy,
    transfer: &Transfer,
    facts: Facts,
    acted: Option<(Effect, &Entry)>,
) -> Look {
    let before = match transfer.owner {
        Owner::Funds if facts.owner_acted => State::Succeeded,
        Owner::Cancels if facts.owner_acted => State::Canceled,
        _ => transfer.state,
    };
    let (state, reversals) = match acted {
        Some((Effect::Return, _)) => (State::Returned, 0),
        Some((Effect::Fail, _)) => (State::Failed, 0),
        Some((Effect::Reverse, _)) => (State::Succeeded, 1),
        Some((Effect::Correct | Effect::Ready, _)) | None => (before, 0),
    };
    Look {
        state: policy.spelling(state),
        reversals,
        code: acted.map(|(_, entry)| entry.says.code()),
        status: status(transfer, facts, acted.map(|(effect, _)| effect)),
    }
}

/// The status that the Rails app starts with.
#[must_use]
pub const fn first_status(transfer: &Transfer) -> &'static str {
    match (transfer.mirror, transfer.state) {
        (crate::world::InMirror::Closed, _) => "disputed",
        (_, State::Pending) => "pending",
        (_, State::Succeeded) => "succeeded",
        (_, State::Failed | State::Returned) => "failed",
        (_, State::Canceled) => "canceled",
    }
}

fn status(transfer: &Transfer, facts: Facts, acted: Option<Effect>) -> Option<&'static str> {
    use crate::world::InMirror;
    if !facts.exists || transfer.mirror == InMirror::Absent {
        return None;
    }
    Some(match (transfer.mirror, acted) {
        (InMirror::Open, Some(Effect::Return | Effect::Reverse)) => "returned",
        (InMirror::Open, Some(Effect::Fail)) => "failed",
        _ => first_status(transfer),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::InMirror;

    fn debit(owner: Owner) -> Transfer {
        Transfer {
            id: "TR1".into(),
            kind: Kind::Debit,
            state: State::Pending,
            in_deposit: false,
            amount_minor: 500,
            ach_trace: "1".into(),
            mirror: InMirror::Open,
            refused: false,
            owner,
        }
    }

    fn returned(code: &'static str, trace: &str, amount_minor: i64) -> Entry {
        Entry {
            transfer_id: "TR1".into(),
            ach_trace: "1".into(),
            says: Says::Return { code },
            amount_minor,
            is_credit: false,
            return_trace: trace.into(),
        }
    }

    const THERE: Facts = Facts {
        exists: true,
        owner_acted: false,
    };

    #[test]
    fn a_second_return_in_the_same_file_never_wins() {
        let (one, two) = (returned("R01", "a", 500), returned("R02", "b", 500));
        let entries = [(0, 0, &one), (0, 1, &two)];
        let legal = legal(Policy::State, &debit(Owner::Leaves), THERE, &entries);
        let only = vec![
            Fate::Acted(Effect::Return),
            Fate::Held(Reason::SecondReturn),
        ];
        assert_eq!(legal, BTreeSet::from([only]));
    }

    #[test]
    fn of_two_returns_in_two_files_either_may_win_but_never_both() {
        let (one, two) = (returned("R01", "a", 500), returned("R02", "b", 500));
        let entries = [(0, 0, &one), (1, 0, &two)];
        let legal = legal(Policy::State, &debit(Owner::Leaves), THERE, &entries);
        let (acts, waits) = (
            Fate::Acted(Effect::Return),
            Fate::Held(Reason::SecondReturn),
        );
        assert_eq!(
            legal,
            BTreeSet::from([vec![acts, waits], vec![waits, acts]])
        );
    }

    #[test]
    fn a_payment_that_was_funded_meanwhile_is_reversed_and_nothing_else() {
        let one = returned("R01", "a", 500);
        let facts = Facts {
            owner_acted: true,
            ..THERE
        };
        let legal = legal(Policy::State, &debit(Owner::Funds), facts, &[(0, 0, &one)]);
        assert_eq!(legal, BTreeSet::from([vec![Fate::Acted(Effect::Reverse)]]));
        let look = look(
            Policy::State,
            &debit(Owner::Funds),
            facts,
            Some((Effect::Reverse, &one)),
        );
        assert_eq!((look.state, look.reversals), ("SUCCEEDED", 1));
    }

    #[test]
    fn the_same_return_with_another_amount_is_a_duplicate_only_after_the_right_one() {
        let (one, two) = (returned("R01", "a", 500), returned("R01", "a", 501));
        let transfer = debit(Owner::Leaves);
        let first = [(0, 0, &one), (0, 1, &two)];
        let legal_after = legal(Policy::State, &transfer, THERE, &first);
        assert!(legal_after.contains(&vec![Fate::Acted(Effect::Return), Fate::Duplicate]));
        let last = [(0, 0, &two), (0, 1, &one)];
        let legal_before = legal(Policy::State, &transfer, THERE, &last);
        assert!(legal_before.contains(&vec![
            Fate::Held(Reason::AmountDiffers),
            Fate::Acted(Effect::Return)
        ]));
    }
}
