//! `echeck imports`: lists imports, shows one or its unreadable lines, or tries a parked one again.

mod print;

use clap::{Args, Subcommand, ValueEnum};
use echeck_proto::returns::v1 as proto;
use proto::ImportState;

use super::arguments::{Amounts, Change, Period};
use super::connect::{Client, pages};
use crate::failure::{Failure, missing};
use crate::output::{Columns, Field, Tone, field, grouped};
use crate::words::{Words as _, sum, time};
pub(super) use print::{outcome_table, print};

/// Which imports to list, or what to do with one.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck imports\n  echeck imports --state applied --since 2026-01-05\n  \
    echeck imports show imp_0123456789abcdef01234567\n  \
    echeck imports lines imp_0123456789abcdef01234567\n  \
    echeck imports retry imp_0123456789abcdef01234567 --reason 'more memory'",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct ListImportsArguments {
    #[command(subcommand)]
    action: Option<ImportAction>,
    /// The import to show, as `show` does.
    import_id: Option<String>,
    #[command(flatten)]
    filter: ImportFilter,
    /// The maximum number of imports.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

/// Which imports are meant.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
struct ImportFilter {
    /// Only of this source.
    #[arg(long, default_value = "", hide_default_value = true)]
    source: String,
    /// Only in this state.
    #[arg(long, value_enum)]
    state: Option<StateArgument>,
    #[command(flatten)]
    received: Period,
    #[command(flatten)]
    amounts: Amounts,
}

/// The state of an import.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[repr(i32)]
enum StateArgument {
    /// The file is being checked.
    Checking = ImportState::Checking as i32,
    /// The file was rejected whole.
    Rejected = ImportState::Rejected as i32,
    /// Entries are being decided.
    Deciding = ImportState::Deciding as i32,
    /// Every entry is decided.
    Decided = ImportState::Decided as i32,
    /// Every database has passed what was decided.
    Applied = ImportState::Applied as i32,
}

/// What to do with an import.
#[derive(Debug, Subcommand)]
enum ImportAction {
    /// Show an import, and what it waits for.
    Show {
        /// The import.
        import_id: String,
    },
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
        filter,
        limit,
    } = arguments;
    match (action, import_id) {
        (Some(ImportAction::Show { import_id }), _) | (None, Some(import_id)) => {
            show(import_id, service).await
        }
        (Some(ImportAction::Lines { import_id }), _) => lines(import_id, service).await,
        (Some(ImportAction::Retry { import_id, change }), _) => {
            retry(import_id, change, service).await
        }
        (None, None) => list(&filter, limit, service).await,
    }
}

async fn list(filter: &ImportFilter, limit: u32, service: &Client) -> Result<u8, Failure> {
    let found = pages(limit, async |page_size, page_token| {
        let ask = proto::ListImportsRequest {
            source: filter.source.clone(),
            state: filter.state.map_or(0, |state| state as i32),
            received_from: filter.received.since,
            received_before: filter.received.until,
            min_amount_minor: filter.amounts.min_amount,
            max_amount_minor: filter.amounts.max_amount,
            page_size,
            page_token,
        };
        let answer = service.returns().list_imports(ask).await?.into_inner();
        Ok((answer.imports, answer.next_page_token))
    });
    service.show_list(&found.await?, "No imports.", columns)
}

/// Shows an import, and what it waits for.
pub(super) async fn show(import_id: String, service: &Client) -> Result<u8, Failure> {
    let ask = proto::GetImportRequest { import_id };
    let answer = service.returns().get_import(ask).await?.into_inner();
    let import = answer.file_import.ok_or_else(|| missing("import"))?;
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
    service.show_list(&found.await?, "Every line could be read.", |line| {
        vec![
            field("LINE", line.line).right(),
            field("FIELD", &line.field),
            field("WHY", &line.message).text(),
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
    let import = answer.file_import.ok_or_else(|| missing("import"))?;
    service.show(&import, print)
}

fn columns(import: &proto::Import) -> Columns {
    let totals = import.totals.unwrap_or_default();
    let tally = |tally: Option<proto::Tally>| tally.unwrap_or_default();
    let count = |header, of| field(header, grouped(tally(of).count)).right();
    let needs_person = |field: Field, of| match tally(of).count {
        0 => field,
        _ => field.tone(Tone::Attention),
    };
    let (state, tone) = state(import);
    vec![
        field("IMPORT", &import.import_id),
        field("RECEIVED", time(import.received_at.as_ref())),
        field("FILE", &import.file_name).text().extra(1),
        field("SOURCE", &import.source).extra(6),
        field("STATE", state).text().tone(tone),
        field(
            "AMOUNT",
            sum(tally(totals.read).amount_minor, &import.currencies),
        )
        .right(),
        count("ENTRIES", totals.read).extra(2),
        count("RETURNED", totals.returned).extra(3),
        count("REVERSED", totals.reversed).extra(3),
        count("RESTORED", totals.restored).extra(4),
        count("REAPPLIED", totals.reapplied).extra(4),
        needs_person(count("HELD", totals.held), totals.held),
        needs_person(count("UNREADABLE", totals.rejected), totals.rejected).extra(5),
    ]
}

/// How far an import is. What had no effect in some database is not applied.
fn state(import: &proto::Import) -> (String, Tone) {
    let lacking = import.databases.iter().any(|one| one.exceptions > 0);
    match import.state() {
        ImportState::Applied if lacking => ("finished with exceptions".to_owned(), Tone::Attention),
        state => (state.words(), state.tone()),
    }
}
