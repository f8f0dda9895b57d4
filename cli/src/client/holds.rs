//! `echeck holds`: entries that wait, and what a person does about them.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use echeck_proto::returns::v1 as proto;
use proto::resolve_hold_request::Action as Resolution;
use proto::{HoldReason, HoldState};

use super::connect::{Client, pages};
use super::proposals::print_proposed;
use super::{Failure, Note, Words as _, amount, exit};
use crate::output::{Columns, counted, out, print_error, progress_bar};

/// Which holds to list, or what to do with one.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck holds\n  echeck holds retry hold_… --transfer TR0001\n  \
    echeck holds retry --reason database_refused --note 'the mapping is corrected'\n  \
    echeck holds dismiss hold_… --note 'the bank sent it by mistake'",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct HoldArguments {
    #[command(subcommand)]
    action: Option<HoldAction>,
    /// Also list closed ones.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: HoldFilterArguments,
}

/// Which holds are meant.
#[derive(Debug, Clone, Args)]
struct HoldFilterArguments {
    /// Only for this reason, such as database_refused.
    #[arg(long, value_parser = reason)]
    reason: Option<HoldReason>,
    /// Only of this import.
    #[arg(long)]
    import: Option<String>,
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// Only of entries with this code, such as R01.
    #[arg(long)]
    code: Option<String>,
}

/// A reason, as `--json` spells it.
fn reason(text: &str) -> Result<HoldReason, String> {
    let name = format!("HOLD_REASON_{}", text.to_ascii_uppercase());
    match HoldReason::from_str_name(&name) {
        Some(HoldReason::Unspecified) | None => {
            let all = (1..).map_while(|number| HoldReason::try_from(number).ok());
            let all: Vec<_> = all.map(|one| one.words().replace(' ', "_")).collect();
            Err(format!("use one of {}", all.join(", ")))
        }
        Some(reason) => Ok(reason),
    }
}

/// What to do with a hold.
#[derive(Debug, Subcommand)]
enum HoldAction {
    /// Look the entry up and decide it again, or every open one that a filter finds.
    #[command(group(clap::ArgGroup::new("which").required(true).multiple(true)
        .args(["hold_id", "reason", "import", "source", "code"])))]
    Retry {
        /// The hold.
        #[arg(conflicts_with_all = ["reason", "import", "source", "code"])]
        hold_id: Option<String>,
        /// Decide it for this transfer, instead of looking its ids up.
        #[arg(
            long,
            default_value = "",
            hide_default_value = true,
            requires = "hold_id"
        )]
        transfer: String,
        #[command(flatten)]
        filter: HoldFilterArguments,
        #[command(flatten)]
        note: Note,
    },
    /// Close it without effect.
    Dismiss {
        /// The hold.
        hold_id: String,
        #[command(flatten)]
        note: Note,
    },
}

pub(super) async fn run(arguments: HoldArguments, service: &Client) -> Result<u8, Failure> {
    match arguments.action {
        None => list(arguments.all, arguments.filter, service).await,
        Some(HoldAction::Retry {
            hold_id: None,
            filter,
            note,
            ..
        }) => retry_all(filter, note, service).await,
        Some(HoldAction::Retry {
            hold_id: Some(hold_id),
            transfer: transfer_id,
            note,
            ..
        }) => {
            let retry = proto::RetryHold { transfer_id };
            resolve(hold_id, Resolution::RetryHold(retry), note, service).await
        }
        Some(HoldAction::Dismiss { hold_id, note }) => {
            let dismiss = Resolution::DismissHold(proto::DismissHold {});
            resolve(hold_id, dismiss, note, service).await
        }
    }
}

async fn list(all: bool, filter: HoldFilterArguments, service: &Client) -> Result<u8, Failure> {
    let states: &[HoldState] = if all {
        &[
            HoldState::Open,
            HoldState::Resolved,
            HoldState::Duplicate,
            HoldState::Dismissed,
        ]
    } else {
        &[HoldState::Open]
    };
    let mut holds = Vec::new();
    for state in states {
        let found = pages(u32::MAX, async |page_size, page_token| {
            let ask = proto::ListHoldsRequest {
                state: (*state).into(),
                import_id: filter.import.clone().unwrap_or_default(),
                reason: filter.reason.unwrap_or_default().into(),
                page_size,
                page_token,
                source: filter.source.clone().unwrap_or_default(),
                code: filter.code.clone().unwrap_or_default(),
            };
            let answer = service.returns().list_holds(ask).await?;
            let answer = answer.into_inner();
            Ok((answer.holds, answer.next_page_token))
        });
        holds.extend(found.await?);
    }
    let none = if all { "No holds." } else { "No open holds." };
    service.show_all(&holds, none, columns)
}

/// Holds for people.
pub(crate) fn columns(hold: &proto::Hold) -> Columns {
    vec![
        ("HOLD", hold.hold_id.to_string()),
        ("STATE", hold.state().words()),
        ("REASON", hold.reason().words()),
        ("CODE", hold.code.to_string()),
        (">AMOUNT", hold.amount_minor.map(amount).unwrap_or_default()),
        ("DETAIL", hold.detail.to_string()),
    ]
}

/// How many holds are retried with one call: few enough that it ends long before its deadline.
const RETRIED_AT_ONCE: u32 = 100;

/// Retries every open hold that the filter finds, a page at a time.
async fn retry_all(
    filter: HoldFilterArguments,
    note: Note,
    service: &Client,
) -> Result<u8, Failure> {
    let bar = progress_bar(service.json, "retrying {pos} holds {msg}");
    let mut all = proto::RetryHoldsResponse::default();
    for page in 1.. {
        let ask = proto::RetryHoldsRequest {
            reason: filter.reason.unwrap_or_default().into(),
            import_id: filter.import.clone().unwrap_or_default(),
            source: filter.source.clone().unwrap_or_default(),
            code: filter.code.clone().unwrap_or_default(),
            request_id: page_id(&note.request.request_id, page),
            note: note.note.clone(),
            page_size: RETRIED_AT_ONCE,
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let answer = service.returns().retry_holds(ask).await?.into_inner();
        all.resolved += answer.resolved;
        all.duplicate += answer.duplicate;
        all.still_open += answer.still_open;
        all.failures.extend(answer.failures);
        all.next_page_token = answer.next_page_token;
        bar.set_position(all.resolved + all.duplicate + all.still_open);
        if all.next_page_token.is_empty() {
            break;
        }
    }
    bar.finish_and_clear();
    service.show(&all, |all| {
        for failure in &all.failures {
            print_error(&format!("{}: {}", failure.hold_id, failure.message));
        }
        writeln!(
            out(),
            "{} decided again, {}, {} still open",
            counted(all.resolved, "hold", "holds"),
            counted(all.duplicate, "duplicate", "duplicates"),
            all.still_open
        )
    })?;
    Ok(exit::ok_if(all.still_open == 0, exit::NEEDS_ATTENTION))
}

/// The id of one page's request.
fn page_id(request_id: &str, page: u32) -> String {
    match request_id {
        "" => String::new(),
        id => format!("{id}/{page}"),
    }
}

async fn resolve(
    hold_id: String,
    action: Resolution,
    note: Note,
    service: &Client,
) -> Result<u8, Failure> {
    let ask = proto::ResolveHoldRequest {
        hold_id,
        request_id: note.request.request_id,
        note: note.note,
        action: Some(action),
    };
    let answer = service.returns().resolve_hold(ask).await?;
    let answer = answer.into_inner();
    if !answer.proposal_id.is_empty() {
        print_proposed(&answer.proposal_id)?;
    }
    let hold = answer.hold.context("the service sent no hold")?;
    service.show_all(std::slice::from_ref(&hold), "", columns)?;
    Ok(exit::ok_if(
        hold.state() != HoldState::Open,
        exit::NEEDS_ATTENTION,
    ))
}
