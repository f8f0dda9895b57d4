//! The oracle against the rules, and against a slower one that tries every order.

use super::*;
use crate::world::World;

/// The same by trying every order.
fn by_every_order(
    policy: Policy,
    transfer: &Transfer,
    facts: Facts,
    entries: &[Placed<'_>],
) -> BTreeSet<Vec<Fate>> {
    let mut orders = Vec::new();
    permute(&mut (0..entries.len()).collect(), 0, &mut orders);
    orders
        .into_iter()
        .filter(|order| is_free(transfer, entries) || keeps_files_in_order(order, entries))
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
    let mut waiting = order.to_vec();
    // What waits is tried again until nothing comes of it any more.
    loop {
        let before = waiting.len();
        waiting.retain(|at| {
            let entry = entries[*at].2;
            let fate = decide(policy, transfer, facts, entry, &standing);
            if matches!(fate, Fate::Acted(_)) {
                standing.push(entry);
            }
            fates[*at] = fate;
            matches!(fate, Fate::Held(reason) if reason.is_tried_again())
        });
        if waiting.len() == before {
            return fates;
        }
    }
}

#[test]
fn what_is_found_is_what_every_order_of_the_entries_finds() {
    let mut several = 0;
    for round in 0..4 {
        let world = World::new(11, round);
        let files: Vec<_> = (0..12).map(|_| world.next_file(30..140)).collect();
        let expected = Expected::of(world.policy, &files);
        for transfer in files.iter().flat_map(|file| &file.transfers) {
            let entries = expected.about(&transfer.id);
            if !(2..=6).contains(&entries.len()) {
                continue;
            }
            for (exists, owner_acted) in [(true, false), (true, true), (false, false)] {
                let facts = Facts {
                    exists,
                    owner_acted,
                };
                let found = legal(world.policy, transfer, facts, &entries);
                let all = by_every_order(world.policy, transfer, facts, &entries);
                assert_eq!(found, all, "{entries:?} of {transfer:?}");
                several += usize::from(found.len() > 1);
            }
        }
    }
    assert!(several > 20, "{several}");
}
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
        &[(Effect::Reverse, one)],
    );
    assert_eq!(
        (look.state, look.made.as_slice()),
        ("SUCCEEDED", [Made::Reversal].as_slice())
    );
}

fn dishonored(code: &'static str, of: &Entry) -> Entry {
    Entry {
        says: Says::Dishonored {
            code,
            of_code: of.says.code(),
        },
        ..of.clone()
    }
}

#[test]
fn stages_that_come_in_any_order_end_in_the_same() {
    let one = returned("R01", "a", 500);
    let two = dishonored("R68", &one);
    let three = Entry {
        says: Says::Contested {
            code: "R73",
            of_code: "R01",
            dishonor_code: "R68",
        },
        ..one.clone()
    };
    let entries = [(0, 0, &three), (0, 1, &two), (1, 0, &one)];
    let transfer = debit(Owner::Leaves);
    let legal = legal(Policy::State, &transfer, THERE, &entries);
    let only = [Effect::Reapply, Effect::Restore, Effect::Return].map(Fate::Acted);
    assert_eq!(legal, BTreeSet::from([only.to_vec()]));
    let acted = [
        (Effect::Return, one),
        (Effect::Restore, two),
        (Effect::Reapply, three),
    ];
    let look = look(Policy::State, &transfer, THERE, &acted);
    assert_eq!(look.made, [Made::Restoration, Made::Reversal]);
    assert_eq!((look.state, look.code), ("FAILED", Some("R01")));
    let in_app = (look.status, look.last_code);
    assert_eq!(in_app, (Some("returned"), Some("R73")));
}

#[test]
fn of_the_same_dishonor_twice_one_acts_and_the_other_is_a_duplicate() {
    let one = returned("R01", "a", 500);
    let two = dishonored("R68", &one);
    let entries = [(0, 0, &one), (1, 0, &two), (2, 0, &two)];
    let legal = legal(Policy::State, &debit(Owner::Leaves), THERE, &entries);
    let (returns, restores) = (Fate::Acted(Effect::Return), Fate::Acted(Effect::Restore));
    assert_eq!(
        legal,
        BTreeSet::from([
            vec![returns, restores, Fate::Duplicate],
            vec![returns, Fate::Duplicate, restores],
        ])
    );
}

#[test]
fn a_dishonor_that_can_never_be_right_waits_for_good() {
    let one = returned("R01", "a", 500);
    let wrong = [
        Entry {
            return_trace: "b".into(),
            ..dishonored("R68", &one)
        },
        dishonored("R70", &one),
    ];
    for two in wrong {
        let entries = [(0, 0, &one), (1, 0, &two)];
        let legal = legal(Policy::State, &debit(Owner::Leaves), THERE, &entries);
        let waits = Fate::Held(Reason::DishonoredReturn);
        let only = vec![Fate::Acted(Effect::Return), waits];
        assert_eq!(legal, BTreeSet::from([only]));
    }
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
