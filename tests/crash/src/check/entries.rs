//! The lines of the files: each is accounted for once, and what became of it is one of the
//! things that the oracle allows.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::snapshot::{Hold, Import, Place, Row, Snapshot};
use super::{Findings, Invariant};
use crate::load::{Load, Way};
use crate::oracle::{Effect, Fate, Placed, legal};
use crate::rig::Rig;
use crate::world::{Entry, Line, ReturnFile, Transfer};

/// What became of a payment's entries: those that stand, with their effects on state and money,
/// in the order of the stages.
pub(super) type Acted = HashMap<String, Vec<(Effect, Entry)>>;

/// What became of everything.
pub(super) struct Fates {
    /// Of each entry, by file and line.
    pub(super) of: BTreeMap<(u64, u64), Fate>,
    /// Of each payment.
    pub(super) acted: Acted,
}

/// What the databases say of one line.
#[derive(Default)]
struct Said<'a> {
    rows: Vec<&'a Row>,
    holds: Vec<&'a Hold>,
    duplicates: usize,
    prenotes: usize,
    rejected: usize,
}

pub(super) fn check(snapshot: &Snapshot, rig: &Rig, load: &Load, findings: &mut Findings) -> Fates {
    let said = by_place(snapshot);
    let superseded: HashSet<u64> = snapshot
        .rows
        .iter()
        .filter_map(|row| row.supersedes)
        .collect();
    let (acknowledged, ways) = (load.imports(), load.ways());
    let mut fates: BTreeMap<(u64, u64), Fate> = BTreeMap::new();
    let files = rig.world.files();
    one_import_each(snapshot, &files, findings);
    for file in &files {
        let Some(import) = import_of(file, &acknowledged, &ways, load, snapshot, findings) else {
            continue;
        };
        let import_id = &import.import_id;
        finished(import, file, findings);
        totals(import, file, &said, snapshot, findings);
        for (ordinal, line) in (0..).zip(&file.lines) {
            let place = (import_id.clone(), ordinal);
            let nothing = Said::default();
            let said = said.get(&place).unwrap_or(&nothing);
            accounted(&place, line, said, findings);
            if let Line::Entry(_) = line {
                match fate(said, &superseded, snapshot) {
                    Ok(fate) => {
                        fates.insert((file.index, ordinal), fate);
                    }
                    Err(what) => findings.expect(Invariant::Entries, false, || {
                        format!("line {ordinal} of {}: {what}", file.name)
                    }),
                }
            }
        }
    }
    let acted = as_the_oracle_says(snapshot, rig, &files, &fates, findings);
    Fates { of: fates, acted }
}

/// The import that a file became: the acknowledged one, or, of a file that only landed, the one
/// of its source with its bytes.
fn import_of<'a>(
    file: &ReturnFile,
    acknowledged: &HashMap<u64, String>,
    ways: &HashMap<u64, Way>,
    load: &Load,
    snapshot: &'a Snapshot,
    findings: &mut Findings,
) -> Option<&'a Import> {
    let source = ways.get(&file.index).map(|way| load.source(*way));
    let of_bytes = snapshot
        .imports
        .iter()
        .find(|import| import.sha256 == file.sha256 && Some(import.source.as_str()) == source);
    let (found, what) = match (acknowledged.get(&file.index), ways.get(&file.index)) {
        (Some(import_id), _) => (
            of_bytes.filter(|import| import.import_id == *import_id),
            format!("import {import_id} was acknowledged and is gone"),
        ),
        (None, Some(Way::Landed(_))) => (
            of_bytes,
            format!("it landed for {source:?} and became no import"),
        ),
        (None, _) => (None, "it was never acknowledged".to_owned()),
    };
    findings.expect(Invariant::Entries, found.is_some(), || {
        format!("file {}: {what}", file.name)
    });
    found
}

fn by_place(snapshot: &Snapshot) -> HashMap<Place, Said<'_>> {
    let mut said: HashMap<Place, Said<'_>> = HashMap::new();
    for row in &snapshot.rows {
        let place = (row.import_id.clone(), row.ordinal);
        said.entry(place).or_default().rows.push(row);
    }
    for hold in &snapshot.holds {
        let place = (hold.import_id.clone(), hold.ordinal);
        said.entry(place).or_default().holds.push(hold);
    }
    for place in &snapshot.duplicates {
        said.entry(place.clone()).or_default().duplicates += 1;
    }
    for place in &snapshot.prenotes {
        said.entry(place.clone()).or_default().prenotes += 1;
    }
    for place in &snapshot.rejected {
        said.entry(place.clone()).or_default().rejected += 1;
    }
    said
}

fn one_import_each(snapshot: &Snapshot, files: &[Arc<ReturnFile>], findings: &mut Findings) {
    for file in files {
        let imports = snapshot.imports.iter().filter(|i| i.sha256 == file.sha256);
        let count = imports.count();
        findings.expect(Invariant::FileOnce, count == 1, || {
            format!("file {} became {count} imports", file.name)
        });
    }
}

fn finished(import: &Import, file: &ReturnFile, findings: &mut Findings) {
    let whole = import.done == file.lines.len() as u64 && import.phase == "applied";
    findings.expect(Invariant::Entries, whole, || {
        format!(
            "import of {} is {} with {} of {} lines done",
            file.name,
            import.phase,
            import.done,
            file.lines.len()
        )
    });
}

/// Whether this row is what its entry became on its first decision.
fn is_first(row: &Row, snapshot: &Snapshot) -> bool {
    row.supersedes.is_none()
        && !row.is_repeat
        && !snapshot
            .holds
            .iter()
            .any(|hold| hold.resolved_position == Some(row.position))
}

/// Each line is one of a row, a duplicate, a hold and a rejected line. Rows that resolve the
/// line's own hold, or supersede its own row, come on top.
fn accounted(place: &Place, line: &Line, said: &Said<'_>, findings: &mut Findings) {
    let resolved: Vec<u64> = said
        .holds
        .iter()
        .filter_map(|hold| hold.resolved_position)
        .collect();
    let first_rows = said
        .rows
        .iter()
        .filter(|row| {
            row.supersedes.is_none() && !row.is_repeat && !resolved.contains(&row.position)
        })
        .count();
    let holds = said
        .holds
        .iter()
        .filter(|hold| hold.failed.is_none())
        .count();
    let counts = [
        first_rows,
        said.duplicates,
        said.prenotes,
        holds,
        said.rejected,
    ];
    let unreadable = matches!(line, Line::Unreadable { .. });
    let things = counts.iter().sum::<usize>();
    let told = || {
        format!(
            "line {} of {}: {first_rows} rows, {} duplicates, {} prenotes, {holds} holds, {} \
             rejected",
            place.1, place.0, said.duplicates, said.prenotes, said.rejected
        )
    };
    findings.expect(Invariant::LineOnce, things <= 1, told);
    let right = things == 1 && (said.rejected == 1) == unreadable;
    findings.expect(Invariant::Entries, right, told);
}

/// What became of an entry in the end; an error when that cannot be told.
fn fate(said: &Said<'_>, superseded: &HashSet<u64>, snapshot: &Snapshot) -> Result<Fate, String> {
    let standing: Vec<&&Row> = said
        .rows
        .iter()
        .filter(|row| {
            !row.is_repeat
                && !superseded.contains(&row.position)
                && !snapshot.gateway.exceptions.contains_key(&row.position)
        })
        .collect();
    if said.prenotes == 1 {
        return Ok(Fate::Prenote);
    }
    match standing.as_slice() {
        [row] => return Ok(Fate::Acted(row.effect)),
        [] => {}
        several => {
            let at: Vec<u64> = several.iter().map(|row| row.position).collect();
            return Err(format!("the rows at {at:?} all stand"));
        }
    }
    let of_gateway = said.holds.iter().find(|hold| {
        hold.failed
            .as_ref()
            .is_some_and(|(name, _)| name == "gateway")
    });
    let of_file = said.holds.iter().find(|hold| hold.failed.is_none());
    match (of_gateway.or(of_file), said.duplicates) {
        (Some(hold), _) => match (hold.state.as_str(), hold.reason) {
            ("open", Some(reason)) => Ok(Fate::Held(reason)),
            ("open", None) => Err(format!("hold {} has a reason of its own", hold.hold_id)),
            ("duplicate", _) => Ok(Fate::Duplicate),
            // It was resolved by a row that then turned out to be somebody else's duplicate.
            ("resolved", _) if !said.rows.is_empty() => Ok(Fate::Duplicate),
            (state, _) => Err(format!("hold {} is {state}", hold.hold_id)),
        },
        (None, 1) => Ok(Fate::Duplicate),
        // Its row took no effect, and on the second look the return stood by another row.
        (None, 0) if !said.rows.is_empty() => Ok(Fate::Duplicate),
        (None, count) => Err(format!("nothing became of it ({count} duplicates)")),
    }
}

/// The import's own totals, which are of the first decision, against a count of its lines.
fn totals(
    import: &Import,
    file: &ReturnFile,
    said: &HashMap<Place, Said<'_>>,
    snapshot: &Snapshot,
    findings: &mut Findings,
) {
    let mut counted: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    let mut add = |name: &'static str, amount: i64| {
        let tally = counted.entry(name).or_default();
        tally.0 += 1;
        tally.1 += amount;
    };
    for (ordinal, line) in (0..).zip(&file.lines) {
        add("read", line.amount_minor());
        let Some(said) = said.get(&(import.import_id.clone(), ordinal)) else {
            continue;
        };
        if let Some(row) = said.rows.iter().find(|row| is_first(row, snapshot)) {
            let name = match row.effect {
                Effect::Return => "returned",
                Effect::Reverse => "reversed",
                Effect::Fail => "failed",
                Effect::Correct => "corrected",
                Effect::Restore => "restored",
                Effect::Reapply => "reapplied",
                Effect::Ready => continue,
            };
            add(name, line.amount_minor());
        }
        if said.holds.iter().any(|hold| hold.failed.is_none()) {
            add("held", line.amount_minor());
        }
        for _ in 0..said.duplicates {
            add("duplicate", line.amount_minor());
        }
        for _ in 0..said.prenotes {
            add("prenote", line.amount_minor());
        }
        for _ in 0..said.rejected {
            add("rejected", line.amount_minor());
        }
    }
    for name in [
        "read",
        "returned",
        "reversed",
        "failed",
        "corrected",
        "restored",
        "reapplied",
        "held",
        "duplicate",
        "prenote",
        "rejected",
    ] {
        let tally = &import.totals[name];
        let told = (
            tally["count"].as_u64().unwrap_or_default(),
            tally["amount_minor"].as_i64().unwrap_or_default(),
        );
        let counted = counted.get(name).copied().unwrap_or_default();
        findings.expect(Invariant::Totals, told == counted, || {
            format!(
                "import of {}: it says {name} = {told:?}, its lines are {counted:?}",
                file.name
            )
        });
    }
}

fn as_the_oracle_says(
    snapshot: &Snapshot,
    rig: &Rig,
    files: &[Arc<ReturnFile>],
    fates: &BTreeMap<(u64, u64), Fate>,
    findings: &mut Findings,
) -> Acted {
    let mut about: HashMap<&str, Vec<Placed<'_>>> = HashMap::new();
    for file in files {
        for (ordinal, line) in (0..).zip(&file.lines) {
            if let Line::Entry(entry) = line {
                let placed = (file.index, ordinal, entry);
                about.entry(&entry.transfer_id).or_default().push(placed);
            }
        }
    }
    let mut acted = Acted::new();
    for transfer in files.iter().flat_map(|file| &file.transfers) {
        let Some(entries) = about.get(transfer.id.as_str()) else {
            continue;
        };
        let actual: Vec<Fate> = entries
            .iter()
            .filter_map(|(file, ordinal, _)| fates.get(&(*file, *ordinal)).copied())
            .collect();
        if actual.len() != entries.len() {
            // What is missing was told already.
            continue;
        }
        let facts = super::payments::facts(snapshot, transfer);
        let legal = legal(rig.world.policy, transfer, facts, entries);
        findings.expect(Invariant::States, legal.contains(&actual), || {
            told(transfer, entries, &actual, &legal)
        });
        let mut standing: Vec<(Effect, Entry)> = actual
            .iter()
            .zip(entries)
            .filter_map(|(fate, (_, _, entry))| match fate {
                Fate::Acted(Effect::Correct | Effect::Ready)
                | Fate::Duplicate
                | Fate::Prenote
                | Fate::Held(_) => None,
                Fate::Acted(effect) => Some((*effect, (*entry).clone())),
            })
            .collect();
        standing.sort_by_key(|(effect, _)| match effect {
            Effect::Restore => 1,
            Effect::Reapply => 2,
            Effect::Return | Effect::Reverse | Effect::Fail | Effect::Correct | Effect::Ready => 0,
        });
        if !standing.is_empty() {
            acted.insert(transfer.id.clone(), standing);
        }
    }
    acted
}

fn told(
    transfer: &Transfer,
    entries: &[Placed<'_>],
    actual: &[Fate],
    legal: &std::collections::BTreeSet<Vec<Fate>>,
) -> String {
    let lines: Vec<String> = entries
        .iter()
        .map(|(file, ordinal, entry)| format!("f{file}:{ordinal} {}", entry.says.code()))
        .collect();
    format!(
        "{} ({:?}, {:?}, owner {:?}), entries {}: became {actual:?}, right would be {legal:?}",
        transfer.id,
        transfer.kind,
        transfer.state,
        transfer.owner,
        lines.join(", ")
    )
}
