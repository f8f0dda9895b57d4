//! A journal and the two databases that follow it, put through random histories and compared
//! with a [`reference`] after every step: batches that are applied, given up midway, sent again
//! or by two at once, batches of another journal or another past, transfers that change behind
//! the decision's back, rows that a database refuses, backups and restores.
//!
//! The databases are SQLite files behind the real mappings of both adapters; the journal is
//! the reference's own, and stands for the returns service.
//!
//! Histories are drawn from a seed, which is always the same one unless ECHECK_MACHINE_SEED
//! says otherwise; ECHECK_MACHINE_CASES says how many. A failure is shrunk, and its history
//! printed. What a seed does not fix is how far a batch gets before it is given up, and which
//! of two rivals is the first.

mod batches;
mod database;
mod expected;
mod harm;
mod history;
mod reference;
mod system;
mod transfers;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};

use echeck_adapter::mapping::ObstacleKind;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, Sequential, StateMachineTest};
use tokio::runtime::{Builder, Runtime};

use harm::Harm;
use history::Transition;
use proptest::strategy::BoxedStrategy;
use reference::Reference;
use system::System;
use transfers::Side;

const CASES: u32 = 30;
const LONGEST: usize = 60;

/// The machine's reference. Its histories begin as [`Reference::strategy`] says.
struct Histories;

impl ReferenceStateMachine for Histories {
    type State = Reference;
    type Transition = Transition;

    fn init_state() -> BoxedStrategy<Reference> {
        Reference::strategy(Harm::None)
    }

    fn transitions(_: &Reference) -> BoxedStrategy<Transition> {
        Transition::strategy()
    }

    fn preconditions(reference: &Reference, transition: &Transition) -> bool {
        reference.allows(transition)
    }

    fn apply(reference: Reference, transition: &Transition) -> Reference {
        reference.after(transition)
    }
}

struct Machine {
    runtime: Runtime,
    system: System,
}

impl StateMachineTest for Machine {
    type SystemUnderTest = Self;
    type Reference = Histories;

    fn init_test(reference: &Reference) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let system = runtime.block_on(System::new(reference));
        Self { runtime, system }
    }

    fn apply(mut machine: Self, reference: &Reference, transition: Transition) -> Self {
        let going = machine.system.go(reference, &transition);
        machine.runtime.block_on(going);
        machine
    }

    fn check_invariants(machine: &Self, reference: &Reference) {
        machine.runtime.block_on(check(&machine.system, reference));
    }

    /// However it ended, feeding on brings both databases to the end of the journal.
    fn teardown(mut machine: Self, mut reference: Reference) {
        while let Some(transition) = reference.left_to_do() {
            reference = reference.after(&transition);
            machine = <Self as StateMachineTest>::apply(machine, &reference, transition);
            Self::check_invariants(&machine, &reference);
        }
        for side in [Side::Gateway, Side::Mirror] {
            let position = machine
                .runtime
                .block_on(machine.system.database(side).position());
            assert_eq!(position, reference.journal.len(), "{side:?} is not drained");
        }
    }
}

/// Compares both databases with the reference, which has no cursor beyond the journal, and
/// with each other.
async fn check(system: &System, reference: &Reference) {
    let mut changed = Vec::new();
    for side in [Side::Gateway, Side::Mirror] {
        let is = system.database(side).contents().await;
        let must_be = reference.contents(side);
        assert_eq!(is.cursors, must_be.cursors, "{side:?}: the cursor");
        assert_eq!(is.rows, must_be.rows, "{side:?}: the rows");
        assert_eq!(
            is.exceptions, must_be.exceptions,
            "{side:?}: the exceptions"
        );
        changed.push(changed_once(side, &is.rows));
    }
    // After a restore the gateway has yet to catch up with what the mirror shows.
    if !reference.gateway_restored {
        assert!(
            changed[1].is_subset(&changed[0]),
            "the mirror shows what did not take effect in the gateway"
        );
    }
}

/// The transfers that were changed, none of them twice: the last cell counts.
fn changed_once(side: Side, rows: &[String]) -> HashSet<String> {
    let cells = rows.iter().map(|row| {
        let id = row.split('|').next().unwrap_or_default();
        let count = row.rsplit('|').next().unwrap_or_default();
        (id.to_owned(), count)
    });
    cells
        .filter(|(_, count)| *count != "0")
        .map(|(id, count)| {
            assert_eq!(count, "1", "{side:?}: {id} was changed more than once");
            id
        })
        .collect()
}

/// What the histories had in them.
#[derive(Default)]
struct Seen(RefCell<BTreeSet<String>>);

impl Seen {
    fn note(&self, mut reference: Reference, transitions: &[Transition]) {
        let mut seen = self.0.borrow_mut();
        for transition in transitions {
            let shown = format!("{transition:?}");
            let name = shown.split(' ').next().unwrap_or_default();
            seen.insert(name.to_owned());
            reference = reference.after(transition);
            for side in [Side::Gateway, Side::Mirror] {
                for (position, why) in &reference.follower(side).exceptions {
                    let transfer = reference.journal[position - 1].transfer;
                    let kind = reference.gateway.transfers[transfer].kind;
                    seen.insert(match why {
                        ObstacleKind::Refused => format!("{side:?} {} {kind:?}", why.as_str()),
                        ObstacleKind::MovedOn | ObstacleKind::NotFound => {
                            format!("{side:?} {}", why.as_str())
                        }
                    });
                }
            }
        }
    }
}

fn from_environment(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs histories with the harm done to each.
fn run(harm: Harm, cases: u32, seen: &Seen) -> Result<(), String> {
    let seed = from_environment("ECHECK_MACHINE_SEED").unwrap_or(20_261_121);
    println!("ECHECK_MACHINE_SEED={seed} ECHECK_MACHINE_CASES={cases}");
    let config = Config {
        cases,
        failure_persistence: None,
        // What is broken on purpose needs no shortest history; 1 is the least that the crate
        // can do with.
        max_shrink_iters: if harm == Harm::None { 500 } else { 1 },
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_be_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let histories = Sequential::new(
        (1..LONGEST).into(),
        move || Reference::strategy(harm),
        Histories::preconditions,
        Histories::transitions,
        <Histories as ReferenceStateMachine>::apply,
    );
    let outcome = TestRunner::new_with_rng(config.clone(), rng).run(
        &histories,
        |(reference, transitions, counter)| {
            seen.note(reference.clone(), &transitions);
            Machine::test_sequential(config.clone(), reference, transitions, counter);
            Ok(())
        },
    );
    outcome.map_err(|error| match error {
        TestError::Fail(why, (reference, transitions, _)) => {
            format!("{why}\nbegin: {reference:?}\nhistory: {transitions:#?}")
        }
        TestError::Abort(why) => format!("no histories could be drawn: {why}"),
    })
}

#[test]
fn both_databases_follow_the_journal_whatever_happens() {
    let seen = Seen::default();
    let cases = from_environment("ECHECK_MACHINE_CASES").unwrap_or(CASES);
    if let Err(why) = run(Harm::None, cases, &seen) {
        panic!("{why}");
    }
    let all = [
        "Append",
        "Arrive",
        "BackUp",
        "Cancel",
        "DecideAgain",
        "EndInMirror",
        "Feed",
        "Fund",
        "Gateway MOVED_ON",
        "Gateway NOT_FOUND",
        "Gateway REFUSED Cursed",
        "Gateway REFUSED Frozen",
        "Mirror MOVED_ON",
        "Mirror NOT_FOUND",
        "OtherJournal",
        "OtherPast",
        "Reopen",
        "Replay",
        "Restore",
        "Rivals",
        "SkipAhead",
    ];
    let seen: Vec<String> = seen.0.into_inner().into_iter().collect();
    assert_eq!(seen, all, "the histories are too tame");
}

/// Asserts that the machine notices a harm, and by what.
fn notices(harm: Harm, by: &str) {
    let why = run(harm, CASES, &Seen::default()).expect_err("the harm goes unnoticed");
    assert!(why.contains(by), "{why}");
}

#[test]
fn a_cursor_that_is_rewound_is_noticed_by_the_exceptions() {
    notices(Harm::CursorRewound, "the exceptions");
}

#[test]
fn a_cursor_that_moves_without_the_rows_is_noticed_by_the_rows() {
    notices(Harm::CursorWithoutRows, "the rows");
}

#[test]
fn exceptions_that_are_not_kept_are_noticed() {
    notices(Harm::ExceptionsLost, "the exceptions");
}

#[test]
fn a_cursor_that_does_not_go_back_with_its_data_is_noticed() {
    notices(Harm::CursorNotRestored, "the cursor");
}
