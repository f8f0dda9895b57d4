//! `echeck diagnose`: what is available and what is not.

use std::io;

use clap::Args;
use echeck_proto::returns::v1 as proto;
use proto::CheckState;

use super::connect::Client;
use crate::exit;
use crate::explain::cause_name;
use crate::failure::Failure;
use crate::output::{Columns, Screen, Table, Tone, bold, field, grouped, out};

/// What to check.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck diagnose\n  echeck diagnose worldpay_returns --json\n\n\
    Exit codes: 0 everything is available, 7 something is not, or an incident is open"
)]
pub(crate) struct DiagnoseArguments {
    /// Only this source and what all sources share.
    source: Option<String>,
}

pub(super) async fn run(
    DiagnoseArguments { source }: DiagnoseArguments,
    service: &Client,
) -> Result<u8, Failure> {
    let ask = proto::DiagnoseRequest {
        source: source.unwrap_or_default(),
    };
    let answer = service.operations().diagnose(ask).await?.into_inner();
    service.show(&answer, print)?;
    Ok(exit::ok_if(answer.healthy, exit::UNHEALTHY))
}

fn print(answer: &proto::DiagnoseResponse) -> io::Result<()> {
    if answer.healthy {
        let well = "Everything is available.";
        writeln!(out(), "{}", Tone::Good.paint(well, Screen::of_stdout()))?;
    } else {
        writeln!(out(), "{}", bold(&answer.headline))?;
        writeln!(out(), "{}", answer.meaning)?;
        for (number, line) in answer.to_do.iter().enumerate() {
            writeln!(out(), "  {}. {line}", number + 1)?;
        }
    }
    writeln!(out())?;
    if !answer.incidents.is_empty() {
        let incidents = Table::of(&answer.incidents, |incident| {
            vec![
                field("OPEN INCIDENT", &incident.incident_id),
                field("CAUSE", cause_name(&incident.cause)),
                field("ABOUT", &incident.subject).text(),
            ]
        });
        incidents.print()?;
        writeln!(out())?;
    }
    Table::of(&answer.checks, columns).print()
}

fn columns(check: &proto::Check) -> Columns {
    let (mark, tone) = match check.state() {
        CheckState::Passed => ("✓", Tone::Good),
        CheckState::Failed => ("✗", Tone::Bad),
        CheckState::Skipped | CheckState::Unspecified => ("–", Tone::Quiet),
    };
    let component = match check.source.as_str() {
        "" => check.component.clone(),
        source => format!("{source}: {}", check.component),
    };
    vec![
        field("", mark).tone(tone),
        field("CHECK", &check.name).text(),
        field("OF", component).text(),
        field("OBSERVED", &check.evidence).text(),
        field("MS", grouped(check.took_ms)).right().extra(1),
    ]
}
