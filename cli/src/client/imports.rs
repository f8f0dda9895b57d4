//! `echeck imports`: lists imports, shows one or its unreadable lines, or tries a parked one again.

use std::io;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use echeck_proto::returns::v1 as proto;
use proto::ImportState;

use super::connect::{Client, pages};
use super::{Change, Failure, Words as _, amount};
use crate::output::{Columns, Table, counted, out};

/// Which imports to list, or what to do with one.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck imports\n  echeck imports imp_0123456789abcdef01234567 --json\n  \
    echeck imports lines imp_0123456789abcdef01234567\n  \
    echeck imports retry imp_0123456789abcdef01234567 --reason 'the machine has more memory now'",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct ListImportsArguments {
    #[command(subcommand)]
    action: Option<ImportAction>,
    /// The import to show.
    import_id: Option<String>,
    /// Only of this source.
    #[arg(long, default_value = "", hide_default_value = true)]
    source: String,
}

/// What to do with an import.
#[derive(Debug, Subcommand)]
enum ImportAction {
    /// List all lines that could not be read.
    Lines {
        /// The import.
        import_id: String,
    },
    /// Try an import again that is parked, because the process ended twice while it worked on it.
    Retry {
        /// The import.
        import_id: String,
        #[command(flatten)]
        change: Change,
    },
}

pub(super) async fn run(arguments: ListImportsArguments, service: &Client) -> Result<u8, Failure> {
    let ListImportsArguments {
        action,
        import_id,
        source,
    } = arguments;
    match action {
        Some(ImportAction::Lines { import_id }) => return lines(import_id, service).await,
        Some(ImportAction::Retry { import_id, change }) => {
            return retry(import_id, change, service).await;
        }
        None => {}
    }
    let Some(import_id) = import_id else {
        let ask = proto::ListImportsRequest {
            source,
            ..Default::default()
        };
        let answer = service.returns().list_imports(ask).await?;
        return service.show_all(&answer.into_inner().imports, "No imports yet.", columns);
    };
    let ask = proto::GetImportRequest { import_id };
    let answer = service.returns().get_import(ask).await?.into_inner();
    let import = answer.file_import.context("the service sent no import")?;
    service.show(&import, print)
}

async fn lines(import_id: String, service: &Client) -> Result<u8, Failure> {
    let found = pages(u32::MAX, async |page_size, page_token| {
        let ask = proto::ListRejectedLinesRequest {
            import_id: import_id.clone(),
            page_size,
            page_token,
        };
        let answer = service.returns().list_rejected_lines(ask).await?;
        let answer = answer.into_inner();
        Ok((answer.rejected_lines, answer.next_page_token))
    });
    service.show_all(&found.await?, "Every line could be read.", |line| {
        vec![
            (">LINE", line.line.to_string()),
            ("FIELD", line.field.clone()),
            ("WHY", line.message.clone()),
        ]
    })
}

async fn retry(import_id: String, change: Change, service: &Client) -> Result<u8, Failure> {
    let ask = proto::RetryImportRequest {
        import_id,
        request_id: change.request.request_id,
        reason: change.reason,
    };
    let answer = service.operations().retry_import(ask).await?.into_inner();
    let import = answer.file_import.context("the service sent no import")?;
    service.show(&import, print)
}

fn columns(import: &proto::Import) -> Columns {
    let totals = import.totals.unwrap_or_default();
    let count = |tally: Option<proto::Tally>| tally.unwrap_or_default().count.to_string();
    vec![
        ("IMPORT", import.import_id.to_string()),
        ("SOURCE", import.source.to_string()),
        ("FILE", import.file_name.to_string()),
        ("STATE", state(import)),
        (">READ", count(totals.read)),
        (">HELD", count(totals.held)),
        (">REJECTED", count(totals.rejected)),
    ]
}

/// How far an import is. What had no effect in some database is not applied.
fn state(import: &proto::Import) -> String {
    let lacking = import.databases.iter().any(|one| one.exceptions > 0);
    match import.state() {
        ImportState::Applied if lacking => "finished with exceptions".to_owned(),
        state => state.words(),
    }
}

/// Prints one import for people.
pub(super) fn print(import: &proto::Import) -> io::Result<()> {
    writeln!(
        out(),
        "{}  {}  source {}  {}",
        import.import_id,
        import.file_name,
        import.source,
        state(import)
    )?;
    if let Some(rejection) = &import.rejection {
        writeln!(out(), "rejected: {}", rejected(rejection))?;
        return looks_like(rejection);
    }
    totals(&import.totals.unwrap_or_default()).print()?;
    if import.left_out > 0 {
        writeln!(out(), "  left out: {}", import.left_out)?;
    }
    for line in &import.rejected_lines {
        writeln!(out(), "  {}", rejected(line))?;
    }
    if !import.rejected_lines_token.is_empty() {
        let all = import
            .totals
            .unwrap_or_default()
            .rejected
            .unwrap_or_default();
        let more = all.count.saturating_sub(import.rejected_lines.len() as u64);
        let more = counted(more, "more line", "more lines");
        let id = &import.import_id;
        writeln!(out(), "  and {more}: echeck imports lines {id}")?;
    }
    for finding in &import.findings {
        writeln!(
            out(),
            "  tolerated: {}: {} ({})",
            finding.field,
            finding.message,
            counted(finding.count, "time", "times")
        )?;
    }
    for one in &import.databases {
        let lacking = match one.exceptions {
            0 => String::new(),
            count => counted(count, "entry without effect", "entries without effect"),
        };
        let line = format!(
            "{:<10} {}  {lacking}{}",
            one.database,
            one.state().words(),
            one.fault
        );
        writeln!(out(), "{}", line.trim_end())?;
    }
    Ok(())
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
    writeln!(out(), "It looks like {}{advice}", rejection.looks_like)
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
        ("rejected", totals.rejected),
    ];
    outcome_table(outcomes.map(|(outcome, tally)| (outcome, tally.unwrap_or_default())))
}

/// How many entries ended in each way, and their money.
pub(super) fn outcome_table<'a>(
    outcomes: impl IntoIterator<Item = (&'a str, proto::Tally)>,
) -> Table {
    let mut table = Table::new(&["OUTCOME", ">ENTRIES", ">AMOUNT"]);
    for (outcome, tally) in outcomes {
        table.row(&[&outcome, &tally.count, &amount(tally.amount_minor)]);
    }
    table
}
