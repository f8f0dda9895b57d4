//! One import for people: its outcome, what could not be read, and what it waits for.

use std::io;

use echeck_proto::returns::v1 as proto;
use proto::{DatabaseState, ImportState};

use super::state;
use crate::output::{Details, Screen, Table, bold, counted, field, grouped, out};
use crate::words::{Words as _, plain, sum, time};

/// Prints one import.
pub(in crate::client) fn print(import: &proto::Import) -> io::Result<()> {
    let (state, tone) = state(import);
    let id = bold(&import.import_id);
    writeln!(out(), "{id}  {}", tone.paint(&state, Screen::of_stdout()))?;
    let mut details = Details::new();
    details.add("file", &import.file_name);
    details.add("source", &import.source);
    details.add("received", dated(import.received_at.as_ref()));
    details.add("decided", dated(import.decided_at.as_ref()));
    details.add("applied", dated(import.applied_at.as_ref()));
    details.add("reported", dated(import.reported_at.as_ref()));
    details.add("controls accepted by", &import.controls_accepted_by);
    details.print()?;
    if let Some(rejection) = &import.rejection {
        writeln!(out(), "rejected: {}", rejected(rejection))?;
        return looks_like(rejection);
    }
    print_totals(import)?;
    print_lines(import)?;
    print_databases(import)?;
    for what in waits_for(import) {
        writeln!(out(), "waiting: {what}")?;
    }
    let held = tally(import.totals.unwrap_or_default().held);
    if held.count > 0 {
        let entries = counted(held.count, "entry is", "entries are");
        writeln!(out(), "{entries} held:")?;
        out().command(&format!("echeck holds --import {}", import.import_id))?;
    }
    Ok(())
}

/// A time, or nothing.
fn dated(at: Option<&prost_types::Timestamp>) -> String {
    at.map_or_else(String::new, |at| time(Some(at)))
}

fn tally(tally: Option<proto::Tally>) -> proto::Tally {
    tally.unwrap_or_default()
}

fn print_totals(import: &proto::Import) -> io::Result<()> {
    let totals = import.totals.unwrap_or_default();
    let outcomes = [
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
        ("unreadable", totals.rejected),
    ];
    let outcomes = outcomes.map(|(outcome, of)| (outcome, tally(of)));
    writeln!(out())?;
    outcome_table(outcomes, &import.currencies).print()?;
    writeln!(out())?;
    if import.left_out > 0 {
        writeln!(out(), "left out: {}", grouped(import.left_out))?;
    }
    Ok(())
}

/// How many entries ended in each way, and their money.
pub(in crate::client) fn outcome_table<'a>(
    outcomes: impl IntoIterator<Item = (&'a str, proto::Tally)>,
    currencies: &[String],
) -> Table {
    Table::of_rows(outcomes.into_iter().map(|(outcome, tally)| {
        vec![
            field("OUTCOME", outcome),
            field("ENTRIES", grouped(tally.count)).right(),
            field("AMOUNT", sum(tally.amount_minor, currencies)).right(),
        ]
    }))
}

/// The lines that could not be read, and what was tolerated.
fn print_lines(import: &proto::Import) -> io::Result<()> {
    for line in &import.rejected_lines {
        writeln!(out(), "  {}", rejected(line))?;
    }
    if !import.rejected_lines_token.is_empty() {
        let all = tally(import.totals.unwrap_or_default().rejected).count;
        let more = all.saturating_sub(import.rejected_lines.len() as u64);
        let more = counted(more, "more line", "more lines");
        writeln!(out(), "  and {more}:")?;
        out().command(&format!("echeck imports lines {}", import.import_id))?;
    }
    for finding in &import.findings {
        writeln!(
            out(),
            "  tolerated: {}: {} ({})",
            plain(&finding.field),
            finding.message,
            counted(finding.count, "time", "times")
        )?;
    }
    Ok(())
}

fn print_databases(import: &proto::Import) -> io::Result<()> {
    let mut details = Details::new();
    for one in &import.databases {
        let lacking = match one.exceptions {
            0 => String::new(),
            count => format!(
                ", {}",
                counted(count, "entry without effect", "entries without effect")
            ),
        };
        let line = format!("{}{lacking}", one.state().words());
        details.add_in(one.state().tone(), &one.database, line);
    }
    details.print()
}

fn rejected(rejection: &proto::Rejection) -> String {
    let place = match rejection.line {
        0 => String::new(),
        line => format!("line {line}: "),
    };
    let field = match rejection.field.as_str() {
        "" => String::new(),
        field => format!("{field}: "),
    };
    format!("{place}{field}{}", rejection.message)
}

/// What a rejected file resembles, and how to import it as that.
fn looks_like(rejection: &proto::Rejection) -> io::Result<()> {
    if rejection.looks_like.is_empty() {
        return Ok(());
    }
    let advice = match rejection.looks_like_sources.as_slice() {
        [] => String::new(),
        sources => format!("; import it with --source {}", sources.join(" or ")),
    };
    writeln!(out(), "It looks like {}{advice}.", rejection.looks_like)
}

/// What keeps an import from being finished, one sentence each.
fn waits_for(import: &proto::Import) -> Vec<String> {
    let mut waits = Vec::new();
    let progress = || {
        let (done, all) = (grouped(import.entries_done), grouped(import.entries_total));
        format!("{done} of {all} entries are decided")
    };
    match import.state() {
        ImportState::Checking => waits.push("the file is being checked".to_owned()),
        ImportState::Deciding => waits.push(progress()),
        ImportState::Decided => {
            let behind = import.databases.iter().filter(|one| one.fault.is_empty());
            let behind = behind.filter(|one| one.state() == DatabaseState::Pending);
            waits.extend(behind.map(|one| {
                let rows = counted(one.rows_passed, "row", "rows");
                format!("{} has {rows} of this import so far", one.database)
            }));
        }
        ImportState::Applied
        | ImportState::Rejected
        | ImportState::DryRun
        | ImportState::Unspecified => {}
    }
    let stalled = import.databases.iter().filter(|one| !one.fault.is_empty());
    waits.extend(stalled.map(|one| format!("{}: {}", one.database, one.fault)));
    if !import.fault.is_empty() {
        waits.push(import.fault.clone());
    }
    waits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(state: ImportState) -> proto::Import {
        proto::Import {
            state: state.into(),
            entries_done: 1_200,
            entries_total: 5_000,
            ..Default::default()
        }
    }

    #[test]
    fn an_import_says_what_it_waits_for() {
        assert_eq!(
            waits_for(&import(ImportState::Deciding)),
            ["1,200 of 5,000 entries are decided"]
        );
        let mut decided = import(ImportState::Decided);
        decided.databases = vec![
            proto::DatabaseProgress {
                database: "gateway".to_owned(),
                state: DatabaseState::Pending.into(),
                rows_passed: 1,
                ..Default::default()
            },
            proto::DatabaseProgress {
                database: "rallypay".to_owned(),
                state: DatabaseState::Fault.into(),
                fault: "connection refused".to_owned(),
                ..Default::default()
            },
        ];
        assert_eq!(
            waits_for(&decided),
            [
                "gateway has 1 row of this import so far",
                "rallypay: connection refused"
            ]
        );
    }

    #[test]
    fn an_import_that_is_done_waits_for_nothing() {
        for state in [
            ImportState::Applied,
            ImportState::Rejected,
            ImportState::DryRun,
        ] {
            assert!(waits_for(&import(state)).is_empty());
        }
    }
}
