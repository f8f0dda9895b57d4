//! What is said equals what took effect: the counts of an import, how far it says that each
//! database is, and the outcome of the runs that tell of it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use echeck_proto::returns::v1 as proto;
use proto::DatabaseState;

use super::api::ask;
use super::entries::Fates;
use super::snapshot::{Row, Snapshot, Target};
use super::{Findings, Invariant};
use crate::oracle::{Effect, Fate};
use crate::rig::Rig;
use crate::world::{Line, ReturnFile};

/// Count and money.
type Tally = (u64, i64);

/// How a run ended whose files changed every database as they should.
const COMPLETED: &str = "COMPLETED";
/// How a run ended of whose files something waits.
const WITH_EXCEPTIONS: &str = "COMPLETED_WITH_EXCEPTIONS";

pub(super) async fn check(snapshot: &Snapshot, rig: &Rig, fates: &Fates, findings: &mut Findings) {
    let files = rig.world.files();
    for import in &snapshot.imports {
        let Some(file) = files.iter().find(|file| file.sha256 == import.sha256) else {
            continue;
        };
        let said = match get(rig, &import.import_id).await {
            Ok(said) => said,
            Err(error) => {
                findings.expect(Invariant::Said, false, || {
                    format!("GetImport of {}: {error:#}", file.name)
                });
                continue;
            }
        };
        counts(&said, file, fates, findings);
        databases(&said, snapshot, (file, fates), findings);
    }
    runs(snapshot, fates, &files, findings);
}

async fn get(rig: &Rig, import_id: &str) -> Result<proto::Import> {
    ask(rig, async |mut client| {
        let import_id = import_id.to_owned();
        let question = proto::GetImportRequest { import_id };
        let answer = client.get_import(question).await?.into_inner();
        answer.file_import.context("the answer has no import")
    })
    .await
}

/// The word by which the totals count what a line came to in the end.
const fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Acted(Effect::Return) => "returned",
        Fate::Acted(Effect::Reverse) => "reversed",
        Fate::Acted(Effect::Fail) => "failed",
        Fate::Acted(Effect::Correct) => "corrected",
        Fate::Acted(Effect::Restore) => "restored",
        Fate::Acted(Effect::Reapply) => "reapplied",
        // No line of a file comes to that.
        Fate::Acted(Effect::Ready) => "released",
        Fate::Duplicate => "duplicate",
        Fate::Prenote => "prenote",
        Fate::Held(_) => "held",
    }
}

/// The counts of an import are of what its lines came to, and so of what took effect.
fn counts(said: &proto::Import, file: &ReturnFile, fates: &Fates, findings: &mut Findings) {
    let mut right: BTreeMap<&str, Tally> = BTreeMap::new();
    for (ordinal, line) in (0..).zip(&file.lines) {
        let came_to = match line {
            Line::Unreadable { .. } => Some("rejected"),
            // What is missing was told already.
            Line::Entry(_) => fates.of.get(&(file.index, ordinal)).map(|fate| word(*fate)),
        };
        for word in came_to.into_iter().chain(["read"]) {
            let tally = right.entry(word).or_default();
            tally.0 += 1;
            tally.1 += line.amount_minor();
        }
    }
    let totals = said.totals.unwrap_or_default();
    for (word, tally) in [
        ("read", totals.read),
        ("returned", totals.returned),
        ("reversed", totals.reversed),
        ("failed", totals.failed),
        ("corrected", totals.corrected),
        ("restored", totals.restored),
        ("reapplied", totals.reapplied),
        ("duplicate", totals.duplicate),
        ("prenote", totals.prenote),
        ("held", totals.held),
        ("rejected", totals.rejected),
    ] {
        let said = tally.map_or((0, 0), |tally| (tally.count, tally.amount_minor));
        let right = right.get(word).copied().unwrap_or_default();
        findings.expect(Invariant::Said, said == right, || {
            format!(
                "the import of {} says {word} = {said:?}; {right:?} took effect so",
                file.name
            )
        });
    }
}

/// A database has an import if it has passed all its rows, and each had its effect.
fn databases(
    said: &proto::Import,
    snapshot: &Snapshot,
    (file, fates): (&ReturnFile, &Fates),
    findings: &mut Findings,
) {
    // A row without effect may turn out to be the duplicate of one that had it.
    let is_duplicate = |row: &&Row| {
        let fate = fates.of.get(&(file.index, row.ordinal));
        matches!(fate, Some(Fate::Duplicate))
    };
    let own = snapshot.rows.iter();
    let own = own.filter(|row| row.import_id == said.import_id && !is_duplicate(row));
    let own: Vec<&Row> = own.collect();
    let rows: Vec<u64> = snapshot
        .rows
        .iter()
        .filter(|row| row.import_id == said.import_id)
        .map(|row| row.position)
        .filter(|at| (said.first_position..=said.last_position).contains(at))
        .collect();
    for (name, targets) in [
        ("gateway", vec![&snapshot.gateway]),
        // What the system of record did not take is in no mirror either.
        ("rallypay", vec![&snapshot.gateway, &snapshot.rallypay]),
    ] {
        let without_effect = without_effect(&own, &targets);
        let state = if without_effect > 0 {
            DatabaseState::Exception
        } else {
            DatabaseState::Applied
        };
        let progress = said.databases.iter().find(|one| one.database == name);
        let right = progress.is_some_and(|one| {
            one.state() == state
                && one.rows_passed == rows.len() as u64
                && one.exceptions == without_effect
        });
        findings.expect(Invariant::Said, right, || {
            format!(
                "the import of {} says {progress:?}; {name} has {} rows of it, of which \
                 {without_effect} had no effect",
                file.name,
                rows.len()
            )
        });
    }
}

/// How many entries have no effect in one of the targets: the last row that says what to do about
/// such an entry is among the target's exceptions.
fn without_effect(rows: &[&Row], targets: &[&Target]) -> u64 {
    let replaced: HashSet<u64> = rows.iter().filter_map(|row| row.supersedes).collect();
    let lacks = |position: u64| {
        // Only the mirror that had no effect of it has a row again; the others have an empty step.
        let again = rows.iter().filter(|row| row.repeats == Some(position));
        let last = again.map(|row| row.position).max().unwrap_or(position);
        targets.iter().any(|target| {
            let lacked = target.exceptions.contains_key(&position);
            lacked && (last == position || target.exceptions.contains_key(&last))
        })
    };
    let standing = rows
        .iter()
        .filter(|row| !row.is_repeat && !replaced.contains(&row.position));
    let lacking = standing.filter(|row| lacks(row.position));
    lacking.map(|row| row.ordinal).collect::<HashSet<_>>().len() as u64
}

/// A run that completed has no line that waits; one with exceptions has, or had.
fn runs(snapshot: &Snapshot, fates: &Fates, files: &[Arc<ReturnFile>], findings: &mut Findings) {
    let lacking = lacking(snapshot, fates, files);
    let had_holds: HashSet<&str> = snapshot
        .holds
        .iter()
        .map(|hold| hold.import_id.as_str())
        .collect();
    for run in &snapshot.runs {
        let ids = || run.tells_of.iter().map(String::as_str);
        let right = match run.outcome.as_deref() {
            Some(COMPLETED) => !ids().any(|id| lacking.contains(id)),
            Some(WITH_EXCEPTIONS) => ids().any(|id| lacking.contains(id) || had_holds.contains(id)),
            Some(_) | None => continue,
        };
        findings.expect(Invariant::Said, right, || {
            format!(
                "run {} says {:?}; of its files these have lines that lack an effect: {:?}",
                run.run_id,
                run.outcome,
                ids().filter(|id| lacking.contains(id)).collect::<Vec<_>>()
            )
        });
    }
}

/// The imports of which a line waits, could not be read, or is not in the mirror.
fn lacking<'a>(
    snapshot: &'a Snapshot,
    fates: &Fates,
    files: &[Arc<ReturnFile>],
) -> HashSet<&'a str> {
    let mut lacking: HashSet<&str> = snapshot
        .rows
        .iter()
        .filter(|row| snapshot.rallypay.exceptions.contains_key(&row.position))
        .map(|row| row.import_id.as_str())
        .collect();
    for import in &snapshot.imports {
        let Some(file) = files.iter().find(|file| file.sha256 == import.sha256) else {
            continue;
        };
        let mut lines = (0..).zip(&file.lines);
        let waits = lines.any(|(ordinal, line)| match line {
            Line::Unreadable { .. } => true,
            Line::Entry(_) => match fates.of.get(&(file.index, ordinal)) {
                Some(Fate::Held(_)) => true,
                Some(Fate::Acted(_) | Fate::Duplicate | Fate::Prenote) | None => false,
            },
        });
        if waits {
            lacking.insert(&import.import_id);
        }
    }
    lacking
}
