//! `echeck diagnose`: what is available and what is not.

use clap::Args;
use echeck_proto::returns::v1 as proto;
use proto::CheckState;

use super::connect::Service;
use super::{Failure, exit};
use crate::output::{Table, bold, print_line};

/// What to check.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck diagnose\n  echeck diagnose worldpay_returns --json\n\n\
    Exit codes: 0 everything is available, 7 something is unavailable"
)]
pub struct Arguments {
    /// Only this source and what all sources share.
    source: Option<String>,
}

pub(super) async fn run(Arguments { source }: Arguments, service: &Service) -> Result<u8, Failure> {
    let ask = service.ask(proto::DiagnoseRequest {
        source: source.unwrap_or_default(),
    });
    let answer = service.operations().diagnose(ask).await?.into_inner();
    service.show(&answer, print)?;
    Ok(exit::ok_if(answer.healthy, exit::UNHEALTHY))
}

fn print(answer: &proto::DiagnoseResponse) -> Result<(), Failure> {
    if answer.healthy {
        print_line(&bold("Everything is available."))?;
    } else {
        print_line(&bold(&answer.headline))?;
        print_line(&answer.meaning)?;
        for (number, line) in answer.to_do.iter().enumerate() {
            print_line(&format!("  {}. {line}", number + 1))?;
        }
    }
    print_line("")?;
    let mut table = Table::new(&["", "CHECK", "OF", "OBSERVED", ">MS"]);
    for check in &answer.checks {
        let mark = match check.state() {
            CheckState::Passed => "✓",
            CheckState::Failed => "✗",
            CheckState::Skipped | CheckState::Unspecified => "–",
        };
        let component = match check.source.as_str() {
            "" => check.component.clone(),
            source => format!("{source}: {}", check.component),
        };
        table.row(&[
            &mark,
            &check.name,
            &component,
            &check.evidence,
            &check.took_ms,
        ]);
    }
    Ok(table.print()?)
}
