//! `echeck imports`: lists imports, or shows one.

use anyhow::Context as _;
use clap::Args;
use echeck_proto::returns::v1 as proto;

use super::connect::Service;
use super::{Failure, Words as _, amount, exit};
use crate::output::{Table, counted, print_line};

/// Which imports to list.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck imports\n  echeck imports imp_0123456789abcdef01234567 --json"
)]
pub struct Arguments {
    /// The import to show.
    import_id: Option<String>,
    /// Only of this source.
    #[arg(long, default_value = "", hide_default_value = true)]
    source: String,
}

pub(super) async fn run(
    Arguments { import_id, source }: Arguments,
    service: &Service,
) -> Result<u8, Failure> {
    let Some(import_id) = import_id else {
        let ask = proto::ListImportsRequest {
            source,
            ..Default::default()
        };
        let answer = service.returns().list_imports(service.ask(ask)).await?;
        service.show_all(&answer.into_inner().imports, "No imports yet.", table)?;
        return Ok(exit::OK);
    };
    let ask = service.ask(proto::GetImportRequest { import_id });
    let answer = service.returns().get_import(ask).await?.into_inner();
    let import = answer.file_import.context("the service sent no import")?;
    service.show(&import, print)
}

fn table(imports: &[proto::Import]) -> Table {
    let mut table = Table::new(&[
        "IMPORT",
        "SOURCE",
        "FILE",
        "STATE",
        ">READ",
        ">HELD",
        ">REJECTED",
    ]);
    for import in imports {
        let totals = import.totals.unwrap_or_default();
        let count = |tally: Option<proto::Tally>| tally.unwrap_or_default().count;
        table.row(&[
            &import.import_id,
            &import.source,
            &import.file_name,
            &import.state().words(),
            &count(totals.read),
            &count(totals.held),
            &count(totals.rejected),
        ]);
    }
    table
}

/// Prints one import for people.
pub(super) fn print(import: &proto::Import) -> Result<(), Failure> {
    print_line(&format!(
        "{}  {}  source {}  {}",
        import.import_id,
        import.file_name,
        import.source,
        import.state().words()
    ))?;
    if let Some(rejection) = &import.rejection {
        print_line(&format!("rejected: {}", rejected(rejection)))?;
        return Ok(());
    }
    totals(&import.totals.unwrap_or_default()).print()?;
    if import.left_out > 0 {
        print_line(&format!("  left out: {}", import.left_out))?;
    }
    for line in &import.rejected_lines {
        print_line(&format!("  {}", rejected(line)))?;
    }
    for finding in &import.findings {
        print_line(&format!(
            "  tolerated: {}: {} ({})",
            finding.field,
            finding.message,
            counted(finding.count, "time", "times")
        ))?;
    }
    for one in &import.databases {
        let line = format!(
            "{:<10} {}  {}",
            one.database,
            one.state().words(),
            one.fault
        );
        print_line(line.trim_end())?;
    }
    Ok(())
}

/// Where a line or a file is wrong, and why.
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

fn totals(totals: &proto::ImportTotals) -> Table {
    let mut table = Table::new(&["OUTCOME", ">ENTRIES", ">AMOUNT"]);
    for (outcome, tally) in [
        ("read", totals.read),
        ("returned", totals.returned),
        ("reversed", totals.reversed),
        ("failed", totals.failed),
        ("corrected", totals.corrected),
        ("restored", totals.restored),
        ("reapplied", totals.reapplied),
        ("duplicate", totals.duplicate),
        ("held", totals.held),
        ("rejected", totals.rejected),
    ] {
        let tally = tally.unwrap_or_default();
        table.row(&[&outcome, &tally.count, &amount(tally.amount_minor)]);
    }
    table
}
