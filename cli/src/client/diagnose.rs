//! `echeck diagnose`: what is available and what is not.

use std::io;

use clap::Args;
use echeck_proto::returns::v1 as proto;
use proto::CheckState;

use super::connect::Client;
use super::{Failure, exit};
use crate::output::{Table, bold, out};

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
        writeln!(out(), "{}", bold("Everything is available."))?;
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
                ("OPEN INCIDENT", incident.incident_id.clone()),
                ("CAUSE", incident.cause.clone()),
                ("ABOUT", incident.subject.clone()),
            ]
        });
        incidents.print()?;
        writeln!(out())?;
    }
    let checks = Table::of(&answer.checks, |check| {
        let mark = match check.state() {
            CheckState::Passed => "✓",
            CheckState::Failed => "✗",
            CheckState::Skipped | CheckState::Unspecified => "–",
        };
        let component = match check.source.as_str() {
            "" => check.component.clone(),
            source => format!("{source}: {}", check.component),
        };
        vec![
            ("", mark.to_string()),
            ("CHECK", check.name.to_string()),
            ("OF", component.to_string()),
            ("OBSERVED", check.evidence.to_string()),
            (">MS", check.took_ms.to_string()),
        ]
    });
    checks.print()
}
