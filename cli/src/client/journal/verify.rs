//! The proof that the journal and the databases are what was written to them.

use std::io;

use echeck_proto::returns::v1 as proto;

use super::super::connect::Client;
use crate::exit;
use crate::failure::Failure;
use crate::output::{Progress, Screen, Tone, counted, out};

pub(super) async fn run(targets: bool, service: &Client) -> Result<u8, Failure> {
    let ask = proto::VerifyJournalRequest { targets };
    let mut messages = service.operations().verify_journal(ask).await?.into_inner();
    let mut progress = Progress::of_things(service.json, "rows");
    let mut verdict = None;
    while let Some(message) = messages.message().await? {
        progress.set("verifying", message.checked, message.head_position);
        if message.done {
            verdict = Some(message);
        }
    }
    progress.finish();
    let verdict = verdict
        .ok_or_else(|| anyhow::anyhow!("the service stopped before it had checked all rows"))?;
    service.show(&verdict, |verdict| {
        print_verdict(verdict)?;
        if targets {
            print_missing(verdict)?;
        }
        Ok(())
    })?;
    let right = verdict.sound && verdict.missing_total == 0;
    Ok(exit::ok_if(right, exit::NOT_SOUND))
}

fn say(tone: Tone, what: &str) -> io::Result<()> {
    writeln!(out(), "{}", tone.paint(what, Screen::of_stdout()))
}

fn print_verdict(verdict: &proto::VerifyJournalResponse) -> io::Result<()> {
    let rows = counted(verdict.checked, "row", "rows");
    if verdict.sound {
        say(Tone::Good, "The journal is sound.")?;
        writeln!(
            out(),
            "{rows}: every hash and every column fits, and so do imports, holds, exceptions and \
             cursors."
        )?;
    } else if verdict.faults.is_empty() {
        let what = format!("The journal ({rows}) could not be checked fully:");
        say(Tone::Attention, &what)?;
    } else {
        say(
            Tone::Bad,
            &format!("The journal is NOT sound ({rows} checked):"),
        )?;
    }
    for what in verdict.faults.iter().chain(&verdict.unchecked) {
        writeln!(out(), "  {what}")?;
    }
    if verdict.proven_position > 0 {
        let position = verdict.proven_position;
        writeln!(
            out(),
            "A signed checkpoint proves the rows up to position {position}."
        )?;
    }
    if !verdict.end_unproven.is_empty() {
        let why = &verdict.end_unproven;
        writeln!(out(), "The end of the journal is not proven: {why}.")?;
    }
    Ok(())
}

fn print_missing(verdict: &proto::VerifyJournalResponse) -> io::Result<()> {
    let compared = counted(verdict.compared, "step", "steps");
    if verdict.missing_total == 0 {
        return writeln!(
            out(),
            "Every applied return that was compared still shows ({compared})."
        );
    }
    let missing = counted(verdict.missing_total, "applied return", "applied returns");
    say(
        Tone::Bad,
        &format!("NOT shown any more: {missing} ({compared} compared):"),
    )?;
    for one in &verdict.missing {
        let (database, position) = (&one.database, one.position);
        writeln!(out(), "  {database}, position {position}: {}", one.message)?;
    }
    Ok(())
}
