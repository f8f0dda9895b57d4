//! The acquirer's folders: nothing leaves them before it is in the journal, and in the end
//! everything has left them, as the settings say.

use std::collections::{BTreeSet, HashSet};

use anyhow::Result;

use super::snapshot::Snapshot;
use super::{Findings, Invariant};
use crate::rig::{After, Landed, MOVED_TO, Outbox, Rig, UNFINISHED};
use crate::world::ReturnFile;

/// What a run may come to.
const OUTCOMES: [&str; 11] = [
    "COMPLETED",
    "COMPLETED_WITH_EXCEPTIONS",
    "NO_ACTIVITY",
    "FILE_MISSING",
    "FILE_LATE",
    "FILE_REJECTED",
    "DUPLICATE_FILE",
    "SOURCE_UNREACHABLE",
    "STORE_UNREACHABLE",
    "TARGET_FAILED",
    "REPORT_FAILED",
];

/// What can be said while everything moves: the folder is read before the database, so what is
/// gone from the one must be committed in the other.
pub(super) async fn quick(rig: &Rig, findings: &mut Findings) -> Result<()> {
    let mut gone = Vec::new();
    for outbox in &rig.outboxes {
        let landed = outbox.landed();
        let waiting = outbox.waiting()?;
        let left = landed
            .into_iter()
            .filter(|one| !waiting.contains(&one.name));
        gone.extend(left.map(|one| (outbox, one)));
    }
    let committed: HashSet<(String, String)> = rig
        .returns
        .rows("SELECT source, sha256 FROM imports WHERE phase IN ('decided', 'applied')")
        .await?
        .into_iter()
        .filter_map(|row| {
            let mut cells = row.into_iter().flatten();
            cells.next().zip(cells.next())
        })
        .collect();
    for (outbox, file) in gone {
        let key = (outbox.source.to_owned(), file.sha256.clone());
        findings.expect(Invariant::PutAwayLate, committed.contains(&key), || {
            format!(
                "{} left the folder {} and its import is not committed",
                file.name, outbox.source
            )
        });
    }
    Ok(())
}

/// What holds once everything is done.
pub(super) fn check(snapshot: &Snapshot, rig: &Rig, findings: &mut Findings) -> Result<()> {
    let files = rig.world.files();
    for outbox in &rig.outboxes {
        let (waiting, moved) = (outbox.waiting()?, outbox.moved()?);
        let landed = outbox.landed();
        for one in &landed {
            let file = files.iter().find(|file| file.index == one.index);
            let archived = match (outbox.after, file) {
                (After::Delete, _) => moved.is_empty(),
                (After::Move, Some(file)) => is_moved(outbox, one, file),
                (After::Move, None) => false,
            };
            let import = snapshot
                .imports
                .iter()
                .find(|import| import.source == outbox.source && import.sha256 == one.sha256);
            let is_there = waiting.contains(&one.name);
            let right = import.is_some() && archived && !is_there;
            findings.expect(Invariant::Landed, right, || {
                format!(
                    "{} landed for {}: imported {}, archived {archived}, still there {is_there}",
                    one.name,
                    outbox.source,
                    import.is_some()
                )
            });
            if let Some(import) = import {
                let told = snapshot
                    .runs
                    .iter()
                    .any(|run| run.tells_of.contains(&import.import_id));
                findings.expect(Invariant::RunsEnd, told, || {
                    format!(
                        "no run tells of {}, which landed for {}",
                        one.name, outbox.source
                    )
                });
            }
        }
        untouched(snapshot, outbox, &landed, &moved, findings);
    }
    for run in &snapshot.runs {
        // A slot may begin one just now; that it does not last is seen by the drain.
        let known = run
            .outcome
            .as_ref()
            .is_some_and(|outcome| OUTCOMES.contains(&outcome.as_str()));
        findings.expect(Invariant::RunsEnd, known || !run.has_ended, || {
            format!(
                "run {} of {} ended with the outcome {:?}",
                run.run_id, run.source, run.outcome
            )
        });
    }
    Ok(())
}

/// Whether the moved file is there under its name, byte for byte.
fn is_moved(outbox: &Outbox, landed: &Landed, file: &ReturnFile) -> bool {
    std::fs::read(outbox.folder.join(MOVED_TO).join(&landed.name))
        .is_ok_and(|bytes| bytes == file.bytes)
}

/// Nothing was moved that did not land, and what is unfinished is ignored.
fn untouched(
    snapshot: &Snapshot,
    outbox: &Outbox,
    landed: &[Landed],
    moved: &BTreeSet<String>,
    findings: &mut Findings,
) {
    let names: HashSet<&str> = landed.iter().map(|one| one.name.as_str()).collect();
    for name in moved {
        findings.expect(Invariant::Landed, names.contains(name.as_str()), || {
            format!("{name} was moved in {} and never landed", outbox.source)
        });
    }
    let (name, bytes) = UNFINISHED;
    let there = std::fs::read(outbox.folder.join(name)).is_ok_and(|read| read == bytes);
    let taken = snapshot
        .imports
        .iter()
        .any(|import| import.file_name.ends_with(".part"));
    findings.expect(Invariant::Landed, there && !taken, || {
        format!(
            "the unfinished {name} in {}: there {there}, taken {taken}",
            outbox.source
        )
    });
}
