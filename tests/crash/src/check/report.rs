//! The reports: line by line what the oracle says became of each entry, with totals that add
//! up, in count and in money.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::bucket::Objects;
use super::entries::Fates;
use super::snapshot::{Filed, Hold, Import, Snapshot};
use super::{Findings, Invariant};
use crate::db::hex;
use crate::oracle::{Effect, Fate, Reason};
use crate::rig::Rig;
use crate::world::{Entry, InMirror, Line, ReturnFile, Says, Transfer};

/// A line of a report, by the names of its columns.
type Cells = HashMap<String, String>;

/// Count and money.
type Tally = (u64, i64);

pub(super) fn check(
    snapshot: &Snapshot,
    rig: &Rig,
    objects: &Objects,
    fates: &Fates,
    findings: &mut Findings,
) {
    let files = rig.world.files();
    let transfers: HashMap<&str, &Transfer> = files
        .iter()
        .flat_map(|file| &file.transfers)
        .map(|transfer| (transfer.id.as_str(), transfer))
        .collect();
    for import in &snapshot.imports {
        let Some(file) = files.iter().find(|file| file.sha256 == import.sha256) else {
            continue;
        };
        let read = snapshot
            .filed
            .get(&import.import_id)
            .context("nothing is recorded")
            .and_then(|filed| read(filed, import, file, objects));
        let lines = match read {
            Ok(lines) => lines,
            Err(error) => {
                findings.expect(Invariant::Reported, false, || {
                    format!("the report of {}: {error:#}", file.name)
                });
                continue;
            }
        };
        for ((ordinal, line), cells) in (0..).zip(&file.lines).zip(&lines) {
            let holds = snapshot
                .holds
                .iter()
                .filter(|hold| hold.import_id == import.import_id && hold.ordinal == ordinal);
            let wrong = match line {
                Line::Unreadable { .. } => unreadable(cells),
                Line::Entry(entry) => match fates.of.get(&(file.index, ordinal)) {
                    Some(fate) => entry_line(
                        cells,
                        entry,
                        *fate,
                        &holds.collect::<Vec<_>>(),
                        transfers.get(entry.transfer_id.as_str()).copied(),
                    ),
                    // What is missing was told already.
                    None => None,
                },
            };
            let money = amount(cells) == line.amount_minor();
            findings.expect(Invariant::Reported, wrong.is_none() && money, || {
                format!(
                    "line {ordinal} of the report of {}: {}; its amount is {}, {} is right",
                    file.name,
                    wrong.unwrap_or_default(),
                    amount(cells),
                    line.amount_minor()
                )
            });
        }
    }
}

/// Reads a report and its totals, and compares what they say of themselves.
fn read(
    filed: &Filed,
    import: &Import,
    file: &ReturnFile,
    objects: &Objects,
) -> Result<Vec<Cells>> {
    let report = filed.report.as_ref().context("none is recorded")?;
    let bytes = objects
        .read(&report.key)
        .context("it is not in the bucket")?;
    let hash = hex(&Sha256::digest(&bytes));
    ensure!(
        hash == report.sha256,
        "its hash is {hash}, recorded was {}",
        report.sha256
    );
    ensure!(
        filed.ties_out,
        "it does not tie out: {:?}",
        objects.read(&filed.totals_key)
    );
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let header = reader.headers()?.clone();
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record?;
        let names = header.iter().map(str::to_owned);
        lines.push(
            names
                .zip(record.iter().map(str::to_owned))
                .collect::<Cells>(),
        );
    }
    ensure!(
        lines.len() == file.lines.len() && filed.rows == file.lines.len() as u64,
        "it has {} lines, {} recorded, the file {}",
        lines.len(),
        filed.rows,
        file.lines.len()
    );
    for cells in &lines {
        ensure!(
            cell(cells, "import_id") == import.import_id
                && cell(cells, "file_sha256") == import.sha256,
            "a line is of another import"
        );
    }
    let totals = objects
        .read(&filed.totals_key)
        .context("it has no totals")?;
    let totals: Value = serde_json::from_slice(&totals)?;
    ensure!(
        totals["report"]["sha256"] == report.sha256.as_str(),
        "its totals are another's"
    );
    ensure!(
        totals["tie_out"]["ties_out"] == true,
        "its totals do not tie out"
    );
    let counted = counted(&lines);
    let words = [
        "returned",
        "reversed",
        "failed",
        "corrected",
        "restored",
        "reapplied",
        "duplicate",
        "prenote",
        "held",
        "rejected",
    ];
    for word in words.into_iter().chain(["read", "dismissed"]) {
        let says = &totals["totals"][word];
        let says = (says["count"].as_u64(), says["amount_minor"].as_i64());
        let is = counted.get(word).copied().unwrap_or_default();
        ensure!(
            says == (Some(is.0), Some(is.1)),
            "its totals say {word} = {says:?}, its lines {is:?}"
        );
    }
    Ok(lines)
}

fn counted(lines: &[Cells]) -> BTreeMap<String, Tally> {
    let mut counted: BTreeMap<String, Tally> = BTreeMap::new();
    for cells in lines {
        let outcome = cell(cells, "outcome");
        let word = outcome.split(':').next().unwrap_or(outcome);
        for name in [word, "read"] {
            let tally = counted.entry(name.to_owned()).or_default();
            tally.0 += 1;
            tally.1 += amount(cells);
        }
    }
    counted
}

fn cell<'a>(cells: &'a Cells, name: &str) -> &'a str {
    cells.get(name).map_or("", String::as_str)
}

fn amount(cells: &Cells) -> i64 {
    cell(cells, "return_amount_minor")
        .parse()
        .unwrap_or_default()
}

fn unreadable(cells: &Cells) -> Option<String> {
    let outcome = cell(cells, "outcome");
    (!outcome.starts_with("rejected:")).then(|| format!("{outcome:?} for a line that has no sense"))
}

/// What is wrong with the line of an entry; `None` when nothing is.
fn entry_line(
    cells: &Cells,
    entry: &Entry,
    fate: Fate,
    holds: &[&Hold],
    transfer: Option<&Transfer>,
) -> Option<String> {
    let outcome = cell(cells, "outcome");
    let trace = match entry.says {
        Says::Rejected { .. } => String::new(),
        Says::Return { .. }
        | Says::Correction { .. }
        | Says::Dishonored { .. }
        | Says::Contested { .. } => format!("'{}", entry.return_trace),
    };
    if cell(cells, "return_trace") != trace {
        return Some(format!(
            "it is about {:?}, the file's line about {trace}",
            cell(cells, "return_trace")
        ));
    }
    if let Some(waited) = outcome.strip_prefix("held:") {
        return (!waits(waited, fate, holds))
            .then(|| format!("it says {outcome}; it became {fate:?}"));
    }
    let right = match fate {
        Fate::Acted(Effect::Return) => outcome == "returned",
        Fate::Acted(Effect::Reverse) => outcome == "reversed",
        Fate::Acted(Effect::Fail) => outcome == "failed",
        Fate::Acted(Effect::Correct) => outcome == "corrected",
        Fate::Acted(Effect::Restore) => outcome == "restored",
        Fate::Acted(Effect::Reapply) => outcome == "reapplied",
        // No line of a file comes to that.
        Fate::Acted(Effect::Ready) => false,
        Fate::Duplicate => outcome == "duplicate",
        Fate::Prenote => outcome == "prenote",
        Fate::Held(_) => false,
    };
    if !right {
        return Some(format!("it says {outcome}; it became {fate:?}"));
    }
    match fate {
        Fate::Acted(
            Effect::Return | Effect::Reverse | Effect::Fail | Effect::Restore | Effect::Reapply,
        ) => in_databases(cells, entry, transfer?),
        Fate::Acted(Effect::Correct | Effect::Ready)
        | Fate::Duplicate
        | Fate::Prenote
        | Fate::Held(_) => None,
    }
}

/// Whether an entry may stand in a report as one that waits: it does so still, or it did when
/// its import was applied. A hold that is tried again may change its reason meanwhile.
fn waits(reason: &str, fate: Fate, holds: &[&Hold]) -> bool {
    let then = holds.iter().any(|hold| !hold.closed_before_applied);
    let Some(reason) = Reason::from_word(reason) else {
        return false;
    };
    match fate {
        Fate::Held(now) => reason == now || (then && reason.is_tried_again()),
        Fate::Acted(_) | Fate::Duplicate => then,
        Fate::Prenote => false,
    }
}

/// What the report says of both databases, for a line that took effect.
fn in_databases(cells: &Cells, entry: &Entry, transfer: &Transfer) -> Option<String> {
    let id = format!("'{}", entry.transfer_id);
    let (gateway, rallypay) = (
        cell(cells, "gateway_status"),
        cell(cells, "rallypay_status"),
    );
    let mirrored = match transfer.mirror {
        InMirror::Open => rallypay == "applied",
        InMirror::Closed | InMirror::Absent => rallypay.starts_with("exception:"),
    };
    let right = cell(cells, "gateway_transaction_id") == id && gateway == "applied" && mirrored;
    (!right).then(|| {
        format!(
            "it says {:?}, {gateway} in the gateway and {rallypay} in the Rails app; it is {id}, \
             applied, and {:?} in the Rails app",
            cell(cells, "gateway_transaction_id"),
            transfer.mirror
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Kind, Owner, State};

    fn entry() -> Entry {
        Entry {
            transfer_id: "TR1".into(),
            ach_trace: "231380100000001".into(),
            says: Says::Return { code: "R01" },
            amount_minor: 500,
            is_credit: false,
            return_trace: "091000010000001".into(),
        }
    }

    fn transfer(mirror: InMirror) -> Transfer {
        Transfer {
            id: "TR1".into(),
            kind: Kind::Debit,
            state: State::Succeeded,
            in_deposit: false,
            amount_minor: 500,
            ach_trace: "231380100000001".into(),
            mirror,
            refused: false,
            owner: Owner::Leaves,
        }
    }

    fn cells(outcome: &str, rallypay: &str) -> Cells {
        [
            ("outcome", outcome),
            ("return_trace", "'091000010000001"),
            ("return_amount_minor", "500"),
            ("gateway_transaction_id", "'TR1"),
            ("gateway_status", "applied"),
            ("rallypay_status", rallypay),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    fn hold(closed_before_applied: bool) -> Hold {
        Hold {
            hold_id: "h".into(),
            import_id: "i".into(),
            ordinal: 0,
            reason: Some(Reason::UnknownTransfer),
            state: "resolved".into(),
            failed: None,
            resolved_position: Some(1),
            closed_before_applied,
        }
    }

    fn wrong(cells: &Cells, fate: Fate, holds: &[&Hold], mirror: InMirror) -> bool {
        entry_line(cells, &entry(), fate, holds, Some(&transfer(mirror))).is_some()
    }

    #[test]
    fn a_line_says_what_became_of_its_entry_in_both_databases() {
        let reversed = Fate::Acted(Effect::Reverse);
        let (open, absent) = (InMirror::Open, InMirror::Absent);
        assert!(!wrong(&cells("reversed", "applied"), reversed, &[], open));
        assert!(wrong(&cells("returned", "applied"), reversed, &[], open));
        assert!(wrong(&cells("reversed", "skipped"), reversed, &[], open));
        assert!(wrong(&cells("reversed", "applied"), reversed, &[], absent));
        let missing = cells("reversed", "exception:not_found");
        assert!(!wrong(&missing, reversed, &[], absent));
        let mut another = cells("reversed", "applied");
        another.insert("return_trace".into(), "'091000010000002".into());
        assert!(wrong(&another, reversed, &[], open));
    }

    #[test]
    fn an_entry_waits_in_a_report_only_if_it_waited_when_its_import_was_applied() {
        let reversed = Fate::Acted(Effect::Reverse);
        let waits = cells("held:unknown_transfer", "skipped");
        let (later, earlier) = (hold(false), hold(true));
        assert!(!wrong(&waits, reversed, &[&later], InMirror::Open));
        assert!(wrong(&waits, reversed, &[&earlier], InMirror::Open));
        assert!(wrong(&waits, reversed, &[], InMirror::Open));
        let held = Fate::Held(Reason::AmountDiffers);
        assert!(wrong(
            &cells("held:second_return", ""),
            held,
            &[],
            InMirror::Open
        ));
        assert!(!wrong(
            &cells("held:amount_differs", ""),
            held,
            &[],
            InMirror::Open
        ));
        assert!(wrong(&cells("duplicate", ""), held, &[], InMirror::Open));
    }
}
