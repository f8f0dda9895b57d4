//! A model of the protocol by which returns get into the databases, with every order of events
//! tried: two replicas of the returns service, two copies of an adapter, messages that are lost,
//! late or doubled, crashes, lost answers to commits, a transfer that is funded behind the
//! decision's back, a mirror that is restored.
//!
//! It is exhaustive within the bounds of each [`scenario`], which are small: up to three
//! entries, up to three faults. Left out are: the states of transfers other than whether one is
//! funded; restores of the gateway and of the returns database; refusals for good. The targets'
//! own guards against a second effect are left out on purpose (see `adapter.rs`).
//!
//! For every rule of the protocol there is a [`Mutation`] that breaks it, and a test that the
//! model notices.

mod actions;
mod adapter;
mod databases;
mod draining;
mod faults;
mod feed;
mod importer;
mod processes;
mod properties;
mod scenario;
mod steps;
mod world;

use stateright::{Checker as _, HasDiscoveries, Model as _};

use actions::{Mutation, Protocol};
use properties::{
    APPENDED_ONCE, AS_DECIDED, DENSE, EFFECT_ONCE, ENTRY_EFFECT_ONCE, MIRROR_AGREES, MIRROR_BEHIND,
    NOT_SUPERSEDED, PASSED_IS_DONE, RECORD_IS_TRUE, RESTS_DRAINED,
};
use scenario::{MIRROR, Scenario, TWO_COPIES, TWO_REPLICAS, TWO_REPLICAS_AND_MIRROR};
use world::World;

/// Tries everything, and asserts that all holds which must, and all happens which may.
fn is_safe(scenario: Scenario) {
    let protocol = Protocol {
        mutation: Mutation::None,
        scenario,
    };
    let checker = protocol
        .checker()
        .symmetry_fn(World::representative)
        .spawn_dfs()
        .join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

/// Asserts that there is always a way to the end.
fn can_always_drain(scenario: Scenario) {
    let protocol = Protocol {
        mutation: Mutation::None,
        scenario,
    };
    let stuck = draining::stuck(&protocol);
    assert!(stuck.is_none(), "{stuck:#?}");
}

/// Asserts that without one of its rules the protocol breaks these properties.
fn breaks<const N: usize>(mutation: Mutation, scenario: Scenario, names: [&'static str; N]) {
    let protocol = Protocol { mutation, scenario };
    let checker = protocol
        .checker()
        .symmetry_fn(World::representative)
        .finish_when(HasDiscoveries::AllOf(names.into()))
        .spawn_dfs()
        .join();
    for name in names {
        checker.assert_any_discovery(name);
    }
}

#[test]
fn two_copies_of_an_adapter_are_safe() {
    is_safe(TWO_COPIES);
    can_always_drain(TWO_COPIES);
}

#[test]
fn two_replicas_are_safe() {
    is_safe(TWO_REPLICAS);
    can_always_drain(Scenario {
        faults: 1,
        ..TWO_REPLICAS
    });
}

#[test]
fn a_mirror_behind_the_gateway_is_safe() {
    is_safe(MIRROR);
    can_always_drain(MIRROR);
}

#[test]
fn two_replicas_with_a_mirror_are_safe() {
    is_safe(TWO_REPLICAS_AND_MIRROR);
    can_always_drain(Scenario {
        faults: 0,
        ..TWO_REPLICAS_AND_MIRROR
    });
}

#[test]
fn a_cursor_that_moves_in_a_second_transaction_doubles_an_effect() {
    breaks(
        Mutation::CursorInASecondTransaction,
        TWO_COPIES,
        [EFFECT_ONCE],
    );
}

#[test]
fn without_compare_and_set_on_the_import_an_entry_is_appended_and_applied_twice() {
    breaks(
        Mutation::NoCompareAndSetOnImport,
        TWO_REPLICAS,
        [APPENDED_ONCE, ENTRY_EFFECT_ONCE],
    );
}

#[test]
fn a_sequence_instead_of_a_counter_loses_the_row_that_commits_late() {
    let without_faults = Scenario {
        faults: 0,
        ..TWO_REPLICAS
    };
    breaks(
        Mutation::SequenceInsteadOfCounter,
        without_faults,
        [DENSE, PASSED_IS_DONE],
    );
}

#[test]
fn a_commit_that_is_repeated_blindly_doubles_an_effect() {
    breaks(Mutation::BlindRetryOfCommit, TWO_COPIES, [EFFECT_ONCE]);
}

#[test]
fn a_gap_that_is_skipped_leaves_rows_out_of_a_restored_mirror() {
    breaks(Mutation::GapSkipped, MIRROR, [MIRROR_AGREES]);
}

#[test]
fn without_the_state_in_the_where_clause_a_stale_decision_takes_effect() {
    breaks(Mutation::StateGuardDropped, TWO_COPIES, [AS_DECIDED]);
}

#[test]
fn a_mirror_that_is_not_held_back_overtakes_and_shows_a_superseded_decision() {
    breaks(
        Mutation::MirrorNotHeldBack,
        MIRROR,
        [MIRROR_BEHIND, NOT_SUPERSEDED],
    );
}

#[test]
fn progress_that_is_recorded_blindly_forgets_an_exception_and_loses_its_return() {
    let one_entry = Scenario {
        batches: &[&[databases::FUNDABLE]],
        faults: 1,
        ..TWO_REPLICAS
    };
    breaks(
        Mutation::ProgressRecordedBlindly,
        one_entry,
        [RECORD_IS_TRUE, RESTS_DRAINED],
    );
    let protocol = Protocol {
        mutation: Mutation::ProgressRecordedBlindly,
        scenario: one_entry,
    };
    assert!(draining::stuck(&protocol).is_some());
}

#[test]
fn a_feed_that_never_looks_again_leaves_a_restored_mirror_behind() {
    breaks(Mutation::NeverLooksAgain, MIRROR, [RESTS_DRAINED]);
}
