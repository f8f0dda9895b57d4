//! What a campaign came to, for people and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::bug::Bug;
use crate::campaign::{Outcome, Plan};
use crate::check::Invariant;
use crate::fault::Kind;
use crate::matrix::MatrixOutcome;
use crate::self_test::Caught;

/// The maximum of violations that are listed.
const TOLD: usize = 12;

/// The report as lined-up text.
#[must_use]
pub fn text(plan: &Plan, outcome: &Outcome) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{:<52}{:>8}", "fault", "times");
    for kind in Kind::ALL {
        let times = outcome.faults.get(&kind).copied().unwrap_or_default();
        let _ = writeln!(text, "{:<52}{times:>8}", kind.name());
    }
    let _ = writeln!(text, "{:<52}{:>8}", "in all", outcome.kills);
    let _ = writeln!(text, "\n{:<52}{:>8}", "the campaign was about", "");
    for (name, count) in about(outcome) {
        let _ = writeln!(text, "{name:<52}{count:>8}");
    }
    let _ = writeln!(
        text,
        "\n{:<60}{:>12}{:>12}",
        "invariant", "compared", "violations"
    );
    for invariant in Invariant::ALL {
        let _ = writeln!(
            text,
            "{:<60}{:>12}{:>12}",
            invariant.sentence(),
            outcome
                .findings
                .checked
                .get(&invariant)
                .copied()
                .unwrap_or_default(),
            violations_of(outcome, invariant)
        );
    }
    let _ = writeln!(
        text,
        "\nseed {}, {} kills, {} s, slowest drain {} ms, {} violations",
        plan.seed,
        outcome.kills,
        outcome.took.as_secs(),
        outcome.slowest_drain.as_millis(),
        outcome.findings.violations.len()
    );
    if let Some((round, kill)) = outcome.failed_at {
        let _ = writeln!(text, "\nFAILED in round {round}, at kill {kill}:");
        for (invariant, what) in outcome.findings.violations.iter().take(TOLD) {
            let _ = writeln!(text, "  {invariant:?}: {what}");
        }
        let _ = writeln!(text, "to replay: {}", replay(plan, round));
        if let Some(folder) = &outcome.kept {
            let _ = writeln!(text, "databases and logs are kept in {}", folder.display());
        }
    }
    text
}

fn replay(plan: &Plan, round: u64) -> String {
    format!(
        "scripts/crash run --seed {} --first-round {round} --kills {} --keep",
        plan.seed,
        crate::campaign::ROUND
    )
}

fn about(outcome: &Outcome) -> Vec<(&'static str, u64)> {
    let coverage = &outcome.coverage;
    vec![
        ("files imported", coverage.files),
        ("files that landed at the acquirer", coverage.landed),
        ("files sent again", outcome.resent),
        ("lines in them", coverage.lines),
        ("journal rows", coverage.rows),
        ("rows that superseded another", coverage.superseded),
        ("rows without effect somewhere", coverage.exceptions),
        ("returns dishonored", coverage.restored),
        ("dishonors contested", coverage.reapplied),
        ("holds", coverage.holds),
        ("runs of sources", coverage.runs),
        ("reports recorded", coverage.reports),
        ("reports left by a crash, unrecorded", coverage.leftovers),
        ("COMMITs whose answer was cut off", outcome.commits_cut),
        (
            "processes that ended by themselves",
            outcome.ended_by_themselves,
        ),
    ]
}

fn violations_of(outcome: &Outcome, invariant: Invariant) -> usize {
    let violations = &outcome.findings.violations;
    violations.iter().filter(|(of, _)| *of == invariant).count()
}

/// The report as JSON.
#[must_use]
pub fn json(plan: &Plan, outcome: &Outcome) -> Value {
    let faults: serde_json::Map<String, Value> = outcome
        .faults
        .iter()
        .map(|(kind, times)| (format!("{kind:?}"), (*times).into()))
        .collect();
    let invariants: Vec<Value> = Invariant::ALL
        .iter()
        .map(|invariant| {
            json!({
                "invariant": format!("{invariant:?}"),
                "compared": outcome.findings.checked.get(invariant).copied().unwrap_or_default(),
                "violations": violations_of(outcome, *invariant),
            })
        })
        .collect();
    let about: serde_json::Map<String, Value> = about(outcome)
        .into_iter()
        .map(|(name, count)| (name.replace(' ', "_"), count.into()))
        .collect();
    let violations: Vec<&String> = outcome
        .findings
        .violations
        .iter()
        .map(|(_, what)| what)
        .collect();
    json!({
        "seed": plan.seed,
        "kills": outcome.kills,
        "faults": faults,
        "about": about,
        "invariants": invariants,
        "violations": violations,
        "failed_at": outcome.failed_at.map(|(round, kill)| json!({
            "round": round,
            "kill": kill,
            "replay": replay(plan, round),
        })),
        "took_ms": u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
        "slowest_drain_ms": u64::try_from(outcome.slowest_drain.as_millis()).unwrap_or(u64::MAX),
    })
}

/// What the failpoint matrix came to.
#[must_use]
pub fn matrix(outcome: &MatrixOutcome) -> String {
    let compared: u64 = outcome.findings.checked.values().sum();
    let mut text = format!(
        "{} cells, {} never reached, {compared} facts compared, {} violations, {} s",
        outcome.cases,
        outcome.missed.len(),
        outcome.findings.violations.len(),
        outcome.took.as_secs()
    );
    for missed in &outcome.missed {
        // Writing to a string does not fail.
        let _ = write!(text, "\n  never reached: {missed}");
    }
    for (invariant, what) in outcome.findings.violations.iter().take(TOLD) {
        let _ = write!(text, "\n  {invariant:?}: {what}");
    }
    text
}

/// Which planted bugs were caught.
#[must_use]
pub fn self_test(all: &[Caught]) -> String {
    let mut text = format!(
        "{:<32}{:>14}{:>8}  seen first",
        "planted bug", "caught after", "s"
    );
    for caught in all {
        let after = match caught.after {
            Some(kills) => format!("{kills} kills"),
            None if caught.bug.is_none() => "green".to_owned(),
            None => "NEVER".to_owned(),
        };
        let seen = caught.seen.as_deref().unwrap_or("nothing");
        let _ = write!(
            text,
            "\n{:<32}{after:>14}{:>8}  {seen}",
            caught.name(),
            caught.took.as_secs()
        );
    }
    let planted = || all.iter().filter(|caught| caught.bug.is_some());
    let count = planted().filter(|caught| caught.is_right()).count();
    let _ = write!(text, "\n{count} of {} caught", planted().count());
    text
}

/// What the failpoint matrix came to, as JSON.
#[must_use]
pub fn matrix_json(outcome: &MatrixOutcome) -> Value {
    let violations = &outcome.findings.violations;
    json!({
        "cells": outcome.cases,
        "never_reached": outcome.missed,
        "compared": outcome.findings.checked.values().sum::<u64>(),
        "violations": violations.iter().map(|(_, what)| what).collect::<Vec<_>>(),
        "took_ms": u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Which planted bugs were caught, as JSON.
#[must_use]
pub fn self_test_json(all: &[Caught]) -> Value {
    let bugs: Vec<Value> = all
        .iter()
        .map(|caught| {
            json!({
                "bug": caught.bug.map(Bug::name),
                "caught_after_kills": caught.after,
                "seen_first": caught.seen,
                "took_ms": u64::try_from(caught.took.as_millis()).unwrap_or(u64::MAX),
            })
        })
        .collect();
    let right = all.iter().all(Caught::is_right);
    json!({ "right": right, "runs": bugs })
}
