//! `echeck diagnose`: what works and what does not.

use echeck_proto::returns::v1 as proto;
use proto::CheckState;

use super::connect::{operations, request};
use super::{Common, Failure, exit, json};
use crate::output::{Table, bold, print_line};

pub(super) async fn run(source: Option<String>, common: &Common) -> Result<u8, Failure> {
    let ask = proto::DiagnoseRequest {
        source: source.unwrap_or_default(),
    };
    let answer = operations(common)
        .await?
        .diagnose(request(common, ask))
        .await?
        .into_inner();
    let code = if answer.healthy {
        exit::FINE
    } else {
        exit::SICK
    };
    if common.json {
        print_line(&json::diagnosis(&answer).to_string())?;
        return Ok(code);
    }
    if answer.healthy {
        print_line(&bold("Everything works."))?;
    } else {
        print_line(&bold(&answer.headline))?;
        print_line(&answer.meaning)?;
        for (number, line) in answer.to_do.iter().enumerate() {
            print_line(&format!("  {}. {line}", number + 1))?;
        }
    }
    print_line("")?;
    let mut table = Table::new(&["", "CHECK", "OF", "SEEN", ">MS"]);
    for check in &answer.checks {
        let mark = match check.state() {
            CheckState::Passed => "✓",
            CheckState::Failed => "✗",
            CheckState::Skipped | CheckState::Unspecified => "–",
        };
        let of = if check.source.is_empty() {
            check.of.clone()
        } else {
            format!("{}: {}", check.source, check.of)
        };
        table.row(vec![
            mark.to_owned(),
            check.name.clone(),
            of,
            check.evidence.clone(),
            json::milliseconds(check.took.as_ref()).to_string(),
        ]);
    }
    table.print()?;
    Ok(code)
}
